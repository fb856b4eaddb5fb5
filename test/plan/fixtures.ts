/** Plans that several tests read, and the way they read them. */

import { ok, type Diagnostic, type Result } from '../../src/diagnostic.ts'
import { renderDiagnostics } from '../../src/diagnostic-render.ts'
import { readPlan, type PlanText, type ReadPlan } from '../../src/plan/read.ts'

/** Uses every block and every form that the plan file knows, what is not carried out yet included. */
export const wholePlan = `
version: 1
name: everything at once
vars: { bucket: corpus, workers: 8, spare: true }
endpoints:
  store: { type: s3, bucket: "\${bucket}", region: eu-north1, endpoint: "https://objects.example.net", provider: Ceph, profile: team, maxConnections: 64 }
  old: { type: ssh, host: 198.51.100.4, user: alice, port: 2222, key: ~/.ssh/copy, knownHosts: ~/.ssh/known_hosts, maxConnections: 8 }
  cloud: { type: rclone, config: ~/.config/rclone/rclone.conf, remote: team drive }
  plain: { type: rclone }
  shared: { type: local, path: /mnt/shared }
slurm:
  partition: cpu,long
  account: ml
  qos: low
  reservation: copy
  constraint: fastnet
  exclude: node[7-9]
  exclusive: true
  gres: gpu:1
  licenses: s3bw:4
  nice: 100
  mailType: END,FAIL
  mailUser: alice@example.net
  time: 1-00:00:00
  cpus: 64
  memory: 500G
  requeue: true
  extra: ["--switches=1", --contiguous]
tools:
  rclone: { setup: ["module load rclone"], path: /opt/rclone/bin/rclone }
  rsync: { path: ~/bin/rsync }
  aws: { setup: [] }
environment: { pass: [HTTPS_PROXY, NO_PROXY] }
nodes: 4
exclusive: true
state: runs
transfers:
  code:
    from: old:/home/alice/code
    to: /mnt/shared/code
    tool: rsync
    where: login
    options: { rsync: { whole-file: true, timeout: 300 } }
    fixup: { from: old:/home/alice/code, preserve: [owner, group, permissions, times, acls, xattrs, hardlinks], owners: ids }
  corpus:
    from: store:train
    to: /mnt/shared/corpus
    tool: auto
    mode: mirror
    maxDelete: 2.5%
    where: slurm
    existing: keep-newer
    compare: size+mtime
    verify: download
    nodes: 8
    exclusive: true
    include: ["**/*.tar"]
    exclude: ["tmp/**"]
    symlinks: follow
    umask: "002"
    bandwidth: 1.2 GiB/s
    options: { rclone: { transfers: 32, buffer-size: 128Mi, use-mmap: true }, aws: { max_concurrent_requests: 64 } }
    onChange: deliver-unchanged
    followDestinationLinks: true
    after: [code, { transfer: code, allow: partial }, "afterok:12345"]
    retries: { attempts: 5 }
    slurm: { time: 90, memory: 0, copy: { cpus: 32 }, fixup: { cpus: 2 }, verify: { time: "30:00" }, prune: { requeue: false } }
`

/** Reads a plan as if it lay at /plans/plan.yaml and \`alice\` had typed the command. */
export function read(text: string, more: Partial<PlanText> = {}): Result<ReadPlan> {
  return readPlan({
    text,
    file: '/plans/plan.yaml',
    folder: '/plans',
    home: '/home/alice',
    vars: {},
    env: {},
    ...more,
  })
}

export function diagnosticsOf(text: string, more: Partial<PlanText> = {}): readonly Diagnostic[] {
  const result = read(text, more)
  return result.ok ? result.value.warnings : result.error
}

/** All diagnostics of a text as a user sees them. */
export function seen(text: string, more: Partial<PlanText> = {}): string {
  return renderDiagnostics(diagnosticsOf(text, more), { folder: '/plans' })
}

/** The plan of a text that has no errors. */
export function planOf(text: string, more: Partial<PlanText> = {}): ReadPlan['plan'] {
  const result = read(text, more)
  return (result.ok ? result : ok(fail(renderDiagnostics(result.error)))).value.plan
}

function fail(message: string): never {
  throw new Error(message)
}
