/** The web console as a person uses it: Chromium, the real server, simulated phones. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { systemClock } from '../../src/core/clock.ts'
import { SimulatedPhone } from '../../src/demo/phone.ts'
import type { PhoneCall } from '../../src/demo/phone-call.ts'
import { loadSpeech } from '../../src/demo/speech.ts'
import { extensionsFrom101, registeredPhone } from '../support/phones.ts'
import { adminPassword, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { Stranger } from '../support/stranger.ts'
import { until } from '../support/until.ts'
import { chromiumPath, signIn, startChromium, type Visit, visit } from './browser.ts'

const here = {
  skip: chromiumPath || process.env['CI'] === 'true' ? false : 'not installed: chromium',
  timeout: 90_000,
}
const [first, second] = extensionsFrom101(2)
assert.ok(first && second)

/** Sooner than the page would ask by itself while it has a live connection (15 s): it must have been told. */
const atOnce = { timeout: 6_000 }

let browser: Browser
let archive: string | undefined
let server: ServerProcess
let alice: SimulatedPhone
let bob: SimulatedPhone
let visited: Visit
let page: Page
/** Bob's side of the latest call. */
let ongoing: PhoneCall | undefined

before(async () => {
  if (here.skip) return
  archive = mkdtempSync(join(tmpdir(), 'patchbay-archive-'))
  // Loopback is trusted unless something else is.
  server = await startServerProcess({
    extensions: [first, second],
    recordingServers: [{ name: 'archive', uri: 'sip:127.0.0.1:9', qualify: 0 }],
    env: {
      SECURITY_TRUSTED_NETWORKS: '127.0.0.1',
      RECORDING_STORAGE_ENABLED: 'true',
      RECORDING_STORAGE_LOCAL_DIR: archive,
    },
  })
  browser = await startChromium()
  alice = await registeredPhone(server, first, { speech: await loadSpeech('caller') })
  bob = await registeredPhone(server, second, { speech: await loadSpeech('callee') })
  await until('the console to be built', 120_000, async () => {
    const response = await fetch(server.api.url)
    return response.ok && (await response.text()).includes('id="root"')
  })
})

after(async () => {
  await Promise.allSettled([alice?.close(), bob?.close(), browser?.close()])
  await server?.remove()
  if (archive) rmSync(archive, { recursive: true })
})

beforeEach(async () => {
  if (here.skip) return
  visited = await visit(browser)
  page = visited.page
})

afterEach(async () => {
  if (here.skip) return
  await ongoing?.hangUp() // a test that failed may have left it
  await visited.close()
  assert.deepEqual(visited.complaints, [], 'the page complained')
})

async function open(path: string): Promise<void> {
  await page.goto(server.api.url + path)
  await signIn(page, 'admin', adminPassword)
  await page.getByRole('button', { name: 'Signed in as admin' }).waitFor()
}

/** Alice calls Bob. @returns Bob's side. */
async function call(): Promise<PhoneCall> {
  const atBob = bob.nextCall()
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  ongoing = await atBob
  return ongoing
}

test(
  'a wrong password is refused with a reason, the right one leads to the page that was asked for',
  here,
  async () => {
    await page.goto(`${server.api.url}/calls?kind=pbx`)
    await page.waitForURL(/\/sign-in/)
    await signIn(page, 'admin', 'wrong password')
    await page.getByRole('alert').waitFor()
    await signIn(page, 'admin', adminPassword)
    await page.getByRole('heading', { name: 'Call history' }).waitFor()
    assert.equal(new URL(page.url()).search, '?kind=pbx')
  },
)

test('a link to somewhere else does not lead there after signing in', here, async () => {
  await open('/sign-in?next=//example.com/')
  await page.getByRole('heading', { name: 'Live calls' }).waitFor()
  assert.equal(new URL(page.url()).origin, server.api.url)
})

