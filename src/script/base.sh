# --- base.sh: constants, the log, a sleep that listens --------------------------------------------------------------

# Seconds between two heartbeats; beats of silence after which a claim counts as dead; seconds to wait after such a
# claim was fenced, until its tool must have stopped; seconds between TERM and KILL; first pause before a retry.
beat_seconds=${SOXPLAN_BEAT:-10}
lease_beats=${SOXPLAN_LEASE:-12}
grace_seconds=${SOXPLAN_GRACE:-90}
kill_seconds=${SOXPLAN_KILLGRACE:-2}
backoff_seconds=${SOXPLAN_BACKOFF:-5}
backoff_seconds_max=120

# Names are bytes here, and times that are compared or printed are UTC.
export LC_ALL=C TZ=UTC
[[ ${PATH-} ]] || PATH=/usr/local/bin:/usr/bin:/bin
[[ ${HOME-} ]] || HOME=~
export PATH HOME

only=''
case ${1-} in
  '') ;;
  --shard) only=${2-} ;;
  *)
    printf 'usage: bash %s [--shard 00007]\n' "$0" >&2
    exit 2
    ;;
esac

# sbatch starts a copy of this file in the stage folder; a person starts it from anywhere.
[[ -f order ]] || cd -- "$(dirname -- "$0")" || exit 74
stage_folder=$PWD

me=${SLURM_ARRAY_TASK_ID:-${WORKER:-0}}
printf -v token '%s.%s.%s.%s.%(%s)T%s' "$me" "${SLURM_RESTART_COUNT:-0}" "${SLURMD_NODENAME:-$HOSTNAME}" $$ -1 $RANDOM
[[ $token != */* ]] || exit 74
scratch=''

say() { printf '%(%FT%TZ)T worker %s: %s\n' -1 "$me" "$*" >&2; }

# A pipe that never says anything: reading it with a time limit is a sleep without a fork. Traps run inside a read but do
# not end it, so a long sleep is many short ones: a worker that is told to stop wakes within a second.
exec {quiet_fd}<> <(:)
nap() {
  local left=$1
  while [[ $left == [1-9]* && $left != 1 ]]; do
    [[ ${stop-} ]] && return
    read -rt 1 -u "$quiet_fd" _ || :
    if [[ $left == *.* ]]; then left=$((${left%%.*} - 1)).${left#*.}; else left=$((left - 1)); fi
  done
  read -rt "$left" -u "$quiet_fd" _ || :
}

# Worker-private files on the node: temporary files, and the caches tools would otherwise share or leave behind.
make_scratch() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/soxplan.XXXXXXXX") || scratch=$(mktemp -d "$stage_folder/workers/tmp.XXXXXXXX") || {
    say "no place for temporary files: neither ${TMPDIR:-/tmp} nor the run folder takes any"
    exit 74
  }
  export TMPDIR=$scratch XDG_CACHE_HOME=$scratch/cache RCLONE_CACHE_DIR=$scratch/cache
}
