/**
 * Entries in a scratch file, written one after the other and read from the front, once:
 *
 *   u32 key bytes, u32 value bytes, key, value
 */
import { type Scratch, type ScratchFile, ByteWriter, assert, readU32 } from '@phantom/base';

/** Bytes gathered before they are written. */
const WRITE_BYTES = 64 * 1024;
const HEADER_BYTES = 8;

/** Entries in the order of their keys, one at a time; it stands before the first. The bytes are valid until the next call. */
export interface EntrySource {
  readonly buffer: Uint8Array;
  readonly keyStart: number;
  /** The key ends where the value begins. */
  readonly valueStart: number;
  readonly valueEnd: number;
  /** To the next entry; false behind the last. */
  next(): boolean;
}

export class EntryRun {
  private readonly file: ScratchFile;
  private readonly writer = new ByteWriter();

  constructor(scratch: Scratch) {
    this.file = scratch.create('index');
  }

  /** Appends what a source has left. */
  append(source: EntrySource): void {
    const { writer } = this;
    while (source.next()) {
      const { buffer, keyStart, valueStart, valueEnd } = source;
      writer.u32(valueStart - keyStart);
      writer.u32(valueEnd - valueStart);
      writer.bytes(buffer, keyStart, valueEnd);
      if (writer.length >= WRITE_BYTES) this.flush();
    }
    this.flush();
  }

  /** A reader of all entries; it holds about so many bytes in memory. */
  reader(windowBytes: number): EntrySource {
    return new RunReader(this.file, windowBytes);
  }

  /** Frees the file. Safe to call twice. */
  close(): void {
    this.file.close();
  }

  private flush(): void {
    const { writer } = this;
    if (writer.length > 0) this.file.append(writer.buffer, 0, writer.length);
    writer.reset();
  }
}

class RunReader implements EntrySource {
  buffer: Uint8Array;
  keyStart = 0;
  valueStart = 0;
  valueEnd = 0;
  private readonly file: ScratchFile;
  /** Bytes of the window that are there, and where in the file they end. */
  private filled = 0;
  private readTo = 0;

  constructor(file: ScratchFile, windowBytes: number) {
    this.file = file;
    this.buffer = new Uint8Array(windowBytes);
  }

  next(): boolean {
    if (this.valueEnd === this.filled && this.readTo === this.file.bytes) return false;
    this.have(HEADER_BYTES);
    const keyBytes = readU32(this.buffer, this.valueEnd);
    const bytes = HEADER_BYTES + keyBytes + readU32(this.buffer, this.valueEnd + 4);
    this.have(bytes);
    this.keyStart = this.valueEnd + HEADER_BYTES;
    this.valueStart = this.keyStart + keyBytes;
    this.valueEnd += bytes;
    return true;
  }

  /** Makes sure that so many bytes behind the present entry lie in the window. */
  private have(bytes: number): void {
    const left = this.filled - this.valueEnd;
    if (bytes <= left) return;
    const window = bytes <= this.buffer.length ? this.buffer : new Uint8Array(2 * bytes);
    window.set(this.buffer.subarray(this.valueEnd, this.filled));
    const found = this.file.readAt(this.readTo, window.subarray(left));
    assert(left + found >= bytes, 'a scratch file ends with an entry');
    this.buffer = window;
    this.valueEnd = 0;
    this.filled = left + found;
    this.readTo += found;
  }
}
