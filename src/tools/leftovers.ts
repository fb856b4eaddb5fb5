/** What tools leave at a destination when they are killed: files that never got their final name. */

/** Where rsync keeps what it is to go on with, beside the file. */
export const PARTIAL_FOLDER = '.soxplan-partial'

/** Longest name of a file, bytes: a longer temporary name loses the end of the file's own. */
const NAME_BYTES_MAX = 255
/** `.` in front and `.XXXXXX` behind (rsync's receiver.c). */
const RSYNC_FRAME_BYTES = 8

/** What find is asked for in the folders of a shard: names of every form below, and no other file. */
export const leftoverPatterns: readonly string[] = ['.*.??????', '*.????????.partial']

/**
 * The file that `name` was to become, if one of `names` is it. Names are latin1 text of raw bytes, without folders.
 *
 * rsync writes `.NAME.XXXXXX`, rclone from 1.63 on `NAME.xxxxxxxx.partial`.
 */
export function finalNameOf(name: string, names: ReadonlySet<string>): string | undefined {
  const [, ofRclone] = /^(.+)\.[0-9a-z]{8}\.partial$/s.exec(name) ?? []
  if (ofRclone !== undefined && names.has(ofRclone)) return ofRclone
  const [, ofRsync] = /^\.(.+)\.[0-9A-Za-z]{6}$/s.exec(name) ?? []
  if (ofRsync === undefined) return undefined
  if (names.has(ofRsync)) return ofRsync
  if (name.length < NAME_BYTES_MAX - 1) return undefined
  return [...names].find(
    (whole) => whole.length > NAME_BYTES_MAX - RSYNC_FRAME_BYTES && whole.startsWith(ofRsync),
  )
}
