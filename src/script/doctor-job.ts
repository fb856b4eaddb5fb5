/** What `doctor` hands to Slurm. */

/** The script of a job that is only asked about. */
export const nothingToRun = ':'
