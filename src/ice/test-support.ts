/** For tests: a browser's connectivity checks. */
import { randomBytes } from 'node:crypto'
import type { IceCredentials } from '../core/ice.ts'
import { printStun, stunAttributes, stunTypes } from '../stun/message.ts'

export interface Check {
  /** `ours:theirs` */
  readonly username: string
  /** Ours. */
  readonly password: string
  readonly priority?: number
  /** USE-CANDIDATE: this is the way to use. */
  readonly nominate?: boolean
  /** ICE-CONTROLLING unless given. */
  readonly role?: number
  readonly more?: readonly (readonly [type: number, value: Buffer])[]
}

export function printCheck({ username, password, priority = 100, nominate = false, role, more = [] }: Check): Buffer {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(priority)
  return printStun({
    type: stunTypes.request,
    id: randomBytes(12),
    attributes: [
      [stunAttributes.username, Buffer.from(username)],
      [stunAttributes.priority, value],
      [role ?? stunAttributes.iceControlling, Buffer.alloc(8, 1)],
      ...(nominate ? [[stunAttributes.useCandidate, Buffer.alloc(0)] as const] : []),
      ...more,
    ],
    key: password,
    fingerprint: true,
  })
}

/** A check from `theirs` to `ours`. */
export const checkOf = (ours: IceCredentials, theirs: IceCredentials, nominate = false): Buffer =>
  printCheck({ username: `${ours.user}:${theirs.user}`, password: ours.password, nominate })
