# --- probe.sh: questions about the machine it runs on, for `soxplan doctor`; answers are lines `NAME VALUE` -----------

# What the worker script calls, beside bash itself.
probe_programs() {
  local name lacks=''
  for name in awk cat chmod cp date df dirname find grep gzip head ln mkdir mktemp mv rm sed sort stat tail timeout touch tr; do
    type -P -- "$name" >/dev/null || lacks+=" $name"
  done
  printf 'bash %s\n' "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"
  printf 'lacks%s\n' "$lacks"
}

# probe_tool PROGRAM ARGUMENT: where it is, and the first line that it says of its version. ssh says it on stderr.
probe_tool() {
  local path text
  path=$(type -P -- "$1") || return 0
  text=$("$1" "$2" 2>&1 </dev/null | head -n 1)
  printf 'path %s\nsays %s\n' "$path" "$text"
}

# probe_file PATH
probe_file() {
  if [[ ! -e $1 ]]; then
    [[ -L $1 ]] && echo 'is dangling' || echo 'is absent'
    return 0
  fi
  if [[ -f $1 ]]; then echo 'is file'; else echo 'is other'; fi
  [[ -r $1 ]] && echo 'readable 1'
  stat -L -c 'mode %a' -- "$1" 2>/dev/null
  [[ -O $1 ]] && echo 'mine 1'
  return 0
}

# nearest_folder PATH: sets `nearest`, the first thing on the way up that is there, and `up`, the steps to it.
nearest_folder() {
  nearest=$1 up=0
  while [[ ! -e $nearest && ! -L $nearest && $nearest != / && $nearest != . ]]; do
    nearest=$(dirname -- "$nearest"; echo .) nearest=${nearest%$'\n.'}
    ((++up))
  done
}

# probe_folder PATH: may something be made there? `df` is GNU's; another one leaves the room unknown.
probe_folder() {
  local nearest up room
  nearest_folder "$1"
  printf 'up %s\n' "$up"
  if [[ -d $nearest ]]; then echo 'is directory'; elif [[ -e $nearest ]]; then echo 'is other'; else echo 'is dangling'; fi
  [[ -w $nearest && -x $nearest ]] && echo 'writable 1'
  room=$(df --output=avail,iavail -B1 -- "$nearest" 2>/dev/null | tail -n 1)
  [[ $room =~ ([0-9]+)\ +([0-9]+|-) ]] && printf 'free %s\nnames %s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  return 0
}

# probe_links PATH: do the two things work there that the workers' proofs stand on, an exclusive create and a hard link?
probe_links() {
  local nearest up said
  nearest_folder "$1"
  said=$(mktemp -d -- "$nearest/.soxplan-doctor.XXXXXXXX" 2>&1) || {
    printf 'refused %s\n' "${said##*: }"
    return 0
  }
  # Not local: the trap runs when this function is over.
  probe_scratch=$said
  trap 'rm -rf -- "$probe_scratch"' EXIT
  echo 'made 1'
  set -C
  if : >"$probe_scratch/one" && ! { : >"$probe_scratch/one"; } 2>/dev/null; then echo 'exclusive 1'; fi
  set +C
  if ln -- "$probe_scratch/one" "$probe_scratch/two" 2>/dev/null && [[ $probe_scratch/one -ef $probe_scratch/two ]] &&
    ! ln -- "$probe_scratch/one" "$probe_scratch/two" 2>/dev/null; then
    echo 'links 1'
  fi
  return 0
}

# probe_reach HOST PORT
probe_reach() {
  local said
  if said=$( (exec 3<>"/dev/tcp/$1/$2") 2>&1); then
    echo 'reached 1'
  else
    said=${said%%$'\n'*}
    printf 'refused %s\n' "${said##*: }"
  fi
}
