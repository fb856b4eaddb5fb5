/** The times of workers, so short that a test can watch them. */

export interface Pace {
  readonly SOXPLAN_BEAT: string
  readonly SOXPLAN_LEASE: string
  readonly SOXPLAN_GRACE: string
  readonly SOXPLAN_KILLGRACE: string
  readonly SOXPLAN_BACKOFF: string
}

/** Seconds of a beat and of a lease; a grace that is longer than a kill. */
export function pace(beatSeconds: number, leaseSeconds: number): Pace {
  return {
    SOXPLAN_BEAT: String(beatSeconds),
    SOXPLAN_LEASE: String(leaseSeconds),
    SOXPLAN_GRACE: '1',
    SOXPLAN_KILLGRACE: '1',
    SOXPLAN_BACKOFF: '0',
  }
}
