/**
 * UTF-8 at the speed of its length: a native call costs about 55 ns whatever the text; short texts are read in half of that
 * (short-text.ts), and written one character at a time for 1 ns each. So short ASCII is read and written here, everything else
 * by Buffer's native functions, which also take shared memory. Texts are well-formed UTF-16 when they come here (types
 * check it on the way in).
 */
import { type ByteWriter, copyBytes, varintBytes, writeVarint } from '@phantom/base';
import { readShortText, SHORT_TEXT_BYTES_MAX } from './short-text.js';

const NO_BYTES = new Uint8Array(0);
/** Characters up to which a loop beats the native call. */
const LOOP_CHARS_MAX = 20;

const BLANK = 32;

/**
 * Stands in the place of a text whose UTF-8 lies among other bytes: whoever writes it copies those, and no string is made. One
 * is aimed at text after text. Only a row that is encoded takes it: it is no value that anything could compute with.
 */
export class TextBytes {
  private bytes: Uint8Array = NO_BYTES;
  private start = 0;
  private end = 0;
  private blanks = 0;

  /** Aims at well-formed UTF-8 in [start, end), behind which so many blanks are meant. The bytes are borrowed. */
  aim(bytes: Uint8Array, start: number, end: number, blanks: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.blanks = blanks;
    return this;
  }

  /** The text, of which nothing is borrowed. */
  get text(): string {
    return readUtf8(this.bytes, this.start, this.end) + ' '.repeat(this.blanks);
  }

  append(writer: ByteWriter): void {
    const { start, end, blanks } = this;
    const at = writer.reserve(end - start + blanks);
    const behind = copyBytes(this.bytes, start, end, writer.buffer, at);
    if (blanks > 0) writer.buffer.fill(BLANK, behind, behind + blanks);
    writer.length = behind + blanks;
  }
}

interface NativeText {
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number, bytes: number): number;
}

const native = Buffer.prototype as unknown as NativeText;
const utf8Slice = native.utf8Slice;
const utf8Write = native.utf8Write;

/** Text of the bytes [start, end). */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT_TEXT_BYTES_MAX) return utf8Slice.call(bytes, start, end);
  if (length <= 0) return '';
  return readShortText(bytes, start, end) ?? utf8Slice.call(bytes, start, end);
}

/** Most bytes that a text can take. */
export function utf8BytesMax(text: string): number {
  return text.length * 3;
}

/** Writes the text at `at` and returns the offset behind it; the room is the caller's to have made (utf8BytesMax). */
export function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length <= LOOP_CHARS_MAX) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      bytes[at + i] = code;
    }
    if (i === length) return at + length;
  }
  // Node 24 refuses a length past the end, where Node 20 and 22 stop there.
  return at + utf8Write.call(bytes, text, at, Math.min(length * 3, bytes.length - at));
}

/** Bytes that a text takes. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/**
 * Order of code points, which is the order of UTF-8 bytes. JavaScript's own `<` compares UTF-16 units and puts
 * supplementary characters (surrogates, D800..DFFF) before U+E000..U+FFFF.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shared = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Lift surrogates above the rest of the plane; equal leads were passed already.
      const xOrder = x >= 0xd800 ? (x >= 0xe000 ? x - 0x800 : x + 0x2000) : x;
      const yOrder = y >= 0xd800 ? (y >= 0xe000 ? y - 0x800 : y + 0x2000) : y;
      return xOrder - yOrder;
    }
  }
  return a.length - b.length;
}

/** A key as it stands in an object: length and UTF-8. */
export function keyBytes(text: string): Uint8Array {
  const length = utf8Bytes(text);
  const skip = varintBytes(length);
  const bytes = new Uint8Array(skip + length + 3);
  writeVarint(bytes, 0, length);
  return bytes.slice(0, writeUtf8(bytes, skip, text));
}
