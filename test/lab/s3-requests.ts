/** What the gateway's log says about the requests it has answered. */

export const REQUEST_KINDS = ['LIST', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'bucket'] as const

/**
 * LIST is a page of a listing, whatever of: objects, uploads or buckets. GET, HEAD, PUT and DELETE are about one object, PUT
 * also about one part of it. POST begins and ends uploads, and deletes many objects at once. `bucket` is all else about a
 * bucket: whether it is there, where, making and removing it.
 */
export type RequestKind = (typeof REQUEST_KINDS)[number]

export interface S3Request {
  readonly kind: RequestKind
  readonly method: string
  /** As sent, percent signs and all, without the query. */
  readonly path: string
  /** As sent, without the question mark. */
  readonly query: string
  readonly status: number
}

const LINE = / "([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) /

/** Undefined for a line about something else. */
export function parseRequest(line: string): S3Request | undefined {
  const [, method, target, status] = (line.includes(' beast: ') ? LINE.exec(line) : null) ?? []
  if (method === undefined || target === undefined) return undefined
  const [path = '', ...query] = target.split('?')
  const request = { method, path, query: query.join('?'), status: Number(status) }
  return { ...request, kind: kindOf(request) }
}

/** How many there are of each kind, zeros left out. */
export function countRequests(
  requests: readonly S3Request[],
): Readonly<Partial<Record<RequestKind, number>>> {
  const counts = REQUEST_KINDS.map(
    (kind) => [kind, requests.filter((one) => one.kind === kind).length] as const,
  )
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

/** Questions about a bucket that are no listing. */
const ABOUT_BUCKET = /^(location|versioning|acl|policy|object-lock|lifecycle|tagging|encryption|cors)\b/

function kindOf({ method, path, query }: Omit<S3Request, 'kind'>): RequestKind {
  if (method === 'POST') return 'POST'
  const isObject = /^\/[^/]+\/./.test(path)
  if (!isObject) return method === 'GET' && !ABOUT_BUCKET.test(query) ? 'LIST' : 'bucket'
  const known = REQUEST_KINDS.find((kind) => kind === method)
  if (known === undefined) throw new Error(`the gateway answered a request of an unknown kind: ${method}`)
  return known
}
