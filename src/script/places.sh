# --- places.sh: what a source or a destination holds ----------------------------------------------------------------
#
# Everything is compared as records of the form that shards/*.expect has, NUL at the end:
#   f SIZE MTIME ./PATH      d - - ./PATH      l - - ./PATH//TARGET      l SIZE - ./PATH//
# The last is a symlink that a file on a remote stands for: how long its target is can be known, what it is can not.
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

# way_to SIDE: sets folder, and reach, the command for a server: empty for a place of this machine.
way_to() {
  folder=$to reach=("${to_ssh[@]}")
  [[ $1 == from ]] && folder=$from reach=("${from_ssh[@]}")
  return 0
}

# at SIDE PROGRAM …: runs a program in the folder `from` or `to`, here or on the server that it lies on. 1: there is no
# such folder.
at() {
  local line words folder
  local -a reach
  way_to "$1"
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

# add_link_names LIST: to find a symlink by the name of its file, rclone 1.60 has to be told the name of the link as well.
add_link_names() {
  sed -n 's/\.rclonelink$//p' "$1" >"$scratch/link_names"
  cat -- "$scratch/link_names" >>"$1"
}

# remote_records PLACE <PATHS: the same by one listing that is restricted to the names. Fails when there was no answer,
# and sets no_answer then. Sets nowhere: there is no such place.
remote_records() {
  local format=sp rc
  nowhere=0
  ((with_mtimes)) && format=tsp
  sed -z 's,^\./,,' | tr '\0' '\n' >"$scratch/names"
  [[ -s $scratch/names ]] || return 0
  if [[ $link_way == as-files ]]; then add_link_names "$scratch/names"; fi
  "${list_command[@]}" --format "$format" --files-from-raw "$scratch/names" -- "$1" >"$scratch/listing" 2>"$scratch/listing_said"
  rc=$?
  cat -- "$scratch/listing_said" >&2
  # 3: there is no such folder, so it holds nothing.
  nowhere=$((rc == 3))
  ((nowhere)) && say "there is nothing at $1"
  ((rc == 0 || rc == 3)) || {
    why_no_answer "$scratch/listing_said"
    return 1
  }
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
