/** ASN.1 in DER, as much of it as a certificate takes (X.690): values as bytes, put together by their writer. */

export const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

export const derSequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)

/** @param hex The encoded identifier, as the RFCs print it in bytes: `550403` is commonName. */
export const derOid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))

/** GeneralizedTime, in seconds (RFC 5280 §4.1.2.5.2). */
export const derTime = (ms: number): Buffer =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`))

/** A distinguished name of a common name alone. */
export const derName = (name: string): Buffer =>
  derSequence(der(0x31, derSequence(derOid('550403'), der(0x0c, Buffer.from(name)))))

export const ecdsaWithSha256 = derSequence(derOid('2a8648ce3d040302'))
