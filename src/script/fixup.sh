# --- fixup.sh: one attempt at one shard of a fixup stage ----------------------------------------------------------------
#
# size-differs    not the file that the attributes belong to: it is left as it is
# no-attributes   nothing has this name where attributes are read
# link-in-path unproven   as in the stages before and behind

dirs_flag=--no-dirs

carry() {
  : >"$scratch/failed"
  : >"$scratch/given_up"
  : >"$scratch/unset"
  : >"$scratch/unset.hardlinks"
  carry_over || return
  linked_folders || return
  # Directories come last of all: what is written in them changes their times.
  grep -zv '^d ' <"$wanted" | paths >"$scratch/names"
  match_sides <"$scratch/names" || return
  name_unmatched
  if preserves hardlinks; then
    if preserves permissions; then open_folders || return; fi
    link_names || return
  fi
  if [[ -s $scratch/both ]]; then
    if [[ $single_from ]]; then
      set_attributes_of_one || return
    else
      paths <"$scratch/both" >"$scratch/list"
      set_attributes "$dirs_flag" --files-from="$scratch/list" || return
    fi
    if ((some_failed)); then
      # Whatever it was, what is of another size by now is not the file that was meant.
      paths <"$scratch/both" >"$scratch/names"
      match_sides <"$scratch/names" || return
      name_unmatched
    fi
    note_unset || return
  fi
  outcome 'done' 0
}

set_attributes_of_one() {
  local tool_from=$single_from tool_to=$single_to
  set_attributes
}

# name_unmatched: gives up the files and symlinks that are not of one kind and size on both sides.
name_unmatched() {
  local record path
  local -A open=() here=() there=()
  paths <"$scratch/both" | sort -z | comm -z -13 - "$scratch/paths" >"$scratch/unmatched"
  [[ -s $scratch/unmatched ]] || return 0
  while IFS= read -r -d '' path; do open[$path]=1; done <"$scratch/unmatched"
  while IFS= read -r -d '' record; do
    record_path "$record"
    here[$path]=1
  done <"$scratch/have"
  while IFS= read -r -d '' record; do
    record_path "$record"
    there[$path]=1
  done <"$scratch/theirs"
  while IFS= read -r -d '' record; do
    record_path "$record"
    if [[ ! ${open[$path]-} || $record == 'd '* ]]; then
      continue
    elif out_of_bounds "$path"; then
      give_up link-in-path "$record" "$path"
    elif [[ ! ${here[$path]-} ]]; then
      give_up unproven "$record" "$path"
    elif [[ ! ${there[$path]-} ]]; then
      give_up no-attributes "$record" "$path"
    else
      give_up size-differs "$record" "$path"
    fi
  done <"$wanted"
}

# For bash -c, which gets a word for temporary names and reads `DEVICE:INODE ./PATH`, sorted: names of one file at the source
# become names of one file here, where their contents agree. The first of them stays; a new name takes the place of the
# other in one step. Prints those that stay apart.
link_each='last="" keeper=""
while IFS= read -r -d "" record; do
  identity=${record%% *} path=${record#* }
  if [[ $identity != "$last" ]]; then
    last=$identity keeper=$path
    continue
  fi
  name=${path##*/}
  draft=${path%/*}/.${name:0:247}.$1
  rm -f -- "$draft"
  [[ $keeper -ef $path ]] && continue
  [[ -f $keeper && ! -L $keeper && -f $path && ! -L $path ]] &&
    cmp -s -- "$keeper" "$path" && ln -- "$keeper" "$draft" && mv -fT -- "$draft" "$path" && continue
  rm -f -- "$draft"
  printf "%s\0" "$path"
done 2>/dev/null
:'

# link_names: the names of one shard are linked here, never by rsync, which would write over files of one size.
link_names() {
  [[ $single_from ]] && return 0
  grep -z '^f ' <"$scratch/both" | paths | each from "$source_flag" -type f -links +1 -printf '%D:%i %p\0' >"$scratch/found"
  ((PIPESTATUS[2] == 0)) || return 75
  sort -z -- "$scratch/found" >"$scratch/groups" || return 73
  at to bash -c "$link_each" link "L${shard: -5}" <"$scratch/groups" >"$scratch/unset.hardlinks"
  (($? != ssh_failed)) || return 75
}
