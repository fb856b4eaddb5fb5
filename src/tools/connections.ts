/** How many connections a place bears, shared out over the workers that open them. */

import type { Location, ToolName } from '../plan/plan.ts'

/** One that lists or compares beside one that copies: fewer an rclone does not open. */
const RCLONE_CONNECTIONS_MIN = 2

/** Connections that the ends of a transfer bear at once, over all workers; undefined: nobody set a limit. */
export function connectionsMax(...ends: readonly Location[]): number | undefined {
  const limits = ends.flatMap((location) => limitOf(location) ?? [])
  return limits.length === 0 ? undefined : Math.min(...limits)
}

function limitOf(location: Location): number | undefined {
  switch (location.kind) {
    case 'ssh':
    case 'sftp':
      return location.server.maxConnections
    case 's3':
      return location.maxConnections
    case 'local':
    case 'rclone':
      return undefined
  }
}

/** Workers that can share `connections`, ≥ 1: an rsync opens one connection, an rclone two at least. */
export function workersWithin(tool: ToolName, connections: number): number {
  return Math.max(1, Math.floor(connections / (tool === 'rclone' ? RCLONE_CONNECTIONS_MIN : 1)))
}

/** How many of its connections one rclone has for copying and for comparing. */
export function rcloneShare(connections: number): { readonly transfers: number; readonly checkers: number } {
  const checkers = Math.max(1, Math.min(4, Math.floor(connections / 2)))
  return { transfers: Math.max(1, connections - checkers), checkers }
}
