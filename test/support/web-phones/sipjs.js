/** A phone in the page, made of SIP.js. What the test calls is `window.phone`; see web-phone.ts. */
import { Inviter, Messager, Registerer, SessionState, UserAgent } from 'sip.js'
import { Listening, mediaConstraints } from './listening.js'

/** @type {UserAgent} */
let agent
/** @type {Registerer} */
let registerer
/** @type {import('sip.js').Session} */
let session
/** @type {Listening} */
let listening

const withMicrophone = { sessionDescriptionHandlerOptions: { constraints: mediaConstraints } }

/** Hear the call of this session. */
function follow(next) {
  session = next
  session.delegate = {
    onSessionDescriptionHandler: ({ peerConnection }) => {
      listening = new Listening(peerConnection)
    },
  }
}

/** Resolves with the status of the final response. */
const finalStatus = (send) =>
  new Promise((resolve) => {
    const done = ({ message }) => resolve(message.statusCode)
    send({ onAccept: done, onReject: done })
  })

window.phone = {
  messages: [],
  /** Answer by itself, and how many calls were. */
  answers: false,
  answered: 0,

  async start({ url, user, password, domain }) {
    agent = new UserAgent({
      uri: UserAgent.makeURI(`sip:${user}@${domain}`),
      authorizationUsername: user,
      authorizationPassword: password,
      transportOptions: { server: url },
      logLevel: 'error',
      delegate: {
        onInvite: (invitation) => {
          follow(invitation)
          if (!this.answers) return
          invitation.stateChange.addListener((state) => {
            if (state === SessionState.Established) this.answered++
          })
          void invitation.accept(withMicrophone)
        },
        onMessage: (message) => {
          this.messages.push({ from: message.request.from.uri.user, text: message.request.body })
          void message.accept()
        },
      },
    })
    await agent.start()
    registerer = new Registerer(agent, { expires: 120 })
    const status = await finalStatus((requestDelegate) => void registerer.register({ requestDelegate }))
    if (status !== 200) throw new Error(`registration: ${status}`)
    return status
  },

  message(uri, text) {
    const messager = new Messager(agent, UserAgent.makeURI(uri), text)
    return finalStatus((requestDelegate) => void messager.message({ requestDelegate }))
  },

  options(uri) {
    const { userAgentCore: core } = agent
    const to = UserAgent.makeURI(uri)
    const request = core.makeOutgoingRequestMessage('OPTIONS', to, agent.contact.uri, to, {})
    return finalStatus((delegate) => core.request(request, delegate))
  },

  /** The status that refuses a call; 200 when it is answered. */
  call(uri) {
    const inviter = new Inviter(agent, UserAgent.makeURI(uri), withMicrophone)
    follow(inviter)
    return finalStatus((requestDelegate) => void inviter.invite({ requestDelegate }))
  },

  async hangUp() {
    await session.bye()
  },

  heard() {
    return listening.heard()
  },

  facts() {
    return listening.facts()
  },

  async stop() {
    const gone = new Promise((resolve) => registerer.stateChange.addListener(resolve))
    await registerer.unregister()
    await gone
    await agent.stop()
  },
}
