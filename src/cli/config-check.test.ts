import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { checkSettings } from './config-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-config-check-'))
after(() => rmSync(folder, { recursive: true }))

function check(name: string, content: string) {
  const path = join(folder, name)
  writeFileSync(path, content)
  const { lines, error } = checkSettings(path, {})
  return { lines: lines.map((line) => line.replace(/ {2,}/g, '  ')), error }
}

test('each variable of a .env says what it becomes, what it does not protect, and what nobody knows', () => {
  const { lines, error } = check(
    '.env',
    'PORTS=5060,5062\nTLS_CERT_FILE=c.pem\nPII_DETECTION_ENABLED=true\nVAD_THRESHOLD=0.3\nPROTS=1\nAUTH_ADMIN_PASSWORD=do-not-tell-this\n',
  )
  assert.equal(error, undefined)
  assert.deepEqual(lines, [
    'AUTH_ADMIN_PASSWORD  http.adminPassword = ********  (PATCHBAY_ADMIN_PASSWORD, where that is not given)',
    'PII_DETECTION_ENABLED  NOT PROTECTED: personal data in speech is not found or masked yet',
    'PORTS  sip.ports = [5060,5062]; tls.port = 5061  (PORTS; when it takes 5061 with ENABLE_TLS and TLS_PORT is not given, TLS listens on 5062 as there)',
    'PROTS  no such variable, here or in loreste/siprec',
    'TLS_CERT_FILE  tls.certPath = "c.pem"  (TLS_CERT_PATH, where that is not given)',
    'VAD_THRESHOLD  no effect: a recording is what came, sample for sample',
  ])
})

test('a settings file says what of it is in force, and what it says in vain', () => {
  const { lines } = check('theirs.yaml', 'network:\n  rtp_timeout: 45s\npii:\n  enabled: true\n')
  assert.deepEqual(lines, [
    'rtp.timeout  45s',
    'PII_DETECTION_ENABLED  NOT PROTECTED: personal data in speech is not found or masked yet',
  ])
})

test('the line that would end a start is told beside the rest', () => {
  const { lines, error } = check('wrong.env', 'RTP_TIMEOUT=soon\nPORTS=5060\n')
  assert.match(error ?? '', /^RTP_TIMEOUT: "soon" was given/)
  assert.equal(lines.length, 2)
})

test('of the environment only names that are ours or theirs are listed', () => {
  const { lines } = checkSettings(undefined, { HOME: '/root', RTP_TIMEOUT: '45s' })
  assert.deepEqual(lines, ['RTP_TIMEOUT  rtp.timeout = 45s'])
})
