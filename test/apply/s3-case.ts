/** Cases whose plans speak to the lab's S3. */

import { openCase, withVariables, writePlan, type Case } from './case.ts'
import type { RcloneVersion } from '../lab/rclone.ts'
import { countRequests, type RequestKind } from '../lab/s3-requests.ts'
import { REGION } from '../lab/s3-conf.ts'
import type { S3Server } from '../lab/s3.ts'
import type { SoxplanResult } from '../rig/soxplan.ts'

export interface S3Endpoint {
  readonly bucket: string
  readonly profile?: string
  /** Where it is not the server's own port: a proxy's or a puppet's. */
  readonly port?: number
  /** Laid over all the rest. */
  readonly more?: Readonly<Record<string, unknown>>
}

export interface S3Case extends Case {
  /** Writes a plan of one transfer, `data`. The keys of `endpoints` are their names. */
  write(
    endpoints: Readonly<Record<string, S3Endpoint>>,
    transfer: Readonly<Record<string, unknown>>,
    more?: Readonly<Record<string, unknown>>,
  ): Promise<void>
  /** Applies the plan; `more` are variables over those that clients of the lab have. */
  go(more?: NodeJS.ProcessEnv, args?: readonly string[]): Promise<SoxplanResult>
  preview(...args: readonly string[]): Promise<SoxplanResult>
}

/** Nothing leads the tools to this machine's own keys, nor asks the network for some. */
export const S3_VARIABLES: NodeJS.ProcessEnv = {
  AWS_EC2_METADATA_DISABLED: 'true',
  NO_PROXY: '127.0.0.1',
  no_proxy: '127.0.0.1',
}

export async function openS3Case(server: S3Server, rclone: Pick<RcloneVersion, 'program'>): Promise<S3Case> {
  const at = await openCase()
  return {
    ...at,
    write: (endpoints, transfer, more = {}) =>
      writePlan(at.path, {
        tools: { rclone: { path: rclone.program } },
        endpoints: Object.fromEntries(
          Object.entries(endpoints).map(([name, endpoint]) => [name, written(server, endpoint)]),
        ),
        transfers: { data: transfer },
        ...more,
      }),
    go: (more = {}, args = []) => at.apply(args, { env: withVariables({ ...S3_VARIABLES, ...more }) }),
    preview: (...args) => at.plan(args, { env: withVariables(S3_VARIABLES) }),
  }
}

function written(server: S3Server, { bucket, profile = 'store', port, more }: S3Endpoint): object {
  return {
    type: 's3',
    bucket,
    endpoint: port === undefined ? server.endpoint : `http://127.0.0.1:${port}`,
    region: REGION,
    provider: 'Ceph',
    profile,
    credentials: server.credentials,
    ...more,
  }
}

/** Makes buckets with names that no other test of the file has. */
export function bucketsOf(server: () => S3Server): () => Promise<string> {
  let count = 0
  return async () => {
    count += 1
    await server().makeBucket(`bucket-${count}`)
    return `bucket-${count}`
  }
}

/** Requests that the gateway answers while `work` runs, by kind. */
export async function requestsOf(
  server: S3Server,
  work: () => Promise<unknown>,
): Promise<Readonly<Partial<Record<RequestKind, number>>>> {
  await server.forget()
  await work()
  return countRequests(await server.requests())
}
