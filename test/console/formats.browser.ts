/** Recordings that are kept in another format than WAV of 16 bits, played in the console: Chromium, the real server, ffmpeg. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSpeech } from '../../src/demo/speech.ts'
import { extensionsFrom101, registeredPhone } from '../support/phones.ts'
import { findProgram } from '../support/program.ts'
import { adminPassword, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { chromiumPath, signIn, startChromium, visit } from './browser.ts'

const formats = [
  { what: 'FLAC', ending: '.flac', env: { RECORDING_FORMAT: 'flac' } },
  { what: 'Opus', ending: '.opus', env: { RECORDING_FORMAT: 'opus', ENABLE_RECORDING_ENCRYPTION: 'true' } },
  { what: 'codes of G.711', ending: '.wav', env: { RECORDING_NATIVE_G711: 'true', RECORDING_COMBINE_LEGS: 'false' } },
] as const
const isHere = (chromiumPath && findProgram('ffmpeg')) || process.env['CI'] === 'true'

for (const { what, ending, env } of formats)
  test(`a recording kept as ${what} has an outline and plays`, { skip: !isHere, timeout: 120_000 }, async (t) => {
    const [first, second] = extensionsFrom101(2)
    assert.ok(first && second)
    const server = await startServerProcess({
      extensions: [first, second],
      env: { SECURITY_TRUSTED_NETWORKS: '127.0.0.1', ...env },
    })
    t.after(() => server.remove())
    const alice = await registeredPhone(server, first, { speech: await loadSpeech('caller') })
    const bob = await registeredPhone(server, second, { speech: await loadSpeech('callee') })
    t.after(() => Promise.all([alice.close(), bob.close()]))
    const atBob = bob.nextCall()
    const outcome = await alice.call(second.number).outcome
    assert.ok(outcome.answered)
    const callee = await atBob
    await until('two seconds of speech', 20_000, () => outcome.call.sent().length > 16_000)
    await callee.hangUp()
    const recording = await until('the conversion', 30_000, async () => {
      const { items } = await server.api.recordings()
      const files = items[0]?.state === 'stored' ? items[0].files : []
      // Codes are half as long as samples.
      const isDone = files.every(
        ({ name, bytes, samples, channels }) => name.includes(ending) && bytes < samples * channels * 1.9,
      )
      return files.length > 0 && isDone && items[0]
    })

    await until('the console to be built', 120_000, async () => {
      const response = await fetch(server.api.url)
      return response.ok && (await response.text()).includes('id="root"')
    })
    const browser = await startChromium()
    t.after(() => browser.close())
    const { page, complaints } = await visit(browser)
    await page.goto(`${server.api.url}/calls/${recording.callId}`)
    await signIn(page, 'admin', adminPassword)
    await page.getByRole('slider', { name: 'Position in the recording' }).waitFor()
    await until('the outline', 10_000, async () => Number(await page.evaluate(ink)) > 2)
    await page.getByRole('button', { name: 'Play', exact: true }).click()
    await page.getByTestId('player-time').getByText('0:01 /').waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
    assert.deepEqual(complaints, [])
  })

/** How high the outline is drawn on the average, in pixels. For the page: there are no types of a browser here. */
const ink = `(() => {
  const canvases = [...(document.querySelector('.waveform > div')?.shadowRoot?.querySelectorAll('canvas') ?? [])]
  const drawn = canvases.map((canvas) => {
    const { width, height } = canvas
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
    let pixels = 0
    for (let at = 3; at < data.length; at += 4) if (data[at] !== 0) pixels++
    return pixels / width
  })
  return Math.max(0, ...drawn)
})()`
