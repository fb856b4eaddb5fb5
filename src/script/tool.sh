# --- tool.sh: is the tool on this node, and new enough? ---------------------------------------------------------------

# check_tool: sets tool_problem, one line for people. Asked once per worker, because a node without the tool would
# otherwise take one shard after another and fail them all.
check_tool() {
  local text
  tool_problem=''
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
