/** What a sealed file is read from: a FileHandle, or a copy in an archive. */
export interface ByteSource {
  /** Fewer bytes than asked for only at the end. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  stat(): Promise<{ readonly size: number }>
  close(): Promise<void>
}
