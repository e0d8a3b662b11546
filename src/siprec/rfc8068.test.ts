/**
 * The kinds of call flows that RFC 8068 has, and what they combine to: who is heard on which channel from when to when.
 *
 * Documents are written here, not taken from the RFC. Times are seconds since the session began.
 */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { printMultipart } from '../sip/message/multipart.ts'
import { SiprecServer } from './server.ts'
import { FakeInvite, readRequest, World } from './test-support.ts'

interface Line {
  readonly label: string
  readonly direction?: 'sendonly' | 'inactive'
  /** Taken away. */
  readonly gone?: boolean
}

const line = (label: string): Line => ({ label })

const sdpOf = (lines: readonly Line[]) =>
  [
    'v=0\r\no=SRC 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n',
    ...lines.map(
      ({ label, direction = 'sendonly', gone }, index) =>
        `m=audio ${gone ? 0 : 49_170 + 2 * index} RTP/AVP 0\r\na=label:${label}\r\na=${direction}\r\n`,
    ),
  ].join('')

const metadata = (content: string, mode: 'complete' | 'partial' = 'complete') =>
  `<?xml version="1.0" encoding="UTF-8"?><recording xmlns="urn:ietf:params:xml:ns:recording:1">
   <datamode>${mode}</datamode>${content}</recording>`

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString()
const session = (id: string, times = '') => `<session session_id="${id}">${times}</session>`
const starts = (second: number) => `<start-time>${at(second)}</start-time>`
const stops = (second: number) => `<stop-time>${at(second)}</stop-time>`
const person = (id: string) =>
  `<participant participant_id="${id}"><nameID aor="sip:${id}@example.com"><name xml:lang="en">${id}</name></nameID></participant>`
const stream = (id: string, label: string, of = 'cs') =>
  `<stream stream_id="${id}" session_id="${of}"><label>${label}</label></stream>`
const joins = (id: string, second: number, of = 'cs') =>
  `<participantsessionassoc participant_id="${id}" session_id="${of}"><associate-time>${at(second)}</associate-time></participantsessionassoc>`
const leaves = (id: string, second: number, of = 'cs') =>
  `<participantsessionassoc participant_id="${id}" session_id="${of}"><disassociate-time>${at(second)}</disassociate-time></participantsessionassoc>`
const sends = (id: string, send: readonly string[], receive: readonly string[] = []) =>
  `<participantstreamassoc participant_id="${id}">${send.map((one) => `<send>${one}</send>`).join('')}${receive
    .map((one) => `<recv>${one}</recv>`)
    .join('')}</participantstreamassoc>`

/** Bob on 96, Paul on 97, each hears the other. */
const bobAndPaul = `${session('cs', starts(0))}${person('bob')}${person('paul')}${stream('s1', '96')}${stream('s2', '97')}
  ${joins('bob', 0)}${joins('paul', 0)}${sends('bob', ['s1'], ['s2'])}${sends('paul', ['s2'], ['s1'])}`
const two = [line('96'), line('97')]

let world: World
let invite: FakeInvite
let beganAtMs: number

beforeEach(() => {
  world = new World()
  beganAtMs = world.clock.wallMs()
})

function requestOf(method: string, lines: readonly Line[] | undefined, document: string | undefined) {
  const parts = [
    ...(lines ? [{ contentType: 'application/sdp', body: sdpOf(lines) }] : []),
    ...(document === undefined
      ? []
      : [
          {
            contentType: 'application/rs-metadata+xml',
            headers: { 'Content-Disposition': 'recording-session' },
            body: document,
          },
        ]),
  ]
  const { contentType, body } = printMultipart(parts)
  const head = [
    `${method} sip:recorder@example.com SIP/2.0`,
    'Via: SIP/2.0/TCP src.example.com;branch=z9hG4bK1',
    'From: <sip:src@example.com>;tag=1',
    'To: <sip:recorder@example.com>',
    'Call-ID: rs-1@192.0.2.9',
    `CSeq: 1 ${method}`,
    'Contact: <sip:src@192.0.2.9>;+sip.src',
    'Require: siprec',
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
  ]
  return readRequest(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]))
}

