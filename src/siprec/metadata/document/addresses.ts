/** Addresses of record as clients write them. */

/** `bob@example.com` is a SIP address, `+1 202 555 0123` a telephone number; anything with a scheme stays. */
export function withScheme(aor: string): string {
  if (aor === '' || /^[a-z][a-z0-9+.-]*:(?!\d+$)/i.test(aor)) return aor
  return /^\+?[\d\s().-]+$/.test(aor) ? `tel:${aor.replaceAll(/[\s()]/g, '')}` : `sip:${aor}`
}

/**
 * Whom an address names, to compare by: the user part in lower case, a number without `+` and separators. Reads an
 * address alone or as a From header has it (`"Ann" <sip:ann@x>;tag=1`).
 */
export function userOf(address: string): string {
  const inner = /<([^>]*)>/.exec(address)?.[1] ?? address
  const user =
    inner
      .trim()
      .replace(/^(sips?|tel):/i, '')
      .split(/[@;?]/)[0]
      ?.toLowerCase() ?? ''
  return /^\+?[\d().\-\s]+$/.test(user) ? user.replaceAll(/\D/g, '') : user
}
