# --- attempt.sh: one attempt at one shard, from claim to verdict -------------------------------------------------------

# pause_before_retry FAILURES: grows, has a cap, ends early when the worker is to stop.
pause_before_retry() {
  local left=$((backoff_seconds << ($1 - 1)))
  ((left > backoff_seconds_max)) && left=$backoff_seconds_max
  while ((left > 0)) && [[ ! $stop ]]; do
    nap $((left < 10 ? left : 10))
    left=$((left - 10))
  done
}

# failures_of SHARD N: what the shard has spent of its budgets. Sets failures, throttles (a service asked for fewer
# requests) and hopeless_end (keys or rights, which no further attempt mends). Attempts that were released or fenced are
# not the shard's fault.
failures_of() {
  local i result code
  failures=0 throttles=0 hopeless_end=''
  for ((i = 1; i <= $2; i++)); do
    { read -r _ && read -r _ && read -r _ && read -r _ result && read -r _ code; } <"work/$1/$i.end" || continue
    [[ $result == failed ]] || continue
    if [[ $code == "$throttled_exit" ]]; then throttles=$((throttles + 1)); else failures=$((failures + 1)); fi
    [[ $lasting_exits != *" $code "* ]] || ((i <= forgiven)) || hopeless_end=1
  done
} 2>/dev/null

# spent: no budget of the shard has an attempt left.
spent() { [[ $hopeless_end ]] || ((failures >= tries || throttles >= throttled_tries)); }

# grace SHARD N: after a fence, the old tool may still be writing until its guard has seen the fence.
grace() {
  local previous
  read -r previous <"work/$1/$(($2 - 1)).claim" 2>/dev/null
  [[ $previous && -e workers/$previous.gone ]] && return 0
  nap "$grace_seconds"
}

# attempt SHARD N KIND-BEFORE: false when somebody else was faster.
attempt() {
  claim "$1" "$2" || return 1
  if [[ $3 == fenced ]]; then
    say "$1: waits until its former tool must have stopped"
    grace "$1" "$2"
    [[ -e work/$1/$2.end ]] && return 0
  fi
  attempts_left=$((tries - failures - 1)) throttles_left=$((throttled_tries - throttles - 1))
  attempt_log=$stage_folder/work/$1/$2.log
  started=$SECONDS
  : >"$scratch/outcome"
  run_apart "$1" "$2"
  conclude "$1" "$2"
  return 0
}

# run_apart SHARD N: everything an attempt does happens in one process group, so that one signal ends all of it.
run_apart() {
  local rc
  code=0
  set -m
  (
    trap - TERM INT HUP USR1 USR2 PIPE CHLD
    if [[ $node_problem ]]; then
      say "$node_problem"
      exit 127
    fi
    open_shard "$1" || exit
    carry "$1" "$2"
  ) </dev/null >>"$attempt_log" 2>&1 {guard_fd}>&- {quiet_fd}>&- &
  group=$!
  set +m
  verdict=work/$1/$2.end
  tell
  while [[ ! $stop ]]; do
    wait "$group"
    code=$?
    ((code > 128)) || break
    kill -0 "$group" 2>/dev/null && continue
    # It ended while a trap ran: only a second wait tells how.
    wait "$group"
    rc=$?
    ((rc == 127)) || code=$rc
    break
  done
  # Who was killed may have been killed together with this worker: its own TERM may still be on the way.
  ((code > 128)) && [[ ! $stop ]] && nap 0.5
  strike "$group"
  group='' verdict=''
  tell
}

# conclude SHARD N: the verdict. The names given up on are on the disk before it.
conclude() {
  local result exit_code files bytes failed cause what_next spent=$((SECONDS - started)) rc
  # The outcome is the last thing an attempt writes: where its line is whole, it holds, whatever came after.
  if ! read -r result exit_code files bytes failed <"$scratch/outcome"; then
    if [[ $stop ]]; then
      record "$1" "$2" released "$stop" 0 0 0 "$spent" && say "$1: released"
      return
    fi
    result=failed exit_code=$((code ? code : 70)) files=0 bytes=0 failed=0
  fi
  # A full run folder costs time, never an attempt: the data has arrived.
  until
    rc=0
    { ((failed == 0)) || keep failed "$1" "$2"; } || rc=2
    [[ ! -s $scratch/unset ]] || keep unset "$1" "$2" || rc=2
    ((rc)) || record "$1" "$2" "$result" "$exit_code" "$files" "$bytes" "$failed" "$spent" || rc=$?
    ((rc < 2)) || [[ $stop ]]
  do nap "$beat_seconds"; done
  ((rc)) && return
  # A person who runs one shard wants to see what it did.
  [[ $only ]] && tail -n 30 -- "$attempt_log" >&2
  if [[ $result == failed ]]; then
    explain "$exit_code"
    say "$1: attempt $2 failed (${cause}exit $exit_code, $failed entries open); $what_next; see $attempt_log"
  elif ((failed)); then
    say "$1: done, $files entries, $bytes bytes, $spent s; $failed entries FAILED"
  else
    say "$1: done, $files entries, $bytes bytes, $spent s"
  fi
}

# explain EXIT: sets cause, which goes in front of the exit code where that stands for one, and what_next. No command
# substitution: with two of them on a line, a child's end in between made bash read its trap as part of the second.
explain() {
  local left=$attempts_left
  case $1 in
    69) cause='the service asks for fewer requests, ' left=$throttles_left ;;
    75) cause='an end did not answer, ' ;;
    76) cause='an end may not be looked at, ' ;;
    77) cause='the keys have expired, ' ;;
    78) cause='the service does not take the keys, ' ;;
    *) cause='' ;;
  esac
  if [[ $lasting_exits == *" $1 "* ]]; then
    what_next='is not tried again, because no attempt mends that'
  elif ((left > 0)); then
    what_next='will be tried again'
  else
    what_next='was the last'
  fi
}

# keep LIST SHARD N: the list of names of that attempt.
keep() {
  local draft=work/$2/$3.$1.tmp
  cp -- "$scratch/$1" "$draft" 2>/dev/null && sync "$draft" 2>/dev/null && mv -f -- "$draft" "work/$2/$3.$1"
}
