import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../core/fake-clock.ts'
import { FrameClock } from '../frame-clock.ts'
import { SoundStore } from '../sounds/store.ts'
import { inMemory, saw } from '../sounds/test-support.ts'
import { Phone, pcmu } from '../voice/test-support.ts'
import { Joined, PlayedToAll, Room } from './rooms.ts'

const wishes = { how: 'instead', times: 1, volumeDb: 0, fromMs: 0, stopOn: '' } as const

test('a room that never ends keeps nothing of those who left it, nor of what was played in it', async () => {
  const clock = new FakeClock()
  const frames = new FrameClock(clock)
  const room = new Room({ sampleRateHz: 8000 })
  const store = new SoundStore()
  for (let i = 0; i < 3; i++) {
    const { port } = new Phone(clock, frames, { formats: [pcmu] })
    const joined = room.holds(new Joined(port, room, {}, () => {}))
    const played = room.holds(new PlayedToAll(room, store, [inMemory(saw(800))], wishes, () => {}))
    assert.equal(room.size, 2)
    await new Promise(setImmediate)
    joined.stop()
    played.stop()
    assert.equal(room.size, 0)
    await port.close()
  }
})