async function begin(lines: readonly Line[], document?: string): Promise<void> {
  invite = new FakeInvite(requestOf('INVITE', lines, document))
  new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' }).handle(invite)
  assert.equal((await invite.final).status, 200)
}

/** A change at that second. */
async function change(
  second: number,
  what: { readonly lines?: readonly Line[]; readonly complete?: string; readonly partial?: string },
): Promise<void> {
  world.clock.advance(beganAtMs + second * 1_000 - world.clock.wallMs())
  const { complete, partial } = what
  const document = complete === undefined ? partial && metadata(partial, 'partial') : metadata(complete)
  const request = requestOf(what.lines ? 'INVITE' : 'UPDATE', what.lines, document)
  assert.equal((await invite.dialog.receive(request)).status, 200)
}

const seconds = (ms: number | undefined) => (ms === undefined ? '' : String((ms - beganAtMs) / 1_000))

/** `96 bob 0-10 20-`: who was on the stream of that label, and when; `- alice`: never on any. */
function heard(): string[] {
  const recording = world.recordings.started[0]
  return (recording?.who?.participants ?? [])
    .map(({ name, label, heard: spans = [], guessed }) =>
      [
        label ?? '-',
        `${name}${guessed ? '?' : ''}`,
        ...spans.map(({ fromMs, untilMs }) => `${seconds(fromMs)}-${seconds(untilMs)}`),
      ].join(' '),
    )
    .toSorted()
}

const told = () => world.told('siprec.metadata-updated').at(-1)
const sessionsTold = () =>
  (told()?.sessions ?? []).map(({ id, startedAtMs, stoppedAtMs, participants }) => [
    id,
    [startedAtMs, stoppedAtMs].map((ms) => (ms === undefined ? '' : (ms - Date.UTC(2026, 0, 1)) / 1_000)).join('-'),
    participants
      .filter(({ present }) => present)
      .map(({ id: who }) => who)
      .join(' '),
  ])

test('a basic call: each party on a stream of its own, until the BYE', async () => {
  await begin(two, metadata(bobAndPaul))
  assert.deepEqual(heard(), ['96 bob 0-', '97 paul 0-'])
  world.clock.advance(10_000)
  invite.dialog.receiveBye()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(heard(), ['96 bob 0-', '97 paul 0-'])
  assert.ok(world.recordings.started[0]?.stopped)
})

test('hold by one party: its stream is inactive, a partial update names what is still sent; then resume', async () => {
  await begin(two, metadata(bobAndPaul))
  await change(10, {
    lines: [{ label: '96', direction: 'inactive' }, line('97')],
    partial: `${sends('bob', [], ['s2'])}${sends('paul', ['s2'])}`,
  })
  assert.deepEqual(heard(), ['96 bob 0-10', '97 paul 0-'])
  await change(20, { lines: two, partial: `${sends('bob', ['s1'], ['s2'])}${sends('paul', ['s2'], ['s1'])}` })
  assert.deepEqual(heard(), ['96 bob 0-10 20-', '97 paul 0-'])
})

test('hold by both: nobody is on a stream, and nobody is guessed onto one', async () => {
  await begin(two, metadata(bobAndPaul))
  await change(10, {
    lines: two.map(({ label }) => ({ label, direction: 'inactive' })),
    partial: `${sends('bob', [])}${sends('paul', [])}`,
  })
  assert.deepEqual(heard(), ['96 bob 0-10', '97 paul 0-10'])
})

test('transfer within the session (re-INVITE): who left and who came share the channel, each with its time', async () => {
  await begin(two, metadata(bobAndPaul))
  await change(10, {
    lines: two,
    partial: `${leaves('paul', 10)}${person('carol')}${stream('s3', '97')}${joins('carol', 10)}${sends('carol', ['s3'], ['s1'])}${sends('bob', ['s1'], ['s3'])}`,
  })
  assert.deepEqual(heard(), ['96 bob 0-', '97 carol 10-', '97 paul 0-10'])
  assert.deepEqual(sessionsTold(), [['cs', '0-', 'bob carol']])
})

