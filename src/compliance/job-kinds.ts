/** Kinds of the jobs, for who keeps them and who runs them. */
export const exportJobKind = 'compliance.export'
export const expireJobKind = 'compliance.expire'
export const eraseJobKind = 'compliance.erase'
