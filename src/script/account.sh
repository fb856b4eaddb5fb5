# --- account.sh: what a shard must hold against what the destination holds --------------------------------------------

# Entries up to which a shard is small: their names fit on one command line.
few=400

# open_shard SHARD: its files, and whether they are whole: the list of what must arrive is itself on a disk that can lose it.
open_shard() {
  local record=''
  shard_files=$list_folder/$1 expect=$list_folder/$1.expect
  [[ -r $expect ]] || {
    say "$1: $expect is missing"
    return 74
  }
  read -r entries bytes_expected <<<"${cost_of[$1]}"
  local found
  records=()
  if ((entries <= few)); then
    # A record that was cut has no NUL at its end, and is not read.
    while IFS= read -r -d '' record; do records+=("$record"); done <"$expect"
    found=${#records[@]}
  else
    found=$(tr -cd '\0' <"$expect" | wc -c)
  fi
  ((found == entries)) || {
    say "$1: $expect holds $found entries instead of $entries"
    return 74
  }
  # Times are compared where the plan asked for them: the records themselves say so.
  with_mtimes=0
  while IFS= read -r -d '' record && [[ $record != 'f '* ]]; do :; done <"$expect"
  [[ $record == 'f '* && $record != 'f '+([0-9])' - '* ]] && with_mtimes=1
  return 0
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

# compare: $scratch/want and $scratch/have, sorted records; $scratch/missing, those of the first that are not in the
# second. What stands below a directory that is a symlink counts as missing, whatever stands there.
compare() {
  local record path
  sort -z -- "$wanted" >"$scratch/want" && paths <"$wanted" >"$scratch/paths" || return 73
  at_destination <"$scratch/paths" >"$scratch/found" || return 75
  if ((${#linked[@]})); then
    while IFS= read -r -d '' record; do
      record_path "$record"
      out_of_bounds "$path" || printf '%s\0' "$record"
    done <"$scratch/found" >"$scratch/inside"
    sort -z -- "$scratch/inside" >"$scratch/have"
  else
    sort -z -- "$scratch/found" >"$scratch/have"
  fi || return 73
  comm -z -23 "$scratch/want" "$scratch/have" >"$scratch/missing" || return 73
}

# outcome RESULT EXIT: for the worker, who writes the verdict. $scratch/failed names what is given up.
outcome() {
  local record class count=0 lost=0 size rest
  if [[ -s $scratch/failed ]]; then
    count=$(grep -zc '' <"$scratch/failed")
    while IFS= read -r -d '' record; do
      read -r class size rest <<<"$record"
      [[ $class == f ]] && lost=$((lost + size))
    done <"$scratch/given_up"
  fi
  printf '%s %s %s %s %s\n' "$1" "$2" $((entries - count)) $((bytes_expected - lost)) "$count" >"$scratch/outcome"
}
