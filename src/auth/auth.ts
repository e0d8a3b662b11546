/** The services of this folder, made together from the stores that database/ keeps. */
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import { ApiKeys } from './api-keys.ts'
import { SignInCodes } from './codes.ts'
import { Sessions } from './sessions.ts'
import { SignIn } from './sign-in.ts'
import type { ApiKeyStore, SessionStore, UserStore } from './stores.ts'
import { Tokens, type TokensOptions } from './tokens.ts'

export interface Auth {
  readonly users: UserStore
  readonly sessions: Sessions
  readonly apiKeys: ApiKeys
  readonly codes: SignInCodes
  readonly signIn: SignIn
  readonly tokens: Tokens
}

export interface AuthOptions {
  readonly users: UserStore
  readonly apiKeys: ApiKeyStore
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly bus: FactBus
  readonly tokens?: Pick<TokensOptions, 'secret' | 'issuer' | 'lifeMs'>
}

const usualTokens = { issuer: 'siprec-server', lifeMs: 86_400_000 }

export function createAuth({ users, apiKeys, sessions: store, clock, bus, tokens = usualTokens }: AuthOptions): Auth {
  const sessions = new Sessions({ store, users, clock })
  const codes = new SignInCodes(clock)
  return {
    users,
    sessions,
    codes,
    apiKeys: new ApiKeys({ store: apiKeys, clock }),
    signIn: new SignIn({ users, sessions, codes, clock, bus }),
    tokens: new Tokens({ users, clock, ...tokens }),
  }
}
