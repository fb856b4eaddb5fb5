# --- directories.sh: the attributes of directories, deepest first, when nothing writes in them any more ------------------

dirs_flag=--dirs

# ready SHARD: the stage before is done with all of its shards. Notes what was given up so far.
ready() {
  local shard
  local -a shards=()
  before_lists=() before_failed=0
  mapfile -t shards < <(cut -d ' ' -f 1 <"$before_stage/order")
  for shard in "${shards[@]}"; do
    look "$before_stage" "$shard"
    [[ $kind == 'done' ]] || return 1
    ((end_failed)) || continue
    before_failed=$((before_failed + end_failed))
    before_lists+=("$before_stage/work/$shard/$n.failed")
  done
}

# carry: one attempt at all directories. What no longer stands at the destination was named by a stage before.
carry() {
  local level
  : >"$scratch/failed"
  : >"$scratch/unset"
  ((${#before_lists[@]})) && { cat -- "${before_lists[@]}" >"$scratch/failed" || return 74; }
  linked=()
  paths <"$expect" >"$scratch/names"
  in_real_folders || return
  match_sides <"$scratch/names" || return
  comm -z -23 "$scratch/have" "$scratch/theirs" | grep -z '^d ' | paths | sed -z 's/^/no-attributes /' >"$scratch/own_failed"
  cat -- "$scratch/own_failed" >>"$scratch/failed"
  by_level
  # A directory that its owner may not enter closes the way to those below it.
  for ((level = deepest; level >= 0; level--)); do
    [[ -s $scratch/level.$level ]] || continue
    if ((level)); then
      set_attributes --dirs --files-from="$scratch/level.$level" || return
    else
      # The destination itself, without what is in it.
      set_attributes --dirs '--exclude=/*' || return
    fi
  done
  note_unset || return
  # The counts of this stage are of directories; the names also of what the stages before gave up.
  printf 'done 0 %s 0 %s\n' $((entries - $(grep -zc '' <"$scratch/own_failed"))) \
    "$(grep -zc '' <"$scratch/failed")" >"$scratch/outcome"
}

# in_real_folders: leaves out of $scratch/names what is, or stands below, a symlink at the destination.
in_real_folders() {
  at to bash -c "$symlinks_among" <"$scratch/names" >"$scratch/linked"
  (($? != ssh_failed)) || return 75
  mapfile -d '' -t linked <"$scratch/linked"
}

# by_level: $scratch/level.N has the directories N levels below the destination; sets deepest.
by_level() {
  local path slashes
  rm -f -- "$scratch"/level.*
  deepest=0
  paths <"$scratch/both" >"$scratch/list"
  while IFS= read -r -d '' path; do
    slashes=${path//[!\/]/}
    ((${#slashes} > deepest)) && deepest=${#slashes}
    printf '%s\0' "$path" >>"$scratch/level.${#slashes}"
  done <"$scratch/list"
}
