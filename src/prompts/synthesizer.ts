/**
 * Text to speech for prompts by a program of the machine: espeak-ng, which speaks a hundred languages.
 *
 *   text ── standard input ─▶ espeak-ng ── WAV ─▶ preparePrompt
 *
 * Its licence (GPL) covers the program, not what it says: its output is a sound of our text.
 * https://www.gnu.org/licenses/gpl-faq.html#WhatCaseIsOutputGPL
 */
import { spawn } from 'node:child_process'
import { decodeWav } from '../codec/wav.ts'
import { preparePrompt } from './sound.ts'

/** What turns text into a prompt; undefined when it cannot. */
export type Synthesize = (language: string, text: string) => Promise<Int16Array | undefined>

const voices: Readonly<Record<string, string>> = { en: 'en-us' }
/** Words a minute; its default of 175 is hard to follow on a telephone. */
const speed = 150
const longestMs = 10_000
/** 60 s of its 22,050 samples: no prompt is longer. */
const mostBytes = 60 * 22_050 * 2

/** By espeak-ng where it is installed. */
export const espeak: Synthesize = async (language, text) => {
  const bytes = await run('espeak-ng', ['-v', voices[language] ?? language, '-s', String(speed), '--stdout'], text)
  const sound = bytes && decodeWav(bytes)
  return sound && sound.samples > 0 ? preparePrompt(sound) : undefined
}

/** What a program writes; undefined when it is not there, fails, or writes without an end. */
function run(command: string, args: readonly string[], input: string): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], timeout: longestMs })
    const chunks: Buffer[] = []
    let length = 0
    child.on('error', () => resolve(undefined))
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > mostBytes) child.kill()
      else chunks.push(chunk)
    })
    // A program that ended before it read everything: its exit code tells
    child.stdin.on('error', () => {})
    child.on('close', (code) => resolve(code === 0 ? Buffer.concat(chunks) : undefined))
    child.stdin.end(text(input))
  })
}

/** Engines spell words in capitals. */
const text = (input: string): string => input.replaceAll('PIN', 'pin')
