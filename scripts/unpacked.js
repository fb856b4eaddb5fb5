/**
 * Programs that the tests use without installing them: packages of Debian, unpacked into a cache folder. So they need
 * no root, and stand beside whatever version this machine has. Uses nothing but Node's own modules.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SetupError } from './setup.js'

/** @typedef {{ packages: readonly string[], dependencies: boolean, suite?: string }} Unpackable */

/**
 * `dependencies`: with what this machine lacks of them. `suite`: from that one of Debian instead of this machine's own.
 * @type {{ readonly ceph: Unpackable, readonly rclone: Unpackable }}
 */
const UNPACKABLE = {
  ceph: { packages: ['radosgw', 'ceph-mon', 'ceph-osd'], dependencies: true },
  // The newest one, which runs on old systems too: it needs nothing but a C library of 2021.
  rclone: { packages: ['rclone'], dependencies: false, suite: 'sid' },
}

/** Debian's own keys sign all of its suites. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * Where the files of `name` stand as they would below `/`. It is there only when all of it is.
 * @param {keyof typeof UNPACKABLE} name
 * @returns {string}
 */
export function unpackedFolder(name) {
  const { ID, VERSION_ID } = osRelease()
  return join(cacheFolder(), `${name}-${ID}${VERSION_ID}-${process.arch}`)
}

/** @returns {string} SOXPLAN_CACHE, or where this user's programs keep what can be fetched again */
function cacheFolder() {
  const xdg = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return process.env['SOXPLAN_CACHE'] ?? join(xdg, 'soxplan')
}

/**
 * Fetches and unpacks `name` where it is not there yet.
 * @param {keyof typeof UNPACKABLE} name
 * @throws {SetupError} where the packages can not be had
 */
export function unpack(name) {
  const folder = unpackedFolder(name)
  if (existsSync(folder)) return
  const { packages } = UNPACKABLE[name]
  console.log(`Fetching ${packages.join(' ')}, to be used from ${folder} …`)
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 })
  const work = mkdtempSync(`${folder}.new-`)
  try {
    fetchAndUnpack(UNPACKABLE[name], work)
    renameSync(join(work, 'root'), folder)
  } catch (error) {
    // Another set-up at the same time may have been faster.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * @param {Unpackable} what
 * @param {string} work an empty folder; the files come to `root` in it
 */
function fetchAndUnpack({ packages, dependencies, suite }, work) {
  for (const name of ['lists/partial', 'archives/partial', 'debs', 'root']) {
    mkdirSync(join(work, name), { recursive: true })
  }
  const apt = (/** @type {string[]} */ ...args) =>
    capture(join(work, 'debs'), 'apt-get', [...aptOptions(work, suite), ...args])
  apt('update')
  const wanted = dependencies
    ? apt('install', '--simulate', '--no-install-recommends', ...packages).matchAll(/^Inst (\S+)/gm)
    : packages.map((name) => ['', name])
  apt('download', ...[...wanted].map(([, name = '']) => name))
  const each = 'for deb in *.deb; do dpkg-deb --extract "$deb" "$0" || exit; done'
  capture(join(work, 'debs'), 'sh', ['-c', each, join(work, 'root')])
}

/**
 * Lists and cache of our own, so that neither root is needed nor this machine's apt changed.
 * @param {string} work
 * @param {string | undefined} suite
 * @returns {readonly string[]}
 */
function aptOptions(work, suite) {
  // Root would otherwise hand the download to a user who may not look into root's folders.
  const own = [`Dir::State::lists=${work}/lists`, `Dir::Cache=${work}`, 'APT::Sandbox::User=']
  const from = [`Dir::Etc::sourcelist=${work}/sources.list`, 'Dir::Etc::sourceparts=/dev/null']
  if (suite !== undefined) writeFileSync(join(work, 'sources.list'), sourceLine(work, suite))
  return [...own, ...(suite === undefined ? [] : from)].flatMap((option) => ['-o', option])
}

/**
 * Another suite of the mirror that this machine uses anyway.
 * @param {string} work
 * @param {string} suite
 * @returns {string}
 */
function sourceLine(work, suite) {
  const codename = osRelease()['VERSION_CODENAME'] ?? ''
  const uris = capture(work, 'apt-get', ['update', '--print-uris'])
  const [, mirror] = new RegExp(`^'(\\S+)/dists/${codename}/InRelease'`, 'm').exec(uris) ?? []
  if (mirror === undefined) throw new SetupError(`apt names no mirror of ${codename}, so none of ${suite}.`)
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''
  return `deb ${signed}${mirror} ${suite} main\n`
}

/** @returns {Record<string, string>} what this system says it is; empty where it says nothing */
function osRelease() {
  if (!existsSync('/etc/os-release')) return {}
  const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)"?$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
}

/**
 * @param {string} cwd
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {string} what it printed
 * @throws {SetupError} with its last words, where it fails
 */
function capture(cwd, program, args) {
  const env = { ...process.env, LC_ALL: 'C' }
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status === 0) return stdout
  const words = error?.message ?? stderr.trimEnd().split('\n').slice(-5).join('\n')
  throw new SetupError(`${program} ${args.at(-1)} failed:\n${words}`)
}
