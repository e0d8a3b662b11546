/** Child processes of a bench and what they say by IPC. */
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'

/** @param args One JSON argument. */
export function startChild(file: string, args?: unknown, nodeOptions: readonly string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), args === undefined ? [] : [JSON.stringify(args)], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
  })
}

/** The next message; rejects when the child ends first. */
export function said<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`))
    child.once('exit', exited)
    child.once('message', (message) => {
      child.off('exit', exited)
      resolve(message as Message)
    })
  })
}

/** Ask and wait for the answer. */
export function ask<Message>(child: ChildProcess, question: object | string): Promise<Message> {
  const answer = said<Message>(child)
  child.send(question)
  return answer
}
