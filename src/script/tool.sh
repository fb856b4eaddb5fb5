# --- tool.sh: has this node what it takes: the file systems, and tools that are new enough? ----------------------------

# own_rclone_conf: a remote that lets in by tokens writes new ones into its configuration: each worker has a copy of its
# own, on the node and readable for nobody else, so that no two write one file at once and none is left half written.
own_rclone_conf() {
  local name i file=${rclone_conf:-${XDG_CONFIG_HOME:-$HOME/.config}/rclone/rclone.conf}
  ((uses_rclone_conf)) || return 0
  (umask 077 && cp -- "$file" "$scratch/rclone.conf") 2>/dev/null || {
    node_problem="$file, where the remotes are set up, cannot be read on ${SLURMD_NODENAME:-$HOSTNAME}"
    return 0
  }
  export RCLONE_CONFIG=$scratch/rclone.conf
  while IFS= read -r name; do
    local -n words=$name
    for i in "${!words[@]}"; do
      [[ ${words[i]} == --config=* ]] && words[i]=--config=$RCLONE_CONFIG
    done
    unset -n words
  done < <(compgen -A arrayvar | grep '_command$')
}

# What a folder lies on where nothing is mounted: a disk of the node itself.
own_disks=' ext2/ext3 xfs btrfs zfs tmpfs ramfs overlayfs '

# check_places: a file system that is not mounted here looks like an empty folder: all of the source would be gone, and
# what is copied would land on a disk of the node.
check_places() {
  local folder kind node=${SLURMD_NODENAME:-$HOSTNAME}
  local -a device
  for folder in "${stands[@]}"; do
    [[ -d $folder ]] || node_problem="$folder, which was there when this was planned, is not there on $node"
  done
  for folder in "${mounted[@]}"; do
    stat -c %d -- / "$folder" >"$scratch/answer" 2>/dev/null
    mapfile -t device <"$scratch/answer"
    [[ ${device[0]-} == "${device[1]-}" ]] || continue
    stat -f -c %T -- "$folder" >"$scratch/answer" 2>/dev/null
    read -r kind <"$scratch/answer"
    [[ $own_disks == *" $kind "* ]] &&
      node_problem="nothing is mounted at $folder on $node, so that it is a disk of that node"
  done
  return 0
}

# check_tool: sets node_problem, one line for people. Asked once per worker, because a node without the tool would
# otherwise take one shard after another and fail them all.
check_tool() {
  node_problem=''
  check_places
  [[ $node_problem ]] || own_rclone_conf
  [[ $node_problem ]] || check_version "$tool_major" "$tool_minor" "${version_command[@]}"
  [[ $node_problem ]] || check_version "$look_major" "$look_minor" "${look_command[@]}"
  [[ $node_problem ]] && say "$node_problem"
  return 0
}

# check_version MAJOR MINOR COMMAND …: of which the first line names the version; without a command there is nothing to ask.
check_version() {
  local text='' major=$1 minor=$2
  shift 2
  (($#)) || return 0
  # Into a file: while a substitution is read, the end of a child has made bash 5.2.15 take its trap for a part of it.
  timeout 60 "$@" >"$scratch/answer" 2>/dev/null
  IFS= read -r text <"$scratch/answer"
  if [[ ! $text =~ ([0-9]+)\.([0-9]+) ]]; then
    node_problem="$1 is not installed on ${SLURMD_NODENAME:-$HOSTNAME}, or does not start"
  elif ((BASH_REMATCH[1] < major || (BASH_REMATCH[1] == major && BASH_REMATCH[2] < minor))); then
    node_problem="$1 on ${SLURMD_NODENAME:-$HOSTNAME} is too old: $text, needed is $major.$minor"
  fi
}
