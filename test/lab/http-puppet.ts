/** Stands before an S3 server and answers some requests itself, with the errors that a real one has under load. */

import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { finished, pipeline } from 'node:stream/promises'
import { listen } from './ports.ts'

/** S3's own words for what it does. */
const ERRORS = {
  SlowDown: { status: 503, message: 'Please reduce your request rate.' },
  AccessDenied: { status: 403, message: 'Access Denied' },
  ExpiredToken: { status: 400, message: 'The provided token has expired.' },
  AuthorizationHeaderMalformed: { status: 400, message: 'The region is wrong.' },
  RequestTimeTooSkewed: { status: 403, message: 'The difference between the clocks is too large.' },
  InvalidAccessKeyId: { status: 403, message: 'The key id does not exist in our records.' },
  NoSuchBucket: { status: 404, message: 'The specified bucket does not exist.' },
  InternalError: { status: 500, message: 'We encountered an internal error. Please try again.' },
} as const

export interface Answer {
  readonly error: keyof typeof ERRORS
  /** How many requests get it; those behind are passed on. `Infinity` for all. */
  readonly times: number
  /** Only requests that match both get it. The path is as sent, with its query. */
  readonly method?: string
  readonly path?: RegExp
  /** From the first that matches on, all requests get it: something changed for good. */
  readonly spreads?: boolean
}

/** Passes every request on to `target` of loopback, until told otherwise. Ends with this process at the latest. */
export async function startHttpPuppet(target: number): Promise<HttpPuppet> {
  const puppet = new HttpPuppet(target)
  await puppet.listen()
  return puppet
}

/** Connections to it are kept alive as the client wants them; to the server every request has one of its own. */
export class HttpPuppet {
  readonly #target: number
  readonly #server: Server
  #port = 0
  #answers: { answer: Answer; left: number }[] = []
  #answered = 0

  constructor(target: number) {
    this.#target = target
    this.#server = createServer((incoming, outgoing) => {
      // A client that goes away in the middle is its own business.
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }

  get port(): number {
    return this.#port
  }

  /** How many requests it has answered itself so far. */
  get answered(): number {
    return this.#answered
  }

  /** Part of `startHttpPuppet`. */
  async listen(): Promise<void> {
    this.#port = await listen(this.#server)
  }

  /** From now on. Of several answers that fit, the one asked for first is given. */
  answer(answer: Answer): void {
    this.#answers.push({ answer, left: answer.times })
  }

  /** Passes all on again. */
  passOn(): void {
    this.#answers = []
  }

  /** May be called twice. */
  close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming
    const found = this.#answers.find(
      ({ answer, left }) =>
        left > 0 && (answer.method ?? method) === method && (answer.path?.test(url) ?? true),
    )
    if (found === undefined) return this.#pass(incoming, outgoing)
    found.left -= 1
    if (found.answer.spreads === true) {
      const { error, times } = found.answer
      found.answer = { error, times }
    }
    this.#answered += 1
    // Its body has to be read, or it would be taken for the next request of the connection.
    await finished(incoming.resume())
    const { status, message } = ERRORS[found.answer.error]
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${found.answer.error}</Code><Message>${message}</Message></Error>`
    outgoing.writeHead(status, {
      'Content-Type': 'application/xml',
      'Content-Length': Buffer.byteLength(body),
    })
    outgoing.end(body)
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, url } = incoming
    // The client was told to go on already; `host` stays, because the request is signed with it.
    const headers = without(incoming.headers, ['connection', 'expect'])
    const sent = request({
      host: '127.0.0.1',
      port: this.#target,
      method,
      path: url,
      headers,
      agent: false,
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve)
      sent.on('error', reject)
    })
    outgoing.once('close', () => sent.destroy())
    // A server may answer before it has read all, and that answer counts.
    pipeline(incoming, sent).catch(() => undefined)
    const answer = await answered
    const given = without(answer.headers, ['connection', 'keep-alive', 'transfer-encoding'])
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, given)
    await pipeline(answer, outgoing)
  }
}

/** What is between one connection's two ends only is said anew on the next one. */
function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}
