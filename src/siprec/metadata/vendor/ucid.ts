/**
 * Avaya's Universal Call ID, by which a contact centre finds a call again: 20 digits, of which 5 name the node, 5 count
 * the call, 10 are the time in seconds since 1970.
 */

/**
 * From the 20 digits themselves, or from hexadecimal User-to-User data: an optional protocol discriminator (00 or 04),
 * then items of tag, length and value, of which tag FA holds the UCID in eight octets.
 */
export function ucidOf(text: string): string | undefined {
  const value = text.split(';')[0]?.trim() ?? ''
  if (/^\d{20}$/.test(value)) return value
  if (!/^(?:[0-9a-f]{2}){10,128}$/i.test(value)) return undefined
  const bytes = Buffer.from(value, 'hex')
  for (let at = bytes[0] === 0x00 || bytes[0] === 0x04 ? 1 : 0; at + 1 < bytes.length; ) {
    const length = bytes[at + 1] ?? 0
    const end = at + 2 + length
    if (bytes[at] === 0xfa && length === 8 && end <= bytes.length) return digitsOf(bytes.subarray(at + 2, end))
    at = end
  }
  return undefined
}

const digits = (value: number, length: number): string => String(value).padStart(length, '0')

function digitsOf(item: Buffer): string {
  return digits(item.readUInt16BE(0), 5) + digits(item.readUInt16BE(2), 5) + digits(item.readUInt32BE(4), 10)
}
