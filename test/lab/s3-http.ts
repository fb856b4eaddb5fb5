/** The few requests that a test makes itself, without aws or rclone, which take a second each or change names. */

import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Keys } from './s3-conf.ts'

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** With its query; percent signs where it needs them. */
  readonly path: string
  readonly body?: string | Buffer
  /** Signs it. Only for requests without a query, which would belong to what is signed. */
  readonly keys?: Keys
}

/** @throws Error where no answer comes. */
export async function askHttp(
  port: number,
  { method, path, body = '', keys }: HttpRequest,
): Promise<HttpAnswer> {
  const length = { 'Content-Length': Buffer.byteLength(body) }
  const signed = keys === undefined ? {} : signature(method, path, keys)
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false, timeout: 10_000 }
    const sent = request({ ...options, headers: { ...length, ...signed } }, (answer) => {
      text(answer).then((body) => {
        resolve({ status: answer.statusCode ?? 0, body })
      }, reject)
    })
    sent.once('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.once('error', reject)
    sent.end(body)
  })
}

/** The old signature of S3, version 2: all of it fits here, and the gateway takes it. */
function signature(method: string, path: string, { access, secret }: Keys): Record<string, string> {
  const date = new Date().toUTCString()
  const signed = createHmac('sha1', secret).update(`${method}\n\n\n${date}\n${path}`).digest('base64')
  return { Date: date, Authorization: `AWS ${access}:${signed}` }
}
