/** The decision table: an entry of the source, what stands in its place at the destination, and the plan, make a fate. */

import { fateBytes, kindBytes, type Fate, type RecordView } from './entry.ts'
import type { Existing } from '../plan/plan.ts'
import { isFixed, type FixupSight } from './attributes.ts'

/** Why an entry is skipped or refused. `reasonTexts` has the words. */
export type Reason =
  | 'special-file'
  | 'own-lock'
  | 'size-unknown'
  | 'symlink-skipped'
  | 'dangling-link'
  | 'kept'
  | 'newer-there'
  | 'directory-on-remote'
  | 'time-only'
  | 'differs'
  | 'age-unknown'
  | 'directory-there'
  | 'file-there'
  | 'link-there'
  | 'special-there'
  | 'link-in-path'
  | 'file-in-path'
  | 'cannot-look'
  | 'not-representable'
  | 'not-verbatim'
  | 'misread-name'
  | 'renamed-by-aws'
  | 'impossible-name'
  | 'also-prefix'
  | 'name-taken'
  | 'link-name'
  | 'unlistable-folder'
  | 'too-long'
  | 'key-too-long'

export const reasonTexts: Readonly<Record<Reason, string>> = {
  'special-file': 'neither a file, a directory nor a symlink',
  'own-lock': 'the lock of a soxplan run that writes here',
  'size-unknown': 'the remote does not tell its size',
  'symlink-skipped': 'a symlink, and the plan says symlinks: skip',
  'dangling-link': 'a symlink that leads nowhere, and the plan says symlinks: follow',
  kept: 'already there and different; the plan says existing: keep',
  'newer-there': 'newer at the destination; the plan says existing: keep-newer',
  'directory-on-remote': 'an empty directory, which a remote does not hold',
  'time-only': 'already there with another modification time and the same size',
  differs: 'already there and different; the plan says existing: error',
  'age-unknown': 'already there and different, and one side tells no time to say which is newer',
  'directory-there': 'a directory stands in its place',
  'file-there': 'something that is no directory stands in its place',
  'link-there': 'a symlink stands in its place',
  'special-there': 'a special file stands in its place',
  'link-in-path': 'a symlink stands in its path at the destination',
  'file-in-path': 'something that is no directory stands in its path at the destination',
  'cannot-look': 'what stands at the destination can not be looked at',
  'not-representable': 'its name is not valid UTF-8, so rclone can not represent it',
  'not-verbatim': 'rclone can not carry its name over SSH as it is; rsync can',
  'misread-name': 'rclone takes its name for that of another file',
  'renamed-by-aws': 'aws would give it another name; rclone has one for it',
  'impossible-name': 'no disk can hold this name, and rclone would change it: an empty, `.` or `..` segment',
  'also-prefix': 'other entries stand below this name, so no disk can hold it as a file',
  'name-taken': 'a file has the name that this symlink would get, so no disk can hold both',
  'link-name': 'its name ends in .rclonelink, which stands for a symlink where the plan says symlinks: keep',
  'unlistable-folder':
    'a folder of its path has a control character in its name, and S3 services other than AWS fail to list that',
  'too-long': 'its path is too long',
  'key-too-long': 'its key would be longer than the 1,024 bytes that S3 takes',
}

export interface Verdict {
  readonly fate: Fate
  readonly byte: number
  readonly reason?: Reason
}

/** What stands at the destination in the place of an entry. One object, filled anew for each entry. */
export interface Found {
  /** `there`: the other fields hold. `link-in-path`, `file-in-path`: a directory on the way is none. */
  state: 'absent' | 'there' | 'link-in-path' | 'file-in-path' | 'cannot-look' | 'too-long'
  /** find's letter as a byte. */
  kindByte: number
  size: number
  hasMtime: boolean
  /** Whole seconds, rounded down. */
  mtimeSeconds: number
  /** Both are symlinks and hold the same bytes. */
  sameTarget: boolean
  /** The fields below hold: they were looked at. */
  hasAttributes: boolean
  /** Permission bits, set-id bits and sticky bit. */
  mode: number
  uid: number
  gid: number
  links: number
}

