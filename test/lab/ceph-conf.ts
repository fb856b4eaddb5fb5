/** The configuration of a Ceph that holds no more than one gateway needs, as text. */

import { join } from 'node:path'

export interface CephPlace {
  readonly folder: string
  /** Where its packages are unpacked. */
  readonly root: string
  readonly ports: { readonly mon: number; readonly gateway: number }
}

/** What tells this cluster from another one; nobody meets another one on loopback. */
export const FSID = '50d91a00-0000-4000-8000-000000000001'
export const OSD_UUID = '50d91a00-0000-4000-8000-000000000002'

/** Debian's folder of libraries for this processor. */
const LIBRARIES = `usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`

/** The environment of its programs, which look for their libraries and plugins in the system otherwise. */
export function cephEnvironment({ folder, root }: CephPlace): NodeJS.ProcessEnv {
  const libraries = join(root, LIBRARIES)
  return {
    PATH: '/usr/bin:/bin',
    LC_ALL: 'C',
    LD_LIBRARY_PATH: [libraries, join(libraries, 'ceph'), join(root, LIBRARIES.replace('usr/', ''))].join(
      ':',
    ),
    CEPH_CONF: join(folder, 'ceph.conf'),
  }
}

/**
 * `ceph.conf`: one monitor and one store in memory. Waits are short, because nobody else has to agree: with the
 * defaults the gateway takes twice as long to make its first pools.
 */
export function cephConf({ folder, root, ports }: CephPlace): string {
  const libraries = join(root, LIBRARIES)
  return `[global]
fsid = ${FSID}
mon host = v1:127.0.0.1:${ports.mon}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
ms bind msgr2 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
run dir = ${folder}/run
admin socket = ${folder}/run/$name.asok
pid file = ${folder}/run/$name.pid
log file = ${folder}/log/$name.log
crash dir = ${folder}/run
keyring = ${folder}/keyring
erasure code dir = ${libraries}/ceph/erasure-code
plugin dir = ${libraries}/ceph
osd class dir = ${libraries}/rados-classes

[mon]
mon data = ${folder}/mon
mon data avail warn = 2
mon data avail crit = 1
mon tick interval = 1
paxos propose interval = 0.05
paxos min wait = 0.01

[osd]
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 8G

[client]
rgw frontends = beast endpoint=127.0.0.1:${ports.gateway} tcp_nodelay=1
rgw data = ${folder}/rgw
rgw thread pool size = 64
rgw gc obj min wait = 1
rgw gc processor period = 5
debug rgw = 1
`
}
