# --- parents.sh: nothing starts before what it stands on is proven --------------------------------------------------
#
# Slurm starts this script after its parents ended well; these checks hold by hand, too, and do not believe exit codes.
# A mark written on another node may stay invisible for a minute (NFS caches "not there"), so a missing one is waited
# for as long as a lease.

# stage_delivered FOLDER: every shard of that stage is done and nothing failed in it. What failed in a shard that is done
# stays failed, and sets given_up.
stage_delivered() {
  local shard
  local -a shards=()
  given_up=''
  mapfile -t shards < <(cut -d ' ' -f 1 <"$1/order" 2>/dev/null)
  [[ -r $1/order ]] || return 1
  for shard in "${shards[@]}"; do
    look "$1" "$shard"
    [[ $kind == 'done' && $end_failed != 0 ]] && given_up=1
    [[ $kind == 'done' && $end_failed == 0 ]] || return 1
  done
}

check_parents() {
  local folder given_up since=$tick
  for folder in "${stages_before[@]}"; do
    until stage_delivered "$folder"; do
      [[ $stop ]] && return
      if [[ $given_up ]] || ((tick - since > lease_beats)); then
        say "$folder has not delivered everything, so nothing starts here"
        end_guard
        exit 1
      fi
      nap "$beat_seconds"
    done
  done
}
