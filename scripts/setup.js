/**
 * What `npm run quickstart`, `npm test`, `npm run lab` and `npm run bench` do first: Node's version, npm's packages
 * and the system's. Runs before node_modules exists, so it uses nothing but Node's own modules.
 */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder with package.json. */
export const PROJECT = fileURLToPath(new URL('..', import.meta.url))

/** Which Debian package brings a program, looked for on PATH unless it has a path of its own. */
const PACKAGES = /** @type {const} */ ({
  rclone: 'rclone',
  rsync: 'rsync',
  shellcheck: 'shellcheck',
  gawk: 'gawk',
  strace: 'strace',
  setfacl: 'acl',
  setfattr: 'attr',
  fpart: 'fpart',
  slurmctld: 'slurmctld',
  slurmd: 'slurmd',
  sbatch: 'slurm-client',
  slurmdbd: 'slurmdbd',
  mariadbd: 'mariadb-server',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  // By its path: what stands first on PATH may be another version, or a stub that only says which one is missing.
  '/usr/bin/aws': 'awscli',
})

/** @typedef {keyof typeof PACKAGES} Program */

/** @type {readonly Program[]} */
export const QUICKSTART_PROGRAMS = ['rclone', 'rsync']
/** @type {readonly Program[]} */
export const TEST_PROGRAMS = ['rclone', 'rsync', 'shellcheck', 'gawk', 'strace', 'setfacl', 'setfattr']
/** @type {readonly Program[]} */
export const SLURM_PROGRAMS = ['slurmctld', 'slurmd', 'sbatch', 'slurmdbd', 'mariadbd']
/** @type {readonly Program[]} */
export const SSH_PROGRAMS = ['ssh', 'sshd']
/** @type {readonly Program[]} */
export const S3_PROGRAMS = ['/usr/bin/aws']
/** @type {readonly Program[]} */
export const BENCH_PROGRAMS = ['rclone', 'rsync', 'fpart', 'strace']

/** Something a person has to do before this can go on; its message says what. */
export class SetupError extends Error {}

/**
 * Node, npm packages and `programs`, all there when it returns.
 * @param {readonly Program[]} programs
 * @throws {SetupError}
 */
export function setUp(programs) {
  checkNode()
  installNpmPackages()
  installPrograms(programs)
}

/**
 * Runs `main`; a SetupError becomes one message and exit code 1.
 * @param {() => number | Promise<number>} main gives the exit code
 */
