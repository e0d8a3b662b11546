/**
 * A settings file in the shape of loreste/siprec: `network.host` is SIP_HOST.
 *
 *   the parsed file ─▶ here ─▶ what is ours stays, what is theirs becomes variables ─▶ ../load.ts
 *
 * From the example of a file in its documentation (config.example.yaml, docs/configuration.md). Both shapes may stand
 * in one file: `http.port` is the same in both.
 */

import { renamed } from './rules.ts'

/** Path in their file to the variable that says the same. */
const leaves: Readonly<Record<string, string>> = {
  'network.external_ip': 'EXTERNAL_IP',
  'network.internal_ip': 'INTERNAL_IP',
  'network.host': 'SIP_HOST',
  'network.ports': 'PORTS',
  'network.udp_ports': 'UDP_PORTS',
  'network.tcp_ports': 'TCP_PORTS',
  'network.rtp_port_min': 'RTP_PORT_MIN',
  'network.rtp_port_max': 'RTP_PORT_MAX',
  'network.rtp_timeout': 'RTP_TIMEOUT',
  'network.rtp_bind_ip': 'RTP_BIND_IP',
  'network.enable_tls': 'ENABLE_TLS',
  'network.tls_port': 'TLS_PORT',
  'network.tls_cert_file': 'TLS_CERT_FILE',
  'network.tls_key_file': 'TLS_KEY_FILE',
  'network.enable_srtp': 'ENABLE_SRTP',
  'network.behind_nat': 'BEHIND_NAT',
  'network.stun_servers': 'STUN_SERVER',
  'http.port': 'HTTP_PORT',
  'http.enabled': 'HTTP_ENABLED',
  'http.enable_metrics': 'HTTP_ENABLE_METRICS',
  'http.enable_api': 'HTTP_ENABLE_API',
  'http.read_timeout': 'HTTP_READ_TIMEOUT',
  'http.write_timeout': 'HTTP_WRITE_TIMEOUT',
  'recording.directory': 'RECORDING_DIR',
  'recording.max_duration': 'RECORDING_MAX_DURATION',
  'recording.cleanup_days': 'RECORDING_CLEANUP_DAYS',
  'recording.combine_legs': 'RECORDING_COMBINE_LEGS',
  'recording.format': 'RECORDING_FORMAT',
  'recording.audio_format': 'RECORDING_FORMAT',
  'recording.quality': 'RECORDING_QUALITY',
  'logging.level': 'LOG_LEVEL',
  'logging.format': 'LOG_FORMAT',
  'logging.output_file': 'LOG_OUTPUT_FILE',
  'resources.max_concurrent_calls': 'MAX_CONCURRENT_CALLS',
  'redundancy.enabled': 'ENABLE_REDUNDANCY',
  'redundancy.session_timeout': 'SESSION_TIMEOUT',
  'redundancy.session_check_interval': 'SESSION_CHECK_INTERVAL',
  'redundancy.storage_type': 'REDUNDANCY_STORAGE_TYPE',
  'cluster.enabled': 'CLUSTER_ENABLED',
  'cluster.node_id': 'CLUSTER_NODE_ID',
  'cluster.redis.mode': 'REDIS_MODE',
  'cluster.redis.address': 'REDIS_ADDRESS',
  'cluster.redis.database': 'REDIS_DATABASE',
  'cluster.redis.pool_size': 'REDIS_POOL_SIZE',
  'encryption.recording_encryption': 'ENABLE_RECORDING_ENCRYPTION',
  'encryption.algorithm': 'ENCRYPTION_ALGORITHM',
  'encryption.encryption_key_store': 'ENCRYPTION_KEY_STORE',
  'encryption.key_rotation_interval': 'KEY_ROTATION_INTERVAL',
  'pii.enabled': 'PII_DETECTION_ENABLED',
  'pii.types': 'PII_ENABLED_TYPES',
  'pii.redact_audio': 'PII_APPLY_TO_RECORDINGS',
  'pii.redact_transcript': 'PII_APPLY_TO_TRANSCRIPTIONS',
  'pii.redaction_char': 'PII_REDACTION_CHAR',
  'stt.default_vendor': 'DEFAULT_SPEECH_VENDOR',
  'stt.supported_vendors': 'SUPPORTED_VENDORS',
  'stt.supported_codecs': 'SUPPORTED_CODECS',
  'messaging.enabled': 'ENABLE_REALTIME_AMQP',
  'messaging.url': 'AMQP_URL',
  'messaging.queue_name': 'AMQP_QUEUE_NAME',
  'analytics.enabled': 'ANALYTICS_ENABLED',
  'analytics.elasticsearch.addresses': 'ELASTICSEARCH_ADDRESSES',
  'analytics.elasticsearch.index': 'ELASTICSEARCH_INDEX',
  'compliance.pci.enabled': 'COMPLIANCE_PCI_ENABLED',
  'compliance.gdpr.enabled': 'COMPLIANCE_GDPR_ENABLED',
  'compliance.gdpr.export_dir': 'COMPLIANCE_GDPR_EXPORT_DIR',
  'compliance.audit.tamper_proof': 'COMPLIANCE_AUDIT_TAMPER_PROOF',
  'compliance.audit.log_path': 'COMPLIANCE_AUDIT_LOG_PATH',
  'circuit_breaker.enabled': 'CIRCUIT_BREAKER_ENABLED',
  'performance.enabled': 'PERFORMANCE_MONITORING_ENABLED',
  'rate_limit.enabled': 'RATE_LIMIT_ENABLED',
  'rate_limit.http_requests_per_second': 'RATE_LIMIT_RPS',
  'rate_limit.http_request_burst': 'RATE_LIMIT_BURST',
  'rate_limit.sip_requests_per_second': 'RATE_LIMIT_SIP_RPS',
  'rate_limit.sip_request_burst': 'RATE_LIMIT_SIP_REQUEST_BURST',
  'hot_reload.enabled': 'CONFIG_HOTRELOAD_ENABLED',
  'hot_reload.watch_interval': 'CONFIG_HOTRELOAD_DEBOUNCE',
  'hot_reload.backup_dir': 'CONFIG_BACKUP_DIR',
  'tracing.enabled': 'OTEL_TRACING_ENABLED',
  'tracing.service_name': 'OTEL_SERVICE_NAME',
  'tracing.otlp_endpoint': 'OTEL_EXPORTER_OTLP_ENDPOINT',
  'auth.api_enabled': 'AUTH_ENABLE_API_KEYS',
  'auth.jwt_enabled': 'AUTH_ENABLED',
  'auth.jwt_expiry': 'AUTH_TOKEN_EXPIRY',
  'alerting.enabled': 'ALERTING_ENABLED',
  'pause_resume.enabled': 'PAUSE_RESUME_ENABLED',
  'pause_resume.require_auth': 'PAUSE_RESUME_REQUIRE_AUTH',
  'pause_resume.api_key': 'PAUSE_RESUME_API_KEY',
  'pause_resume.per_session': 'PAUSE_RESUME_PER_SESSION',
  'pause_resume.pause_recording': 'PAUSE_RECORDING',
  'pause_resume.pause_transcription': 'PAUSE_TRANSCRIPTION',
  'pause_resume.max_pause_duration': 'MAX_PAUSE_DURATION',
  'pause_resume.auto_resume': 'PAUSE_AUTO_RESUME',
}

