# --- prefixes.sh: a tool without lists of names: subtree by subtree, and the files that stand loose in a folder -----------

# carry_prefixes: every unit of the shard. Several calls run side by side, because each keeps one processor busy.
carry_prefixes() {
  local side lane rc code=0
  local -a lanes=() unit_kinds=() unit_sizes=() unit_paths=() unit_starts=() left_out=()
  own_settings || return
  if [[ $single_from ]]; then
    call_tool "$tool_from" "$tool_to"
    return
  fi
  read_units
  side=$(nproc)
  side=$((side < calls_at_once ? side : calls_at_once))
  rm -f -- "$scratch"/unit.*
  for ((lane = 0; lane < side && lane < ${#unit_paths[@]}; lane++)); do
    carry_units &
    lanes+=($!)
  done
  for lane in "${lanes[@]}"; do
    wait "$lane"
    rc=$?
    ((rc)) && code=$rc
  done
  return "$code"
}

# call_tool ARGUMENT …: names are UTF-8 to it, which the locale of all other programs here is not.
call_tool() { LC_ALL=C.UTF-8 "${copy_command[@]}" "$@"; }

# own_settings: what the plan sets stands in a copy of the user's own file, so that the profiles in that go on working. It
# may hold keys, and is gone with the worker.
own_settings() {
  local setting mine=${AWS_CONFIG_FILE:-$HOME/.aws/config}
  export AWS_CONFIG_FILE=$scratch/config
  # Nobody is there to be asked, and the service is the one that the plan names.
  export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
  [[ ! -e $AWS_CONFIG_FILE ]] || return 0
  if [[ -e $mine && $scratch == "$stage_folder"/* ]]; then
    say "there is no place on this node for a copy of $mine: it must not stand in the run folder"
    return 73
  fi
  (
    umask 077
    AWS_CONFIG_FILE=$scratch/config.new
    { [[ ! -r $mine ]] || cat -- "$mine"; } >"$AWS_CONFIG_FILE" || exit 73
    for setting in "${tool_settings[@]}"; do
      "${settings_command[@]}" "${setting%%=*}" "${setting#*=}" || exit
    done
    mv -- "$scratch/config.new" "$scratch/config"
  )
}

# read_units: one line of each array per unit, and from unit_starts on the patterns of what is left out of it.
read_units() {
  local record rest
  while IFS= read -r -d '' record; do
    rest=${record#* }
    if [[ $record == except* ]]; then
      left_out+=(--exclude "${rest#* }")
      continue
    fi
    unit_kinds+=("${record%% *}") unit_sizes+=("${rest%% *}") unit_paths+=("${rest#* ./}") unit_starts+=(${#left_out[@]})
  done <"$shard_files.units"
  unit_starts+=(${#left_out[@]})
}

# carry_units: those that no lane beside this one has taken.
carry_units() {
  local number code=0
  for ((number = 0; number < ${#unit_paths[@]}; number++)); do
    (set -C && : >"$scratch/unit.$number") 2>/dev/null || continue
    carry_unit "$number" || code=$?
  done
  return "$code"
}

# carry_unit NUMBER. What a call has carried is a line of N.moved.
carry_unit() {
  local path=${unit_paths[$1]} start=${unit_starts[$1]} below=''
  local -a flags=("${left_out[@]:start:unit_starts[$1 + 1] - start}")
  if [[ $path ]]; then
    out_of_bounds "./$path" && return 0
    below=$path/
  fi
  if [[ ${unit_kinds[$1]} == loose ]]; then
    flags+=(--exclude '*/*')
  elif [[ $to_kind == local ]]; then
    keep_off_links "$1" || return 0
  fi
  call_tool "${flags[@]}" "$tool_from$below" "$tool_to$below" || return
  printf '%s\n' "${unit_sizes[$1]}" >>"${attempt_log%log}moved"
}

# keep_off_links NUMBER: what is new at the source could be written through a link to a folder, out of the destination.
# False where that can not be told to the tool: in front of a pattern it puts the place as it is, and a `[` in that counts.
keep_off_links() {
  local entry
  find -P "$to/$below" -mindepth 1 -type l -xtype d -printf '%P\0' >"$scratch/links.$1" 2>/dev/null
  [[ -s $scratch/links.$1 ]] || return 0
  if [[ $tool_from$below == *'['* ]]; then
    say "links to folders stand below $to/$below, so nothing is written there"
    return 1
  fi
  while IFS= read -r -d '' entry; do
    entry=${entry//'['/'[[]'}
    entry=${entry//'*'/'[*]'}
    flags+=(--exclude "${entry//'?'/'[?]'}/*")
  done <"$scratch/links.$1"
}
