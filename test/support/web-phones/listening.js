/** What a page hears of a call, and how the call travels. */

/** Runs on the audio thread: hands on each block of 128 samples. */
const tap = `registerProcessor('tap', class extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage(channel.slice())
    return true
  }
})`

export class Listening {
  /** @type {Float32Array[]} */
  #blocks = []
  #tracks = new Set()
  /** @type {RTCPeerConnection} */
  #connection

  /** @param {RTCPeerConnection} connection */
  constructor(connection) {
    this.#connection = connection
    // A track that was held is told of once more.
    connection.addEventListener('track', ({ track }) => this.#tracks.has(track.id) || void this.#listen(track))
  }

  /** @param {MediaStreamTrack} track */
  async #listen(track) {
    this.#tracks.add(track.id)
    const stream = new MediaStream([track])
    // Chromium decodes only what an element plays.
    const element = new Audio()
    element.srcObject = stream
    element.muted = true
    void element.play()
    const context = new AudioContext({ sampleRate: 48_000 })
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([tap], { type: 'text/javascript' })))
    const node = new AudioWorkletNode(context, 'tap')
    node.port.addEventListener('message', ({ data }) => this.#blocks.push(data))
    node.port.start()
    context.createMediaStreamSource(stream).connect(node).connect(context.destination)
    await context.resume()
  }

  /** All so far, 48 kHz, 16 bit, in base64. */
  heard() {
    const samples = Int16Array.from(
      this.#blocks.flatMap((block) => Array.from(block, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767)),
    )
    let text = ''
    const bytes = new Uint8Array(samples.buffer)
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
    return btoa(text)
  }

  async facts() {
    const facts = { state: this.#connection.connectionState }
    for (const entry of (await this.#connection.getStats()).values()) {
      if (entry.type === 'transport') Object.assign(facts, { dtls: entry.dtlsState, cipher: entry.srtpCipher })
      if (entry.type === 'inbound-rtp')
        Object.assign(facts, { received: entry.packetsReceived, lost: entry.packetsLost })
      if (entry.type === 'codec') facts.codec = entry.mimeType
    }
    return facts
  }
}

/** The microphone as it is: what is compared must not be made better. */
export const mediaConstraints = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  video: false,
}
