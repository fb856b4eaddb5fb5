/** A stage becomes the text of its worker script: a header with everything that is special about it, then fixed parts. */

import { throttledAttempts } from '../graph/budget.ts'
import { goesByEntry, type StageKind } from '../graph/step.ts'
import type { Location, ToolSetup, Transfer } from '../plan/plan.ts'
import type { ProofKind } from '../tools/proof.ts'
import { linkWay } from '../tools/rclone-links.ts'
import { isRcloneNamed, placeEnvironment, rcloneFolder } from '../tools/rclone-place.ts'
import { sshCommand, sshPath } from '../tools/ssh.ts'
import type { FixupCommand } from '../tools/rsync-fixup.ts'
import { versionArgument } from '../tools/tool.ts'
import type { CopyCommand, RemoteCommands, ToolChoice, VersionFloor } from '../tools/tool.ts'
import { Bug } from '../units.ts'
import { anchorSettings, type Anchor } from './anchors.ts'
import { partsOf, type ScriptParts } from './parts.ts'
import { quote, quoteArray } from './quote.ts'

export interface ScriptInput {
  readonly stage: StageKind
  readonly transfer: Transfer
  readonly tool: ToolChoice
  readonly proof: ProofKind
  /** Nothing of the same transfer stands behind it: ends 1 when anything failed. */
  readonly isLast: boolean
  /** Folders of stages that must have delivered everything, relative: `../code.verify`. */
  readonly stagesBefore: readonly string[]
  /** Folder of the stage of the same transfer that runs before, relative; absent: this is the first. */
  readonly before?: string
  /** Where the lists of the shards are, relative: `shards`, or `../data.copy/shards`. */
  readonly lists: string
  readonly copy: CopyCommand
  /** Of the stages `fixup` and `directories`, of which `from` is where attributes are read. */
  readonly fixup?: FixupCommand
  /** Asked for where an end is a remote. */
  readonly remote?: RemoteCommands
  /** Where paths count from; for a single file the folders it lies and lands in. */
  readonly from: Location
  readonly to: Location
  /** Of the places on this machine. */
  readonly anchors: readonly Anchor[]
  readonly setup?: ToolSetup
  /** Variables that the plan hands on, which therefore stay as they are. */
  readonly environmentPass: readonly string[]
}

/** What is special about each kind of stage. */
const ownSettings: Readonly<Record<StageKind, (input: ScriptInput) => readonly Setting[]>> = {
  copy: forCopy,
  fixup: forFixup,
  verify: forVerify,
  prune: forPrune,
  directories: forFixup,
}

const FORMAT = 1

/** The whole script. The same input gives the same bytes: no run id, no clock, no absolute path of the run folder. */
export function renderScript(input: ScriptInput, parts: ScriptParts): string {
  const names = partsOf(input.stage, input.copy.takesPrefixes === true)
  return [head(input), environment(input), settings(input), ...names.map((name) => parts[name])].join('\n')
}

function head({ transfer, stage, tool, fixup }: ScriptInput): string {
  const carrier = fixup === undefined ? `${tool.name} ${tool.version.major}.${tool.version.minor}` : 'rsync'
  return `#!/bin/bash
# soxplan worker, format ${FORMAT}: transfer ${transfer.name}, stage ${stage}, with ${carrier}.
#
# Slurm runs it in the stage's folder, once per worker. By hand, from anywhere:
#   bash script.sh                 one more worker
#   bash script.sh --shard 00007   one shard
# It needs bash 4.4, coreutils, findutils, grep, sed, an awk and the tool.
set -u +m
`
}

