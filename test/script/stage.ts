/** Lays out the stages of one transfer as the run folder has them, from a real tree, and starts real workers on them. */

import { execFile } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readScriptParts } from '../../src/edge/script-parts.ts'
import { probeTool, toolEnvironment } from '../../src/edge/tool-probe.ts'
import type { StageKind } from '../../src/graph/step.ts'
import type { Location, S3Location, ToolName, Transfer } from '../../src/plan/plan.ts'
import { renderScript, type ScriptInput } from '../../src/script/render.ts'
import type { ProofKind } from '../../src/tools/proof.ts'
import { decodeRcloneName } from '../../src/tools/rclone-names.ts'
import { rcloneLookCommands } from '../../src/tools/rclone.ts'
import { fixupCommand } from '../../src/tools/rsync-fixup.ts'
import type { CopyContext, ToolVersion, TransferEnd } from '../../src/tools/tool.ts'
import { toolOf } from '../../src/tools/tools.ts'
import { transferName } from '../../src/units.ts'
import { plainTransfer } from '../rig/transfer.ts'

const run = promisify(execFile)

export interface StageOptions {
  readonly anchors?: ScriptInput['anchors']
  /** Folder that gets `stages/`, made where it is missing. */
  readonly state: string
  readonly from: Location
  readonly to: Location
  readonly tool: ToolName
  readonly shards?: number
  readonly proof?: ProofKind
  readonly transfer?: Partial<Transfer>
  readonly program?: string
  /** A single file gets this name; both as latin1 text of their bytes. */
  readonly single?: { readonly from: string; readonly to: string }
  /** The same names as text, where they are not ASCII. */
  readonly named?: { readonly from: string; readonly to: string }
  /** The shards hold hard links. */
  readonly hardLinks?: boolean
  readonly stagesBefore?: readonly string[]
}

export interface Stages {
  readonly copy: string
  readonly verify: string
  readonly shards: readonly string[]
}

export function local(path: string): Location {
  return { kind: 'local', path }
}

export function remote(name: string, path: string, configPath: string): Location {
  return { kind: 'rclone', endpoint: name, remote: name, configPath, path }
}

export function bucket(path: string, change: Partial<S3Location> = {}): S3Location {
  return { kind: 's3', endpoint: 'store', bucket: 'corpus', path, ...change }
}

export function transferOf(options: Pick<StageOptions, 'from' | 'to' | 'tool' | 'transfer'>): Transfer {
  // A test starts its workers itself: nobody gives them another turn.
  const slurm = { requeue: false, extra: [] }
  return plainTransfer({
    name: transferName('data'),
    from: options.from,
    to: options.to,
    tool: options.tool,
    slurm: { copy: slurm, fixup: slurm, verify: slurm, prune: slurm, directories: slurm },
    ...options.transfer,
  })
}

interface Entry {
  readonly kind: string
  readonly size: number
  readonly mtime: string
  readonly path: string
  readonly target: string
}

/** What stands below a local folder; one character per byte. */
async function listLocal(folder: string): Promise<readonly Entry[]> {
  const { stdout } = await run('find', [folder, '-mindepth', '1', '-printf', '%y %s %T@ %P\\0%l\\0'], {
    encoding: 'latin1',
    maxBuffer: 2 ** 28,
    env: { ...process.env, LC_ALL: 'C' },
  })
  const fields = stdout.split('\0')
  const entries: Entry[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, kind = '', size = '', mtime = '', path = ''] =
      /^(.) (\d+) ([^ ]+) ([^]*)$/.exec(fields[at] ?? '') ?? []
    if ('fdl'.includes(kind))
      entries.push({
        kind,
        size: Number(size),
        mtime: mtime.replace(/\..*/, ''),
        path,
        target: fields[at + 1] ?? '',
      })
  }
  return entries
}

/** Names and sizes as rclone shows them. */
async function listRemote(place: Extract<Location, { kind: 'rclone' }>): Promise<readonly Entry[]> {
  const argv = [
    'lsf',
    '-R',
    '--files-only',
    '--format',
    'sp',
    '--separator',
    ' ',
    `${place.remote}:${place.path}`,
  ]
  const { stdout } = await run('rclone', ['--config', place.configPath ?? '', ...argv], {
    encoding: 'latin1',
    env: toolEnvironment(process.env),
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, size = '', path = ''] = /^(\d+) (.*)$/.exec(line) ?? []
      return { kind: 'f', size: Number(size), mtime: '-', path, target: '' }
    })
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Everything of `from` is work. Entries go to the shards in turn. */
export async function layStages(options: StageOptions): Promise<Stages> {
  const { from, shards = 1, proof = 'size+mtime', single } = options
  if (from.kind !== 'local' && from.kind !== 'rclone') throw new Error(`no listing of ${from.kind} here`)
  const all = from.kind === 'local' ? await listLocal(from.path) : await listRemote(from)
  // A remote holds no directories.
  const wanted = all.filter(
    ({ kind, path }) =>
      (kind !== 'd' || options.to.kind === 'local') && (single === undefined || path === single.from),
  )
  const stages = join(options.state, 'stages')
  const copy = join(stages, 'data.copy')
  const verify = join(stages, 'data.verify')
  const ids = Array.from({ length: shards }, (_, index) => String(index).padStart(5, '0'))
  const shares = ids.map((_, index) => wanted.filter((__, at) => at % shards === index))
  const lines = shares.map((share, index) => {
    const bytes = share.reduce((sum, one) => sum + (one.kind === 'f' ? one.size : 0), 0)
    return `${ids[index] ?? ''} ${share.length} ${bytes}\n`
  })
  for (const folder of [copy, verify]) {
    await mkdir(join(folder, 'workers'), { recursive: true })
    for (const id of ids) await mkdir(join(folder, 'work', id), { recursive: true })
    await writeFile(join(folder, 'order'), lines.join(''))
  }
  await mkdir(join(copy, 'shards'), { recursive: true })
  for (const [index, share] of shares.entries())
    await writeShard(join(copy, 'shards', ids[index] ?? ''), options, share)
  for (const stage of ['copy', 'verify'] as const) {
    const script = renderScript(await scriptInput(options, stage, proof), await readScriptParts())
    const file = join(stage === 'copy' ? copy : verify, 'script.sh')
    await writeFile(file, script)
    await chmod(file, 0o755)
  }
  return { copy, verify, shards: ids }
}

