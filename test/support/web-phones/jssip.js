/** A phone in the page, made of JsSIP. What the test calls is `window.phone`; see web-phone.ts. */
import { debug, UA, WebSocketInterface } from 'jssip'
import { Listening, mediaConstraints } from './listening.js'

debug.disable()

/** @type {import('jssip').UA} */
let ua
/** @type {import('jssip/lib/RTCSession').RTCSession} */
let session
/** @type {Listening} */
let listening

function listen(connection) {
  listening = new Listening(connection)
}

/** Hear the call of this session. */
function follow(next) {
  session = next
  if (session.connection) listen(session.connection)
  else session.on('peerconnection', ({ peerconnection }) => listen(peerconnection))
}

/** The status of a response, or what JsSIP says instead. */
const statusOf = ({ response, message, cause }) => (response ?? message)?.status_code ?? cause

window.phone = {
  messages: [],
  /** Answer by itself, and how many calls were. */
  answers: false,
  answered: 0,

  start({ url, user, password, domain }) {
    ua = new UA({
      sockets: [new WebSocketInterface(url)],
      uri: `sip:${user}@${domain}`,
      password,
      register_expires: 120,
    })
    ua.on('newMessage', ({ originator, message, request }) => {
      if (originator !== 'remote') return
      this.messages.push({ from: request.from.uri.user, text: request.body })
      message.accept()
    })
    ua.on('newRTCSession', ({ originator, session: next }) => {
      follow(next)
      if (originator !== 'remote' || !this.answers) return
      next.on('confirmed', () => this.answered++)
      next.answer({ mediaConstraints })
    })
    return new Promise((resolve, reject) => {
      ua.once('registered', ({ response }) => resolve(response.status_code))
      ua.once('registrationFailed', (event) => reject(new Error(`registration: ${statusOf(event)}`)))
      ua.start()
    })
  },

  message(uri, text) {
    return new Promise((resolve) => {
      const done = (event) => resolve(statusOf(event))
      ua.sendMessage(uri, text, { contentType: 'text/plain', eventHandlers: { succeeded: done, failed: done } })
    })
  },

  options(uri) {
    return new Promise((resolve) => {
      const done = (event) => resolve(statusOf(event))
      ua.sendOptions(uri, undefined, { eventHandlers: { succeeded: done, failed: done } })
    })
  },

  /** The status that refuses a call; 200 when it is answered. */
  call(uri, video = false) {
    return new Promise((resolve) => {
      ua.call(uri, {
        mediaConstraints: { ...mediaConstraints, video },
        eventHandlers: { failed: (event) => resolve(statusOf(event)), confirmed: () => resolve(200) },
      })
    })
  },

  hangUp() {
    session.terminate()
  },

  hold() {
    return new Promise((resolve) => session.hold({}, () => resolve()))
  },

  resume() {
    return new Promise((resolve) => session.unhold({}, () => resolve()))
  },

  /** Look for other ways through the network, in the same call. */
  restartIce() {
    return new Promise((resolve) => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => resolve()))
  },

  heard() {
    return listening.heard()
  },

  facts() {
    return listening.facts()
  },

  stop() {
    return new Promise((resolve) => {
      ua.once('disconnected', () => resolve())
      ua.stop()
    })
  },
}
