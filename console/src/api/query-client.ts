/** The cache of answers. An answer 401 anywhere means that nobody is signed in any more: the page then asks to sign in. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiError } from './client.ts'

function noticeSignedOut(error: Error): void {
  if (error instanceof ApiError && error.status === 401) queryClient.setQueryData(['me'], null)
}

/** A 4xx is the answer; only a missing or failing server is worth asking again. */
function retry(failures: number, error: Error): boolean {
  const final = error instanceof ApiError && error.status >= 400 && error.status < 500
  return !final && failures < 3
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignedOut }),
  mutationCache: new MutationCache({ onError: noticeSignedOut }),
  defaultOptions: { queries: { retry, staleTime: 2_000 } },
})