export interface FatePolicy {
  readonly existing: Existing
  /** What tells files apart beyond their kind. `checksum`: sizes here, contents later. */
  readonly comparison: 'size' | 'size+mtime' | 'checksum'
  /** The plan's proof reads contents, so that equal files are proven as well. */
  readonly proveAll: boolean
  readonly symlinks: 'keep' | 'follow' | 'skip'
  readonly destination: 'local' | 'rclone'
  /** A fixup stands behind the copy. */
  readonly fixup?: FixupSight
}

function verdict(fate: Fate, reason?: Reason): Verdict {
  return { fate, byte: fateBytes[fate], ...(reason === undefined ? {} : { reason }) }
}

/** Every verdict there is, made once: deciding about an entry allocates nothing. */
export const verdicts = {
  new: verdict('new'),
  changed: verdict('changed'),
  changedTime: verdict('changed', 'time-only'),
  check: verdict('check'),
  attributes: verdict('attributes'),
  same: verdict('same'),
  specialFile: verdict('skipped', 'special-file'),
  ownLock: verdict('skipped', 'own-lock'),
  sizeUnknown: verdict('skipped', 'size-unknown'),
  symlinkSkipped: verdict('skipped', 'symlink-skipped'),
  danglingLink: verdict('skipped', 'dangling-link'),
  kept: verdict('skipped', 'kept'),
  newerThere: verdict('skipped', 'newer-there'),
  directoryOnRemote: verdict('skipped', 'directory-on-remote'),
  differs: verdict('refused', 'differs'),
  ageUnknown: verdict('refused', 'age-unknown'),
  directoryThere: verdict('refused', 'directory-there'),
  fileThere: verdict('refused', 'file-there'),
  linkThere: verdict('refused', 'link-there'),
  specialThere: verdict('refused', 'special-there'),
  linkInPath: verdict('refused', 'link-in-path'),
  fileInPath: verdict('refused', 'file-in-path'),
  cannotLook: verdict('refused', 'cannot-look'),
  notRepresentable: verdict('refused', 'not-representable'),
  notVerbatim: verdict('refused', 'not-verbatim'),
  misreadName: verdict('refused', 'misread-name'),
  renamedByAws: verdict('refused', 'renamed-by-aws'),
  impossibleName: verdict('refused', 'impossible-name'),
  alsoPrefix: verdict('refused', 'also-prefix'),
  nameTaken: verdict('refused', 'name-taken'),
  linkName: verdict('refused', 'link-name'),
  unlistableFolder: verdict('refused', 'unlistable-folder'),
  tooLong: verdict('refused', 'too-long'),
  keyTooLong: verdict('refused', 'key-too-long'),
} as const satisfies Readonly<Record<string, Verdict>>

/** What the source alone decides; undefined when the destination has a say. */
function decideBySource(view: RecordView, policy: FatePolicy): Verdict | undefined {
  switch (view.kindByte) {
    case kindBytes.file:
    case kindBytes.directory:
      return undefined
    case kindBytes.symlink:
      if (policy.symlinks === 'skip') return verdicts.symlinkSkipped
      return policy.symlinks === 'follow' ? verdicts.danglingLink : undefined
    case kindBytes.unknown:
      return verdicts.sizeUnknown
    default:
      return verdicts.specialFile
  }
}

function decideDirectory(view: RecordView, found: Found, policy: FatePolicy): Verdict {
  if (policy.destination === 'rclone') return verdicts.directoryOnRemote
  if (found.state === 'absent') return verdicts.new
  if (found.kindByte === kindBytes.directory) return decideThere(view, found, policy)
  return found.kindByte === kindBytes.symlink ? verdicts.linkThere : verdicts.fileThere
}

