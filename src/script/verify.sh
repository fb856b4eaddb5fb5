# --- verify.sh: one attempt at one shard of a verify stage ------------------------------------------------------------
#
# A fresh look at the destination, by another process than the one that copied.

carry() {
  : >"$scratch/failed"
  : >"$scratch/given_up"
  carry_over || return
  linked_folders || return
  if [[ $proof == size* ]] && all_there; then
    outcome 'done' 0
    return
  fi
  compare || return
  name_missing
  check_contents || return
  outcome 'done' 0
}

name_missing() {
  local record path
  local -A here=()
  [[ -s $scratch/missing ]] || return 0
  while IFS= read -r -d '' record; do
    record_path "$record"
    here[$path]=1
  done <"$scratch/have"
  while IFS= read -r -d '' record; do
    record_path "$record"
    if out_of_bounds "$path"; then
      give_up link-in-path "$record" "$path"
    elif [[ ${here[$path]-} ]]; then
      give_up differs "$record" "$path"
    else
      give_up unproven "$record" "$path"
    fi
  done <"$scratch/missing"
}

# check_contents: both sides of every file that is there are read or hashed, where the plan asks for it.
check_contents() {
  local record path name kinds='^f '
  local -A equal=() compared=() source_has=()
  [[ $proof == checksum || $proof == download ]] || return 0
  # A symlink that a file on a remote stands for has that file's contents.
  [[ $link_way == from-files ]] && kinds='^[fl] '
  comm -z -12 "$scratch/want" "$scratch/have" | grep -z "$kinds" >"$scratch/present"
  [[ -s $scratch/present ]] || return 0
  with_source_names <"$scratch/present" >"$scratch/source_paths"
  if [[ $single_from ]]; then
    compare_single
  elif [[ $from_kind != remote && $to_kind != remote ]]; then
    equal_by_b2sum || return
  else
    equal_by_rclone || return
  fi
  while IFS= read -r -d '' name; do equal[$name]=1; done <"$scratch/equal"
  ((${#equal[@]} == $(grep -zc '' <"$scratch/present"))) && return 0
  # Some differ: a source that is not what was listed any more says nothing about the copy.
  at_source <"$scratch/source_paths" >"$scratch/source" || return "$no_answer"
  while IFS= read -r -d '' record; do
    record_path "$record"
    source_has[$path]=${record:0:${#record}-${#path}}
  done <"$scratch/source"
  while IFS= read -r -d '' record && IFS= read -r -d '' name <&3; do
    [[ ${equal[$name]-} ]] && continue
    record_path "$record"
    if [[ ! ${source_has[$name]-} ]]; then
      give_up vanished "$record" "$path"
    elif ! is_as_listed "$record" "${source_has[$name]}"; then
      give_up changed "$record" "$path"
    elif [[ ${compared[$name]-} ]]; then
      give_up differs "$record" "$path"
    else
      give_up unproven "$record" "$path"
    fi
  done <"$scratch/present" 3<"$scratch/source_paths"
}

# is_as_listed RECORD SOURCE: what the source has there by now, without its name, is what the record says.
is_as_listed() {
  local size
  if [[ $1 == 'l '* ]]; then
    read -r _ size _ <<<"$1"
    [[ $2 == "f $size "* ]]
  else
    [[ $2 == "${1:0:${#1}-${#path}}" ]]
  fi
}

# compare_single: cmp says 1 for a difference and 2 where it could not read.
compare_single() {
  : >"$scratch/equal"
  read_one from "$from_kind" "$single_from" | cmp -s - <(read_one to "$to_kind" "$single_to")
  case $? in
    0) cp -- "$scratch/source_paths" "$scratch/equal" ;;
    1) compared[./${single_from##*/}]=1 ;;
  esac
}

# read_one SIDE KIND FILE
read_one() { if [[ $2 == remote ]]; then "${read_command[@]}" -- "$3"; else at "$1" cat -- "${3##*/}"; fi; }

# Two disks: hashes of both sides, side by side. $scratch/equal gets the names whose hashes agree.
equal_by_b2sum() {
  local name
  at from xargs -0 -r b2sum -z -- <"$scratch/source_paths" >"$scratch/hashes_from" &
  at to xargs -0 -r b2sum -z -- <"$scratch/source_paths" >"$scratch/hashes_to"
  wait
  sort -z -o "$scratch/hashes_from" -- "$scratch/hashes_from" && sort -z -o "$scratch/hashes_to" -- "$scratch/hashes_to" || return 73
  comm -z -12 "$scratch/hashes_from" "$scratch/hashes_to" | sed -z 's/^[^ ]*  //' >"$scratch/equal"
  comm -z -13 "$scratch/hashes_from" "$scratch/hashes_to" | sed -z 's/^[^ ]*  //' >"$scratch/hashed"
  while IFS= read -r -d '' name; do compared[$name]=1; done <"$scratch/hashed"
}

# A remote: rclone compares, and says which names it found equal. Only those count: it says nothing about a name that
# neither side has, and accepts equal sizes where it finds no common hash. There both sides are read instead.
equal_by_rclone() {
  local name
  local -a how=()
  [[ $proof == download ]] && how=(--download)
  sed -z 's,^\./,,' <"$scratch/source_paths" | tr '\0' '\n' >"$scratch/names"
  if [[ $link_way != no ]]; then add_link_names "$scratch/names"; fi
  rclone_check "${how[@]}"
  if [[ $proof == checksum ]] && grep -qE 'not using a hash|hashes could not be checked' "$scratch/check_log"; then
    say "no common hash for every file; both sides are read instead"
    rclone_check --download
  fi
  # Without a list of equal names there was no answer at all.
  [[ -e $scratch/match ]] || {
    why_no_answer "$scratch/check_log"
    return "$no_answer"
  }
  sed 's,^,./,' "$scratch/match" | tr '\n' '\0' >"$scratch/equal"
  while IFS= read -r name; do compared[./$name]=1; done <"$scratch/differ"
}

rclone_check() {
  rm -f -- "$scratch/match" "$scratch/differ"
  : >"$scratch/differ"
  "${check_command[@]}" "$@" --files-from-raw "$scratch/names" --match "$scratch/match" --differ "$scratch/differ" \
    -- "$tool_from" "$tool_to" 2>"$scratch/check_log"
  cat -- "$scratch/check_log" >&2
}