test('transfer to a new session (REFER): the first communication session ends, the next goes on in the same recording', async () => {
  await begin(two, metadata(`<group group_id="g"/>${bobAndPaul}`))
  await change(10, {
    lines: two,
    partial: `${session('cs', stops(10))}${leaves('bob', 10)}${leaves('paul', 10)}
      ${session('cs2', `<group-ref>g</group-ref>${starts(10)}`)}${person('carol')}
      ${stream('s3', '96', 'cs2')}${stream('s4', '97', 'cs2')}${joins('bob', 10, 'cs2')}${joins('carol', 10, 'cs2')}
      ${sends('bob', ['s3'], ['s4'])}${sends('carol', ['s4'], ['s3'])}`,
  })
  assert.deepEqual(heard(), ['96 bob 0-', '97 carol 10-', '97 paul 0-10'])
  assert.deepEqual(sessionsTold(), [
    ['cs', '0-10', ''],
    ['cs2', '10-', 'bob carol'],
  ])
  assert.equal(told()?.sessions[1]?.groupId, 'g')
})

test('a conference: a third line for who joins, taken away when somebody leaves', async () => {
  await begin(two, metadata(bobAndPaul))
  await change(10, {
    lines: [...two, line('98')],
    partial: `${person('carol')}${stream('s3', '98')}${joins('carol', 10)}${sends('carol', ['s3'], ['s1', 's2'])}`,
  })
  assert.deepEqual(heard(), ['96 bob 0-', '97 paul 0-', '98 carol 10-'])
  await change(20, { lines: [line('96'), { label: '97', gone: true }, line('98')], partial: leaves('paul', 20) })
  assert.deepEqual(heard(), ['96 bob 0-', '97 paul 0-20', '98 carol 10-'])
  assert.deepEqual(
    world.recordings.started[0]?.tracks.map(({ label }) => label),
    ['96', '97', '98'],
  )
})

const mixed = (...people: readonly string[]) =>
  `${session('cs', starts(0))}${stream('mix', '96')}${people
    .map((id) => `${person(id)}${joins(id, 0)}${sends(id, ['mix'], ['mix'])}`)
    .join('')}`

test('a client that mixes: all are on the one stream; hold, resume, joining and dropping change who', async () => {
  await begin([line('96')], metadata(mixed('bob', 'paul')))
  assert.deepEqual(heard(), ['96 bob 0-', '96 paul 0-'])
  await change(10, { partial: sends('paul', []) })
  assert.deepEqual(heard(), ['96 bob 0-', '96 paul 0-10'])
  await change(20, { partial: sends('paul', ['mix'], ['mix']) })
  await change(30, { partial: `${person('carol')}${joins('carol', 30)}${sends('carol', ['mix'], ['mix'])}` })
  await change(40, { partial: leaves('bob', 40) })
  assert.deepEqual(heard(), ['96 bob 0-40', '96 carol 30-', '96 paul 0-10 20-'])
})

test('a persistent recording session: nobody at first, a call comes and ends, another one comes', async () => {
  const idle = two.map(({ label }): Line => ({ label, direction: 'inactive' }))
  await begin(idle, metadata(''))
  assert.deepEqual(heard(), [])
  await change(3_600, { lines: two, complete: bobAndPaul })
  await change(3_700, {
    lines: idle,
    partial: `${session('cs', stops(3_700))}${leaves('bob', 3_700)}${leaves('paul', 3_700)}`,
  })
  assert.deepEqual(heard(), ['96 bob 3600-3700', '97 paul 3600-3700'])
  await change(7_200, {
    lines: two,
    complete: `${session('cs9', starts(7_200))}${person('dora')}${person('emil')}${stream('s9', '96', 'cs9')}${stream('s8', '97', 'cs9')}
      ${joins('dora', 7_200, 'cs9')}${joins('emil', 7_200, 'cs9')}${sends('dora', ['s9'])}${sends('emil', ['s8'])}`,
  })
  assert.deepEqual(heard(), ['96 bob 3600-3700', '96 dora 7200-', '97 emil 7200-', '97 paul 3600-3700'])
  assert.equal(world.live.size, 1)
})