/** Files under one name: equal as far as the listing tells. */
function looksEqual(view: RecordView, found: Found, policy: FatePolicy): boolean {
  if (view.kindByte === kindBytes.symlink) return found.sameTarget
  if (found.kindByte !== kindBytes.file || found.size !== view.size) return false
  if (policy.comparison !== 'size+mtime') return true
  return view.hasMtime && found.hasMtime && view.mtimeSeconds === found.mtimeSeconds
}

function decideEqual(view: RecordView, found: Found, policy: FatePolicy): Verdict {
  if (view.kindByte === kindBytes.symlink) return decideThere(view, found, policy)
  const isOpen = policy.comparison === 'checksum'
  // Under `keep` nothing that is there goes through the tool, which would write over it if contents differ.
  if (policy.existing === 'keep') return isOpen ? verdicts.kept : decideThere(view, found, policy)
  if (isOpen && policy.existing === 'keep-newer' && isNewerThere(view, found)) return verdicts.newerThere
  return isOpen || policy.proveAll ? verdicts.check : decideThere(view, found, policy)
}

/** Nothing is left to copy; a fixup may still have attributes to set. */
function decideThere(view: RecordView, found: Found, policy: FatePolicy): Verdict {
  return policy.fixup === undefined || isFixed(view, found, policy.fixup)
    ? verdicts.same
    : verdicts.attributes
}

function isNewerThere(view: RecordView, found: Found): boolean {
  return view.hasMtime && found.hasMtime && found.mtimeSeconds > view.mtimeSeconds
}

function decideDifferent(view: RecordView, found: Found, policy: FatePolicy): Verdict {
  const isTimeOnly = view.kindByte === kindBytes.file && found.size === view.size
  const changed = isTimeOnly ? verdicts.changedTime : verdicts.changed
  switch (policy.existing) {
    case 'update':
      return changed
    case 'keep':
      return verdicts.kept
    case 'error':
      return verdicts.differs
    case 'keep-newer':
      if (!view.hasMtime || !found.hasMtime) return verdicts.ageUnknown
      return isNewerThere(view, found) ? verdicts.newerThere : changed
  }
}

/**
 * The fate of one entry. The rules, first match wins:
 *
 * 1. Special files, objects without a size, symlinks that the plan skips or can not follow: skipped.
 * 2. The way to it leads over a symlink or a non-directory, or can not be looked at: refused.
 * 3. Directories: towards a remote skipped; not there new; a directory as in 8; anything else refused.
 * 4. Not there: new.
 * 5. A directory or a special file in its place, or a symlink in the place of a file (a tool would write through
 *    it, out of the destination): refused.
 * 6. Equal: by kind, size and, if compared, whole seconds of mtime; symlinks by their target. As in 8, or `check`
 *    when contents decide or are to be proven.
 * 7. Different: as `existing` says. What differs only in mtime is different under `size+mtime`.
 * 8. There: same, or `attributes` where a fixup is asked for and not all that it would set is seen to be set.
 */
export function decideFate(view: RecordView, found: Found, policy: FatePolicy): Verdict {
  const bySource = decideBySource(view, policy)
  if (bySource !== undefined) return bySource
  switch (found.state) {
    case 'link-in-path':
      return verdicts.linkInPath
    case 'file-in-path':
      return verdicts.fileInPath
    case 'cannot-look':
      return verdicts.cannotLook
    case 'too-long':
      return verdicts.tooLong
    case 'absent':
    case 'there':
  }
  if (view.kindByte === kindBytes.directory) return decideDirectory(view, found, policy)
  if (found.state === 'absent') return verdicts.new
  switch (found.kindByte) {
    case kindBytes.directory:
      return verdicts.directoryThere
    case kindBytes.file:
      break
    case kindBytes.symlink:
      if (view.kindByte !== kindBytes.symlink) return verdicts.linkThere
      break
    default:
      return verdicts.specialThere
  }
  if (looksEqual(view, found, policy)) return decideEqual(view, found, policy)
  return decideDifferent(view, found, policy)
}
