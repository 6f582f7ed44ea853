/**
 * The scratch port: where sorts, hash tables and large write sets put what does not fit into memory. Supplied by the
 * composition (`db`), so that the floors that spill do not know files. Nothing in it survives a restart, and nothing in
 * it is ever synced.
 */
export interface ScratchFile {
  /** Appends bytes and returns the offset at which they begin. Throws 53100 when the disk or `scratchBytesMax` is full. */
  append(bytes: Uint8Array, start: number, end: number): number;
  /** Fills `into` from the offset; returns how many bytes were there. */
  readAt(offset: number, into: Uint8Array): number;
  readonly bytes: number;
  /** Frees the space. Safe to call twice. */
  close(): void;
}

export interface Scratch {
  create(purpose: string): ScratchFile;
  /** Bytes in all open scratch files. */
  readonly bytesInUse: number;
}
