/** A real S3 on loopback: Ceph's gateway with its data in memory, for as long as a test needs it. */

import { mkdir, open, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { unpackedFolder } from '../../scripts/unpacked.js'
import { AWS, SEARCH_PATH, whyNoS3 } from './available.ts'
import { cephConf, cephEnvironment, FSID, OSD_UUID, type CephPlace } from './ceph-conf.ts'
import { run, waitUntil, type CommandResult } from './command.ts'
import { daemonOf, type Daemon } from './daemon.ts'
import { freePorts, openOnFreePorts } from './ports.ts'
import { Reaper } from './reaper.ts'
import {
  clientVariables,
  credentialsFile,
  keysOf,
  MAKE_USERS,
  rcloneConf,
  writeClientFiles,
  type Profile,
} from './s3-conf.ts'
import { askHttp } from './s3-http.ts'
import { parseRequest, type S3Request } from './s3-requests.ts'

const BOOT_TIMEOUT_MILLIS = 60_000
const LOG_TIMEOUT_MILLIS = 10_000
const MARK = '/soxplan-lab-mark-'

/** Returns when the gateway answers and its users are there, after about 7 s. @throws Error when it can not come up. */
export async function startS3Server(): Promise<S3Server> {
  const reason = whyNoS3()
  if (reason !== undefined) throw new Error(reason)
  return openOnFreePorts(layOut, (server) => server.boot())
}

/** Starts the reaper and writes configuration and empty stores; no daemon yet. */
async function layOut(): Promise<S3Server> {
  const reaper = await Reaper.start()
  const { folder } = reaper
  const [mon = 0, gateway = 0] = await freePorts(2)
  const place: CephPlace = { folder, root: unpackedFolder('ceph'), ports: { mon, gateway } }
  for (const name of ['log', 'run', 'mon', 'osd', 'rgw']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'ceph.conf'), cephConf(place))
  await writeClientFiles(folder, `http://127.0.0.1:${gateway}`)
  return new S3Server(reaper, place)
}

export class S3Server {
  /** Everything of the server is in here; gone after `close()`, but with SOXPLAN_LAB_KEEP=1. */
  readonly folder: string
  readonly port: number
  readonly endpoint: string
  /** Path of aws's file of keys; its profiles are those of `Profile`. */
  readonly credentials: string
  /** Path of an rclone.conf that has every profile as a remote. */
  readonly rcloneConf: string
  /** The environment for clients: nothing of this machine's own configuration of aws or rclone is in it. */
  readonly env: NodeJS.ProcessEnv
  readonly #ceph: CephPlace
  readonly #reaper: Reaper
  readonly #mon: Daemon
  readonly #osd: Daemon
  readonly #gateway: Daemon
  readonly #log: string
  #forgotten = 0
  #marks = 0

  constructor(reaper: Reaper, place: CephPlace) {
    const { folder, ports } = place
    this.folder = folder
    this.port = ports.gateway
    this.endpoint = `http://127.0.0.1:${ports.gateway}`
    this.credentials = credentialsFile(folder)
    this.rcloneConf = join(folder, 'rclone.conf')
    this.env = { ...environmentWithoutClients(), ...clientVariables(folder) }
    this.#ceph = place
    this.#reaper = reaper
    this.#log = join(folder, 'log', 'client.rgw.a.log')
    const daemon = (name: string, args: readonly string[]): Daemon =>
      daemonOf(folder, cephEnvironment(place), name, this.#program(name), ['-f', ...args], () =>
        this.#answers(),
      )
    this.#mon = daemon('ceph-mon', ['-i', 'a'])
    this.#osd = daemon('ceph-osd', ['-i', '0'])
    this.#gateway = daemon('radosgw', ['-n', 'client.rgw.a'])
  }

  /** Starts every daemon and makes the users; part of `startS3Server`. */
  async boot(): Promise<void> {
    const { folder, ports } = this.#ceph
    const files = [
      '--monmap',
      `${folder}/monmap`,
      '--osdmap',
      `${folder}/osdmap`,
      '--keyring',
      `${folder}/keyring`,
    ]
    await this.#must('ceph-authtool', '--create-keyring', `${folder}/keyring`, '--gen-key', '-n', 'mon.')
    const address = ['--addv', 'a', `v1:127.0.0.1:${ports.mon}`]
    await this.#must('monmaptool', '--create', '--fsid', FSID, ...address, `${folder}/monmap`)
    // With the store in the first map already, nobody has to ask the monitor for a place for it.
    await this.#must('osdmaptool', '--createsimple', '1', `${folder}/osdmap`)
    await this.#must('ceph-mon', '--mkfs', '-i', 'a', ...files)
    this.#mon.launch()
    await this.#must('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', OSD_UUID)
    this.#gateway.launch()
    await waitUntil(
      'the gateway answers',
      () => this.#comesUp(),
      BOOT_TIMEOUT_MILLIS,
      () => this.#describe(),
    )
    for (const args of MAKE_USERS) await this.#must('radosgw-admin', ...args)
    await this.forget()
  }

  /** Runs any client, its failure is a value. `RCLONE_CONFIG` leads rclone to the remotes. */
  run(program: string, ...args: readonly string[]): Promise<CommandResult> {
    return run(program, args, this.env, this.folder)
  }

