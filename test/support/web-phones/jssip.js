/** A phone in the page, made of JsSIP. What the test calls is `window.phone`; see web-phone.ts. */
import { debug, UA, WebSocketInterface } from 'jssip'

debug.disable()

/** @type {import('jssip').UA} */
let ua

/** The status of a response, or what JsSIP says instead. */
const statusOf = ({ response, message, cause }) => (response ?? message)?.status_code ?? cause

window.phone = {
  messages: [],

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
  call(uri) {
    return new Promise((resolve) => {
      ua.call(uri, {
        mediaConstraints: { audio: true, video: false },
        eventHandlers: { failed: (event) => resolve(statusOf(event)), confirmed: () => resolve(200) },
      })
    })
  },

  stop() {
    return new Promise((resolve) => {
      ua.once('disconnected', () => resolve())
      ua.stop()
    })
  },
}
