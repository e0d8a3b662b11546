/** What every phone that is a program of its own is told when it starts. */
export interface InstalledPhone {
  /** Made here. */
  readonly folder: string
  readonly user: string
  readonly password: string
  readonly server: { readonly ip: string; readonly port: number }
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** Certificates it believes, in PEM; needed for TLS. */
  readonly caFile?: string
  /**
   * What it says: WAV, 8 kHz, 16-bit, mono. Longer than the call for baresip, which stops sending at its end; linphonec
   * plays it again and again.
   */
  readonly sourceWav: string
  /** Answer by itself. Otherwise it rings. */
  readonly autoAnswer?: boolean
}
