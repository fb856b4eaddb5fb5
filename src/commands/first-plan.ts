/** The text that `soxplan init` writes. A test reads it as a plan. */

/** `schema` is where an editor finds the JSON Schema: an absolute path or a URL. */
export function firstPlan(schema: string): string {
  return `# yaml-language-server: $schema=${schema}
#
# A plan says what to move, from where to where, and how. Nothing moves before you have seen what would happen:
#   soxplan validate FILE   is the plan right?
#   soxplan plan FILE       what would move, in which shards, with which tool, how long?
#   soxplan apply FILE      asks, moves it, and proves that every file arrived
# Every field is described in docs/plan-file.md. The line at the top lets editors complete them.
version: 1
name: first-transfer

# Transfers are named by you. Each has one source and one destination, absolute or from your home (~/).
transfers:
  data:
    # The contents of this folder land in \`to\`; a slash at the end changes nothing.
    from: ~/soxplan-first/source
    to: ~/soxplan-first/copy

    # What happens to a file that is there already and differs: update, keep, keep-newer or error.
    existing: update

    # How every file is proven at the end: auto takes the strongest proof that costs little.
    # checksum compares contents on both sides, download reads the destination again.
    verify: auto

    # Leave out what nobody needs. Patterns are matched against the path below \`from\`.
    # exclude: ["tmp/**", "**/*.part"]

    # Never use more than this, over all workers together. Say bits or bytes: 10Gbit/s or 1.2GiB/s.
    # bandwidth: 10Gbit/s

  # A second transfer starts when the first is delivered in full:
  # images:
  #   from: ~/soxplan-first/images
  #   to: ~/soxplan-first/images-copy
  #   after: [data]

# Workers per transfer at most. On Slurm each is one task of a job array; on one machine, a process.
nodes: 4

# Options of the Slurm jobs; without Slurm on this machine they are not used.
# slurm:
#   partition: main
#   time: 4:00:00
#   cpus: 8
#   memory: 32G

# A place other than a folder is declared once and used by its name: \`from: gdrive:datasets/train\`.
# Keys and passwords stay in rclone's own file; a plan never holds a secret.
# endpoints:
#   gdrive: { type: rclone, config: ~/.config/rclone/rclone.conf }
`
}
