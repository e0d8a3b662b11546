/** The API over a database in memory, with hands on everything it asks. For tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Audit } from '../audit/audit.ts'
import { type Auth, createAuth } from '../auth/auth.ts'
import { hashPassword } from '../auth/password.ts'
import type { Role } from '../auth/stores.ts'
import { type LiveCall, type LiveCallSnapshot, LiveCalls } from '../call/live-calls.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { parseNetworks } from '../core/networks.ts'
import { type Database, openDatabase } from '../database/open.ts'
import { FactBus } from '../events/bus.ts'
import type { Registration } from '../events/catalogue.ts'
import { Jobs } from '../jobs/runner.ts'
import { joinLife } from '../join-life.ts'
import { Health } from '../ops/health.ts'
import { Metrics } from '../ops/metrics.ts'
import type { TrunkStatus } from '../pbx/trunk-status.ts'
import { Proofs } from '../proof/proofs.ts'
import { SigningKey } from '../proof/signing-key.ts'
import { Recordings } from '../recording/service.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { SealingError } from '../sealing/failures.ts'
import { PeerBook } from '../siprec/peers/peer-book.ts'
import type { App } from './app.ts'
import type { ApiDeps } from './deps.ts'
import { buildApp } from './server.ts'

/** A real hash, but a quick one: 1 ms instead of 0.2 s. */
const quickCost = { n: 2 ** 8, r: 8, p: 1 }

export interface ApiUnderTest {
  readonly app: App
  readonly deps: ApiDeps
  readonly auth: Auth
  readonly clock: FakeClock
  readonly bus: FactBus
  readonly database: Database
  readonly liveCalls: LiveCalls
  readonly jobs: Jobs
  readonly liveRecordings: Recordings
  readonly registered: Registration[]
  readonly trunks: TrunkStatus[]
  readonly folder: string
  /** Headers that sign in as this role, by cookie, from our own pages. */
  readonly as: (role: Role) => Promise<{ cookie: string; origin: string }>
  /** Headers with an API key of this role. */
  readonly keyOf: (role: Role) => Promise<{ 'x-api-key': string }>
}

const noKeys: OpenKey = ({ master }) => Promise.reject(new SealingError('sealing.key-missing', master))

/** What app.inject takes for the host unless told otherwise. */
export const ownOrigin = 'http://localhost:80'
export const password = 'correct horse battery'

