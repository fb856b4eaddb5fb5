/** Branded quantities and names: a number of bytes never stands where seconds are meant. */

declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** A number of bytes, a whole number ≥ 0, exact up to 2^53 (8 PiB). */
export type Bytes = Branded<number, 'Bytes'>
/** A number of milliseconds, ≥ 0. */
export type Millis = Branded<number, 'Millis'>
/** A number of whole seconds, ≥ 0. */
export type Seconds = Branded<number, 'Seconds'>
/** Bytes per second, > 0. */
export type BytesPerSecond = Branded<number, 'BytesPerSecond'>
/** The name of a transfer, as the plan file has it: `[A-Za-z][A-Za-z0-9_-]*`. */
export type TransferName = Branded<string, 'TransferName'>
/** `TRANSFER.STAGE`, such as `dataset.copy`: one vertex of the graph. */
export type StepId = Branded<string, 'StepId'>
/** The name of a run folder, such as `20261122-211934-2a53f9`. */
export type RunId = Branded<string, 'RunId'>

/** A mistake of ours, never of the user or the cluster. Only `cli.ts` catches it. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** @throws Bug when `value` is not a whole number ≥ 0. */
export function bytes(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new Bug(`not a number of bytes: ${value}`)
  return value as Bytes
}

/** @throws Bug when `value` is negative or not finite. */
export function millis(value: number): Millis {
  if (!Number.isFinite(value) || value < 0) throw new Bug(`not a number of milliseconds: ${value}`)
  return value as Millis
}

/** @throws Bug when `value` is not a whole number ≥ 0. */
export function seconds(value: number): Seconds {
  if (!Number.isSafeInteger(value) || value < 0) throw new Bug(`not a number of seconds: ${value}`)
  return value as Seconds
}

/** @throws Bug when `value` is not a positive finite number. */
export function bytesPerSecond(value: number): BytesPerSecond {
  if (!Number.isFinite(value) || value <= 0) throw new Bug(`not a rate: ${value}`)
  return value as BytesPerSecond
}

/** @throws Bug when the schema let a name through that it must not. */
export function transferName(value: string): TransferName {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(value)) throw new Bug(`not a transfer name: ${value}`)
  return value as TransferName
}

/** Ends a `switch` over a union: reaching it is a mistake the compiler would have found. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
