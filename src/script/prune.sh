# --- prune.sh: one attempt at deleting what only the destination has ---------------------------------------------------
#
# The list is the one that the preview showed: KIND SIZE MTIME ./PATH, files first, then directories, deepest first.
# Each goes only if it is still what it was. `failed` gets what stays, by name:
#
# changed-since-preview   it is of another kind, size or time by now
# behind-link             a symlink stands in its path by now
# not-empty               a directory that something stands in
# not-deleted             it could not be deleted

# ready SHARD: parents.sh has seen that everything before is proven.
ready() { true; }

# For bash -c, on the machine that the destination lies on: reads records, deletes, and prints `CLASS RECORD` for what
# stays. Look and deletion stand close together: one find and one rm for a thousand names at a time, because each takes a process.
delete_listed='
flush() {
  local record path folder
  local -a paths=() go=() records=("${batch[@]}")
  local -A there=() open=()
  batch=() batch_bytes=0
  for record in "${records[@]}"; do
    path=${record#* * * }
    behind_link "$path" || paths+=("$path")
  done
  # find says of each name in its turn what the list says, where nothing has changed.
  if ((${#records[@]} && ${#records[@]} == ${#paths[@]})) && look | cmp -s - <(printf "%s\0" "${records[@]}"); then
    local -a how=(rm -f)
    [[ ${records[0]} == "d "* ]] && how=(rmdir)
    "${how[@]}" -- "${paths[@]}" 2>/dev/null && return
  fi
  if ((${#paths[@]})); then
    while IFS= read -r -d "" record; do
      there[${record#* * * }]=${record%"${record#* * * }"}
    done < <(look)
    # Nobody else would, and a dead process without a parent looks alive.
    wait "$!" 2>/dev/null
  fi
  for record in "${records[@]}"; do
    path=${record#* * * }
    if behind_link "$path"; then
      printf "behind-link %s\0" "$record"
    elif [[ ! ${there[$path]-} ]]; then
      # Gone already, or not to be looked at.
      is_gone "$path" || printf "not-deleted %s\0" "$record"
    elif [[ ${there[$path]} != "${record%"$path"}" ]]; then
      printf "changed-since-preview %s\0" "$record"
    elif [[ $record == "d "* ]]; then
      rmdir -- "$path" 2>/dev/null || why_not "$record" "$path"
    else
      go+=("$record")
    fi
  done
  ((${#go[@]})) || return 0
  rm -f -- "${go[@]#* * * }" 2>/dev/null && return
  for record in "${go[@]}"; do
    path=${record#* * * }
    [[ ! -e $path && ! -L $path ]] || printf "not-deleted %s\0" "$record"
  done
}
look() {
  find -P "${paths[@]}" -maxdepth 0 "(" -type d -printf "d - - %p\0" -o -printf "%y %s %T@ %p\0" ")" 2>/dev/null
}
# behind_link PATH: a directory on the way to it is a symlink. Each is looked at once for a batch.
behind_link() {
  local folder=${1%/*} known
  known=${open[$folder]-}
  if [[ ! $known ]]; then
    known=0
    if [[ $folder != . ]]; then
      if [[ -L $folder ]] || behind_link "$folder"; then known=1; fi
    fi
    open[$folder]=$known
  fi
  ((known))
}
# is_gone PATH: it is not there, and the nearest folder that is may be looked into.
is_gone() {
  local folder=${1%/*}
  [[ ! -e $1 && ! -L $1 ]] || return 1
  until [[ -e $folder || $folder == . ]]; do folder=${folder%/*}; done
  [[ -x $folder ]]
}
why_not() {
  local left
  [[ -d $2 ]] || return 0
  left=$(find -P "$2" -mindepth 1 -maxdepth 1 -printf x -quit 2>/dev/null)
  printf "%s %s\0" "$([[ $left ]] && echo not-empty || echo not-deleted)" "$1"
}
batch=() batch_bytes=0 before=""
while IFS= read -r -d "" record; do
  # A directory is tried when all before it have gone.
  [[ $record == "d "* && $before != "d "* ]] && flush
  batch+=("$record") batch_bytes=$((batch_bytes + ${#record})) before=$record
  ((${#batch[@]} < 1000 && batch_bytes < 500000)) || flush
done
flush
exit 0
'

# carry SHARD ATTEMPT
carry() {
  : >"$scratch/failed"
  : >"$scratch/given_up"
  if [[ $to_kind == remote ]]; then
    delete_objects || return
  else
    # Without its folder everything would look deleted.
    at to true || return 75
    at to bash -c "$delete_listed" <"$shard_files.expect" >"$scratch/left" || return 75
  fi
  name_left
  outcome 'done' 0
}

# name_left: $scratch/left, `CLASS RECORD`, for the worker and for the report.
name_left() {
  local record path
  while IFS= read -r -d '' record; do
    record_path "${record#* }"
    printf '%s %s\0' "${record%% *}" "$path" >>"$scratch/failed"
    printf '%s\0' "${record#* }" >>"$scratch/given_up"
  done <"$scratch/left"
}

# Names for one call: a listing of the folders that they stand in comes before and after it.
objects_per_call=10000

# delete_objects: rclone lists the names of the next call, deletes those that are still the same, and lists them again.
delete_objects() {
  local -a call=()
  : >"$scratch/left"
  while mapfile -d '' -t -n "$objects_per_call" call && ((${#call[@]})); do
    printf '%s\0' "${call[@]}" | sort -z >"$scratch/want" || return 73
    see_objects have || return
    comm -z -12 "$scratch/want" "$scratch/have" | paths | sed -z 's,^\./,,' | tr '\0' '\n' >"$scratch/names"
    # An empty list would mean everything.
    if [[ -s $scratch/names ]]; then
      "${delete_command[@]}" --max-delete "${#call[@]}" --files-from-raw "$scratch/names" -- "$to" >&2
    fi
    see_objects after || return
    comm -z -12 "$scratch/want" "$scratch/after" | sed -z 's/^/not-deleted /' >>"$scratch/left"
    # What is there under one of the names and is not what the preview showed.
    comm -z -13 "$scratch/want" "$scratch/after" | changed_among >>"$scratch/left"
  done <"$shard_files.expect"
}

# see_objects FILE: $scratch/FILE, sorted records of what stands under the names of this call.
see_objects() {
  paths <"$scratch/want" >"$scratch/asked" || return 73
  remote_records "$to" <"$scratch/asked" >"$scratch/found" || return "$no_answer"
  sort -z -- "$scratch/found" >"$scratch/$1" || return 73
}

# changed_among <RECORDS: the record of the preview for each name that stands there with another size or time.
changed_among() {
  local record path
  local -A other=()
  while IFS= read -r -d '' record; do
    record_path "$record"
    other[$path]=1
  done
  ((${#other[@]})) || return 0
  for record in "${call[@]}"; do
    record_path "$record"
    [[ ${other[$path]-} ]] && printf 'changed-since-preview %s\0' "$record"
  done
  return 0
}
