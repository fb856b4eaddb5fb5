# --- copy.sh: one attempt at one shard of a copy stage ----------------------------------------------------------------
#
# Runs in a process group of its own, its output being the attempt's log. Leaves its result in $scratch/outcome.

declare -A in_the_way

# ready SHARD: nothing of this transfer comes before.
ready() { true; }

# carry SHARD ATTEMPT
carry() {
  local shard=$1 attempt=$2 code=0
  wanted=$expect worth_retrying=0 throttled=0
  : >"$scratch/failed"
  [[ $umask_wanted ]] && umask "$umask_wanted"
  linked_folders || return
  if [[ $to_kind != remote ]]; then make_room || return; fi
  choose_list
  run_tool || code=$?
  copy_links
  if all_there; then
    file_paths
  else
    compare || return
    if [[ -s $scratch/missing ]]; then classify || return; fi
    comm -z -12 "$scratch/want" "$scratch/have" | grep -z '^f ' | paths >"$scratch/paths"
  fi
  set_modes
  # What was not copied beside that was hardly asked for: such an attempt costs nothing but one of its own budget.
  if ((throttled && throttles_left > 0)); then
    outcome failed "$throttled_exit"
  elif ((worth_retrying && ! throttled && attempts_left > 0)); then
    outcome failed "$code"
  else
    outcome 'done' "$code"
  fi
}

# For bash -c: of the names that are read, those that no directory stands at.
absent_folders='while IFS= read -r -d "" name; do [[ -d $name ]] || printf "%s\0" "$name"; done'

