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
  ((with_fixup)) && choose_records
  # Times are compared where the plan asked for them: the records themselves say so.
  with_mtimes=0
  while IFS= read -r -d '' record && [[ $record != 'f '* ]]; do :; done <"$expect"
  [[ $record == 'f '* && $record != 'f '+([0-9])' - '* ]] && with_mtimes=1
  return 0
}

# choose_records: a capital letter stands before an entry that was there already when the plan was made. Only a fixup has to do with
# it: no other stage writes, removes or proves it.
choose_records() {
  grep -zq '^[DFL] ' <"$expect" || return 0
  if [[ $stage == fixup ]]; then
    sed -z -e 's/^D /d /' -e 's/^F /f /' -e 's/^L /l /' <"$expect"
  else
    grep -zv '^[DFL] ' <"$expect"
  fi >"$scratch/expect"
  expect=$scratch/expect
  ((${#records[@]})) && mapfile -d '' -t records <"$expect"
  return 0
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
  # What only gets attributes moves no bytes, whatever its size, and files that stand for symlinks are in no sum.
  lost=$((lost > bytes_expected ? bytes_expected : lost))
  printf '%s %s %s %s %s\n' "$1" "$2" $((entries - count)) $((bytes_expected - lost)) "$count" >"$scratch/outcome"
}
