# --- loop.sh: shard after shard, until none is left --------------------------------------------------------------------

declare -A cost_of final
asked='' forgiven=0
order=()

read_order() {
  local shard cost
  while read -r shard cost; do
    [[ ! $only || $shard == "$only" ]] || continue
    order+=("$shard")
    cost_of[$shard]=$cost
  done <order || exit 74
  [[ ! $only || ${#order[@]} == 1 ]] || {
    say "there is no shard $only in $stage_folder/order"
    exit 2
  }
}

# May this worker judge claims of others? Worker 0 stays to the end for it; so does a person who runs one shard.
closes() { ((me == 0)) || [[ $only ]]; }

# one_pass: every shard that is open, in the order of cost. Sets open, held, ran, again, unready.
# Shards that failed before wait until nothing fresh is left: what fails for a while gets some while.
one_pass() {
  local shard
  open=0 held=0 ran=0 again=0 unready=0
  for shard in "${order[@]}"; do
    [[ $stop ]] && return
    [[ ${final[$shard]-} ]] && continue
    failures=0 throttles=0 hopeless_end=''
    look . "$shard"
    case $kind in
      'done')
        final[$shard]='done'
        continue
        ;;
      held)
        if earlier_life "$owner" || { closes && stale "$owner"; }; then
          fence "$shard" "$n" "$owner" || { open=$((open + 1)); continue; }
          kind=fenced
        else
          open=$((open + 1)) held=$((held + 1))
          continue
        fi
        ;;
    esac
    ((n)) && failures_of "$shard" "$n"
    # A person who names a shard wants it tried once more, whatever the plan says.
    if [[ $only && ! $asked ]] && spent; then
      tries=$((failures + 1)) throttled_tries=$((throttles + 1)) forgiven=$n hopeless_end=''
    fi
    asked=1
    if spent; then
      final[$shard]=failed
      continue
    fi
    open=$((open + 1))
    take "$shard" "$kind" "$n"
  done
}

# take SHARD KIND N: one attempt, if this pass is for it.
take() {
  local before=$((failures + throttles))
  if ((before && ! retrying)); then
    again=$((again + 1))
    return
  fi
  # Without its tool a worker takes nothing that others could: see patience below.
  if [[ $node_problem && ! $hopeless && ! $only ]]; then
    unready=$((unready + 1))
    return
  fi
  ready "$1" || {
    unready=$((unready + 1))
    return
  }
  if ((before)) && [[ ! $node_problem && ! $only ]]; then
    pause_before_retry "$before"
    [[ $stop || -e work/$1/$(($3 + 1)).claim ]] && return
  fi
  if attempt "$1" $(($3 + 1)) "$2"; then ran=1; fi
}

work() {
  local patience=0 waits=0
  retrying=0 hopeless=''
  until [[ $stop ]]; do
    one_pass
    [[ $stop ]] && break
    ((open)) || break
    if ((ran)); then
      retrying=0 patience=$tick waits=0
      continue
    fi
    if ((again && ! retrying)); then
      retrying=1
      continue
    fi
    retrying=0
    if ((unready)); then
      # Nobody is at work, nothing changes: for as long as a lease, then it is said and given up.
      ((held)) && patience=$tick
      if ((tick - patience > lease_beats)); then
        if [[ $node_problem ]] && closes; then hopeless=1; else return; fi
      elif [[ $node_problem ]] && ! closes; then
        return
      fi
    elif ((again == 0)) && ! closes; then
      return
    fi
    wait_for_others
  done
}

# What others carry ends at any moment: looked for often at first, once a beat when it takes long.
wait_for_others() {
  waits=$((waits + 1))
  if ((waits <= 25)); then
    nap 0.2
  elif ((waits <= 85)); then
    nap 1
  else
    nap "$beat_seconds"
  fi
}

# Bytes and names of what is not proven, over all shards. Sets not_done and failed_entries.
sum_up() {
  local shard name quoted_name shown=0 files=0 bytes=0
  not_done=0 failed_entries=0
  for shard in "${order[@]}"; do
    look . "$shard"
    if [[ $kind != 'done' ]]; then
      not_done=$((not_done + 1))
      say "$shard: NOT accounted for (${kind/new/not started}, $n attempts); by hand: bash script.sh --shard $shard"
      continue
    fi
    files=$((files + end_files)) bytes=$((bytes + end_bytes)) failed_entries=$((failed_entries + end_failed))
    ((end_failed)) || continue
    while ((shown < 20)) && IFS= read -r -d '' name; do
      printf -v quoted_name '%q' "$name"
      say "FAILED $quoted_name"
      shown=$((shown + 1))
    done <"work/$shard/$n.failed"
  done
  say "$transfer $stage: $files entries, $bytes bytes are there; $failed_entries failed; $not_done of ${#order[@]} shards not accounted for"
}

# Near the time limit the job asks for another turn, where the plan allows it. TERM follows; until then nothing is done,
# because a job that ends by itself before is not requeued.
ask_for_another_turn() {
  local i id=${SLURM_JOB_ID-}
  ((requeue)) && [[ $id ]] || return 0
  [[ ${SLURM_ARRAY_JOB_ID-} ]] && id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  stop=''
  if timeout 30 scontrol requeue "$id"; then
    for ((i = 0; i < 60; i++)); do
      [[ $stop ]] && break
      nap 1
    done
  fi
  stop=75
}

main() {
  read_order
  start_guard
  check_tool
  check_parents
  say "$transfer $stage: ${#order[@]} shards"
  work
  if [[ $stop == 75 ]]; then ask_for_another_turn; fi
  if [[ $stop ]]; then
    end_guard
    say "stops ($stop)"
    exit "$stop"
  fi
  if ! closes; then
    end_guard
    say 'nothing left for this worker'
    [[ $node_problem ]] && exit 1
    exit 0
  fi
  # Never task 0 itself: after a node failure that is our own next life, and its end is what the next stage waits for.
  if [[ ! $only ]] && ((${SLURM_ARRAY_TASK_MAX:-0})); then
    timeout 30 scancel --quiet -t PENDING "${SLURM_ARRAY_JOB_ID}_[1-$SLURM_ARRAY_TASK_MAX]" >&2
  fi
  sum_up
  end_guard
  ((not_done == 0)) || exit 1
  ((is_last_stage == 0 || failed_entries == 0)) || exit 1
  exit 0
}

# The last line, and main ends by itself: bash never comes back to this file, which may have been replaced meanwhile.
main
