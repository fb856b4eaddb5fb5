# --- classify.sh: why an entry did not arrive -------------------------------------------------------------------------
#
# vanished changed unreadable   the source is not what was listed any more, or may not be read
# denied no-space link-in-path  the destination does not take it
# differs                       something else stands there and stays
# not-copied                    none of these: worth another attempt, as is no-space

# For bash -c: of the names that are read, those in a directory that takes nothing new, and those that a closed
# directory hides. The first directory on the way that exists decides.
not_writable='while IFS= read -r -d "" name; do
  folder=$name
  while [[ $folder == */* ]]; do
    folder=${folder%/*}
    [[ -e $folder ]] || continue
    [[ -d $folder && -w $folder && -x $folder ]] || printf "%s\0" "$name"
    break
  done
done'
hidden='while IFS= read -r -d "" name; do
  folder=$name
  while [[ $folder == */* ]]; do
    folder=${folder%/*}
    [[ -d $folder ]] || continue
    [[ -x $folder ]] || printf "%s\0" "$name"
    break
  done
done'

# classify: reads $scratch/missing; writes $scratch/failed (CLASS ./PATH) and $scratch/given_up (the records).
# Sets worth_retrying.
classify() {
  local record path class name full=0 refused=0
  local -A source_has=() here=() dark=() ours=() closed=() unseen=()
  with_source_names <"$scratch/missing" >"$scratch/source_paths"
  at_source <"$scratch/source_paths" >"$scratch/source" || return 75
  while IFS= read -r -d '' record; do
    record_path "$record"
    source_has[$path]=${record:0:${#record}-${#path}}
    [[ $record == 'l '* ]] && source_has[$path]="l - - ${record##*//}"
  done <"$scratch/source"
  while IFS= read -r -d '' name; do dark[$name]=1; done <"$scratch/unreadable"
  if [[ $from_kind != remote ]]; then
    at from bash -c "$hidden" <"$scratch/source_paths" >"$scratch/hidden"
    while IFS= read -r -d '' name; do unseen[$name]=1; done <"$scratch/hidden"
  fi
  if [[ $to_kind != remote ]]; then
    paths <"$scratch/missing" | at to bash -c "$not_writable" >"$scratch/closed"
    while IFS= read -r -d '' path; do closed[$path]=1; done <"$scratch/closed"
  fi
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
    [[ ${unseen[$3]-} || ($from_kind == local && -e $from && ! -x $from) ]] && class=unreadable
  elif [[ ${source_has[$3]} != "$expected" ]]; then
    class=changed
  elif [[ ${dark[$3]-} ]]; then
    class=unreadable
  elif [[ $there && ($there != "${1:0:1}" || ($existing != update && ! ${ours[$2]-})) ]]; then
    class=differs
  elif ((full)); then
    class=no-space
  elif [[ ${closed[$2]-} || ($to_kind == remote && $refused == 1) ]]; then
    class=denied
  fi
}
