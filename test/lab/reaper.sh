#!/usr/bin/env bash
# Ends one lab. Its standard input is a pipe held by the process that opened the lab: the pipe closes when that
# process closes the lab and also when it dies of anything, SIGKILL included, so no lab outlives its owner.
#
#   reaper.sh FOLDER [keep]
#
# Processes are known by their environment, which they can not lose: daemons carry SOXPLAN_LAB, slurmstepd and the
# jobs carry the lab's SLURM_CONF. A shell of a person who pasted that SLURM_CONF is neither, and is left alone.
# sshd is the exception: it writes its title over its environment, but keeps a log in the folder as standard error.
set -u
export LC_ALL=C
folder=$1
keep=${2:-}
conf=$folder/slurm.conf

# Prints the pids of the lab, one a line: marked processes and everything below them.
members() {
  local file pid parent marked=' '
  while IFS= read -r file; do
    pid=${file//[!0-9]/}
    marked+="$pid "
  done < <(grep -lzxF -e "SOXPLAN_LAB=$folder" /proc/[0-9]*/environ 2>/dev/null)
  while IFS= read -r file; do
    pid=${file//[!0-9]/}
    case $(readlink "/proc/$pid/exe") in
      */slurm*) marked+="$pid " ;;
      *) grep -qz '^SLURMD_NODENAME=' "/proc/$pid/environ" 2>/dev/null && marked+="$pid " ;;
    esac
  done < <(grep -lzxF -e "SLURM_CONF=$conf" /proc/[0-9]*/environ 2>/dev/null)
  while IFS= read -r file; do
    pid=${file#/proc/}
    pid=${pid%%/*}
    case $(readlink "/proc/$pid/exe") in
      */sshd*) marked+="$pid " ;;
    esac
  done < <(find /proc/[0-9]*/fd/2 -lname "$folder/log/*" 2>/dev/null)
  local grown=1
  while ((grown)); do
    grown=0
    while IFS=: read -r file _ parent; do
      pid=${file//[!0-9]/}
      parent=${parent//[!0-9]/}
      if [[ $marked == *" $parent "* && $marked != *" $pid "* ]]; then
        marked+="$pid "
        grown=1
      fi
    done < <(grep -H '^PPid:' /proc/[0-9]*/status 2>/dev/null)
  done
  for pid in $marked; do
    # A zombie is dead already and waits for its parent only.
    [[ $pid == "$$" ]] || grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status" || echo "$pid"
  done
}

while IFS= read -r _; do :; done

trap '' HUP INT TERM
for _ in {1..100}; do
  mapfile -t pids < <(members)
  ((${#pids[@]})) || break
  kill -KILL "${pids[@]}" 2>/dev/null
  sleep 0.05
done
[[ $keep == keep ]] || rm -rf -- "$folder"
((${#pids[@]} == 0))
