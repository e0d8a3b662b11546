/** The page's phone, by JsSIP: register, call, be called, hang up. */
import { UA, WebSocketInterface } from 'jssip'

const output = document.querySelector('output')
const audio = document.querySelector('audio')
const microphoneOnly = { mediaConstraints: { audio: true, video: false } }
const say = (text) => {
  output.textContent = text
}

/** @type {UA} */
let ua
/** @type {import('jssip/lib/RTCSession').RTCSession | undefined} */
let session

function listen(connection) {
  connection.addEventListener('track', ({ track }) => {
    audio.srcObject = new MediaStream([track])
  })
}

/** Sound, and what becomes of the call. */
function follow(next) {
  session = next
  if (session.connection) listen(session.connection)
  else session.on('peerconnection', ({ peerconnection }) => listen(peerconnection))
  session.on('confirmed', () => say(`talking with ${session.remote_identity.uri.user}`))
  session.on('ended', ({ cause }) => say(`over: ${cause}`))
  session.on('failed', ({ cause }) => say(`no call: ${cause}`))
}

document.querySelector('#account').addEventListener('submit', (event) => {
  event.preventDefault()
  const [url, user, password] = ['url', 'user', 'password'].map((name) => event.target.elements[name].value)
  ua?.stop()
  ua = new UA({
    sockets: [new WebSocketInterface(url)],
    uri: `sip:${user}@${new URL(url).hostname}`,
    password,
  })
  ua.on('registered', () => say('registered'))
  ua.on('registrationFailed', ({ cause }) => say(`not registered: ${cause}`))
  ua.on('newRTCSession', ({ originator, session: next }) => {
    follow(next)
    if (originator === 'remote') say(`${next.remote_identity.uri.user} calls`)
  })
  ua.start()
})

document.querySelector('#dial').addEventListener('submit', (event) => {
  event.preventDefault()
  ua?.call(event.target.elements.number.value, microphoneOnly)
})
document.querySelector('#answer').addEventListener('click', () => session?.answer(microphoneOnly))
document.querySelector('#hang-up').addEventListener('click', () => session?.terminate())
