/**
 * Variables of loreste/siprec that have no effect here, and why: for the line at the start, `patchbay config check` and
 * docs/siprec/environment.md. The first group with the name counts; what is a setting of ours or has a rule never gets
 * here, so that a group shrinks by itself when its function is built.
 */

export interface Group {
  /** Names, `*` for any end. */
  readonly names: string
  readonly why: string
  /** Who sets it counts on being protected by it: told as a warning. */
  readonly protects?: true
  /** A name that other programs read too: no word at the start when it stands in the environment. */
  readonly shared?: true
}

export const unsupported: readonly Group[] = [
  {
    names: 'TLS_MIN_VERSION TLS_CIPHER_SUITES TLS_PREFER_SERVER_CIPHERS TLS_SESSION_* TLS_INSECURE_SKIP_VERIFY',
    why: 'TLS is spoken as Node does by default: versions 1.2 and 1.3, certificates of others verified',
  },
  {
    names: 'RATE_LIMIT_SIP_INVITE_* RATE_LIMIT_SIP_REQUEST_BURST RATE_LIMIT_*',
    why: 'limits are SECURITY_MESSAGES_PER_SECOND, MAX_CONCURRENT_CALLS and HTTP_REQUESTS_PER_MINUTE alone',
    protects: true,
  },
  {
    names: 'PII_*',
    why: 'personal data in speech is not found or masked yet',
    protects: true,
  },
  {
    names: 'ENCRYPTION_* KEY_DERIVATION_METHOD KEY_BACKUP_ENABLED PBKDF2_ITERATIONS',
    why: 'the format of encrypted recordings leaves nothing of this to choose; MASTER_KEYS says where keys are, KEY_BACKUP_PATH where their copies go',
  },
  {
    names: 'AUTH_ENABLED AUTH_RBAC_ENABLED PAUSE_RESUME_REQUIRE_AUTH PAUSE_RESUME_ENABLED PAUSE_RESUME_PER_SESSION',
    why: 'the API always asks who is there, by user, API key or token, and each has a role',
  },
  {
    names: 'PAUSE_RESUME_NOTIFICATIONS',
    why: 'pauses are told as facts in any case',
  },
  { names: 'INTERNAL_IP', why: 'the address that leads to a peer is found for each' },
  {
    names: 'HTTP_ENABLED HTTP_ENABLE_API HTTP_PATH HTTP_METRICS_PATH',
    why: 'the console and API are always there, on this machine alone unless HTTP_HOST says otherwise',
  },
  {
    names: 'HTTP_READ_TIMEOUT HTTP_WRITE_TIMEOUT HTTP_IDLE_TIMEOUT HTTP_SHUTDOWN_TIMEOUT',
    why: 'these times are fixed',
  },
  { names: 'SUPPORTED_CODECS', why: 'every codec is recorded: decoded where it is known, else its packets are kept' },
  {
    names: 'LOG_FORMAT LOG_OUTPUT_FILE',
    why: 'the log is JSON lines on standard output; what runs the server keeps it',
  },
  { names: 'RECORDING_QUALITY', why: 'FLAC is lossless at any of its levels; MP3 and Opus have their bit rates' },
  {
    names: 'ENABLE_REDUNDANCY REDUNDANCY_STORAGE_TYPE SESSION_TIMEOUT SESSION_CHECK_INTERVAL ENABLE_FAILOVER',
    why: 'recording sessions always survive a restart (SIPREC_CHECKPOINTS, SIPREC_HANDOVER)',
  },
  { names: 'REDIS_*', why: 'of Redis its address, password and database are settings (SIPREC_CHECKPOINTS=redis)' },
  { names: 'DATABASE_ENABLED DB_* MYSQL_*', why: 'calls and recordings are always kept, in SQLite under DATA_DIR' },
  { names: 'CONFIG_BACKUP_* CONFIG_HOTRELOAD_*', why: 'the settings file is read and never written here' },
  { names: 'COMPLIANCE_AUDIT_*', why: 'the audit record is kept in the database' },
  { names: 'COMPLIANCE_*', why: 'export and erasure need no switch' },
  { names: 'SIPREC_CONFIG_DIR SIPREC_SERVER', why: 'these belong to its command line tool' },
  {
    names: 'AGC_* ECHO_* NOISE_* NS_* EQ_* DEESSER_* COMPRESSION_* VAD_* ENABLE_VAD ENABLE_NOISE_REDUCTION',
    why: 'a recording is what came, sample for sample',
  },
  {
    names:
      'AUDIO_ENHANCEMENT_ENABLED ENABLE_AUDIO_PROCESSING COMFORT_NOISE_LEVEL DOUBLE_TALK_THRESHOLD HIGH_PASS_CUTOFF RESIDUAL_SUPPRESSION SPECTRAL_SUBTRACTION_FACTOR STEREO_* MIX_CHANNELS',
    why: 'a recording is what came, sample for sample',
  },
  {
    names:
      'CALLEE_CHANNEL_ID CALLER_CHANNEL_ID CHANNEL_* MAX_CHANNEL_DESYNC MULTI_CHANNEL_ENABLED TELEPHONY_SEPARATION',
    why: 'each stream is a file and a channel of its own, the caller first, aligned by the clock',
  },
  { names: 'FP_* FINGERPRINTING_ENABLED', why: 'doubled calls are not looked for' },
  {
    names: 'PERFORMANCE_* MAX_MEMORY_MB WORKER_POOL_SIZE MAX_RTP_STREAMS HORIZONTAL_SCALING',
    why: 'memory and threads look after themselves; MEDIA_WORKERS and MAX_CONCURRENT_CALLS bound the load',
  },
  { names: 'CLUSTER_* NODE_ID', why: 'a server stands alone; there is no cluster yet' },
  { names: 'LI_*', why: 'there is no lawful interception' },
  { names: 'ALERTING_*', why: 'there are no alerts yet; watch /health and /metrics' },
  { names: 'OTEL_*', why: 'there is no tracing yet', shared: true },
  {
    names: 'AMQP_* REALTIME_* ENABLE_REALTIME_AMQP PUBLISH_*',
    why: 'facts are told by WebSocket (/api/events) and not by AMQP yet',
  },
  { names: 'ANALYTICS_ENABLED ELASTICSEARCH_*', why: 'speech is not analysed yet' },
  {
    names: 'AWS_* GOOGLE_APPLICATION_CREDENTIALS',
    why: 'read by the cloud libraries themselves, where a setting needs them; there is no transcription by them yet',
    shared: true,
  },
  {
    names: 'OPENAI_API_KEY OPENAI_BASE_URL DEEPGRAM_API_KEY ELEVENLABS_API_KEY',
    why: 'speech is not transcribed yet',
    shared: true,
  },
  {
    names:
      'STT_* GOOGLE_* DEEPGRAM_* AZURE_* AMAZON_STT_* OPENAI_* SPEECHMATICS_* ELEVENLABS_* WHISPER_* OPENSOURCE_* DIARIZATION_* LANGUAGE_ROUTING DEFAULT_SPEECH_VENDOR SUPPORTED_VENDORS',
    why: 'speech is not transcribed yet',
  },
  { names: 'CIRCUIT_BREAKER_ENABLED CB_MONITORING_* HTTP_CB_*', why: 'it guards services that are not there yet' },
  {
    names: 'ENABLE_BACKUP BACKUP_*',
    why: 'copy DATA_DIR and RECORDING_DIR while the server stands still',
  },
  { names: 'AUTH_* API_KEY JWT_SECRET PAUSE_RESUME_API_KEY', why: 'use API keys made here: `patchbay apikey create`' },
]