function environment({ setup, environmentPass, from, to }: ScriptInput): string {
  const kept = environmentPass.map((name) => `${name}|`).join('')
  const lines = setup?.setup ?? []
  const own =
    lines.length === 0
      ? ''
      : `
# The plan's own lines for this tool.
set +u
${lines.join('\n')}
set -u
`
  return `# --- environment -------------------------------------------------------------------------------------------------
# Settings of the tools come from the plan alone; a stray variable would change what they copy.
kept='|${kept}'
for name in "\${!RCLONE_@}" "\${!RSYNC_@}" AWS_CA_BUNDLE GREP_OPTIONS TIME_STYLE POSIXLY_CORRECT; do
  [[ $kept == *"|$name|"* ]] || unset "$name"
done
${Object.entries(placeEnvironment(from, to))
  .map(([name, value]) => `export ${name}=${quote(value)}\n`)
  .join('')}${own}`
}

type Setting = readonly [name: string, value: string | number | boolean | readonly string[], meaning?: string]

function settings(input: ScriptInput): string {
  const entries = input.stage === 'prune' ? [] : forEntries(input)
  const lines = [...common(input), ...entries, ...ownSettings[input.stage](input)].map(setting)
  return `# --- what this stage is ------------------------------------------------------------------------------------------
${lines.join('\n')}
`
}

function setting([name, value, meaning]: Setting): string {
  const plain = typeof value === 'boolean' ? Number(value) : value
  const text = typeof plain === 'object' ? quoteArray(plain) : quote(String(plain))
  const line = `${name}=${text}`
  if (meaning === undefined) return line
  return line.length > 60 || line.includes('\n') ? `# ${meaning}\n${line}` : `${line.padEnd(30)} # ${meaning}`
}

function folder(location: Location): string {
  if (location.kind === 'local') return location.path
  return location.kind === 'ssh' ? sshPath(location) : rcloneFolder(location)
}

/** `remote` is everything that only rclone can look at. */
function kind(location: Location): 'local' | 'ssh' | 'remote' {
  if (isRcloneNamed(location)) return 'remote'
  return location.kind === 'ssh' ? 'ssh' : 'local'
}

function reach(location: Location): readonly string[] {
  return location.kind === 'ssh' ? sshCommand(location.server) : []
}

function common(input: ScriptInput): readonly Setting[] {
  const { stage, transfer, remote, from, to } = input
  const remotes = [from, to].filter((location) => location.kind === 'rclone')
  return [
    ['transfer', transfer.name],
    ['stage', stage],
    ['from', folder(from)],
    ['from_ssh', reach(from), 'for ssh: what a command there is put behind'],
    ['to_kind', kind(to), 'local, ssh: raw bytes; remote: names as rclone spells them'],
    ['to', folder(to)],
    ['to_ssh', reach(to)],
    ['link_way', linkWay(transfer, from, to), 'as-files, from-files: NAME.rclonelink and symlinks'],
    ['tries', transfer.attempts, 'failed attempts per shard, at most'],
    ['throttled_tries', throttledAttempts(transfer.attempts), 'attempts that a service asked to slow down'],
    ['requeue', transfer.slurm[stage].requeue, '1: ask for another turn near the time limit'],
    ['is_last_stage', input.isLast, '1: end 1 for any failed entry, else only for a shard without account'],
    ['stages_before', input.stagesBefore, 'must have delivered everything'],
    ['list_folder', input.lists, 'what each shard holds'],
    ...anchorSettings(input.anchors),
    [
      'with_fixup',
      transfer.fixup !== undefined && goesByEntry(stage),
      '1: lists name entries of which only attributes are set',
    ],
    ...versionSettings(input),
    ['list_command', (stage === 'prune' ? remote?.listUploads : remote?.list) ?? []],
    ['uses_rclone_conf', remotes.length > 0, '1: remotes of an rclone.conf are at an end'],
    ['rclone_conf', remotes.find(({ configPath }) => configPath !== undefined)?.configPath ?? ''],
  ]
}

