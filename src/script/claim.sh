# --- claim.sh: whose shard is it? -----------------------------------------------------------------------------------
#
# work/SHARD/N.claim   token of the worker on attempt N: created exclusively, never changed
# work/SHARD/N.end     THE verdict on attempt N: written under another name, synced, then hard-linked. A link is an
#                      exclusive create with complete content, so commit and fence of one attempt cannot both happen.
# workers/TOKEN        heartbeat: a counter, overwritten in place (that works on a full disk, too)
# workers/TOKEN.gone   worker and tool are surely dead

declare -A attempts_seen last_beat quiet_since
tick=0

# look STAGE SHARD: what the marks say. Sets kind (new held done failed released fenced torn), n (last attempt), owner,
# and for a verdict its counts.
look() {
  local folder=$1/work/$2 lines=()
  n=${attempts_seen[$1/$2]:-0}
  while [[ -e $folder/$((n + 1)).claim ]]; do n=$((n + 1)); done
  attempts_seen[$1/$2]=$n
  kind=new owner='' end_files=0 end_bytes=0 end_failed=0
  ((n)) || return 0
  read -r owner <"$folder/$n.claim" || owner=torn
  kind=held
  [[ -e $folder/$n.end ]] || return 0
  mapfile -t lines <"$folder/$n.end"
  # Whatever is not exactly a verdict on this attempt is no proof: the disk may have crashed while it was written.
  kind=torn
  ((${#lines[@]} == 12)) || return 0
  [[ ${lines[0]} == 'soxplan-end 1' && ${lines[1]} == "shard $2" && ${lines[2]} == "attempt $n" ]] || return 0
  [[ ${lines[11]} == "end $2.$n" && ${lines[3]} =~ ^result\ (done|failed|released|fenced)$ ]] || return 0
  local result=${BASH_REMATCH[1]}
  [[ "${lines[5]} ${lines[6]} ${lines[7]}" =~ ^files\ ([0-9]+)\ bytes\ ([0-9]+)\ failed\ ([0-9]+)$ ]] || return 0
  end_files=${BASH_REMATCH[1]} end_bytes=${BASH_REMATCH[2]} end_failed=${BASH_REMATCH[3]} kind=$result
} 2>/dev/null

# claim SHARD N: exclusive create, then read back: after a lost reply over NFS, the content tells who won. A full run
# folder takes the name but not the content; such a claim is taken back, or it would count as that of a dead worker.
claim() {
  local who='' ours=''
  set -C
  { : >"work/$1/$2.claim"; } 2>/dev/null && ours=1
  set +C
  [[ $ours ]] && printf '%s\n' "$token" >"work/$1/$2.claim"
  read -r who <"work/$1/$2.claim" && [[ $who == "$token" ]] && return 0
  [[ $ours && ! $who ]] && rm -f -- "work/$1/$2.claim"
  return 1
} 2>/dev/null

# record SHARD N RESULT EXIT FILES BYTES FAILED SECONDS: the verdict. 0: it stands; 1: somebody else's stands; 2: it
# could not be written.
record() {
  local draft=work/$1/$2.tmp.$token end=work/$1/$2.end rc
  printf 'soxplan-end 1\nshard %s\nattempt %s\nresult %s\nexit %s\nfiles %s\nbytes %s\nfailed %s\nseconds %s\nby %s\nwhen %(%s)T\nend %s.%s\n' \
    "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$token" -1 "$1" "$2" 2>/dev/null >"$draft" && sync "$draft" 2>/dev/null
  rc=$?
  if ((rc)); then
    say "$1.$2: the run folder takes no verdict (full?)"
    return 2
  fi
  # When the reply to ln was lost, both names are the same file all the same.
  ln "$draft" "$end" 2>/dev/null || [[ $draft -ef $end ]]
  rc=$?
  ((rc == 0)) || say "$1.$2: lost to another worker, forgotten"
  return "$rc"
}

# stale TOKEN: that worker is dead, or has not beaten for a lease of OUR beats. No clock is compared with another.
stale() {
  local now='' since
  [[ $1 == torn ]] || read -r now <"workers/$1"
  [[ -e workers/$1.gone ]] && return 0
  if [[ $now && ${last_beat[$1]-none} != "$now" ]]; then
    last_beat[$1]=$now quiet_since[$1]=$tick
    return 1
  fi
  since=${quiet_since[$1]:=$tick}
  ((tick - since > lease_beats))
} 2>/dev/null

# earlier_life TOKEN: a life of this very worker before Slurm requeued it.
earlier_life() {
  local index restart
  IFS=. read -r index restart _ <<<"$1"
  [[ ${SLURM_RESTART_COUNT:-0} != 0 && $index == "$me" && $restart =~ ^[0-9]+$ ]] && ((restart < SLURM_RESTART_COUNT))
}

# fence SHARD N OWNER: ends an attempt in its owner's place.
fence() {
  say "$1.$2: taken from $3, which is silent"
  record "$1" "$2" fenced 0 0 0 0 0
}
