# --- classify.sh: why an entry did not arrive -------------------------------------------------------------------------
#
# vanished changed unreadable   the source is not what was listed any more, or may not be read
# denied no-space link-in-path  the destination does not take it
# differs                       something else stands there and stays
# forbidden                     a service copies it to no other place for this profile
# no-bucket no-keys             there is no such bucket any more; its service does not take the keys
# expired throttled cut-off     the keys have expired; too many requests; no connection
# not-copied                    none of these

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

# The class of what is missing where the source could not be looked at, by the exit code that stands for the reason.
declare -A class_of_exit=([69]=throttled [76]=unreadable [77]=expired [78]=no-keys)

# What may be better in a while, and is worth another attempt.
passing=' not-copied no-space expired throttled cut-off '

# classify: reads $scratch/missing; writes $scratch/failed (CLASS ./PATH) and $scratch/given_up (the records).
# Sets worth_retrying, and throttled where a service asked for fewer requests.
classify() {
  local record path class name full=0 told_of_all='' blind=''
  local -A source_has=() here=() dark=() ours=() closed=() unseen=() told=()
  with_source_names <"$scratch/missing" >"$scratch/source_paths"
  what_was_said <"$scratch/source_paths"
  # Where the answer itself is a reason, that is the reason for whatever is missing.
  at_source <"$scratch/source_paths" >"$scratch/source" || {
    blind=${class_of_exit[$no_answer]-}
    [[ $blind ]] || return "$no_answer"
  }
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
  # Of a disk the tool's log says what went wrong, but not reliably with which file: that is decided by looking.
  grep -qiE 'no space left|quota exceeded|not enough space|remaining disk space' "$attempt_log" && full=1

  worth_retrying=0 throttled=0
  while IFS= read -r -d '' record && IFS= read -r -d '' name <&3; do
    record_path "$record"
    why_missing "$record" "$path" "$name"
    [[ $passing == *" $class "* ]] && worth_retrying=1
    [[ $class == throttled ]] && throttled=1
    printf '%s %s\0' "$class" "$path"
  done <"$scratch/missing" 3<"$scratch/source_paths" >"$scratch/failed"
  cp -- "$scratch/missing" "$scratch/given_up"
}

# why_missing RECORD PATH SOURCE-NAME: sets class.
why_missing() {
  local size expected=${1:0:${#1}-${#2}} there=${here[$2]-}
  if [[ $1 == 'l '* ]]; then
    expected="l - - ${1##*//}"
    # The file at the source is as long as the target of the symlink.
    read -r _ size _ <<<"$1"
    [[ $link_way == from-files ]] && [[ ${source_has[$3]-} == "f $size "* ]] && expected=${source_has[$3]}
  fi
  class=not-copied
  if out_of_bounds "$2"; then
    class='link-in-path'
  elif [[ ${told[$3]-} == no-bucket ]]; then
    class=no-bucket
  elif [[ $blind ]]; then
    class=${told[$3]-$blind}
  elif [[ ! ${source_has[$3]-} ]]; then
    class=vanished
    # Every prefix of a bucket is a place, whatever is in it.
    [[ $from == :s3,* ]] && ((nowhere)) && class=no-bucket
    [[ ${unseen[$3]-} || ($from_kind == local && -e $from && ! -x $from) ]] && class=unreadable
  elif [[ ${source_has[$3]} != "$expected" ]]; then
    class=changed
  elif [[ ${dark[$3]-} ]]; then
    class=unreadable
  elif [[ $there && ($there != "${1:0:1}" || ($existing != update && ! ${ours[$2]-})) ]]; then
    class=differs
  elif [[ ${closed[$2]-} ]]; then
    class=denied
  elif [[ ${told[$3]-$told_of_all} ]]; then
    class=${told[$3]-$told_of_all}
  elif ((full)); then
    class=no-space
  fi
}