/** Of stages that look at both ends. */
function forEntries({ stage, transfer, copy, fixup, remote, from }: ScriptInput): readonly Setting[] {
  // A verify stage only looks.
  const places = fixup ?? (stage === 'verify' ? (remote ?? copy) : copy)
  const single = (fixup ?? copy).single
  return [
    ['from_kind', kind(from)],
    ['single_from', single?.source ?? '', 'set for a single file'],
    ['single_to', single?.destination ?? ''],
    ['source_flag', transfer.symlinks === 'follow' ? '-L' : '-P', 'how find treats symlinks of the source'],
    ['follow_destination_links', transfer.followDestinationLinks, '1: a symlink may stand for a directory'],
    ['tool_from', places.source],
    ['tool_to', places.destination],
  ]
}

/** What this stage starts, and the least version of it. A tool that cannot look at a bucket has another beside it. */
function versionSettings(input: ScriptInput): readonly Setting[] {
  const { stage, tool, remote } = input
  const looks = remote !== undefined && (tool.name === 'aws' || stage !== 'copy') ? remote : undefined
  const { version, needs } = starts(input)
  return [
    ['version_command', version, 'first line names the version'],
    ['tool_major', needs.major],
    ['tool_minor', needs.minor],
    ['look_command', looks?.version ?? [], 'the same of the tool that looks, where it is another'],
    ['look_major', looks?.needs.major ?? 0],
    ['look_minor', looks?.needs.minor ?? 0],
  ]
}

function starts({ stage, copy, tool, fixup }: ScriptInput): {
  readonly version: readonly string[]
  readonly needs: VersionFloor
} {
  if (fixup !== undefined) return { version: [fixup.program, '--version'], needs: fixup.needs }
  const asks = [copy.program, versionArgument(tool.name)]
  return { version: stage === 'copy' ? asks : [], needs: copy.needs }
}

function forCopy({ copy, tool, transfer }: ScriptInput): readonly Setting[] {
  return [
    ['existing', transfer.existing, 'update, keep, keep-newer or error'],
    ['tool_name', tool.name],
    [
      'copy_command',
      [copy.program, ...copy.args],
      'then: list flag, list, source, destination; or names, destination',
    ],
    ['flags_as_root', copy.argsAsRoot],
    ['list_flag', copy.listFlag ?? '', 'empty: the names are arguments'],
    ['by_prefixes', copy.takesPrefixes === true, '1: each call carries a unit of ID.units'],
    ...(copy.takesPrefixes === true
      ? ([
          ['settings_command', copy.settingsCommand ?? [], 'then a name and a value'],
          ['tool_settings', copy.settings ?? []],
        ] as const)
      : []),
    ['calls_at_once', copy.callsAtOnce, 'side by side, where there are several'],
    ['copy_modes', !copy.setsModes, '1: permissions of files are set afterwards'],
    ['writes_in_place', copy.writesInPlace, '1: half a file may have its final name'],
    ['umask_wanted', transfer.umask ?? ''],
    [
      'opens_folders',
      transfer.fixup?.preserve.includes('permissions') === true,
      '1: closed directories are opened, and closed again by the last stage',
    ],
  ]
}

function forFixup({ fixup, before, transfer }: ScriptInput): readonly Setting[] {
  if (fixup === undefined || transfer.fixup === undefined) throw new Bug('a fixup without its command')
  return [
    ['before_stage', before ?? '', 'what it gave up on is carried over; empty: nothing ran before'],
    ['fixup_command', [fixup.program, ...fixup.args], 'then: lists, source, destination'],
    ['preserve', transfer.fixup.preserve],
    ['owners_by', transfer.fixup.owners, 'names or ids'],
  ]
}

function forVerify({ proof, before, remote }: ScriptInput): readonly Setting[] {
  return [
    ['before_stage', before ?? '', 'what it gave up on is carried over'],
    ['proof', proof, 'size, size+mtime, checksum or download'],
    ['check_command', remote?.check ?? []],
    ['read_command', remote?.read ?? []],
  ]
}

function forPrune({ remote }: ScriptInput): readonly Setting[] {
  return [['delete_command', remote?.remove ?? []]]
}