  /** Debian's aws, with `--endpoint-url` and `--profile` before `args`. */
  aws(profile: Profile, ...args: readonly string[]): Promise<CommandResult> {
    return this.run(AWS, '--endpoint-url', this.endpoint, '--profile', profile, ...args)
  }

  /** An rclone.conf for clients that reach this server through another port of loopback, such as a proxy's. */
  async rcloneConfAt(port: number): Promise<string> {
    const path = join(this.folder, `rclone.${port}.conf`)
    await writeFile(path, rcloneConf(`http://127.0.0.1:${port}`), { mode: 0o600 })
    return path
  }

  /** Makes a bucket of the profile `store`. */
  async makeBucket(name: string): Promise<void> {
    await this.#put(`/${name}`, '')
  }

  /** Puts an object under exactly this key, such as no client would make: `a//b`, `/a`, `a\nb`. */
  async putObject(bucket: string, key: string, content: string | Buffer): Promise<void> {
    await this.#put(`/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`, content)
  }

  /** The requests that the gateway has answered since it came up, or since `forget()`, in the order of their ends. */
  async requests(): Promise<readonly S3Request[]> {
    const { text } = await this.#logUntilNow()
    const all = text.split('\n').flatMap((line) => parseRequest(line) ?? [])
    return all.filter(({ path }) => !path.startsWith(MARK))
  }

  /** Lets `requests()` begin here. */
  async forget(): Promise<void> {
    this.#forgotten = (await this.#logUntilNow()).end
  }

  /** Starts the gateway where it is not running, on the same port; the data are still there. */
  async start(): Promise<void> {
    await this.#gateway.start()
  }

  /** SIGTERM to the gateway, and waits. */
  async stop(): Promise<void> {
    await this.#gateway.stop()
  }

  /** SIGKILL to the gateway, and waits. What it had answered is kept. */
  async kill(): Promise<void> {
    await this.#gateway.kill()
  }

  /** The gateway keeps its port and its connections but answers nothing. */
  freeze(): void {
    this.#gateway.freeze()
  }

  thaw(): void {
    this.#gateway.thaw()
  }

  /** Ends every process of the server and removes its folder. May be called twice. */
  async close(): Promise<void> {
    await this.#reaper.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #comesUp(): Promise<boolean> {
    const dead = [this.#mon, this.#gateway].find((daemon) => !daemon.running)
    if (dead !== undefined) throw new Error(`a daemon ended while S3 started\n${await dead.logTail()}`)
    // The store gives up where it meets the monitor before that knows its cluster ("wrong fsid").
    this.#osd.launch()
    return this.#answers()
  }

  async #answers(): Promise<boolean> {
    // A bucket that nobody has: it takes a store to know that.
    const answer = await askHttp(this.port, { method: 'GET', path: `${MARK}0` }).catch(() => undefined)
    return answer?.status === 404
  }

  /**
   * The log is written behind the answers. So a request that is told from all others goes last, and what stands before its
   * line is complete. A gateway that is down has written all there is.
   */
  async #logUntilNow(): Promise<{ readonly text: string; readonly end: number }> {
    if (!this.#gateway.running) return this.#logSince(this.#forgotten)
    this.#marks += 1
    const mark = `${MARK}${this.#marks} `
    await askHttp(this.port, { method: 'GET', path: mark.trimEnd() })
    const end = performance.now() + LOG_TIMEOUT_MILLIS
    for (;;) {
      const log = await this.#logSince(this.#forgotten)
      if (log.text.includes(`GET ${mark}`) && log.text.endsWith('\n')) return log
      if (performance.now() > end) throw new Error('the gateway does not log what it answers')
      await sleep(20)
    }
  }

  async #logSince(offset: number): Promise<{ readonly text: string; readonly end: number }> {
    await using file = await open(this.#log)
    const length = (await stat(this.#log)).size - offset
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
    return { text: buffer.toString(), end: offset + length }
  }

  async #put(path: string, body: string | Buffer): Promise<void> {
    const answer = await askHttp(this.port, { method: 'PUT', path, body, keys: keysOf('store') })
    if (answer.status !== 200) throw new Error(`PUT ${path}: ${answer.status}\n${answer.body}`)
  }

  #program(name: string): string {
    return join(this.#ceph.root, 'usr', 'bin', name)
  }

  async #must(name: string, ...args: readonly string[]): Promise<void> {
    const done = await run(this.#program(name), args, {
      ...cephEnvironment(this.#ceph),
      SOXPLAN_LAB: this.folder,
    })
    if (done.exitCode !== 0)
      throw new Error(`${name} ${args.join(' ')}: exit ${done.exitCode}\n${done.stderr}`)
  }

  async #describe(): Promise<string> {
    const daemons = [this.#mon, this.#osd, this.#gateway]
    return (await Promise.all(daemons.map((daemon) => daemon.logTail()))).join('\n')
  }
}

/** This process's environment without what leads aws and rclone somewhere else. */
function environmentWithoutClients(): NodeJS.ProcessEnv {
  const leading = /^(AWS|RCLONE|S3)_|^(https?|all)_proxy$/i
  const kept = Object.entries(process.env).filter(([name]) => !leading.test(name))
  return { ...Object.fromEntries(kept), PATH: SEARCH_PATH }
}