/** Paths that we know to be theirs and that say nothing we could do: reported by path. */
const passedOver = [
  'http.cors_*',
  'recording.sample_rate',
  'recording.bits_per_sample',
  'recording.channel_count',
  'recording.compress_*',
  'stt.*',
  'messaging.*',
  'encryption.*',
  'circuit_breaker.*',
  'performance.*',
  'alerting.*',
  'tracing.*',
  'analytics.*',
  'pause_resume.*',
]

/**
 * What these settings are called in their shape, for who reads them so.
 * @param settings A tree in our shape, secrets masked.
 * @param ours Path of each of our settings by its variable.
 */
export function inTheirShape(settings: Tree, ours: ReadonlyMap<string, readonly string[]>): Tree {
  const shape: Tree = {}
  for (const [dotted, name] of Object.entries(leaves)) {
    const path = ours.get(renamed[name] ?? name)
    const value = path?.reduce<unknown>((tree, key) => (isTree(tree) ? tree[key] : undefined), settings)
    if (value === undefined) continue
    const keys = dotted.split('.')
    const last = keys.pop() ?? ''
    const inner = keys.reduce<Tree>((tree, key) => (tree[key] ??= {}) as Tree, shape)
    inner[last] = value
  }
  return shape
}

export interface SplitFile {
  /** Variables of theirs that the file gives, as text. */
  readonly given: ReadonlyMap<string, string>
  /** Their paths that have no effect here. */
  readonly passedOver: readonly string[]
}

type Tree = Record<string, unknown>

/**
 * Take out of `file` what is theirs; the rest stays for our schema.
 * @param ours Paths of our settings, which stay.
 */
export function takeTheirs(file: Tree, ours: ReadonlySet<string>): SplitFile {
  const given = new Map<string, string>()
  const over: string[] = []
  const walk = (tree: Tree, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(tree)) {
      const here = [...path, key]
      const dotted = here.join('.')
      if (ours.has(dotted)) continue
      const name = leaves[dotted]
      if (name !== undefined) {
        const text = textOf(value)
        if (text !== '') given.set(name, text)
        delete tree[key]
      } else if (isTree(value) && Object.keys(value).length > 0) {
        walk(value, here)
        // A section that held nothing but theirs.
        if (Object.keys(value).length === 0) delete tree[key]
      } else if (passedOver.some((pattern) => fits(dotted, pattern))) {
        over.push(dotted)
        delete tree[key]
      }
    }
  }
  walk(file, [])
  return { given, passedOver: over }
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : ''
}

const fits = (path: string, pattern: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