# Directories of the shard, parents first; never through a directory that is a symlink.
make_room() {
  local folder
  local -a absent=()
  make_root || return
  if ((opens_folders)); then open_folders || return; fi
  [[ -e $shard_files.dirs ]] || return 0
  if [[ $to_kind == ssh ]]; then
    at to bash -c "$absent_folders" <"$shard_files.dirs" >"$scratch/absent" || return 75
    while IFS= read -r -d '' folder; do out_of_bounds "$folder" || absent+=("$folder"); done <"$scratch/absent"
  else
    while IFS= read -r -d '' folder; do
      [[ -d $to/$folder ]] || out_of_bounds "$folder" || absent+=("$folder")
    done <"$shard_files.dirs"
  fi
  ((${#absent[@]})) || return 0
  printf '%s\0' "${absent[@]}" | at to xargs -0 mkdir -p --
  private "${absent[@]}"
}

# make_root: the destination itself.
make_root() {
  local line
  if [[ $to_kind == local ]]; then
    [[ -d $to ]] || { mkdir -p -- "$to" && private .; }
    return 0
  fi
  at to true && return 0
  quoted mkdir -p -- "$to"
  "${to_ssh[@]}" "exec $line" || return 75
  private .
}

# private FOLDER …: a new directory lets nobody in who may not enter it at the source. Its owner may write meanwhile.
private() {
  [[ $from_kind != remote && ! $umask_wanted ]] || return 0
  printf '%s\0' "$@" | each from "$source_flag" -type d -printf '%m %p\0' | give_modes d 8#700
}

# choose_list: sets list, the names for the tool; empty when there is none. Names that must not be written are left out.
choose_list() {
  list=$shard_files.list
  in_the_way=()
  given_up_before
  ((writes_in_place)) && [[ $existing != update ]] && clear_leftovers
  [[ $single_from ]] && list=$expect
  [[ -s $list ]] || { list=''; return; }
  [[ $tool_name == rclone && $to_kind != remote ]] && clear_way
  leave_out
  if [[ $link_way == as-files && $list ]]; then
    [[ $list == "$scratch/list" ]] || cp -- "$list" "$scratch/list"
    list=$scratch/list
    add_link_names "$list"
  fi
}

# leave_out: names that must not be written, from the list.
leave_out() {
  local record path name
  ((${#linked[@]} + ${#in_the_way[@]})) || return 0
  if [[ $tool_name == rsync ]]; then
    while IFS= read -r -d '' path; do must_not_write "$path" || printf '%s\0' "$path"; done <"$list" >"$scratch/list"
  else
    # Names in rclone's spelling stand in the order of the files in .expect.
    while IFS= read -r -d '' record; do
      [[ $record == 'f '* || ($record == 'l '* && $link_way == from-files) ]] || continue
      IFS= read -r name <&3
      record_path "$record"
      must_not_write "$path" || printf '%s\n' "$name"
    done <"$expect" 3<"$list" >"$scratch/list"
  fi
  list=$scratch/list
  [[ -s $list ]] || list=''
}

# given_up_before: what an earlier attempt named for good is left out, because an rclone before 1.74.4 copies nothing
# at all when it may not look at one of its names. It is judged again all the same.
given_up_before() {
  local i record
  for ((i = attempt - 1; i > 0; i--)); do
    [[ -e $stage_folder/work/$shard/$i.failed ]] || continue
    while IFS= read -r -d '' record; do
      [[ $passing == *" ${record%% *} "* ]] || in_the_way[${record#* }]=1
    done <"$stage_folder/work/$shard/$i.failed"
    return
  done
}

# clear_leftovers: an rclone before 1.63 writes under the final name. Broken off, it leaves half a file there, which
# `existing` would then keep for ever. So what stood there before the first attempt is noted, and what came after and
# is not right is our own half file.
clear_leftovers() {
  local taken=$stage_folder/work/$shard/taken
  file_paths
  each to -P -print0 <"$scratch/paths" | sort -z >"$scratch/there"
  if [[ ! -e $taken ]]; then
    cp -- "$scratch/there" "$taken.tmp" && sync "$taken.tmp" && mv -f -- "$taken.tmp" "$taken"
    return
  fi
  comm -z -23 "$scratch/there" "$taken" | at_destination | sort -z >"$scratch/ours"
  sort -z -- "$expect" | comm -z -13 - "$scratch/ours" | paths | at to xargs -0 -r rm -f --
}

# half_done: marks in `ours` the names that were free before the first attempt.
half_done() {
  local path
  [[ -e $stage_folder/work/$shard/taken ]] || return 0
  file_paths
  while IFS= read -r -d '' path; do ours[$path]=1; done <"$scratch/paths"
  while IFS= read -r -d '' path; do ours[$path]=''; done <"$stage_folder/work/$shard/taken"
}

must_not_write() { [[ ${in_the_way[$1]-} ]] || out_of_bounds "$1"; }

# file_paths: $scratch/paths, where the files of the shard go.
file_paths() {
  local record path
  if ((${#records[@]})); then
    for record in "${records[@]}"; do
      [[ $record == 'f '* ]] || continue
      record_path "$record"
      printf '%s\0' "$path"
    done
  else
    grep -z '^f ' <"$expect" | paths
  fi >"$scratch/paths"
}

# rclone writes through whatever has the file's name: a symlink leads out of the destination, and another name of the
# same file changes with it (1.60.1 opens without O_NOFOLLOW and in place). So such names go first, if they may.
clear_way() {
  local path
  local -a found=() what=(-printf '%y %n %p\0')
  file_paths
  if ((${#records[@]})) && [[ $to_kind == local ]]; then
    mapfile -d '' -t found <"$scratch/paths"
    at to find -P "${found[@]}" -maxdepth 0 "${what[@]}" >"$scratch/there" 2>/dev/null
  else
    each to -P "${what[@]}" <"$scratch/paths" >"$scratch/there"
  fi
  if [[ ! -s $scratch/there ]]; then
    # All of it is new, so rclone need not look at each name again before it writes.
    [[ $existing == update ]] && copy_command+=(--no-check-dest)
    return
  fi
  grep -z '^[fl] ' <"$scratch/there" | grep -zv '^f 1 ' | sed -z 's/^. [0-9]* //' >"$scratch/special"
  [[ -s $scratch/special ]] || return 0
  [[ $existing == update ]] && at to xargs -0 -r rm -f -- <"$scratch/special"
  each to -P -print0 <"$scratch/special" >"$scratch/there"
  while IFS= read -r -d '' path; do in_the_way[$path]=1; done <"$scratch/there"
}

run_tool() {
  [[ $list ]] || return 0
  if ((by_prefixes)); then
    carry_prefixes
    return
  fi
  # Only root may give files away, so only root asks for owners; the others get the modes from set_modes.
  ((EUID)) || copy_command+=("${flags_as_root[@]}")
  if [[ $single_from ]]; then
    [[ ${#in_the_way[@]} == 0 ]] || return 0
    "${copy_command[@]}" "$single_from" "$single_to"
  elif [[ ! $list_flag ]]; then
    run_with_names
  else
    "${copy_command[@]}" "$list_flag" "$list" "$tool_from" "$tool_to"
  fi
}

# note_moved SUMS LOG: each call of rsync counts its bytes anew; when it is over, they are a line of N.moved. What could not
# be noted is no failure of the tool.
note_moved() {
  local text='' bytes percent rest moved=0
  IFS= read -r -d '' text <"$2"
  ((${#text} > 1000)) && text=${text: -1000}
  while read -r bytes percent rest; do
    # Part of a name may stand where a figure is expected.
    if [[ $bytes =~ ^[0-9]{1,18}$ && $percent =~ ^[0-9]{1,3}%$ ]]; then moved=$bytes; fi
  done <<<"${text//$'\r'/$'\n'}"
  printf '%s\n' "$moved" >>"$1"
} 2>/dev/null

# For bash -c, behind note_moved, which gets the file for an exit code, the log of the attempt, 1 where others run beside it, the destination,
# the length of a command, the command, and then names. Where several run, a call has a log of its own, which joins the log
# of the attempt at its end.
call_with_names='
code=$1 log=$2 mine=$2 beside=$3 to=$4 words=$5
shift 5
((beside)) && mine=$log.$$
"${@:1:words}" "${@:words + 1}" "$to" >>"$mine" 2>&1 || printf "%s\n" "$?" >"$code"
note_moved "${log%log}moved" "$mine"
{ ((beside)) && cat -- "$mine" >>"$log" && rm -f -- "$mine"; } 2>/dev/null
:
'

# What one call takes: Linux allows 2 MiB, with 8 bytes more for each name. So much work is worth another call beside it:
# each needs some milliseconds to start.
names_bytes=1000000 names_count=50000 names_beside=1000 bytes_beside=$((1 << 28))

# share_names: sets per_call, so many names for each call, and side, so many calls at once. Where the disks are near, more calls
# than processors only stand in each other's way; where each file waits for a network, two are better than one.
share_names() {
  local calls=$((1 + entries / names_beside + bytes_expected / bytes_beside))
  side=1
  if ((calls > 1 && calls_at_once > 1)); then
    side=$(nproc)
    side=$((side < 2 ? 2 : side < calls_at_once ? side : calls_at_once))
  fi
  ((calls > side)) && calls=$side
  per_call=$(((entries + calls - 1) / calls))
  ((per_call > names_count)) && per_call=$names_count
  return 0
}

# run_once: the same for a shard of few names, without a process around the tool. False when they are too long for that.
run_once() {
  local -a names
  mapfile -d '' -t names <"$list"
  fits "${names[@]}" || return
  code=0
  ((${#names[@]} == 0)) || (cd -- "$from" && exec "${copy_command[@]}" "${names[@]}" "$tool_to") || code=$?
  note_moved "${attempt_log%log}moved" "$attempt_log"
  return 0
}

run_with_names() {
  local code=0 per_call side
  if ((entries <= few)) && run_once; then return "$code"; fi
  share_names
  : >"$scratch/exit_code"
  (cd -- "$from" && exec xargs -0 -r -s "$names_bytes" -n "$per_call" -P "$side" bash -c "$(declare -f note_moved)$call_with_names" call \
    "$scratch/exit_code" "$attempt_log" "$((side > 1))" "$tool_to" "${#copy_command[@]}" "${copy_command[@]}") <"$list" || code=$?
  # xargs only says that there was something.
  [[ ! -s $scratch/exit_code ]] || read -r code <"$scratch/exit_code"
  return "$code"
}

# Symlinks, where the tool does not carry them. cp replaces the link itself, never what it points to.
copy_links() {
  local path
  local -a how=(cp -P --parents)
  [[ -s $shard_files.links ]] || return 0
  [[ $existing == keep || $existing == error ]] && how+=(-n)
  while IFS= read -r -d '' path; do out_of_bounds "$path" || printf '%s\0' "$path"; done <"$shard_files.links" |
    (cd -- "$from" && xargs -0 -r "${how[@]}" -t "$to" --)
}
