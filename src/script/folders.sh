# --- folders.sh: directories that a fixup closed before ------------------------------------------------------------------

# For bash -c: opens the directories that are read, parents first, to their owner, as far as this user may. Root needs no such thing.
open_closed='while IFS= read -r -d "" name; do
  [[ -d $name && ! -L $name ]] && [[ ! -w $name || ! -x $name ]] && chmod u+rwx -- "$name"
done 2>/dev/null; :'

# open_folders: lets this user write in the destination and in the directories of the shard. What they are to be in the end is set when
# nothing writes in them any more; for a single file nobody would. Fails when the server is out of reach.
open_folders() {
  local folder
  [[ ! $single_from ]] || return 0
  {
    printf '.\0'
    [[ ! -e $shard_files.dirs ]] ||
      while IFS= read -r -d '' folder; do out_of_bounds "$folder" || printf '%s\0' "$folder"; done <"$shard_files.dirs"
  } >"$scratch/own_folders"
  at to bash -c "$open_closed" <"$scratch/own_folders"
  (($? != ssh_failed)) || return 75
}
