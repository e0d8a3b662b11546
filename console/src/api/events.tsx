/**
 * Live updates: the facts of the server, by WebSocket, turned into "read that list again".
 *
 *   /api/events ── fact ─▶ here ── invalidate ─▶ query cache ─▶ pages
 *
 * Polling stays as a safety net: seldom while the socket is open, often while it is not. The socket is opened again
 * with growing pauses; after each opening everything is read anew, since facts may have been missed.
 */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { heardKinds, kindsTouchedBy } from './touched.ts'

export type Connection = 'connecting' | 'open' | 'lost'

const ConnectionContext = createContext<Connection>('connecting')

/** Is the page told of changes at once? */
export function useConnection(): Connection {
  return useContext(ConnectionContext)
}

/** How often to ask anyway. */
export function usePollMs(): number {
  return useConnection() === 'open' ? 15_000 : 3_000
}

/** Facts come in bursts (a call's end tells six); the lists are read once for each burst. */
const gatherMs = 250
const longestPauseMs = 15_000

export function EventsProvider({ children }: { readonly children: ReactNode }) {
  const cache = useQueryClient()
  const [connection, setConnection] = useState<Connection>('connecting')

  useEffect(() => {
    let socket: WebSocket | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let gathering: ReturnType<typeof setTimeout> | undefined
    let attempts = 0
    let closed = false
    const touched = new Set<string>()

    const refresh = () => {
      gathering = undefined
      for (const key of touched) void cache.invalidateQueries({ queryKey: key.split(' ') })
      touched.clear()
    }

    const open = () => {
      const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
      socket = new WebSocket(`${scheme}//${location.host}/api/events?kinds=${heardKinds.join()}`)
      socket.addEventListener('open', () => {
        if (attempts > 0) void cache.invalidateQueries()
        attempts = 0
        setConnection('open')
      })
      socket.addEventListener('message', ({ data }) => {
        for (const key of kindsTouchedBy(String(data))) touched.add(key)
        if (touched.size > 0) gathering ??= setTimeout(refresh, gatherMs)
      })
      socket.addEventListener('close', () => {
        if (closed) return
        setConnection('lost')
        attempts += 1
        // A refused socket can mean that the session ended: asking who we are finds out.
        void cache.invalidateQueries({ queryKey: ['me'] })
        timer = setTimeout(open, Math.min(longestPauseMs, 500 * 2 ** attempts))
      })
    }
    open()

    return () => {
      closed = true
      clearTimeout(timer)
      clearTimeout(gathering)
      socket?.close()
    }
  }, [cache])

  return <ConnectionContext value={connection}>{children}</ConnectionContext>
}
