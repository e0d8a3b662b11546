/** Which functions ran, and how often: the same list is the same work, whatever the clock says. */
import { Session } from 'node:inspector/promises'

/**
 * @param among What the address of a source file has to match.
 * @returns `file:offset name times`, sorted.
 */
export async function callsMade(among: RegExp, run: () => Promise<unknown>): Promise<string[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await run()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result
      .filter(({ url }) => among.test(url))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ functionName, ranges }) => {
          const [whole] = ranges
          return whole && whole.count > 0
            ? [`${url.split('/').at(-1)}:${whole.startOffset} ${functionName} ${whole.count}`]
            : []
        }),
      )
      .sort()
  } finally {
    session.disconnect()
  }
}
