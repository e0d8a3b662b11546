/** Whether a recording is as it was made: verified on demand, with what was changed named. */
import { Alert, Anchor, Button, Group, List, Text } from '@mantine/core'
import type { ProofVerdict } from '../../../src/api/schemas/proofs.ts'
import { useVerifyProof } from '../api/keeping-queries.ts'
import { fullTime } from '../format.ts'
import { ErrorNote } from '../ui/notes.tsx'

export function Proof({ recordingId }: { readonly recordingId: string }) {
  const verify = useVerifyProof(recordingId)
  return (
    <>
      <Group gap="sm">
        <Button size="xs" variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
          Verify the recording
        </Button>
        <Anchor size="sm" href={`/api/recordings/${encodeURIComponent(recordingId)}/proof`} download="proof.json">
          Proof
        </Anchor>
        <Text size="sm" c="dimmed">
          Reads all files and compares them with the signed proof.
        </Text>
      </Group>
      {verify.error ? <ErrorNote error={verify.error} /> : null}
      {verify.data ? <Verdict verdict={verify.data} /> : null}
    </>
  )
}

const verdicts: Record<ProofVerdict['state'], { readonly title: string; readonly color: string }> = {
  intact: { title: 'Intact', color: 'green' },
  elsewhere: { title: 'Intact, but not all of it is here: the rest was archived', color: 'blue' },
  broken: { title: 'Changed', color: 'red' },
  unproven: { title: 'It has no proof yet', color: 'gray' },
  deleted: { title: 'Deleted', color: 'gray' },
}

function Verdict({ verdict: { state, serial, madeAtMs, problems } }: { readonly verdict: ProofVerdict }) {
  const { title, color } = verdicts[state]
  return (
    <Alert color={color} title={title} role="status">
      {serial === undefined || madeAtMs === undefined ? null : (
        <Text size="sm">
          Proof number {serial}, signed {fullTime(madeAtMs)}
        </Text>
      )}
      {problems.length > 0 ? (
        <List size="sm">
          {problems.map(({ what, file, text }) => (
            <List.Item key={`${what} ${file} ${text}`} className="wrap">
              {file === undefined ? '' : `${file}: `}
              {text}
            </List.Item>
          ))}
        </List>
      ) : null}
    </Alert>
  )
}
