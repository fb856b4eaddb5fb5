# --- said.sh: causes in the log of an attempt, name by name -------------------------------------------------------------
#
# Looking tells best what became of an entry. Of a service only the log says why: that the keys have expired, say.

# For awk, on the log of an attempt: `CLASS NAME` for each error about one of the names in the file `names`, and `CLASS `
# for one about a whole place, such as a listing that was refused. `way` is up to, down from or over between remotes.
awk_said='
BEGIN {
  names = ENVIRON["names"]; way = ENVIRON["way"]; tool = ENVIRON["tool"]
  while ((getline line < names) > 0) wanted[line] = 1
  sign["003c"] = "<"; sign["003e"] = ">"; sign["0026"] = "&"; sign["2028"] = "\342\200\250"; sign["2029"] = "\342\200\251"
}
function plain(text, out, at, mark) {
  out = ""
  while ((at = index(text, "\\")) > 0) {
    out = out substr(text, 1, at - 1)
    mark = substr(text, at + 1, 1)
    text = substr(text, at + 2)
    if (mark == "u") { out = out sign[substr(text, 1, 4)]; text = substr(text, 5) }
    else out = out (mark ~ /[nrt]/ ? " " : mark)
  }
  return out text
}
function field(key) {
  if (!match($0, "\"" key "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
  return plain(substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5))
}
# Whose refusal it was. Between two remotes only a failed beginning tells.
function refused(text) {
  if (text ~ /failed to open source object/) return "unreadable"
  if (way == "up") return "denied"
  if (way == "down") return text ~ /AccessDenied|[Aa]ccess [Dd]enied|Forbidden|403/ ? "unreadable" : "denied"
  return "forbidden"
}
function tell(name, text, class) {
  class = cause(text)
  if (class == "refused") class = refused(text)
  if (class != "") print class " " name
}
# aws: `download failed: s3://BUCKET/KEY to PATH WHY`, `upload failed: PATH to s3://BUCKET/KEY WHY`. Names may have spaces,
# so that only the names which are asked for tell where one ends.
function tell_of_aws(text, before, at, rest, end, from) {
  before = way == "up" ? ENVIRON["to"] : ENVIRON["from"]
  at = index(text, before)
  if (!at) return
  rest = substr(text, at + length(before))
  if (rest ~ /^ /) { tell("", rest); return }
  from = 0
  while ((end = index(substr(rest, from + 1), " ")) > 0) {
    from += end
    if (substr(rest, 1, from - 1) in wanted) { tell(substr(rest, 1, from - 1), substr(rest, from)); return }
  }
}
tool == "aws" && /^(upload|download|copy) failed: / { tell_of_aws($0) }
tool == "aws" && /^fatal error: / { tell("", $0) }
tool == "rclone" && /"level":"error"/ {
  object = field("object")
  if (object in wanted) tell(object, field("msg"))
  else if (field("objectType") ~ /\.Fs$/) tell("", field("msg"))
}'

# what_was_said <NAMES: sets told, the class of each name that the log of the attempt has one for, and told_of_all. Names
# are rclone's, `./` in front and a NUL behind.
what_was_said() {
  local line way=over
  told=() told_of_all=''
  [[ $from_kind == remote || $to_kind == remote ]] || return 0
  [[ $from_kind == remote ]] || way=up
  [[ $to_kind == remote ]] || way=down
  sed -z 's,^\./,,' | tr '\0' '\n' >"$scratch/names"
  names=$scratch/names way=$way tool=$tool_name from=$tool_from to=$tool_to \
    awk "$awk_causes$awk_said" "$attempt_log" >"$scratch/said"
  while IFS= read -r line; do
    if [[ ${line#* } ]]; then told[./${line#* }]=${line%% *}; else told_of_all=${line%% *}; fi
  done <"$scratch/said"
}
