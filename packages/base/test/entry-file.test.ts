/** Entries come back as they were written, whatever the window, and none of one that could not be written. */
import { describe, expect, it } from 'vitest';
import { EntryFile, type EntryFileReader, type Scratch, type ScratchFile } from '../src/index.js';

/** One file in memory. */
class MemoryFile implements Scratch, ScratchFile {
  held = new Uint8Array(0);
  isOpen = false;

  get bytes(): number {
    return this.held.length;
  }

  get bytesInUse(): number {
    return this.held.length;
  }

  create(): ScratchFile {
    this.isOpen = true;
    return this;
  }

  append(bytes: Uint8Array, start: number, end: number): number {
    const at = this.bytes;
    this.held = Buffer.concat([this.held, bytes.subarray(start, end)]);
    return at;
  }

  readAt(offset: number, into: Uint8Array): number {
    const found = this.held.subarray(offset, offset + into.length);
    into.set(found);
    return found.length;
  }

  close(): void {
    this.isOpen = false;
  }
}

function lengthsOf(reader: EntryFileReader): number[] {
  const lengths: number[] = [];
  while (reader.next()) {
    lengths.push(reader.end - reader.start);
    expect(reader.buffer.subarray(reader.start, reader.end).every((byte) => byte === lengths.length)).toBe(true);
  }
  return lengths;
}

describe('an entry file', () => {
  it('gives its entries back, as often as it is asked', () => {
    const disk = new MemoryFile();
    let written = 0;
    const file = new EntryFile(disk, 'test', (bytes) => (written += bytes));
    const lengths = [0, 1, 500, 100_000, 3];
    for (const [i, length] of lengths.entries())
      file.append((writer) => writer.bytes(new Uint8Array(length).fill(i + 1)));
    for (const window of [1, 64, 1_000_000]) expect(lengthsOf(file.reader(window))).toEqual(lengths);
    expect(file.count).toBe(lengths.length);
    expect(written).toBe(disk.bytes);
    file.close();
    expect(disk.isOpen).toBe(false);
  });

  it('has nothing of an entry that could not be written', () => {
    const file = new EntryFile(new MemoryFile(), 'test');
    const fails = (): void =>
      file.append((writer) => {
        writer.u32(9);
        throw new Error('no form');
      });
    expect(fails).toThrow('no form');
    file.append((writer) => writer.u8(1));
    expect(lengthsOf(file.reader(10))).toEqual([1]);
    expect(lengthsOf(new EntryFile(new MemoryFile(), 'none').reader(10))).toEqual([]);
  });
});
