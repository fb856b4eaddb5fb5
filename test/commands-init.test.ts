/** `soxplan init`, as typed. */

import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { tempFolder } from './rig/folder.ts'
import { runSoxplan } from './rig/soxplan.ts'

describe('the first plan', () => {
  test('is written, says what to do next, and is valid as it is', async () => {
    await using temp = await tempFolder()
    const init = await runSoxplan(['init'], { cwd: temp.path })
    expect(init).toEqual({
      exitCode: 0,
      stdout:
        'Wrote plan.yaml. Change `from` and `to` in it, then look at what would happen:\n  soxplan validate plan.yaml\n  soxplan plan plan.yaml\n',
      stderr: '',
    })
    expect(await runSoxplan(['validate', 'plan.yaml'], { cwd: temp.path })).toEqual({
      exitCode: 0,
      stdout: 'plan.yaml is valid: 1 transfer.\n',
      stderr: '',
    })
  })

  test('stays valid with every commented line in force', async () => {
    await using temp = await tempFolder()
    await runSoxplan(['init'], { cwd: temp.path })
    const text = await readFile(join(temp.path, 'plan.yaml'), 'utf8')
    const full = text.replaceAll(/^( *)# ( *(?:[a-z]\w*:(?: .*)?))$/gm, '$1$2')
    for (const field of ['exclude:', 'bandwidth:', 'images:', 'after:', 'slurm:', 'partition:', 'gdrive:']) {
      expect(full).toMatch(new RegExp(`^ *${field}`, 'm'))
    }
    await writeFile(join(temp.path, 'full.yaml'), full)
    expect(await runSoxplan(['validate', 'full.yaml'], { cwd: temp.path })).toEqual({
      exitCode: 0,
      stdout: 'full.yaml is valid: 2 transfers.\n',
      stderr: '',
    })
  })

  test('names a schema that is there', async () => {
    await using temp = await tempFolder()
    await runSoxplan(['init'], { cwd: temp.path })
    const text = await readFile(join(temp.path, 'plan.yaml'), 'utf8')
    const [, address = ''] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
    const schema = await readFile(address.startsWith('file:') ? fileURLToPath(address) : address, 'utf8')
    expect(JSON.parse(schema)).toMatchObject({ title: 'soxplan plan' })
  })

  test('may have another name; a shell line is given only for a tame one', async () => {
    await using temp = await tempFolder()
    const { exitCode, stdout } = await runSoxplan(['init', 'a b.yaml'], { cwd: temp.path })
    expect(exitCode).toBe(0)
    expect(stdout).toContain('Wrote a b.yaml.')
    expect(stdout).toContain('\n  soxplan validate PLAN\n')
  })
})

describe('nothing is overwritten', () => {
  test('a file stays as it is', async () => {
    await using temp = await tempFolder()
    await writeFile(join(temp.path, 'plan.yaml'), 'mine')
    expect(await runSoxplan(['init'], { cwd: temp.path })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error SX146: There is something at ${temp.path}/plan.yaml already, and it was left as it is\n  Give another name: soxplan init NAME.yaml\n`,
    })
    expect(await readFile(join(temp.path, 'plan.yaml'), 'utf8')).toBe('mine')
  })

  test('nor is a folder, or what a dangling link points to', async () => {
    await using temp = await tempFolder()
    await mkdir(join(temp.path, 'folder'))
    await symlink('elsewhere', join(temp.path, 'link'))
    for (const name of ['folder', 'link']) {
      const { exitCode, stderr } = await runSoxplan(['init', name], { cwd: temp.path })
      expect(exitCode).toBe(2)
      expect(stderr).toMatch(/^error SX146: /)
    }
    await expect(readFile(join(temp.path, 'elsewhere'))).rejects.toThrow('ENOENT')
  })
})

test('a folder that is not there is said so', async () => {
  await using temp = await tempFolder()
  expect(await runSoxplan(['init', 'no/plan.yaml'], { cwd: temp.path })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `error SX147: The plan cannot be written: ${temp.path}/no/plan.yaml\n  ENOENT: no such file or directory\n  Choose a folder that exists and that you may write to: soxplan init FOLDER/plan.yaml\n`,
  })
})
