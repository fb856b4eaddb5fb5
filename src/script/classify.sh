# --- classify.sh: why an entry did not arrive -------------------------------------------------------------------------
#
# vanished changed unreadable   the source is not what was listed any more, or may not be read
# denied no-space link-in-path  the destination does not take it
# differs                       something else stands there and stays
# not-copied                    none of these: worth another attempt, as is no-space

# classify: reads $scratch/missing; writes $scratch/failed (CLASS ./PATH) and $scratch/given_up (the records).
# Sets worth_retrying.
classify() {
  local record path class name full=0 refused=0
  local -A source_has=() here=() dark=() ours=()
  with_source_names <"$scratch/missing" >"$scratch/source_paths"
  at_source <"$scratch/source_paths" >"$scratch/source" || return 75
  while IFS= read -r -d '' record; do
    record_path "$record"
    source_has[$path]=${record:0:${#record}-${#path}}
    [[ $record == 'l '* ]] && source_has[$path]="l - - ${record##*//}"
  done <"$scratch/source"
  while IFS= read -r -d '' name; do dark[$name]=1; done <"$scratch/unreadable"
  while IFS= read -r -d '' record; do
    record_path "$record"
    here[$path]=${record:0:1}
  done <"$scratch/have"
  half_done
  # The tool's log says what went wrong, but not reliably with which file: that is decided by looking.
  grep -qiE 'no space left|quota exceeded|not enough space|remaining disk space' "$attempt_log" && full=1
  grep -qiE 'AccessDenied|access denied|forbidden|permission denied|read-only file system|operation not permitted' "$attempt_log" && refused=1

  worth_retrying=0
  while IFS= read -r -d '' record && IFS= read -r -d '' name <&3; do
    record_path "$record"
    why_missing "$record" "$path" "$name"
    [[ $class == not-copied || $class == no-space ]] && worth_retrying=1
    printf '%s %s\0' "$class" "$path"
  done <"$scratch/missing" 3<"$scratch/source_paths" >"$scratch/failed"
  cp -- "$scratch/missing" "$scratch/given_up"
}

# why_missing RECORD PATH SOURCE-NAME: sets class.
why_missing() {
  local expected=${1:0:${#1}-${#2}} there=${here[$2]-}
  [[ $1 == 'l '* ]] && expected="l - - ${1##*//}"
  class=not-copied
  if out_of_bounds "$2"; then
    class=link-in-path
  elif [[ ! ${source_has[$3]-} ]]; then
    class=vanished
    hidden "$3" && class=unreadable
  elif [[ ${source_has[$3]} != "$expected" ]]; then
    class=changed
  elif [[ ${dark[$3]-} ]]; then
    class=unreadable
  elif [[ $there && ($there != "${1:0:1}" || ($existing != update && ! ${ours[$2]-})) ]]; then
    class=differs
  elif ((full)); then
    class=no-space
  elif not_writable "$2"; then
    class=denied
  fi
}

# hidden NAME: the entry may well be there, in a directory that this user may not enter.
hidden() {
  local folder=$1
  [[ $from_kind == local ]] || return 1
  while [[ $folder == */* ]]; do
    folder=${folder%/*}
    [[ -d $from/$folder ]] && { [[ ! -x $from/$folder ]]; return; }
  done
  [[ -e $from && ! -x $from ]]
}

# not_writable PATH: the nearest directory that exists does not take new entries, or something that is no directory
# stands where one must be.
not_writable() {
  local folder=$1
  [[ $to_kind == local ]] || return $((! refused))
  while [[ $folder == */* ]]; do
    folder=${folder%/*}
    [[ -d $to/$folder ]] && { [[ ! -w $to/$folder || ! -x $to/$folder ]]; return; }
    [[ -e $to/$folder ]] && return 0
  done
  return 1
}