export async function startApi(t: TestContext, changes: Partial<ApiDeps> = {}): Promise<ApiUnderTest> {
  const clock = new FakeClock()
  const bus = new FactBus()
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-api-'))
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  database.keep(bus, clock)
  const auth = createAuth({ ...database, clock, bus })
  for (const role of ['admin', 'viewer'] as const) {
    const passwordHash = await hashPassword(password, quickCost)
    await database.users.add({ id: role, name: role, role, passwordHash, createdAtMs: 1 })
  }
  const liveCalls = new LiveCalls()
  const liveRecordings = new Recordings({ folder, bus, clock, log: silentLogger })
  const registered: Registration[] = []
  const trunks: TrunkStatus[] = []
  const jobs = new Jobs({ store: database.jobs, clock, log: silentLogger, bus, random: () => 0.5 })
  const life = joinLife({
    settings: { cleanupDays: 0, cleanupEvery: 0, exportDir: '', exportKeepDays: 7 },
    dataDir: folder,
    openKey: noKeys,
    clock,
    log: silentLogger,
    bus,
    database,
    jobs,
    archive: { remove: () => Promise.resolve([]), open: () => Promise.resolve(undefined) },
    recordingDir: folder,
  })
  const key = await SigningKey.open(join(folder, 'keys'))
  const openKey = changes.openKey ?? noKeys
  const proofs = new Proofs({
    store: database.proofs,
    folder,
    key,
    openKey,
    copiesOf: (id) => database.locations.of(id),
    clock,
    bus,
  })
  const siprecPeers = await PeerBook.open({
    clock,
    store: database.siprecPeers,
    listed: [],
    admitted: parseNetworks(['10.0.0.0/8']),
    unnamed: { dialect: 'rfc', tags: [] },
  })
  const deps: ApiDeps = {
    version: '1.2.3',
    clock,
    log: silentLogger,
    bus,
    history: database.history,
    liveCalls,
    liveRecordings,
    directory: database.directory,
    registrations: {
      of: (extension) => registered.filter((registration) => registration.extension === extension),
      count: () => registered.length,
      drop: (extension) => {
        registered.splice(0, registered.length, ...registered.filter((kept) => kept.extension !== extension))
      },
    },
    trunks: { list: () => trunks },
    siprecPeers,
    sender: { of: () => undefined, pause: () => false, serverStates: () => [], servers: { has: () => false } },
    orderRecording: () => Promise.resolve({ callId: 'ordered', status: 200 }),
    auth,
    life,
    jobs,
    jobList: database.jobs,
    archive: { of: () => Promise.resolve([]), open: () => Promise.resolve(undefined) },
    audit: new Audit({ store: database.audit, clock, log: silentLogger }),
    bans: { list: () => [], release: () => false },
    health: new Health({ version: '1.2.3', clock, checks: {}, activeCalls: () => liveCalls.size, portsInUse: () => 4 }),
    mediaIo: 'dgram',
    metrics: new Metrics({
      bus,
      liveCalls: () => liveCalls.size,
      registrations: () => registered.length,
      subscriptions: () => 0,
      trunks: () => trunks,
      media: () => Promise.resolve([]),
      mediaPorts: () => ({ inUse: 0, free: 0, resting: 0, takenEarly: 0, exhausted: 0 }),
      mediaWorkers: () => [],
      mediaIo: 'dgram',
      sip: () => ({ dialogs: 0, transactions: 0, connections: 0 }),
      load: () => ({ lagMs: 0, busy: 0, refused: 0 }),
      sipCounters: () => ({}),
      certificates: () => [],
      jobs: () => Promise.resolve([]),
      jobEnds: () => [],
    }),
    recordingDir: folder,
    openKey: noKeys,
    proofs,
    digestHashes: (username, secret) => ({ realm: 'test', md5: `md5 ${username} ${secret}`, sha256: 'sha' }),
    sipMessages: () => [],
    sip: () => ({ domain: '192.0.2.1', listeners: [{ transport: 'udp', ip: '192.0.2.1', port: 5060 }] }),
    settingsDesk: {
      shown: () => ({ settings: {} }),
      check: () => ({ valid: true, errors: [], warnings: [], applied: [], waiting: [] }),
      reload: () => undefined,
      status: () => ({ enabled: false, watched: false }),
    },
    consoleFolder: () => undefined,
    ...changes,
  }
  const app = await buildApp(deps)
  t.after(async () => {
    await app.close()
    await jobs.close()
    await database.close()
    rmSync(folder, { recursive: true })
  })
  return {
    app,
    deps,
    auth,
    clock,
    bus,
    database,
    liveCalls,
    jobs,
    liveRecordings,
    registered,
    trunks,
    folder,
    async as(role) {
      const user = await database.users.byId(role)
      if (!user) throw new Error(`no ${role}`)
      return { cookie: `patchbay_session=${await auth.sessions.start(user)}`, origin: ownOrigin }
    },
    async keyOf(role) {
      return { 'x-api-key': (await auth.apiKeys.create(`a ${role}`, role)).key }
    },
  }
}

export interface FakeCall extends LiveCall {
  readonly ended: string[]
}

export function fakeCall(snapshot: Partial<LiveCallSnapshot> & { readonly id: string }): FakeCall {
  const ended: string[] = []
  return {
    id: snapshot.id,
    ended,
    snapshot: () => ({
      kind: 'pbx',
      from: { uri: 'sip:101@example.com' },
      to: { uri: 'sip:102@example.com' },
      startedAtMs: 1_000,
      recording: false,
      legs: [],
      ...snapshot,
    }),
    end(reason) {
      ended.push(reason)
      return Promise.resolve()
    },
    messages: () => [],
  }
}
