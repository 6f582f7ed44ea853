/**
 * A file's bytes as text. UTF-8 unless another encoding is named or a byte order mark says UTF-16:
 *
 *   EF BB BF   UTF-8          FF FE   UTF-16, little end first          FE FF   UTF-16, big end first
 *
 * Marks are no part of the text. Bytes that are none in the encoding end the import, and the line they stand in is named: a
 * character that is guessed at would be kept for ever.
 */
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { PhantomError } from '@phantom/base';

const LINE_FEED = 10;
const UTF_8 = 'utf-8';
/** Of the longest byte order mark; and of what one character may lack at the end of a chunk. */
const MARK_BYTES_MAX = 3;

/** The encoding's name as it is kept; undefined for one that is not known. */
export function encodingNamed(name: string): string | undefined {
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}

/** 22021 for bytes that are no text in the encoding. */
export async function* decoded(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
): AsyncGenerator<string, void, undefined> {
  let decoder: TextDecoder | undefined;
  let line = 1;
  let before: Uint8Array = new Uint8Array(0);
  const decode = (bytes: Uint8Array, isLast: boolean): string => {
    decoder ??= new TextDecoder(encoding ?? encodingOfMark(bytes), { fatal: true });
    try {
      const text = decoder.decode(bytes, { stream: !isLast });
      line += feedsIn(text);
      before = bytes.subarray(-MARK_BYTES_MAX);
      return text;
    } catch {
      throw notInEncoding(decoder.encoding, decoder.encoding === UTF_8 ? lineOfFault(before, bytes, line) : undefined);
    }
  };
  // A pipe may give less than a mark at first.
  let held: Uint8Array | undefined;
  for await (const chunk of chunks) {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    held = decoder === undefined && bytes.length < MARK_BYTES_MAX ? bytes : undefined;
    if (held === undefined) yield decode(bytes, false);
  }
  yield decode(held ?? new Uint8Array(0), true);
}

function encodingOfMark(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : UTF_8;
}

/** The line of the first bytes that are no UTF-8; `line` is that of the chunk's first byte, `before` are the ones ahead of it. */
function lineOfFault(before: Uint8Array, chunk: Uint8Array, line: number): number {
  // The character that a chunk begins in the middle of began in the one before.
  let start = before.findLastIndex((byte) => byte < 0x80 || byte >= 0xc0);
  if (start < 0) start = before.length;
  else if ((before[start] as number) < 0x80) start++;
  const bytes = Buffer.concat([before.subarray(start), chunk]);
  let found = line;
  for (let at = 0, end = bytes.indexOf(LINE_FEED); end >= 0; at = end + 1, end = bytes.indexOf(LINE_FEED, at)) {
    if (!isUtf8(bytes.subarray(at, end))) return found;
    found++;
  }
  return found;
}

function feedsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function notInEncoding(encoding: string, line: number | undefined): PhantomError {
  const where = line === undefined ? '' : `line ${line}: `;
  const hint = 'Another encoding is named by --encoding, for example windows-1252.';
  return new PhantomError('22021', `${where}bytes that are no text in ${encoding.toUpperCase()}`, { hint });
}