export async function runScript(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

/** @throws {SetupError} where Node is older than package.json's `engines` says. */
function checkNode() {
  const wanted = /(\d+)\.(\d+)/.exec(readPackageJson().engines.node)
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = [Number(wanted?.[1]), Number(wanted?.[2])]
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new SetupError(
    `soxplan needs Node ${wantedMajor}.${wantedMinor} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      'docs/install.md shows how to get one without root.',
  )
}

/** @returns {{ engines: { node: string } }} */
function readPackageJson() {
  return JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
}

/** `npm ci`, where node_modules is missing or older than the lock file. */
function installNpmPackages() {
  const installed = join(PROJECT, 'node_modules', '.package-lock.json')
  const lock = join(PROJECT, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('Installing npm packages from package-lock.json …')
  // NODE_ENV=production would leave the compiler out.
  if (npm('ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error') !== 0) {
    throw new SetupError(
      'npm ci failed; its message above says why. Is the npm registry reachable from here?',
    )
  }
}

/**
 * Runs npm, the one that runs this script where there is one, with its output shown.
 * @param {...string} args
 * @returns {number} its exit code
 */
export function npm(...args) {
  const cli = process.env['npm_execpath']
  const [program, first] = cli === undefined ? ['npm', []] : [process.execPath, [cli]]
  return run(program, [...first, ...args])
}

/**
 * Runs a program in the project's folder with its output shown and no input.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {number} its exit code; 127 where it could not be started
 */
export function run(program, args, env = process.env) {
  const { status, signal } = spawnSync(program, args, {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status ?? (signal === null ? 127 : 1)
}

/**
 * Installs the packages of those of `programs` that are missing, as root or with a sudo that asks nothing.
 * @param {readonly Program[]} programs
 * @throws {SetupError} which names the packages
 */
export function installPrograms(programs) {
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length === 0) return
  const packages = missing.map((program) => PACKAGES[program])
  const byHand = `Please install: ${packages.join(' ')}  (Debian, Ubuntu: sudo apt install ${packages.join(' ')})`
  if (!isInstalled('apt-get'))
    throw new SetupError(`${byHand}\nThis machine has no apt-get, so soxplan can not do it.`)
  const prefix = rootPrefix()
  if (prefix === undefined) {
    throw new SetupError(
      `${byHand}\nYou are not root and sudo asks for a password, so soxplan can not do it.`,
    )
  }
  console.log(`Installing system packages: ${packages.join(' ')} …`)
  withoutServices(prefix, () => {
    const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages]
    const first = quietly(prefix, install)
    if (first === undefined) return
    quietly(prefix, ['apt-get', 'update'])
    const second = quietly(prefix, install)
    if (second !== undefined) throw new SetupError(`${second}\n${byHand}`)
  })
  const still = missing.filter((program) => !isInstalled(program))
  if (still.length > 0) throw new SetupError(`Installed, but not found on PATH: ${still.join(', ')}`)
}

/**
 * @param {string} program
 * @returns {boolean} whether it stands on PATH or where daemons stand
 */
function isInstalled(program) {
  const onPath = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  const folders = program.startsWith('/') ? ['/'] : onPath
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @returns {readonly string[] | undefined} what to put before a command that needs root; undefined where nothing helps */
function rootPrefix() {
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/**
 * @param {readonly string[]} prefix
 * @param {readonly string[]} command
 * @returns {string | undefined} its output where it failed
 */
function quietly(prefix, command) {
  const [program = 'env', ...args] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'LC_ALL=C',
    ...command,
  ]
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  })
  return status === 0 ? undefined : `${stdout}${stderr}`.trimEnd().split('\n').slice(-15).join('\n')
}

/**
 * What is welcome and can be done without.
 * @param {readonly (readonly [string, () => void])[]} servers names, and what installs them
 * @param {(server: string) => string} lost what it means that one could not be had
 */
export function installWhatCan(servers, lost) {
  for (const [server, install] of servers) {
    try {
      install()
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      console.error(`${error.message}\n${lost(server)}`)
    }
  }
}

const POLICY = '/usr/sbin/policy-rc.d'

/** Daemons that come with the packages, and the names of their services. */
const SERVICES = {
  slurmctld: 'slurmctld',
  slurmd: 'slurmd',
  slurmdbd: 'slurmdbd',
  mariadbd: 'mariadb',
  munged: 'munge',
  sshd: 'ssh',
}

/**
 * Debian starts a daemon when its package is installed, unless a policy says no, and again with every boot. The tests
 * start their own in a temp folder, so those of the packages are left off. Daemons that were there before stay as they are.
 * @param {readonly string[]} prefix
 * @param {() => void} install
 */
function withoutServices(prefix, install) {
  const fresh = Object.entries(SERVICES).filter(([daemon]) => !isInstalled(daemon))
  // A policy that the machine has already is its owner's business.
  const ours = !existsSync(POLICY)
  if (ours) writeAsRoot(prefix, POLICY, '#!/bin/sh\nexit 101\n')
  try {
    install()
  } finally {
    if (ours) quietly(prefix, ['rm', '-f', POLICY])
    const services = fresh.filter(([daemon]) => isInstalled(daemon)).map(([, service]) => service)
    if (services.length > 0 && isInstalled('systemctl'))
      quietly(prefix, ['systemctl', 'disable', ...services])
  }
}

/**
 * @param {readonly string[]} prefix
 * @param {string} path
 * @param {string} text
 */
function writeAsRoot(prefix, path, text) {
  quietly(prefix, ['sh', '-c', 'printf %s "$2" >"$1" && chmod 755 "$1"', 'sh', path, text])
}
