/**
 * Reads the fields of one message. It is re-aimed for each; every method checks that the bytes are there, so that a body of
 * any bytes ends in a value or in 08P01.
 */
import { isUtf8 } from 'node:buffer';
import { PhantomError } from '@phantom/base';
import type { TextEncoding } from '@phantom/db/session';
import { PROTOCOL_VIOLATION } from './protocol.js';

/** Texts up to this length are looked through in a loop; a native call costs more than that. */
const SHORT_BYTES = 48;

export class MessageReader {
  buffer: Buffer = Buffer.alloc(0);
  /** What the client writes, where that is not UTF-8. */
  encoding: TextEncoding | undefined = undefined;
  /** Offset of the next byte. */
  at = 0;
  end = 0;

  aim(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.buffer[this.advance(1)] as number;
  }

  i16(): number {
    const at = this.advance(2);
    const { buffer } = this;
    return (((buffer[at] as number) << 24) >> 16) | (buffer[at + 1] as number);
  }

  /** A count or a format code: 16 bits without a sign. */
  u16(): number {
    return this.i16() & 0xffff;
  }

  i32(): number {
    const at = this.advance(4);
    const { buffer } = this;
    return (
      ((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)
    );
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  /** Text up to a zero byte, which is skipped. 22021 when it is not in the client's encoding. Makes none where it is the one that is expected. */
  string(expected = ''): string {
    const { buffer, at, end } = this;
    if (expected !== '' && this.isNext(expected)) {
      this.at = at + expected.length + 1;
      return expected;
    }
    // Names are short, and mostly empty: a native call costs more than a look at their bytes.
    const near = Math.min(end, at + SHORT_BYTES);
    let zero = at;
    while (zero < near && buffer[zero] !== 0) zero++;
    if (zero === at && zero < end) {
      this.at = zero + 1;
      return '';
    }
    if (zero === near && near < end) zero = buffer.indexOf(0, near);
    if (zero < 0 || zero >= end) throw new PhantomError(PROTOCOL_VIOLATION, 'invalid string in message');
    this.at = zero + 1;
    return this.text(at, zero);
  }

  /** The text of some bytes of the buffer; 22021 when they are not in the client's encoding. */
  text(start: number, end: number): string {
    const { buffer, encoding } = this;
    return encoding === undefined ? decodeText(buffer, start, end) : encoding.decode(buffer.subarray(start, end));
  }

  /** Skips bytes and returns the offset of the first. */
  skip(bytes: number): number {
    return this.advance(bytes);
  }

  /** 08P01 unless everything has been read. */
  finish(): void {
    if (this.at !== this.end) throw new PhantomError(PROTOCOL_VIOLATION, 'invalid message format');
  }

  /** Whether these characters, which are a byte each, and a zero byte follow. */
  private isNext(expected: string): boolean {
    const { buffer, at } = this;
    const { length } = expected;
    if (length > SHORT_BYTES || at + length >= this.end) return false;
    for (let i = 0; i < length; i++) {
      const code = expected.charCodeAt(i);
      if (code !== buffer[at + i] || code >= 0x80) return false;
    }
    return buffer[at + length] === 0;
  }

  private advance(bytes: number): number {
    const { at } = this;
    if (bytes > this.end - at) throw new PhantomError(PROTOCOL_VIOLATION, 'insufficient data left in message');
    this.at = at + bytes;
    return at;
  }
}

/** UTF-8 bytes as text; 22021 when they are not UTF-8. Allocates nothing but the text for short ASCII. */
function decodeText(buffer: Buffer, start: number, end: number): string {
  if (end - start <= SHORT_BYTES) {
    let at = start;
    while (at < end && (buffer[at] as number) < 0x80) at++;
    if (at === end) return buffer.toString('latin1', start, end);
  }
  if (!isUtf8(buffer.subarray(start, end))) {
    throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8"');
  }
  return buffer.toString('utf8', start, end);
}
