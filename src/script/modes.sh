# --- modes.sh: permissions, where the tool does not bring them ---------------------------------------------------------

# Permissions of the files in $scratch/paths, where the tool does not bring them: rclone sets them together with the
# owner or not at all, and only root may set the owner.
set_modes() {
  ((copy_modes)) && [[ $list ]] || return 0
  # Root's own flags bring owner and permissions together.
  ((EUID == 0 && ${#flags_as_root[@]})) && return 0
  if [[ $single_from ]]; then
    [[ -s $scratch/paths ]] || return 0
    printf './%s\0' "${single_from##*/}" | each from "$source_flag" -type f -printf "%m ./${single_to##*/}\0" | give_modes f 0
    return 0
  fi
  each from "$source_flag" -type f -printf '%m %p\0' <"$scratch/paths" | sort -z >"$scratch/modes_wanted"
  each to -P -type f -printf '%m %p\0' <"$scratch/paths" | sort -z >"$scratch/modes_found"
  comm -z -23 "$scratch/modes_wanted" "$scratch/modes_found" | give_modes f 0
}

# give_modes TYPE MORE <`MODE PATH`: one chmod per kind of mode. Neither set-id bits nor what is no longer of that type.
give_modes() {
  local mode record
  local -a found names
  local -A seen=()
  if ((entries <= few)); then
    mapfile -d '' -t found
    for record in "${found[@]}"; do seen[${record%% *}]=1; done
    for mode in "${!seen[@]}"; do
      names=()
      for record in "${found[@]}"; do [[ $record == "$mode "* ]] && names+=("${record#* }"); done
      printf '%s\0' "${names[@]}" | give_mode "$1" "$2" "$mode"
    done
    return 0
  fi
  cat >"$scratch/modes"
  sed -z 's/ .*//' "$scratch/modes" | sort -zu | tr '\0' '\n' >"$scratch/distinct_modes"
  while IFS= read -r mode; do
    grep -z "^$mode " <"$scratch/modes" | sed -z 's/^[^ ]* //' | give_mode "$1" "$2" "$mode"
  done <"$scratch/distinct_modes"
}

# give_mode TYPE MORE MODE <PATHS
give_mode() {
  local bits
  printf -v bits '%03o' $(((8#$3 & 8#777) | $2))
  each to -P -type "$1" -print0 | at to xargs -0 -r chmod "$bits" --
}
