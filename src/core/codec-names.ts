/**
 * Lists of audio codecs, as people write them: which may be spoken, the best first.
 *
 * Names as in SDP, in any case; `others` allows all that are not named.
 */

export const codecName = /^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/
export const mostCodecs = 32
export const codecsRule = 'codec names such as opus, G722, PCMA, PCMU, G729, or others'
