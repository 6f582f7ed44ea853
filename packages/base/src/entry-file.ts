/**
 * Entries in a scratch file, written one after the other and then read from the front, as often as wanted:
 *
 *   file   entry entry ...        entry   u32 bytes, bytes
 *
 * What the bytes mean is the matter of who writes them.
 */
import { assert } from './assert.js';
import { ByteWriter } from './byte-writer.js';
import { readU32, writeU32 } from './bytes.js';
import type { Scratch, ScratchFile } from './scratch.js';

/** Bytes gathered before they are written. */
const WRITE_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;

export class EntryFile {
  /** Entries in the file. */
  count = 0;
  private readonly file: ScratchFile;
  private readonly onWrite: (bytes: number) => void;
  private readonly writer = new ByteWriter();

  /** `onWrite` is told of bytes that are written. */
  constructor(scratch: Scratch, purpose: string, onWrite: (bytes: number) => void = () => undefined) {
    this.file = scratch.create(purpose);
    this.onWrite = onWrite;
  }

  /** Appends an entry of what `write` appends to the writer; nothing of one for which it throws. 53100 where the disk is full. */
  append(write: (writer: ByteWriter) => void): void {
    const { writer } = this;
    const start = writer.length;
    writer.u32(0);
    try {
      write(writer);
    } catch (error) {
      writer.length = start;
      throw error;
    }
    writeU32(writer.buffer, start, writer.length - start - LENGTH_BYTES);
    this.count++;
    if (writer.length >= WRITE_BYTES) this.flush();
  }

  /** A reader of all entries; it holds about `windowBytes` in memory. Nothing may be appended from now on. */
  reader(windowBytes: number): EntryFileReader {
    this.flush();
    return new EntryFileReader(this.file, windowBytes);
  }

  /** Frees the file. Safe to call twice. */
  close(): void {
    this.file.close();
  }

  private flush(): void {
    const { writer } = this;
    if (writer.length === 0) return;
    this.file.append(writer.buffer, 0, writer.length);
    this.onWrite(writer.length);
    writer.reset();
  }
}

/** A walk through the entries of a file; it stands before the first. */
export class EntryFileReader {
  /** Where the present entry lies. It stays as it is: values may go on referring to it. */
  buffer = new Uint8Array(0);
  start = 0;
  end = 0;
  private readonly file: ScratchFile;
  private readonly windowBytes: number;
  private windowAt = 0;
  private at = 0;

  constructor(file: ScratchFile, windowBytes: number) {
    this.file = file;
    this.windowBytes = windowBytes;
  }

  /** To the next entry; false behind the last. */
  next(): boolean {
    if (this.at === this.file.bytes) return false;
    this.have(LENGTH_BYTES);
    const bytes = readU32(this.buffer, this.at - this.windowAt);
    this.have(LENGTH_BYTES + bytes);
    this.start = this.at - this.windowAt + LENGTH_BYTES;
    this.end = this.start + bytes;
    this.at += LENGTH_BYTES + bytes;
    return true;
  }

  /** Makes sure that so many bytes from the present place lie in the window. */
  private have(bytes: number): void {
    const { at, file } = this;
    if (at + bytes <= this.windowAt + this.buffer.length) return;
    // A new window each time: values of earlier entries may refer to the old one.
    this.buffer = new Uint8Array(Math.min(Math.max(bytes, this.windowBytes), file.bytes - at));
    this.windowAt = at;
    const found = file.readAt(at, this.buffer);
    assert(found === this.buffer.length && found >= bytes, 'a scratch file ends with an entry');
  }
}
