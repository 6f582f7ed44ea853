/** Rows that a scan has handed out, where it may come upon one several times. What it remembers is bounded: past that 53200. */
import { PhantomError } from '@phantom/base';
import type { ByteSlot } from '@phantom/kv';

/** Bytes of keys that one scan remembers. */
export const SEEN_BYTES_MAX = 64 * 1024 * 1024;

export class SeenRows {
  private readonly keys = new Set<string>();
  private readonly bytesMax: number;
  private bytes = 0;

  constructor(bytesMax: number = SEEN_BYTES_MAX) {
    this.bytesMax = bytesMax;
  }

  /** True for a row that was not seen before. */
  isNew({ buffer, start, end }: ByteSlot): boolean {
    const key = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
    if (this.keys.has(key)) return false;
    this.bytes += key.length;
    if (this.bytes > this.bytesMax) {
      throw new PhantomError('53200', `a scan remembers at most ${this.bytesMax} bytes of keys`, {
        hint: 'Ask for fewer documents, or by an index that has one entry for each of them.',
        data: { bytesMax: this.bytesMax },
      });
    }
    this.keys.add(key);
    return true;
  }
}
