/** A tree of COUNT files in DIRECTORIES directories that exists only as the listing find would give, a thousand entries at a time. */

export interface Imagined {
  readonly count: number
  readonly directories: number
}

/** Sizes from 0 to 1 MiB, one in a thousand of 1 GiB. `of`: which files, all by default; directories are always listed. */
export function* listing(
  { count, directories }: Imagined,
  of: (at: number) => boolean = () => true,
): Generator<Buffer> {
  const perDirectory = Math.ceil(count / directories)
  let text = ''
  for (let at = 0; at < count; at++) {
    const directory = `d${String(Math.floor(at / perDirectory)).padStart(6, '0')}`
    if (at % perDirectory === 0) text += `d 4096 1700000000.1234567890 64768 ${at} 2 755 0 0 ${directory}\0\0`
    const size = at % 1000 === 0 ? 2 ** 30 : (at * 7919) % 2 ** 20
    if (of(at))
      text += `f ${size} 1700000000.1234567890 64768 ${at} 1 644 1000 1000 ${directory}/sample-${at}.bin\0\0`
    if (at % 1000 !== 999 && at !== count - 1) continue
    yield Buffer.from(text)
    text = ''
  }
}

/** Of ten files at the destination, the source has nine. */
export const isAtSource = (at: number): boolean => at % 10 !== 0
