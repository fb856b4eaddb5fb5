import { expect, test } from 'vitest'
import { slurmTime } from '../../src/executor/slurm/directives.ts'
import { commandEnvironment, submitEnvironment } from '../../src/executor/slurm/environment.ts'
import { parseQueue, parseSubmitted, sightingOf } from '../../src/executor/slurm/parse.ts'
import { seconds } from '../../src/units.ts'

test.each([
  ['1234\n', '1234'],
  ['1234;cluster-1\n', '1234'],
  ['Welcome to Stampede3\n1234\n', '1234'],
  ['Submitted batch job 1234\n', undefined],
  ['Stampede3\n', undefined],
  ['', undefined],
])('the id in %j is %j', (stdout, id) => {
  expect(parseSubmitted(stdout)).toBe(id)
})

const seen = (text: string): unknown => sightingOf(parseQueue(text))

test('running tasks count, whatever waits beside them', () => {
  expect(
    seen(
      '14|0|RUNNING|None|sox-r-a.copy\n14|1|RUNNING|None|sox-r-a.copy\n14|2-3|PENDING|Resources|sox-r-a.copy\n',
    ),
  ).toEqual({
    phase: 'running',
    workers: 2,
  })
})

test('held, waiting and never are told apart by the reason', () => {
  expect(seen('14|0-3|PENDING|JobHeldUser|x\n')).toEqual({ phase: 'held' })
  expect(seen('14|0-3|PENDING|Dependency|x\n')).toEqual({ phase: 'waiting', reason: 'Dependency' })
  expect(seen('14|0-3|PENDING|DependencyNeverSatisfied|x\n')).toEqual({ phase: 'blocked' })
})

test('no row and ended rows are gone, a state of a later Slurm is unknown', () => {
  expect(seen('')).toEqual({ phase: 'gone' })
  expect(seen('14|0|COMPLETED|None|x\n')).toEqual({ phase: 'gone' })
  expect(seen('14|0|COMPLETED|None|x\n14|1|CANCELLED|None|x\n')).toEqual({
    phase: 'gone',
    ended: ['CANCELLED'],
  })
  expect(seen('14|0|COMPLETED|None|x\n14|1|DREAMING|None|x\n')).toEqual({ phase: 'unknown' })
})

test('nothing in the environment changes what Slurm does or answers', () => {
  const env = {
    PATH: '/bin',
    SLURM_CONF: '/c',
    SBATCH_ARRAY_INX: '0-9',
    SQUEUE_FORMAT: '%i',
    SLURM_TIME_FORMAT: 'relative',
    LC_ALL: 'de_DE',
  }
  expect(commandEnvironment(env)).toEqual({ PATH: '/bin', SLURM_CONF: '/c', LC_ALL: 'C', TZ: 'UTC' })
})

test('a job sees what finds its tools and what the plan names, and nothing else', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    AWS_SECRET_ACCESS_KEY: 'x',
    HTTPS_PROXY: 'p',
    SLURM_CONF: '/c',
    SBATCH_QOS: 'q',
  }
  expect(submitEnvironment(env, ['HTTPS_PROXY', 'NO_PROXY'])).toEqual({
    PATH: '/bin',
    HOME: '/h',
    HTTPS_PROXY: 'p',
    SLURM_CONF: '/c',
  })
})

test('times are written as Slurm reads them', () => {
  expect([90, 3600, 86_400, 90_061].map((value) => slurmTime(seconds(value)))).toEqual([
    '00:01:30',
    '01:00:00',
    '1-00:00:00',
    '1-01:01:01',
  ])
})
