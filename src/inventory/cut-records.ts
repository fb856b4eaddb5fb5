/** Cuts a listing that comes in chunks into pieces of whole records, without reading the records. */

/** No record is that long: what has no end by then is handed on, so that the scanner says what is wrong. */
const REST_BYTES_MAX = 1024 * 1024

export interface Cutter {
  /** All whole records up to the end of this chunk, valid as long as the chunk is; may be empty. */
  push(chunk: Buffer): Buffer
  /** What is left: nothing, or a record without an end. */
  rest(): Buffer
}

/** A record ends with the second NUL since its beginning: one stands behind the path and one behind the target. */
export function createCutter(): Cutter {
  let rest = Buffer.alloc(0)
  return {
    push(chunk) {
      const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let end = 0
      for (let first = all.indexOf(0); first >= 0; first = all.indexOf(0, end)) {
        const second = all.indexOf(0, first + 1)
        if (second < 0) break
        end = second + 1
      }
      if (all.length - end > REST_BYTES_MAX) end = all.length
      rest = Buffer.from(all.subarray(end))
      return all.subarray(0, end)
    },
    rest: () => rest,
  }
}
