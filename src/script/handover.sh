# --- handover.sh: what the stage before gave up on ---------------------------------------------------------------------
#
# It is carried over by name, so that the last stage of a transfer names everything that is not proven.

# ready SHARD: the stage before, if there is one, is done with it. Notes what was given up.
ready() {
  before_failed=0 before_failed_list=''
  [[ $before_stage ]] || return 0
  look "$before_stage" "$1"
  [[ $kind == 'done' ]] || return 1
  before_failed=$end_failed before_failed_list=$before_stage/work/$1/$n.failed
}

# carry_over: what was given up goes into $scratch/failed and $scratch/given_up; wanted is the list of what is left.
carry_over() {
  local record path class count=0
  local -A named=()
  wanted=$expect
  ((before_failed)) || return 0
  while IFS= read -r -d '' record; do
    read -r class _ <<<"$record"
    named[${record#"$class "}]=$class count=$((count + 1))
  done <"$before_failed_list"
  ((count == before_failed)) || {
    say "$before_failed_list names $count entries instead of $before_failed"
    return 74
  }
  cp -- "$before_failed_list" "$scratch/failed"
  wanted=$scratch/wanted
  while IFS= read -r -d '' record; do
    record_path "$record"
    if [[ ${named[$path]-} ]]; then printf '%s\0' "$record" >&3; else printf '%s\0' "$record"; fi
  done <"$expect" >"$wanted" 3>"$scratch/given_up"
}

# give_up CLASS RECORD PATH
give_up() {
  printf '%s %s\0' "$1" "$3" >>"$scratch/failed"
  printf '%s\0' "$2" >>"$scratch/given_up"
}
