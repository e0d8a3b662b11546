/** Alerts of DTLS: what one side tells the other when it gives up (RFC 5246 §7.2). */

export const alerts = {
  close_notify: 0,
  unexpected_message: 10,
  handshake_failure: 40,
  bad_certificate: 42,
  illegal_parameter: 47,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
} as const

export type AlertName = keyof typeof alerts

const warning = 1
const fatal = 2

export const printAlert = (name: AlertName): Buffer =>
  Buffer.of(name === 'close_notify' ? warning : fatal, alerts[name])

/** The name of an alert that ends the association, or its number; undefined for a mere warning. */
export function endingAlert(body: Uint8Array): string | undefined {
  const [level, code] = body
  if (body.length !== 2 || (level !== fatal && code !== alerts.close_notify)) return undefined
  return Object.entries(alerts).find(([, each]) => each === code)?.[0] ?? `alert ${code}`
}
