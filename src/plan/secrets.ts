/** What looks like a secret: such a value must never get into a plan, a command line or a job's environment. */

const NAME =
  /(SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|SAS_URL|_KEY$|^KEY$|_PASS$|^PASS$)/i

const VALUES: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/, // AWS access key id
  /\b(gh[pousr]|github_pat|glpat|xox[abps]|hf|sk)[-_][A-Za-z0-9_-]{16,}/, // tokens with a telling prefix
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\./, // JSON web token
  /[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i, // password in a URL
]

export function nameLooksSecret(name: string): boolean {
  return NAME.test(name)
}

/**
 * True for a value that looks like a key, and for any value but a path under a name that says so: `SSH_KEY=/home/bob/id`
 * names a file, which is how keys are meant to be given.
 */
export function looksSecret(name: string, value: string): boolean {
  if (VALUES.some((pattern) => pattern.test(value)) || isRandomText(value)) return true
  return nameLooksSecret(name) && !/^(~?\/|\.{1,2}\/)/.test(value)
}

/** 32 and more characters without a break, of which some are capitals, some small and some digits: base64, not a word. */
function isRandomText(value: string): boolean {
  return (
    /^[A-Za-z0-9+/=_-]{32,}$/.test(value) &&
    !value.startsWith('/') &&
    /[A-Z]/.test(value) &&
    /[a-z]/.test(value) &&
    (value.match(/[0-9]/g)?.length ?? 0) >= 3
  )
}
