import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readScriptParts } from '../../src/edge/script-parts.ts'
import type { ToolName } from '../../src/plan/plan.ts'
import type { StageKind } from '../../src/graph/step.ts'
import { partNames, type ScriptParts } from '../../src/script/parts.ts'
import { renderScript, type ScriptInput } from '../../src/script/render.ts'
import { tempFolder } from '../rig/folder.ts'
import { bucket, local, remote, scriptInput, type StageOptions } from './stage.ts'

const run = promisify(execFile)
const odd = `/a b/it's "$(touch X)" \`touch X\` \\n\n;#*?[x]{y}~ é 🚚`

function options(tool: ToolName, change: Partial<StageOptions> = {}): StageOptions {
  return { state: '/nowhere', from: local('/data/from'), to: local('/shared/to'), tool, ...change }
}

/** Every kind of script there is. */
async function everyKind(): Promise<readonly (readonly [string, ScriptInput])[]> {
  const store = remote('store', 'bucket/train', '/etc/rclone.conf')
  const kinds: readonly (readonly [string, StageOptions])[] = [
    ['rsync', options('rsync')],
    ['rclone', options('rclone')],
    ['upload', options('rclone', { to: store })],
    ['download', options('rclone', { from: store })],
    ['single file', options('rclone', { single: { from: 'a', to: 'b' } })],
    [
      'aws',
      options('aws', { from: bucket('train', { service: 'https://s3.example.net', profile: 'team' }) }),
    ],
    [
      'aws up',
      options('aws', { to: bucket(''), transfer: { options: { aws: { max_concurrent_requests: 64 } } } }),
    ],
    [
      'odd paths',
      options('rsync', {
        from: local(odd),
        to: local(`${odd}/x`),
        anchors: [{ folder: odd, isMounted: true }],
      }),
    ],
    ['after others', options('rsync', { stagesBefore: ['../one.verify', '../two.copy'] })],
    [
      'all policies',
      options('rsync', {
        transfer: {
          fixup: { preserve: ['owner', 'permissions', 'acls', 'hardlinks'], owners: 'ids' },
          existing: 'keep-newer',
          symlinks: 'follow',
          followDestinationLinks: true,
          umask: '002',
          compare: 'checksum',
          options: { rsync: { compress: true, 'block-size': 1024 } },
        },
      }),
    ],
  ]
  const inputs = await Promise.all(
    kinds.flatMap(([name, one]) =>
      stagesOf(one).map(
        async (stage) => [`${name}, ${stage}`, await scriptInput(one, stage, 'size+mtime')] as const,
      ),
    ),
  )
  const setup = { setup: ['module load rclone', 'export X="$HOME"'] }
  return [
    ...inputs,
    ...inputs.slice(0, 1).map(([name, input]) => [`${name}, set up`, { ...input, setup }] as const),
  ]
}

function stagesOf({ transfer }: StageOptions): readonly StageKind[] {
  const sets: readonly StageKind[] = transfer?.fixup === undefined ? [] : ['fixup', 'directories']
  return ['copy', 'verify', 'prune', ...sets]
}

const nothing = Object.fromEntries(partNames.map((name) => [name, ''])) as ScriptParts

async function complaints(args: readonly string[]): Promise<string> {
  try {
    return (await run('shellcheck', ['-s', 'bash', ...args])).stdout
  } catch (error) {
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
  }
}

describe('renderScript', () => {
  test('is clean for shellcheck: every kind of header, and the whole of each kind of stage', async () => {
    await using temp = await tempFolder()
    const parts = await readScriptParts()
    const kinds = await everyKind()
    const whole = kinds.filter(([name]) =>
      ['rsync, copy', 'aws, copy', 'download, verify', 'download, prune'].includes(name),
    )
    const write = async ([name, input]: (typeof kinds)[number], texts: ScriptParts): Promise<string> => {
      const file = join(temp.path, `${name}.sh`)
      await writeFile(file, renderScript(input, texts))
      return file
    }
    const files = await Promise.all(whole.map((kind) => write(kind, parts)))
    // A header alone uses none of its variables, and an odd path looks like code that somebody forgot to run.
    expect(await complaints(['-e', 'SC2016', ...files])).toBe('')
    const headers = await Promise.all(kinds.map((kind) => write(kind, nothing)))
    expect(await complaints(['-e', 'SC2034,SC2016', ...headers])).toBe('')
  })

  test('the header says to bash exactly what the plan says', async () => {
    const input = await scriptInput(
      options('rsync', { from: local(odd), to: local(`${odd}/x`) }),
      'copy',
      'size',
    )
    const print = `printf '%s\\0' "$from" "$to" "$tool_from" "$tool_to" "\${copy_command[@]}"`
    const { stdout } = await run('bash', ['-c', `${renderScript(input, nothing)}\n${print}`])
    const words = [input.from.path, input.to.path, `${odd}/`, `${odd}/x/`, 'rsync', ...input.copy.args]
    expect(stdout.split('\0').slice(0, -1)).toEqual(words)
  })

  test('the same input gives the same bytes, and nothing in them belongs to one run', async () => {
    const parts = await readScriptParts()
    const input = await scriptInput(options('rclone'), 'copy', 'size')
    const text = renderScript(input, parts)
    expect(renderScript(structuredClone(input), parts)).toBe(text)
    expect(text).not.toContain('/nowhere')
    expect(text.split('\n', 2)).toEqual([
      '#!/bin/bash',
      `# soxplan worker, format 1: transfer data, stage copy, with rclone ${input.tool.version.major}.${input.tool.version.minor}.`,
    ])
  })

  test("the plan's own lines run before anything else, and what it passes on stays", async () => {
    const base = await scriptInput(options('rclone'), 'copy', 'size')
    const input = {
      ...base,
      setup: { setup: ['loaded=$RCLONE_PASS$unset'] },
      environmentPass: ['RCLONE_KEPT', 'RCLONE_PASS'],
    }
    const script = `${renderScript(input, nothing)}\necho "$loaded \${RCLONE_KEPT-gone} \${RCLONE_STRAY-gone} \${AWS_CA_BUNDLE-gone}"`
    const env = { ...process.env, RCLONE_KEPT: 'k', RCLONE_PASS: 'p', RCLONE_STRAY: 's', AWS_CA_BUNDLE: 'b' }
    expect((await run('bash', ['-c', script], { env })).stdout).toBe('p k gone gone\n')
  })
})
