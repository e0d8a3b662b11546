/**
 * A state machine as a table: state to input to next state and effects, laid beside the figure it copies.
 *
 * States, inputs and effects are plain strings, so that they print in a log and a test reads like the RFC.
 */
export type Machine<State extends string, Input extends string, Effect extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Input, readonly [next: State, ...effects: Effect[]]>>>>
>

/** Next state and what to do; an input the figure does not show changes nothing. */
export function step<State extends string, Input extends string, Effect extends string>(
  machine: Machine<State, Input, Effect>,
  state: State,
  input: Input,
): readonly [next: State, ...effects: Effect[]] {
  return machine[state][input] ?? [state]
}

export type StatusClass = '1xx' | '2xx' | '3xx-6xx'

export const classOf = (status: number): StatusClass => (status < 200 ? '1xx' : status < 300 ? '2xx' : '3xx-6xx')
