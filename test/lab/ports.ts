/** TCP ports on loopback. */

import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'

/** `count` different free ports. All are held until the last one is known, so that none is given twice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  try {
    return await Promise.all(servers.map((server) => listen(server)))
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

/** Lets `server` take connections, on a free port if none is given, and gives the port. */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}

/** Whether somebody takes connections at `port` of loopback. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

const OPEN_TRIES = 3

/**
 * Makes something that has chosen its ports, and starts it. Between the choice of a port and its use somebody else may
 * have taken it: then all is thrown away and made again. @throws Error of the last try.
 */
export async function openOnFreePorts<Server extends { close: () => Promise<void> }>(
  make: () => Promise<Server>,
  start: (server: Server) => Promise<void>,
): Promise<Server> {
  for (let left = OPEN_TRIES; ; left -= 1) {
    const server = await make()
    try {
      await start(server)
      return server
    } catch (error) {
      await server.close()
      if (left <= 1) throw error
    }
  }
}
