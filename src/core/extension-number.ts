/** What may be the number of an extension: one rule for patchbay.yaml, the API and the command line. */

/** What people dial and devices sign in with; letters too (`reception`), an international number with its `+`. */
export const extensionNumber = /^\+?[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/** The rule in words, to stand behind "must be". */
export const extensionNumberRule = 'up to 32 letters, digits or . _ -, a letter or digit first; a + may stand before it'

/** Characters of a password that a device signs in with. */
export const devicePasswordLength = { min: 8, max: 128 } as const