test('a turret: several communication sessions in one recording session, each on its own mixed stream', async () => {
  const desk = `${person('trader')}${person('bank')}${person('broker')}
    ${session('cs1', starts(0))}${session('cs2', starts(0))}${stream('m1', '96', 'cs1')}${stream('m2', '97', 'cs2')}
    ${joins('trader', 0, 'cs1')}${joins('bank', 0, 'cs1')}${joins('trader', 0, 'cs2')}${joins('broker', 0, 'cs2')}
    ${sends('trader', ['m1', 'm2'], ['m1', 'm2'])}${sends('bank', ['m1'], ['m1'])}${sends('broker', ['m2'], ['m2'])}`
  await begin(two, metadata(desk))
  assert.deepEqual(heard(), ['96 bank 0-', '96 trader 0-', '97 broker 0-', '97 trader 0-'])
  await change(10, { partial: `${session('cs2', stops(10))}${sends('trader', ['m1'], ['m1'])}` })
  assert.deepEqual(heard(), ['96 bank 0-', '96 trader 0-', '97 broker 0-10', '97 trader 0-10'])
  assert.deepEqual(sessionsTold(), [
    ['cs1', '0-', 'trader bank'],
    ['cs2', '0-10', ''],
  ])
})

test('consultation, conference and transfer in one session: the whole story stays', async () => {
  await begin(two, metadata(bobAndPaul))
  await change(10, { partial: `${sends('bob', ['s1'])}${sends('paul', [])}` })
  await change(20, {
    lines: [...two, line('98')],
    partial: `${person('carol')}${stream('s3', '98')}${joins('carol', 20)}${sends('carol', ['s3'], ['s1'])}`,
  })
  await change(30, { partial: sends('paul', ['s2'], ['s1', 's3']) })
  await change(40, { lines: [{ label: '96', gone: true }, line('97'), line('98')], partial: leaves('bob', 40) })
  assert.deepEqual(heard(), ['96 bob 0-40', '97 paul 0-10 30-', '98 carol 20-'])
  assert.deepEqual(sessionsTold(), [['cs', '0-', 'paul carol']])
})

/** Lines whose label begins with 8 are video. */
const withVideo = (lines: readonly Line[]) =>
  sdpOf(lines).replaceAll(/m=audio (\d+) RTP\/AVP 0\r\na=label:8/g, 'm=video $1 RTP/AVP 31\r\na=label:8')

test('audio and video of each party: voices are on the audio lines, video is refused in its place', async () => {
  const document = metadata(
    `${bobAndPaul}${stream('v1', '86')}${stream('v2', '87')}${sends('bob', ['s1', 'v1'], ['s2', 'v2'])}${sends('paul', ['s2', 'v2'], ['s1', 'v1'])}`,
  )
  const { contentType, body } = printMultipart([
    { contentType: 'application/sdp', body: withVideo([line('96'), line('86'), line('97'), line('87')]) },
    { contentType: 'application/rs-metadata+xml', body: document },
  ])
  const head = `INVITE sip:r@x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:r@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:src@192.0.2.9>;+sip.src\r\nRequire: siprec\r\n`
  invite = new FakeInvite(
    readRequest(
      Buffer.concat([
        Buffer.from(`${head}Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`),
        body,
      ]),
    ),
  )
  new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' }).handle(invite)
  const { answer } = await invite.final
  assert.deepEqual(
    String(answer.body)
      .match(/m=(audio|video) \d+/g)
      ?.map((text) => text.replace(/ [1-9]\d*/, ' port')),
    ['m=audio port', 'm=video 0', 'm=audio port', 'm=video 0'],
  )
  assert.deepEqual(heard(), ['96 bob 0-', '97 paul 0-'])
})
