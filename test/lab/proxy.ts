/** A bad line between a client and a server of the lab: it can be slow, cut, or dead. */

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { listen } from './ports.ts'

/** Passes on whatever comes to `target` of loopback, until told otherwise. Ends with this process at the latest. */
export async function startProxy(target: number): Promise<Proxy> {
  const proxy = new Proxy(target)
  await proxy.accept()
  return proxy
}

export class Proxy {
  readonly #target: number
  /** Both ends of every connection. */
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #connections = 0
  #passedBytes = 0
  #cutAtBytes = Infinity
  #delayMillis = 0
  #bytesPerSecond = Infinity
  /** When the line is free again, by `performance.now()`. */
  #freeAt = 0

  constructor(target: number) {
    this.#target = target
  }

  get port(): number {
    return this.#port
  }

  /** How many connections were taken so far. */
  get connections(): number {
    return this.#connections
  }

  /** How many bytes went through so far, both ways together. */
  get passedBytes(): number {
    return this.#passedBytes
  }

  /** New connections are refused, as where nobody listens; those there are stay. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** Takes connections again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    this.#server = createServer((client) => {
      this.#take(client)
    })
    this.#port = await listen(this.#server, this.#port)
  }

  /** Resets every connection now; new ones are welcome. */
  cut(): void {
    this.#cutAtBytes = Infinity
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Cuts every connection, once, when so many more bytes went through, both ways and all connections together. */
  cutAfter(bytes: number): void {
    this.#cutAtBytes = this.#passedBytes + bytes
  }

  /** Every piece of data waits so long before it is passed on. */
  delay(millis: number): void {
    this.#delayMillis = millis
  }

  /** All connections together get no more than this. `Infinity` ends it. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Cuts all and listens no more. May be called twice. */
  close(): Promise<void> {
    this.refuse()
    this.cut()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #take(client: Socket): void {
    this.#connections += 1
    const server = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      // What went wrong is seen at `close`, where it ends the other half too.
      socket.on('error', () => undefined)
      socket.once('close', (failed) => {
        this.#sockets.delete(socket)
        if (failed) other.resetAndDestroy()
      })
      void this.#pump(socket, other)
    }
  }

  /** Ends when `from` has nothing more to say, or when either of both is gone. */
  async #pump(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#wait(chunk.length)
        if (this.#passedBytes + chunk.length >= this.#cutAtBytes) {
          this.#passedBytes += chunk.length
          this.cut()
          return
        }
        this.#passedBytes += chunk.length
        if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
      }
      to.end()
    } catch {
      to.destroy()
    }
  }

  async #wait(bytes: number): Promise<void> {
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1000
    const millis = this.#delayMillis + this.#freeAt - now
    if (millis >= 1) await sleep(millis)
  }
}
