# --- tool.sh: is the tool on this node, and new enough? ---------------------------------------------------------------

# own_rclone_conf: a remote that lets in by tokens writes new ones into its configuration: each worker has a copy of its
# own, on the node and readable for nobody else, so that no two write one file at once and none is left half written.
own_rclone_conf() {
  local name i file=${rclone_conf:-${XDG_CONFIG_HOME:-$HOME/.config}/rclone/rclone.conf}
  ((uses_rclone_conf)) || return 0
  (umask 077 && cp -- "$file" "$scratch/rclone.conf") 2>/dev/null || {
    tool_problem="$file, where the remotes are set up, cannot be read on ${SLURMD_NODENAME:-$HOSTNAME}"
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

# check_tool: sets tool_problem, one line for people. Asked once per worker, because a node without the tool would
# otherwise take one shard after another and fail them all.
check_tool() {
  local text
  tool_problem=''
  own_rclone_conf
  if [[ $tool_problem ]]; then
    say "$tool_problem"
    return 0
  fi
  ((${#version_command[@]})) || return 0
  text=$(timeout 60 "${version_command[@]}" 2>/dev/null | head -n 1)
  if [[ ! $text =~ ([0-9]+)\.([0-9]+) ]]; then
    tool_problem="${version_command[0]} is not installed on ${SLURMD_NODENAME:-$HOSTNAME}, or does not start"
  elif ((BASH_REMATCH[1] < tool_major || (BASH_REMATCH[1] == tool_major && BASH_REMATCH[2] < tool_minor))); then
    tool_problem="${version_command[0]} on ${SLURMD_NODENAME:-$HOSTNAME} is too old: $text, needed is $tool_major.$tool_minor"
  fi
  [[ $tool_problem ]] && say "$tool_problem"
  return 0
}
