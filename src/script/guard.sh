# --- guard.sh: the heartbeat, and the end of a tool whose worker died or lost its claim -------------------------------
#
# One guard per worker life, behind a pipe. It beats time for the worker, which writes the beat itself: a stopped
# worker must not look alive. The guard kills the attempt's process group as soon as the attempt has a verdict that
# the worker did not write, or the worker is gone (end of file on the pipe, even after kill -9).

stop='' group='' verdict='' guard_fd='' guard_pid=0 beats=0

beat() {
  tick=$((tick + 1)) beats=$((beats + 1))
  printf '%09d\n' "$beats" 1<>"workers/$token"
  tell
} 2>/dev/null

# Says what is running, again at every beat, so that a lost line heals. Framed, because a read that times out can
# swallow the first part of a line.
tell() { printf '=%s %s=\n' "$group" "$verdict" >&"$guard_fd"; } 2>/dev/null

guard() {
  trap '' TERM INT HUP USR1 USR2 PIPE
  trap inspect CONT
  local main=$1 group='' verdict='' line rc
  while :; do
    read -rt "$beat_seconds" line
    rc=$?
    if ((rc == 0)); then
      [[ $line =~ ^=([0-9]*)\ (.*)=$ ]] && group=${BASH_REMATCH[1]} verdict=${BASH_REMATCH[2]}
    elif ((rc > 128)); then
      kill -USR1 "$main" 2>/dev/null
      driver_lives || kill -TERM "$main" 2>/dev/null
    else
      if [[ $group ]]; then
        say "died; its tool is ended"
        strike "$group"
      fi
      printf 'gone\n' >"workers/$token.gone"
      [[ $scratch ]] && rm -rf -- "$scratch"
      exit
    fi
    inspect
  done
}

# On one machine a worker ends with the soxplan that started it, even after kill -9: nobody would see it any more.
# Slurm's workers, and those started by hand, have no such driver.
driver_lives() { [[ ! ${SOXPLAN_DRIVER_PID-} ]] || kill -0 "$SOXPLAN_DRIVER_PID" 2>/dev/null; }

inspect() {
  if [[ $group && -e $verdict ]]; then
    strike "$group"
    group=''
  fi
}

# strike GROUP: TERM, then KILL, a whole process group. CONT, because a stopped process never sees the TERM.
strike() {
  local i
  kill -TERM -- "-$1" 2>/dev/null || return 0
  kill -CONT -- "-$1" 2>/dev/null
  for ((i = 0; i < kill_seconds * 5; i++)); do
    kill -0 -- "-$1" 2>/dev/null || return 0
    nap 0.2
  done
  kill -KILL -- "-$1" 2>/dev/null
}

# A guard that was killed is replaced; otherwise the beats would end and the claim would be lost.
guarded() {
  [[ $guard_fd ]] && kill -0 "$guard_pid" 2>/dev/null && return
  [[ $guard_fd ]] && exec {guard_fd}>&-
  exec {guard_fd}> >(guard $$)
  guard_pid=$!
  tell
}

start_guard() {
  trap beat USR1
  trap 'stop=143' TERM INT HUP
  trap 'stop=75' USR2
  trap : PIPE
  mkdir -p workers || exit 74
  make_scratch
  guarded
  # Not before: the end of mktemp would start a guard that knows of no temporary files.
  trap guarded CHLD
  beat
  [[ -s workers/$token ]] || {
    say "the run folder $stage_folder cannot be written"
    exit 74
  }
}

end_guard() {
  trap - CHLD
  exec {guard_fd}>&-
  [[ $scratch ]] && rm -rf -- "$scratch"
}
