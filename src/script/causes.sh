# --- causes.sh: what a service says when it does not do what it was asked for ---------------------------------------------

# For awk: cause(TEXT), in the words of both of rclone's libraries for S3 and of aws; empty for none of the known ones.
# An answer to HEAD has no body and so no code but a number: what has a code comes first.
awk_causes='
function cause(text) {
  if (text ~ /ExpiredToken|TokenRefreshRequired|InvalidToken|InvalidClientTokenId|[Tt]oken (included in the request )?(has|is) expired/) return "expired"
  if (text ~ /InvalidAccessKeyId|SignatureDoesNotMatch|NoCredentialProviders|get credentials:|SharedConfig|static credentials are empty|Unable to locate credentials|config profile/) return "no-keys"
  if (text ~ /NoSuchBucket/) return "no-bucket"
  if (text ~ /SlowDown|TooManyRequests|ServiceUnavailable|reduce your request rate|[Rr]ate ?[Ll]imit|[Ss]tatus ?[Cc]ode: (429|503)|\((429|503)\)/) return "throttled"
  if (text ~ /QuotaExceeded|[Qq]uota exceeded|[Nn]o space left|not enough space|remaining disk space/) return "no-space"
  if (text ~ /AccessDenied|[Aa]ccess [Dd]enied|AllAccessDisabled|Forbidden|[Ss]tatus ?[Cc]ode: 403|\(403\)|[Pp]ermission denied|[Rr]ead-only file system|[Oo]peration not permitted/) return "refused"
  if (text ~ /no such host|[Cc]onnection refused|[Cc]onnection reset|i\/o timeout|[Tt]imed? ?out|no route to host|network is unreachable|EOF|broken pipe|Could not connect|Connection was closed|[Tt]imeout on endpoint|InternalError/) return "cut-off"
  return ""
}'

# The exit codes of an attempt that could not look: sysexits.h has the names, the report has the words.
declare -A exit_of_cause=([throttled]=69 [refused]=76 [expired]=77 [no-keys]=78)

# Budgets go by these, see graph/budget.ts. Expired keys do not last: whoever made them may put new ones in their place.
throttled_exit=${exit_of_cause[throttled]}
lasting_exits=" ${exit_of_cause[refused]} ${exit_of_cause[no-keys]} "

# why_no_answer FILE: sets no_answer, the exit code for what a tool that was to look said there; 75 for anything else.
why_no_answer() {
  local found
  found=$(awk "$awk_causes"'{ text = text $0 " " } END { print cause(text) }' "$1")
  no_answer=${exit_of_cause[${found:-none}]-75}
}
