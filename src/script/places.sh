# --- places.sh: what a source or a destination holds ----------------------------------------------------------------
#
# Everything is compared as records of the form that shards/*.expect has, NUL at the end:
#   f SIZE MTIME ./PATH      d - - ./PATH      l - - ./PATH//TARGET
# A path of a local place, or of one on a server, is raw bytes; one of a remote place is rclone's name for it.

# paths <RECORDS: the path of each, `./PATH`, NUL.
paths() { sed -z -e 's/^[^ ]* [^ ]* [^ ]* //' -e 's,//.*,,'; }

# record_path RECORD: sets path, without a fork.
record_path() {
  path=${1#* * * }
  path=${path%%//*}
}

# quoted WORD …: sets line, the words as the login shell of a server has to see them.
quoted() {
  local word
  line=''
  for word; do line+=" '${word//\'/\'\\\'\'}'"; done
}

# Of ssh itself, when it could not reach the server or lost it.
ssh_failed=255

# at SIDE PROGRAM …: runs a program in the folder `from` or `to`, here or on the server that it lies on. 1: there is no
# such folder.
at() {
  local side=$1 folder=$to line words
  local -a reach=("${to_ssh[@]}")
  [[ $side == from ]] && folder=$from reach=("${from_ssh[@]}")
  shift
  if ((${#reach[@]} == 0)); then
    (cd -- "$folder" 2>/dev/null || exit 1; exec "$@")
  else
    quoted env LC_ALL=C TZ=UTC "$@"
    words=$line
    quoted "$folder"
    "${reach[@]}" "cd -- $line 2>/dev/null || exit 1; exec $words"
  fi
}

# For bash -c, which gets a flag, the length of an expression, the expression, and then paths, by the thousand.
find_each='exec find "$1" "${@:$2 + 3}" -maxdepth 0 "${@:3:$2}" 2>/dev/null'

# each SIDE FIND-FLAG EXPRESSION … <PATHS: what find says about each path itself. Nothing is walked. Fails when the
# server is out of reach, and only then.
each() {
  local side=$1
  shift
  at "$side" xargs -0 -r bash -c "$find_each" find "$1" $(($# - 1)) "${@:2}"
  (($? != ssh_failed))
}

# For bash -c: of the names that are read, those that are symlinks.
symlinks_among='while IFS= read -r -d "" name; do [[ -L $name ]] && printf "%s\0" "$name"; done; :'

# as_records: sets record_format, the expression with which find prints records.
as_records() {
  local time='%T@'
  ((with_mtimes)) || time=-
  record_format=("(" -type l -printf 'l - - %p//%l\0' -o -type d -printf 'd - - %p\0' -o -printf "%y %s $time %p\\0" ")")
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

# remote_records PLACE <PATHS: the same by one listing that is restricted to the names. Fails when there was no answer.
remote_records() {
  local format=sp rc
  ((with_mtimes)) && format=tsp
  sed -z 's,^\./,,' | tr '\0' '\n' >"$scratch/names"
  [[ -s $scratch/names ]] || return 0
  "${list_command[@]}" --format "$format" --files-from-raw "$scratch/names" -- "$1" >"$scratch/listing"
  rc=$?
  # 3: there is no such folder, so it holds nothing.
  ((rc == 0 || rc == 3)) || return 1
  if ((with_mtimes)); then
    # Seconds since the epoch from `2026-11-22 21:47:10 SIZE NAME`, in any awk: days are counted from 1 March of year 0.
    awk '{
      y = substr($0, 1, 4) + 0; m = substr($0, 6, 2) + 0; d = substr($0, 9, 2) + 0
      if (m <= 2) { y--; m += 12 }
      days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 1 - 719468
      seconds = days * 86400 + substr($0, 12, 2) * 3600 + substr($0, 15, 2) * 60 + substr($0, 18, 2)
      rest = substr($0, 21); gap = index(rest, " ")
      printf "f %s %.0f ./%s\n", substr(rest, 1, gap - 1), seconds, substr(rest, gap + 1)
    }' "$scratch/listing"
  else
    sed 's,^\([^ ]*\) ,f \1 - ./,' "$scratch/listing"
  fi | tr '\n' '\0'
}

# at_destination <PATHS
at_destination() {
  if [[ $to_kind == remote ]]; then remote_records "$to"; else own_records to -P; fi
}

# with_source_names <RECORDS >PATHS: the names the same entries have at the source. They differ for a single file that
# gets a new name, and from a remote to a disk: there the tool's list has rclone's name of each file of .expect, in order.
with_source_names() {
  local record name
  if [[ $single_from ]]; then
    printf './%s\0' "${single_from##*/}"
  elif [[ $from_kind == remote && $to_kind != remote ]]; then
    local -A name_of=()
    while IFS= read -r -d '' record; do
      [[ $record == 'f '* ]] && IFS= read -r name <&3 && name_of[$record]=$name
    done <"$expect" 3<"$shard_files.list"
    while IFS= read -r -d '' record; do printf './%s\0' "${name_of[$record]-}"; done
  else
    paths
  fi
}

# at_source <PATHS: records; and $scratch/unreadable gets the files among them that this user may not read.
at_source() {
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
