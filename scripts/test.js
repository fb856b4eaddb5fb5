/**
 * `npm test`: set-up, build, types, lint, format, then all tests. The last line is `N passed, N failed`, and
 * `, N skipped` where some were. Arguments go to vitest: `npm test -- test/lab.test.ts`.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  installPrograms,
  installWhatCan,
  npm,
  PROJECT,
  run,
  S3_PROGRAMS,
  setUp,
  SetupError,
  SLURM_PROGRAMS,
  SSH_PROGRAMS,
  TEST_PROGRAMS,
} from './setup.js'
import { unpack } from './unpacked.js'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** What stands in the way of every test counts as one failure each. */
const CHECKS = ['build', 'typecheck', 'lint', 'format:check']

/**
 * What only some tests need: those are skipped where it can not be had.
 * @type {readonly (readonly [string, () => void])[]}
 */
const SERVERS = [
  ['a real Slurm', () => installPrograms(SLURM_PROGRAMS)],
  ['a real sshd', () => installPrograms(SSH_PROGRAMS)],
  ['a real S3', () => unpack('ceph')],
  ['the aws command', () => installPrograms(S3_PROGRAMS)],
  ['the newest rclone', () => unpack('rclone')],
]

/** @returns {Counts} */
function runAll() {
  try {
    setUp(TEST_PROGRAMS)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  installWhatCan(SERVERS, (server) => `The tests that need ${server} are skipped.`)
  const broken = CHECKS.filter((check) => {
    console.log(`\nnpm run ${check}`)
    const failed = npm('run', '--silent', check) !== 0
    if (failed) console.error(`FAILED: npm run ${check}`)
    return failed
  })
  const counts = runTests()
  if (broken.length > 0) console.error(`FAILED before the tests: ${broken.join(', ')}`)
  return { ...counts, failed: counts.failed + broken.length }
}

/** @returns {Counts} */
function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'soxplan-report-'))
  const report = join(folder, 'report.json')
  try {
    const vitest = join(PROJECT, 'node_modules', 'vitest', 'vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const exitCode = run(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)])
    return count(report, exitCode)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param {string} report path of vitest's JSON report
 * @param {number} exitCode of vitest
 * @returns {Counts}
 */
function count(report, exitCode) {
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  let results
  try {
    results = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    console.error('vitest ended without a report')
    return { passed: 0, failed: 1, skipped: 0 }
  }
  // A file that can not be loaded has no tests to fail.
  const unloaded = results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  const failed = results.numFailedTests + unloaded.length
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: results.numPendingTests + results.numTodoTests,
  }
}

const { passed, failed, skipped } = runAll()
process.exitCode = failed === 0 ? 0 : 1
console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`)