/** Not every machine has one, and a script with it is the same everywhere. */
const SOME_AWS: ToolVersion = { tool: 'aws', path: 'aws', text: '2.9.19', major: 2, minor: 9 }

/** What the renderer gets for one stage of the harness. */
export async function scriptInput(
  options: StageOptions,
  stage: StageKind,
  proof: ProofKind,
): Promise<ScriptInput> {
  const { from, to, tool, program } = options
  const single = options.named ?? options.single
  const transfer = transferOf(options)
  const version = tool === 'aws' ? SOME_AWS : await probeTool(tool, tool, toolEnvironment(process.env))
  if (!('major' in version)) throw new Error(version.what)
  const end = (root: Location, name: string | undefined): TransferEnd =>
    name === undefined ? { root } : { root, name }
  const context: CopyContext = {
    transfer,
    version,
    source: end(from, single?.from),
    destination: end(to, single?.to),
    hasHardLinks: options.hardLinks ?? false,
    ...(program === undefined ? {} : { program }),
  }
  const looksAtRemote = from.kind !== 'local' || to.kind !== 'local'
  return {
    stage,
    transfer,
    tool: { name: tool, version, reason: 'test' },
    proof,
    isLast: stage === 'verify',
    stagesBefore: stage === 'copy' ? (options.stagesBefore ?? []) : [],
    ...(stage === 'copy' ? {} : { before: '../data.copy' }),
    lists: stage === 'copy' ? 'shards' : '../data.copy/shards',
    copy: toolOf(tool).copyCommand(context),
    ...(transfer.fixup !== undefined && (stage === 'fixup' || stage === 'directories')
      ? { fixup: fixupCommand({ ...context, fixup: transfer.fixup }) }
      : {}),
    ...(looksAtRemote
      ? { remote: rcloneLookCommands(tool === 'aws' ? { ...context, program: 'rclone' } : context) }
      : {}),
    from,
    to,
    anchors: options.anchors ?? [],
    environmentPass: [],
  }
}

async function writeShard(base: string, options: StageOptions, share: readonly Entry[]): Promise<void> {
  const { from, to, tool, proof = 'size+mtime', single } = options
  const arrived = (path: string): string => {
    if (single !== undefined) return single.to
    if (from.kind === 'rclone' && to.kind === 'local')
      return Buffer.from(decodeRcloneName(latin1(path))).toString('latin1')
    if (from.kind === 'local' && to.kind === 'rclone')
      return Buffer.from(toolOf('rclone').listEntry(latin1(path), from))
        .toString('latin1')
        .slice(0, -1)
    return path
  }
  const withMtime = proof === 'size+mtime'
  const expect = share.map(({ kind, size, mtime, path, target }) => {
    if (kind === 'f') return `f ${size} ${withMtime ? mtime : '-'} ./${arrived(path)}\0`
    return kind === 'd' ? `d - - ./${arrived(path)}\0` : `l - - ./${arrived(path)}//${target}\0`
  })
  await writeFile(`${base}.expect`, latin1(expect.join('')))
  const files = share.filter(({ kind }) => kind === 'f')
  const links = share.filter(({ kind }) => kind === 'l')
  const inList = tool === 'rclone' ? files : share.filter(({ kind }) => kind !== 'd')
  const list = Buffer.concat(inList.map(({ path }) => toolOf(tool).listEntry(latin1(path), from)))
  if (list.length > 0) await writeFile(`${base}.list`, list)
  if (tool === 'rclone' && links.length > 0)
    await writeFile(`${base}.links`, latin1(links.map(({ path }) => `./${path}\0`).join('')))
  const folders = new Set<string>()
  for (const { kind, path } of share) {
    const parts = (single === undefined ? arrived(path) : single.to).split('/')
    for (let length = 1; length <= parts.length - (kind === 'd' ? 0 : 1); length++)
      folders.add(parts.slice(0, length).join('/'))
  }
  if (folders.size > 0)
    await writeFile(
      `${base}.dirs`,
      latin1(
        [...folders]
          .sort()
          .map((name) => `./${name}\0`)
          .join(''),
      ),
    )
}
