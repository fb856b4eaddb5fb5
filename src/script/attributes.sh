# --- attributes.sh: what rsync sets, and what could not be set -----------------------------------------------------------
#
# rsync gets only names that are of one kind and one size on both sides, so that it has no content to write. It would put
# the source's file in the place of a symlink or of a directory, and replace a symlink that leads elsewhere.

# Of an rsync that could not do something with some names: those are found by looking.
left_some=' 0 23 24 '
# Of one that could not reach the server, or lost it.
connection_failed=' 10 12 30 35 255 '

# match_sides: reads paths; $scratch/both gets the records that are the same on both sides, without times, sorted;
# $scratch/theirs and $scratch/have those of the source and of the destination, all under the names of the destination. Both
# sides have symlinks, so that what these lead to is compared, wherever the copy came from.
match_sides() {
  local with_mtimes=0 link_way=no
  sort -z >"$scratch/paths" || return 73
  own_records to -P <"$scratch/paths" >"$scratch/found" || return 75
  sort_found || return
  at_fixup_source own_records <"$scratch/paths" >"$scratch/found" || return 75
  sort -z -- "$scratch/found" >"$scratch/theirs" || return 73
  comm -z -12 "$scratch/theirs" "$scratch/have" >"$scratch/both"
}

# at_fixup_source own_records|each_attribute <PATHS: a single file may have another name there.
at_fixup_source() {
  local record
  if [[ ! $single_from ]]; then
    "$1" from "$source_flag"
    return
  fi
  printf './%s\0' "${single_from##*/}" | "$1" from "$source_flag" >"$scratch/single" || return
  while IFS= read -r -d '' record; do printf '%s./%s\0' "${record%"./${single_from##*/}"}" "${single_to##*/}"; done <"$scratch/single"
}

# set_attributes WORD …: one rsync with these words before the places. Sets some_failed. Fails when it is not sure that it did all
# that it could.
set_attributes() {
  local code=0
  "${fixup_command[@]}" "$@" -- "$tool_from" "$tool_to" || code=$?
  some_failed=$((code != 0))
  ((some_failed)) && say "rsync ended with $code; what it left is found by looking"
  [[ $left_some == *" $code "* ]] && return 0
  [[ $connection_failed == *" $code "* ]] && return 75
  return "$code"
}

preserves() { [[ " ${preserve[*]} " == *" $1 "* ]]; }

# each_attribute SIDE FIND-FLAG <PATHS: `TIME/MODE/OWNER/GROUP/./PATH`, `-` for what is not preserved. A symlink has no mode.
each_attribute() {
  local time=- mode=- user=- group=-
  preserves times && time=%T@
  preserves permissions && mode=%m
  preserves owner && user=%u
  preserves group && group=%g
  if [[ $owners_by == ids ]]; then user=${user/u/U} group=${group/g/G}; fi
  each "$1" "$2" "(" -type l -printf "$time/-/$user/$group/%p\\0" -o -printf "$time/$mode/$user/$group/%p\\0" ")" |
    sed -z 's,^\([^/.]*\)\.[0-9]*/,\1/,'
  ((PIPESTATUS[0] == 0))
}

# note_unset: of $scratch/both, what is not as at the source all the same. $scratch/unset gets `ATTRIBUTE COUNT ./PATH`, the
# first names of each attribute: it is no failure, because trying again would not change it.
note_unset() {
  local attribute
  for attribute in owner group permissions times acls xattrs; do : >"$scratch/unset.$attribute"; done
  paths <"$scratch/both" >"$scratch/paths"
  at_fixup_source each_attribute <"$scratch/paths" >"$scratch/found" || return 75
  sort -z -- "$scratch/found" >"$scratch/theirs" || return 73
  each_attribute to -P <"$scratch/paths" >"$scratch/found" || return 75
  sort -z -- "$scratch/found" >"$scratch/have" || return 73
  comm -z -23 "$scratch/theirs" "$scratch/have" >"$scratch/wanted_attributes"
  if [[ -s $scratch/wanted_attributes ]]; then
    comm -z -13 "$scratch/theirs" "$scratch/have" >"$scratch/other_attributes"
    compare_attributes
  fi
  if preserves acls || preserves xattrs; then hidden_attributes || return; fi
  for attribute in owner group permissions times acls xattrs hardlinks; do first_unset "$attribute"; done
}

compare_attributes() {
  local record path time mode user group wanted_time wanted_mode wanted_user wanted_group
  local -A has=()
  while IFS= read -r -d '' record; do
    path=${record#*/*/*/*/}
    has[$path]=${record:0:${#record}-${#path}}
  done <"$scratch/other_attributes"
  while IFS= read -r -d '' record; do
    path=${record#*/*/*/*/}
    [[ ${has[$path]-} ]] || continue
    IFS=/ read -r time mode user group _ <<<"${has[$path]}"
    IFS=/ read -r wanted_time wanted_mode wanted_user wanted_group _ <<<"$record"
    [[ $time == "$wanted_time" ]] || printf '%s\0' "$path" >>"$scratch/unset.times"
    [[ $mode == "$wanted_mode" ]] || printf '%s\0' "$path" >>"$scratch/unset.permissions"
    [[ $user == "$wanted_user" ]] || printf '%s\0' "$path" >>"$scratch/unset.owner"
    [[ $group == "$wanted_group" ]] || printf '%s\0' "$path" >>"$scratch/unset.group"
  done <"$scratch/wanted_attributes"
}

# hidden_attributes: what find does not show is told by an rsync that only says what it would do. Names come in its
# spelling of them, which is for people.
hidden_attributes() {
  local what rest
  # The destination itself would bring along what is in it.
  paths <"$scratch/both" | grep -zvx '\.' >"$scratch/list"
  [[ -s $scratch/list ]] || return 0
  if [[ $single_from ]]; then
    "${fixup_command[@]}" --dry-run --out-format='%i %n' -- "$single_from" "$single_to"
  else
    "${fixup_command[@]}" "$dirs_flag" --files-from="$scratch/list" --dry-run --out-format='%i %n' -- "$tool_from" "$tool_to"
  fi >"$scratch/would"
  while read -r what rest; do
    [[ $what == ?????????a? ]] && printf './%s\0' "$rest" >>"$scratch/unset.acls"
    [[ $what == ??????????x ]] && printf './%s\0' "$rest" >>"$scratch/unset.xattrs"
  done <"$scratch/would"
  return 0
}

# So many names of each attribute are told.
unset_names=3

first_unset() {
  local path count
  [[ -s $scratch/unset.$1 ]] || return 0
  count=$(grep -zc '' <"$scratch/unset.$1")
  say "$1 not preserved: $count entries"
  while IFS= read -r -d '' path; do printf '%s %s %s\0' "$1" "$count" "$path"; done \
    < <(head -z -n "$unset_names" -- "$scratch/unset.$1") >>"$scratch/unset"
}