test('who signs out has to sign in again', here, async () => {
  await open('/')
  await page.getByRole('button', { name: 'Signed in as admin' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL(/\/sign-in/)
  await page.goto(`${server.api.url}/extensions`)
  await page.waitForURL(/\/sign-in/)
})

test('a session that ended elsewhere leads to the sign-in and back', here, async () => {
  await open('/')
  await page.getByText('No calls right now').waitFor()
  await page.context().clearCookies()
  await page.getByRole('link', { name: 'Recordings' }).click()
  await page.waitForURL(/\/sign-in\?next=%2Frecordings/)
  await signIn(page, 'admin', adminPassword)
  await page.getByRole('heading', { name: 'Recordings' }).waitFor()
})

test('a viewer sees everything and changes nothing', here, async () => {
  await open('/')
  const password = 'password-of-a-viewer'
  const made = await page.request.post(`${server.api.url}/api/users`, {
    headers: { origin: server.api.url },
    data: { name: 'vera', role: 'viewer', password },
  })
  assert.ok(made.ok())
  await page.context().clearCookies()
  await page.goto(`${server.api.url}/extensions`)
  await signIn(page, 'vera', password)
  await page.getByRole('list', { name: 'Extensions' }).waitFor()
  assert.equal(await page.getByRole('button', { name: /Add extension|Actions for/ }).count(), 0)
  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByText('Only administrators see API keys').waitFor()
})

test('a live call appears and ends as it happens, and its recording plays', here, async () => {
  await open('/')
  await page.getByText('No calls right now').waitFor()
  await page.getByRole('status').getByText('Live', { exact: true }).waitFor()
  const atBob = await call()

  const card = page.getByRole('article')
  await card.getByText('Talking').waitFor(atOnce)
  await card.getByText('Recording', { exact: true }).waitFor()
  await card.getByText('PCMU').waitFor()
  await card.getByRole('timer').getByText('0:02').waitFor()
  await atBob.hangUp()
  await page.getByText('No calls right now').waitFor(atOnce)

  await page.getByRole('link', { name: 'Call history' }).click()
  await page.getByRole('list', { name: 'Calls' }).getByRole('link').first().click()
  await page.getByText('The call was answered and ended normally.').waitFor()
  await page
    .getByText(/^MOS \d\.\d, /)
    .first()
    .waitFor()
  await page.getByRole('slider', { name: 'Position in the recording' }).waitFor()
  await page.getByRole('button', { name: 'Play', exact: true }).click()
  await page.getByTestId('player-time').getByText('0:01 /').waitFor()
  await page.getByRole('button', { name: `Mute ${second.name}` }).click()
  await page.getByRole('button', { name: `Hear ${second.name}`, pressed: true }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('slider').focus()
  await page.keyboard.press('Space')
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
  await page.keyboard.press('Home')
  await page.getByTestId('player-time').getByText('0:00 /').waitFor()
  assert.equal(await page.getByRole('alert').count(), 0)
})

test('without the live connection the page asks by itself', here, async () => {
  await page.routeWebSocket(/\/api\/events/, (socket) => socket.close())
  await open('/')
  await page.getByRole('status').getByText('Polling').waitFor()
  const atBob = await call()
  await page.getByRole('article').getByText('Talking').waitFor()
  await atBob.hangUp()
  await page.getByText('No calls right now').waitFor()
})

test('a server that does not answer is told of, and its return too', here, async () => {
  await open('/')
  const { origin } = new URL(server.api.url)
  await page.routeWebSocket(/\/api\/events/, (socket) => socket.close())
  await page.reload()
  const mark = page.getByRole('status')
  await mark.getByText('Polling').waitFor()
  await page.route(`${origin}/api/calls/live`, (route) => route.abort('connectionrefused'))
  await mark.getByText('No answer').waitFor()
  await page.unroute(`${origin}/api/calls/live`)
  await mark.getByText('Polling').waitFor()
})

test('the files of a recording can be downloaded', here, async () => {
  await open('/recordings')
  await page.getByRole('list', { name: 'Recordings' }).getByRole('link').first().click()
  const started = page.waitForEvent('download')
  await page.getByRole('link', { name: /Both sides/ }).click()
  const download = await started
  assert.match(download.suggestedFilename(), /\.wav$/)
  assert.equal(await download.failure(), null)
})

test('the page of an echo test says that it is not recorded, whatever the extension is set to', here, async () => {
  const outcome = await alice.call('*43').outcome
  assert.ok(outcome.answered)
  await outcome.call.hangUp()
  await open('/calls')
  await page.getByRole('list', { name: 'Calls' }).getByRole('link', { name: /Echo/ }).click()
  await page.getByText('Conference rooms and the echo test are not recorded.').waitFor()
})

test('the SIP messages of a call are arrows that open, without credentials', here, async () => {
  await open('/calls')
  await page.getByRole('list', { name: 'Calls' }).getByRole('link', { name: /102/ }).first().click()
  const ladder = page.getByRole('region', { name: 'SIP messages' })
  await ladder
    .getByRole('button', { name: /^200 OK, from/ })
    .first()
    .waitFor()
  const invites = ladder.getByRole('button', { name: /^INVITE, from/ })
  await invites.last().click()
  const text = (await ladder.locator('pre').textContent()) ?? ''
  assert.match(text, /^INVITE sip:102@/)
  assert.doesNotMatch(text, /response="?[0-9a-f]{16}/)
  for (const [name, ending] of [
    ['Capture for Wireshark', '.pcap'],
    ['Text', '.txt'],
  ] as const) {
    const started = page.waitForEvent('download')
    await ladder.getByRole('link', { name }).click()
    const download = await started
    assert.ok(download.suggestedFilename().endsWith(ending))
    assert.equal(await download.failure(), null)
  }
})

test('a recording is paused and goes on, and one side is muted, from the card of the live call', here, async () => {
  await open('/')
  const talk = await call()
  const card = page.getByRole('article')
  await card.getByRole('button', { name: 'Pause recording' }).click(atOnce)
  await page.getByRole('menuitem', { name: 'for 5 minutes' }).click()
  await card.getByText(/Paused, goes on in 0?[45]:/).waitFor(atOnce)
  await card.getByRole('button', { name: 'Resume recording' }).click()
  await card.getByText('Recording', { exact: true }).waitFor(atOnce)
  await card
    .getByRole('button', { name: /^Mute / })
    .last()
    .click()
  await card.getByText('Muted', { exact: true }).waitFor(atOnce)
  await card.getByRole('button', { name: /^Record / }).click()
  await card.getByText('Muted', { exact: true }).waitFor({ state: 'hidden', ...atOnce })
  await talk.hangUp()

  await page.getByRole('link', { name: 'Recordings', exact: true }).click()
  await page.getByRole('list', { name: 'Recordings' }).getByRole('link').first().click()
  const marks = page.getByRole('list', { name: 'Marks' })
  await marks.getByRole('button', { name: /Paused by admin/ }).waitFor()
  await marks.getByRole('button', { name: / muted by admin/ }).waitFor()
})

test(
  'a recording is tagged, found by its tag, noted, verified, seen in the archive, held and deleted',
  here,
  async () => {
    const talk = await call()
    await talk.hangUp()
    await open('/calls')
    await page.getByRole('list', { name: 'Calls' }).getByRole('link', { name: /102/ }).first().click()
    const recording = page.getByRole('region', { name: 'Recording' })
    await recording.getByRole('list', { name: 'Quality' }).getByText(second.name).waitFor()

    await recording.getByRole('combobox', { name: 'Tags of the recording' }).fill('Sales')
    await page.keyboard.press('Enter')
    const notes = page.getByRole('region', { name: 'Notes' })
    await notes.getByRole('textbox', { name: 'New note' }).fill('Call back on Monday')
    await notes.getByRole('button', { name: 'Write the note' }).click()
    await notes.getByRole('list', { name: 'Notes' }).getByText('Call back on Monday').waitFor()

    const verified = recording.getByRole('status')
    await until('the proof to be made', 15_000, async () => {
      await recording.getByRole('button', { name: 'Verify the recording' }).click()
      await verified.waitFor()
      return (await verified.innerText()).startsWith('Intact')
    })

    await recording
      .getByRole('list', { name: 'Archived copies' })
      .getByText(/\.wav$/)
      .first()
      .waitFor(atOnce)
    await recording.getByText(/^Kept for ever/).waitFor()
    await recording.getByRole('button', { name: 'Place a legal hold' }).click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill('Case 7')
    await page.getByRole('dialog').getByRole('checkbox', { name: 'The whole call' }).check()
    await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click()
    await recording.getByText('Hold on the call, by admin: Case 7').waitFor()
    assert.ok(await recording.getByRole('button', { name: 'Delete the recording' }).isDisabled())

    await page.getByRole('link', { name: 'Recordings', exact: true }).click()
    await page.getByRole('button', { name: 'More filters' }).click()
    await page.getByRole('searchbox', { name: 'Tag' }).fill('Sales')
    await page.getByLabel('Legal hold').selectOption('Held')
    await page.getByText('1 recording', { exact: true }).waitFor()
    await page.getByLabel('Legal hold').selectOption('Not held')
    await page.getByText('No recording matches').waitFor()
    await page.getByLabel('Legal hold').selectOption('Held')
    await page.getByRole('list', { name: 'Recordings' }).getByRole('link').waitFor()
    // Who still types when they select a recording stays there.
    await page.getByRole('searchbox', { name: 'Search' }).fill('102')
    await page.getByRole('list', { name: 'Recordings' }).getByRole('link').click()
    await recording.getByRole('button', { name: 'Lift' }).click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill('Closed')
    await page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click()
    await recording.getByText(/^Kept for ever/).waitFor()
    await recording.getByRole('button', { name: 'Delete the recording' }).click()
    await page.getByRole('dialog').getByRole('textbox', { name: 'Why' }).fill('Asked for by sales')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await recording.getByText(/^Its files were deleted /).waitFor(atOnce)
  },
)

test('a rule of retention is tried before it is added', here, async () => {
  await open('/retention')
  await page.getByText(/^Where nothing else applies, recordings are kept for ever/).waitFor()
  await page.getByRole('button', { name: 'Add a rule' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Sales')
  await dialog.getByRole('textbox', { name: /^Days/ }).fill('90')
  await dialog.getByRole('textbox', { name: 'Tag' }).fill('sales')
  await dialog.getByRole('button', { name: 'Try it' }).click()
  await dialog.getByText('Nothing would be deleted.').waitFor()
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  const rules = page.getByRole('list', { name: 'Rules' })
  await rules.getByText('90 days: calls and SIPREC sessions, tagged sales').waitFor()
  await page.getByRole('button', { name: 'Delete Sales' }).click()
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await page.getByText('No rules yet').waitFor()
})

test('the jobs page says that all is done, and filters', here, async () => {
  await open('/jobs?state=failed')
  await page.getByText('No job matches').waitFor()
  await page.getByLabel('State').selectOption('All')
  await page.getByText(/^\d+ waiting, \d+ running, 0 failed$/).waitFor()
})

test('a failed job is tried again, and what the server says of it is shown', here, async () => {
  const job = { id: 'gone', kind: 'recording.archive', key: 'r1', state: 'failed', priority: 'normal', attempts: 12 }
  const items = [{ ...job, notBeforeMs: 0, addedAtMs: Date.now(), lastError: 'The store does not answer' }]
  const counts = [{ kind: job.kind, state: 'failed', jobs: 1 }]
  // Jobs that fail do so for hours: the list is made up, the answer to the button is the server's.
  await page.route(/\/api\/jobs\?/, (route) => route.fulfill({ json: { items, counts } }))
  await open('/jobs')
  const row = page.getByRole('list', { name: 'Jobs' }).getByRole('listitem')
  await row.getByText('The store does not answer').waitFor()
  await row.getByText(/^12 attempts, asked for/).waitFor()
  await row.getByRole('button', { name: 'Try now' }).click()
  await row.getByRole('alert').getByText('No job has this id').waitFor()
  await row.getByRole('button', { name: 'Take away' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click()
  await page.getByRole('dialog').getByRole('alert').getByText('No job has this id').waitFor()
})

test('the audit record says who did what, and that it is whole', here, async () => {
  await open('/audit')
  const list = page.getByRole('list', { name: 'Records' })
  await list
    .getByRole('button', { name: /user\.signed-in/ })
    .first()
    .click()
  await list.getByText(/^Record \d+, /).waitFor()
  await page.getByRole('searchbox', { name: 'Who' }).fill('nobody at all')
  await page.getByText('No record matches').waitFor()
  await page.getByRole('button', { name: 'Verify the record' }).click()
  await page.getByText('Intact', { exact: true }).waitFor()
})

test('the recording servers that calls are sent to are listed with their state', here, async () => {
  await open('/peers')
  const row = page.getByRole('list', { name: 'Recording servers elsewhere' }).getByRole('listitem')
  await row.getByText('archive', { exact: true }).waitFor()
  await row.getByText('sip:127.0.0.1:9').waitFor()
})

test('a recording client is added, switched off, and deleted', here, async () => {
  await open('/peers')
  await page.getByRole('button', { name: 'Add a client' }).click()
  await page.getByLabel('Name', { exact: false }).first().fill('Frankfurt SBC')
  await page.getByLabel('Addresses').fill('192.0.2.10, not a network')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page
    .getByRole('alert')
    .getByText(/an address or a network/)
    .waitFor()
  await page.getByLabel('Addresses').fill('192.0.2.10, 10.20.0.0/16')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const row = page.getByRole('listitem').filter({ hasText: 'Frankfurt SBC' })
  await row.getByText('192.0.2.10, 10.20.0.0/16').waitFor()
  await row.getByText('0 sessions', { exact: true }).waitFor()
  await row.getByRole('switch', { name: 'Frankfurt SBC is recorded' }).press('Space')
  await row.getByText('Off', { exact: true }).waitFor()
  await row.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await row.waitFor({ state: 'hidden' })
})

test('hanging up in the console ends the call at both phones', here, async () => {
  await open('/')
  const atBob = await call()
  await page.getByRole('button', { name: 'Hang up' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Hang up' }).click()
  await atBob.ended
  await page.getByText('No calls right now').waitFor()
})

test('a number that cannot be one is refused in words', here, async () => {
  await open('/extensions')
  await page.getByRole('button', { name: 'Add extension' }).click()
  await page.getByRole('textbox', { name: 'Number' }).fill('1 2')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('number: up to 32 letters, digits').waitFor()
  assert.doesNotMatch(await alert.innerText(), /body|route/)
})

test('a phone registers with the password that is shown once, and the page says so by itself', here, async (t) => {
  await open('/extensions')
  await page.getByRole('button', { name: 'Add extension' }).click()
  await page.getByRole('textbox', { name: 'Number' }).fill('101')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByRole('alert').getByText('An extension with this number exists').waitFor()
  await page.getByRole('textbox', { name: 'Number' }).fill('103')
  await page.getByRole('textbox', { name: 'Name' }).fill('Carol')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const password = (await page.getByTestId('copy-password').textContent()) ?? ''
  await page.getByRole('button', { name: 'I have copied the password' }).click()
  const row = page.getByRole('list', { name: 'Extensions' }).getByRole('listitem').filter({ hasText: 'Carol' })
  await row.getByText('Not registered').waitFor()

  const carol = await SimulatedPhone.create({
    clock: systemClock,
    server: server.sip,
    extension: '103',
    password,
    speech: new Int16Array(0),
  })
  t.after(() => carol.close())
  await carol.register()
  await row.getByText('Registered', { exact: true }).waitFor(atOnce)

  await row.getByRole('button', { name: 'Actions for 103' }).click()
  await page.getByRole('menuitem', { name: 'Remove…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await row.waitFor({ state: 'detached' })
})

test('an API key made in the console opens the API until it is revoked', here, async () => {
  await open('/keys')
  await page.getByRole('button', { name: 'Create key' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Reports')
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const key = (await page.getByTestId('copy-API-key').textContent()) ?? ''
  const ask = () => fetch(`${server.api.url}/api/calls`, { headers: { 'x-api-key': key } })
  assert.equal((await ask()).status, 200)

  await page.getByRole('button', { name: 'I have copied the key' }).click()
  await page.getByRole('button', { name: 'Revoke Reports' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('No API keys yet').waitFor()
  assert.equal((await ask()).status, 401)
})

test('who guesses passwords appears as banned, and is released', here, async () => {
  await open('/security')
  await page.getByText('Nobody is banned').waitFor()
  const scanner = await Stranger.at('127.0.0.66', server.sip)
  while ((await scanner.guess('999', 'a guess')) !== undefined) continue
  scanner.close()
  const list = page.getByRole('list', { name: 'Banned addresses' })
  await list.getByText('127.0.0.66').waitFor(atOnce)
  await list.getByText('it tried to be 999').waitFor()
  await page.getByRole('button', { name: 'Release 127.0.0.66' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click()
  await page.getByText('Nobody is banned').waitFor()
})

test('the messages of a phone that registered are found, read and downloaded', here, async () => {
  await open('/messages')
  const list = page.getByRole('list', { name: 'SIP messages' })
  await page.getByRole('searchbox', { name: 'Contains' }).fill('REGISTER sip:')
  await page.waitForURL(/search=REGISTER/)
  const row = list.getByRole('button', { name: /REGISTER sip:/ }).first()
  await row.click()
  const text = (await list.locator('pre').textContent()) ?? ''
  assert.match(text, /^REGISTER sip:/)
  assert.doesNotMatch(text, /response="?[0-9a-f]{16}/)
  const started = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Capture for Wireshark' }).click()
  assert.equal(await (await started).failure(), null)
})

test('colours follow the system until somebody switches, and the choice stays', here, async () => {
  await page.emulateMedia({ colorScheme: 'dark' })
  await open('/')
  const scheme = () => page.evaluate('document.documentElement.dataset.mantineColorScheme')
  await page.getByRole('button', { name: 'Switch to light colours' }).click()
  assert.equal(await scheme(), 'light')
  await page.reload()
  await page.getByRole('button', { name: 'Switch to dark colours' }).waitFor()
  assert.equal(await scheme(), 'light')
})

test('on a phone no page scrolls sideways and the menu leads everywhere', here, async () => {
  await page.setViewportSize({ width: 360, height: 740 })
  await open('/calls')
  const pages = [
    'Live calls',
    'Recordings',
    'Extensions',
    'Trunks',
    'Recording clients',
    'API keys',
    'Security',
    'SIP messages',
    'Retention',
    'Export and erasure',
    'Jobs',
    'Audit record',
    'Connect',
    'Call history',
  ]
  for (const name of pages) {
    await page.getByRole('button', { name: 'Menu' }).click()
    await page.getByRole('link', { name }).click()
    await page.getByRole('heading', { name, level: 1 }).waitFor()
    await fitsAcross(name)
  }
  await page.getByRole('list', { name: 'Calls' }).getByRole('link').last().click()
  await page.getByRole('slider', { name: 'Position in the recording' }).waitFor()
  await fitsAcross('a call')
})

test(
  'a person is exported, held, and erased only when no hold forbids it and their number is typed again',
  here,
  async () => {
    const talk = await call()
    await talk.hangUp()
    await open('/privacy')
    const whom = page.getByRole('textbox', { name: 'Numbers or addresses' })
    await whom.fill(second.number)
    await page.getByRole('button', { name: 'Export everything' }).click()
    const exports = page.getByRole('region', { name: 'Exports' })
    await exports.getByText('Ready').waitFor()
    const started = page.waitForEvent('download')
    await exports.getByRole('link', { name: /^Download/ }).click()
    assert.match((await started).suggestedFilename(), /\.zip$/)

    await page.getByRole('link', { name: 'Retention' }).click()
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Hold a person' }).click()
    await dialog.getByRole('textbox', { name: 'Number or address' }).fill(second.number)
    await dialog.getByRole('textbox', { name: 'Why' }).fill('Case 9')
    await dialog.getByRole('button', { name: 'Hold' }).click()
    const held = page.getByRole('listitem').filter({ hasText: `Hold on ${second.number}, by admin: Case 9` })
    await held.waitFor()

    await page.getByRole('link', { name: 'Export and erasure' }).click()
    await whom.fill(second.number)
    await page.getByRole('button', { name: 'What would be erased?' }).click()
    await page.getByText('It would be refused').waitFor()
    assert.ok(await page.getByRole('button', { name: 'Erase…' }).isDisabled())

    await page.getByRole('link', { name: 'Retention' }).click()
    await held.getByRole('button', { name: 'Lift' }).click()
    await dialog.getByRole('textbox', { name: 'Why' }).fill('Closed')
    await dialog.getByRole('button', { name: 'Lift' }).click()
    await held.waitFor({ state: 'hidden' })

    await page.getByRole('link', { name: 'Export and erasure' }).click()
    await whom.fill(second.number)
    await page.getByRole('button', { name: 'What would be erased?' }).click()
    await page.getByText(/^Nothing is erased yet\. It would take away \d+ calls?, \d+ recordings?/).waitFor()
    await page.getByRole('button', { name: 'Erase…' }).click()
    const erase = dialog.getByRole('button', { name: 'Erase', exact: true })
    await dialog.getByRole('textbox', { name: 'Why' }).fill('Request 12')
    await dialog.getByRole('textbox', { name: /to confirm/ }).fill('somebody else')
    assert.ok(await erase.isDisabled())
    await dialog.getByRole('textbox', { name: /to confirm/ }).fill(second.number)
    await erase.click()
    await page.getByRole('region', { name: 'Erasures' }).getByText('Done, nothing is left').waitFor()
  },
)

async function fitsAcross(name: string): Promise<void> {
  const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  assert.ok(Number(beyond) <= 0, `${name} is ${Number(beyond)} px wider than the screen`)
}
