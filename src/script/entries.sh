# --- entries.sh: what of a shard stands at the source and at the destination ------------------------------------------

# Of ssh itself, when it could not reach the server or lost it.
ssh_failed=255

# For bash -c, which gets a flag, the length of an expression, the expression, and then paths, by the thousand.
find_each='exec find "$1" "${@:$2 + 3}" -maxdepth 0 "${@:3:$2}" 2>/dev/null'

# fits NAME …: they fit on one command line, beside a thousand words.
fits() {
  local IFS=
  local text=$*
  ((${#text} < 500000))
}

# each SIDE FIND-FLAG EXPRESSION … <PATHS: what find says about each path itself. Nothing is walked. Fails when the
# server is out of reach, and only then.
each() {
  local side=$1 folder
  local -a names reach
  way_to "$side"
  shift
  # Here, and few: without two processes around the one.
  if ((entries <= few && ${#reach[@]} == 0)); then
    mapfile -d '' -t names
    ((${#names[@]})) || return 0
    if fits "${names[@]}"; then
      at "$side" find "$1" "${names[@]}" -maxdepth 0 "${@:2}" 2>/dev/null
      return 0
    fi
    printf '%s\0' "${names[@]}" | each_by_xargs "$side" "$@"
    return
  fi
  each_by_xargs "$side" "$@"
}

each_by_xargs() {
  local side=$1
  shift
  at "$side" xargs -0 -r bash -c "$find_each" find "$1" $(($# - 1)) "${@:2}"
  (($? != ssh_failed))
}

# For bash -c: of the names that are read, those that are symlinks.
symlinks_among='while IFS= read -r -d "" name; do [[ -L $name ]] && printf "%s\0" "$name"; done; :'

# as_records: sets record_format, the expression with which find prints records.
as_records() {
  local time='%T@' link='l - - %p//%l\0'
  ((with_mtimes)) || time=-
  [[ $link_way == from-files ]] && link='l %s - %p//\0'
  record_format=("(" -type l -printf "$link" -o -type d -printf 'd - - %p\0' -o -printf "%y %s $time %p\\0" ")")
  # A symlink to a directory may stand for the directory only where the plan allows it.
  ((follow_destination_links)) && record_format=("(" -type l -xtype d -printf 'd - - %p\0' "," "${record_format[@]}" ")")
  return 0
}

# own_records SIDE FIND-FLAG <PATHS: a record for each path that exists, times in whole seconds.
own_records() {
  local -a record_format
  as_records
  each "$1" "$2" "${record_format[@]}" | sed -z 's/^\([^ ]* [^ ]* [^ .]*\)\.[0-9]* /\1 /'
  ((PIPESTATUS[0] == 0))
}

# at_destination <PATHS
at_destination() {
  no_answer=75
  if [[ $to_kind == remote ]]; then remote_records "$to"; else own_records to -P; fi
}

# with_source_names <RECORDS >PATHS: the names the same entries have at the source. They differ for a single file that
# gets a new name, and from a remote to a disk: there the tool's list has rclone's name of each file and symlink of .expect, in order.
with_source_names() {
  local record name
  if [[ $single_from ]]; then
    printf './%s\0' "${single_from##*/}"
  elif [[ $from_kind == remote && $to_kind != remote ]]; then
    local -A name_of=()
    while IFS= read -r -d '' record; do
      [[ $record == [fl]' '* ]] && IFS= read -r name <&3 && name_of[$record]=$name
    done <"$expect" 3<"$shard_files.list"
    while IFS= read -r -d '' record; do printf './%s\0' "${name_of[$record]-}"; done
  else
    paths
  fi
}

# at_source <PATHS: records; and $scratch/unreadable gets the files among them that this user may not read.
at_source() {
  no_answer=75
  cat >"$scratch/asked"
  : >"$scratch/unreadable"
  # rclone's spelling of a local name is the name itself, but for control characters and look-alikes.
  if [[ $from_kind != remote ]]; then
    each from "$source_flag" -type f ! -readable -print0 <"$scratch/asked" >"$scratch/unreadable" || return
  fi
  if [[ $from_kind == ssh || ($from_kind == local && ($to_kind != remote || $single_from)) ]]; then
    own_records from "$source_flag" <"$scratch/asked"
  else
    remote_records "$from" <"$scratch/asked"
  fi
}

# linked_folders: directories of this shard's paths that are symlinks at the destination, into the array linked.
# Whatever stands below them would be written somewhere else. Fails when the server is out of reach.
linked_folders() {
  local folder
  linked=()
  ((follow_destination_links)) || [[ $to_kind == remote || ! -e $shard_files.dirs ]] && return 0
  if [[ $to_kind == ssh ]]; then
    at to bash -c "$symlinks_among" <"$shard_files.dirs" >"$scratch/linked"
    (($? != ssh_failed)) || return 75
    mapfile -d '' -t linked <"$scratch/linked"
    return 0
  fi
  while IFS= read -r -d '' folder; do [[ -L $to/$folder ]] && linked+=("$folder"); done <"$shard_files.dirs"
  return 0
}

# out_of_bounds PATH: is, or stands below, a directory that is a symlink at the destination.
out_of_bounds() {
  local folder
  for folder in "${linked[@]}"; do [[ $1 == "$folder" || $1 == "$folder"/* ]] && return 0; done
  return 1
}

# all_there: a shard of few entries is compared without a process for each step. False when it is not small, or when
# something is missing: then the long way tells what.
all_there() {
  local record path rest
  local -a record_format names=()
  local -A has=()
  ((${#records[@]} && ${#linked[@]} == 0)) && [[ $to_kind == local && $wanted == "$expect" ]] || return 1
  for record in "${records[@]}"; do
    record_path "$record"
    names+=("$path")
  done
  as_records
  # Into a file, not from a process substitution: nobody would wait for that process, and as long as an init does not
  # bury it, the attempt looks alive.
  at to find -P "${names[@]}" -maxdepth 0 "${record_format[@]}" >"$scratch/found" 2>/dev/null
  while IFS= read -r -d '' record; do
    if ((with_mtimes)) && [[ $record != [dl]* ]]; then
      rest=${record#* * }
      record="${record%"$rest"}${rest%%.*} ${rest#* }"
    fi
    has[$record]=1
  done <"$scratch/found"
  for record in "${records[@]}"; do [[ ${has[$record]-} ]] || return 1; done
  return 0
}

# sort_found: $scratch/have, the records of $scratch/found, sorted, without what stands below a directory that is a symlink.
sort_found() {
  local record path
  if ((${#linked[@]})); then
    while IFS= read -r -d '' record; do
      record_path "$record"
      out_of_bounds "$path" || printf '%s\0' "$record"
    done <"$scratch/found" >"$scratch/inside"
    sort -z -- "$scratch/inside" >"$scratch/have"
  else
    sort -z -- "$scratch/found" >"$scratch/have"
  fi || return 73
}

# compare: $scratch/want and $scratch/have, sorted records; $scratch/missing, those of the first that are not in the
# second. What stands below a directory that is a symlink counts as missing, whatever stands there.
compare() {
  sort -z -- "$wanted" >"$scratch/want" && paths <"$wanted" >"$scratch/paths" || return 73
  at_destination <"$scratch/paths" >"$scratch/found" || return "$no_answer"
  sort_found || return
  comm -z -23 "$scratch/want" "$scratch/have" >"$scratch/missing" || return 73
}
