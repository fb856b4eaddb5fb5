import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { probeTool, probeTools, toolEnvironment } from '../../src/edge/tool-probe.ts'
import { tempFolder } from '../rig/folder.ts'
import { puppet } from '../rig/puppet.ts'

describe('the probe', () => {
  test('finds the tools of this machine', async () => {
    const found = await probeTools({ tools: {}, environmentPass: [] }, process.env)
    expect(found.rclone).toMatchObject({ tool: 'rclone', path: 'rclone', major: 1 })
    expect(found.rsync).toMatchObject({ tool: 'rsync', path: 'rsync', major: 3 })
  })

  test.each([
    ['rclone v1.60.1-DEV', { text: 'v1.60.1-DEV', major: 1, minor: 60 }],
    ['rclone v1.75.2', { text: 'v1.75.2', major: 1, minor: 75 }],
    ['rsync  version 3.2.7  protocol version 31', { text: '3.2.7', major: 3, minor: 2 }],
    ['rsync  version v3.4.1  protocol version 32', { text: 'v3.4.1', major: 3, minor: 4 }],
  ])('reads %j', async (line, wanted) => {
    await using temp = await tempFolder()
    const env = await puppet(join(temp.path, 'bin'), 'rclone', `echo '${line}'; echo '- os: 12.11'`)
    expect(await probeTool('rclone', 'rclone', toolEnvironment(env))).toMatchObject(wanted)
  })

  test('says what to do where a tool is missing or broken', async () => {
    await using temp = await tempFolder()
    const env = toolEnvironment(process.env)
    expect(await probeTool('rclone', '/no/rclone', env)).toMatchObject({
      code: 'SX401',
      why: 'There is no /no/rclone.',
    })
    const broken = await puppet(
      join(temp.path, 'bin'),
      'rsync',
      'echo "libfoo.so: cannot open" >&2; exit 127',
    )
    expect(await probeTool('rsync', 'rsync', toolEnvironment(broken))).toMatchObject({
      code: 'SX401',
      why: 'rsync does not start: libfoo.so: cannot open',
    })
    const silent = await puppet(join(temp.path, 'other'), 'rsync', 'echo hello')
    expect(await probeTool('rsync', 'rsync', toolEnvironment(silent))).toMatchObject({
      why: 'rsync does not name a version: hello',
    })
  })

  test('tools see no stray settings, but those that the plan passes on', () => {
    const env = {
      PATH: '/bin',
      AWS_CA_BUNDLE: '/x',
      RCLONE_DRY_RUN: '1',
      RCLONE_CONFIG_PASS: 'p',
      LANG: 'de_DE',
    }
    expect(toolEnvironment(env, ['RCLONE_CONFIG_PASS'])).toEqual({
      PATH: '/bin',
      LANG: 'de_DE',
      LC_ALL: 'C',
      TZ: 'UTC',
      RCLONE_CONFIG_PASS: 'p',
    })
  })
})
