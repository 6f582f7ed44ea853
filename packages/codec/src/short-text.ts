/**
 * Short ASCII texts out of bytes. A string is made fastest by one call of `String.fromCharCode` with all of its characters, which
 * takes as many parameters as the text has bytes: a switch over the lengths, written by the program itself.
 *
 *   case 3: { const a0 = bytes[start], a1 = bytes[start + 1], a2 = bytes[start + 2];
 *     return (a0 | a1 | a2) < 128 ? String.fromCharCode(a0, a1, a2) : undefined; }
 *
 * Measured, in ns, for 4, 8, 12, 16 and 24 bytes: 20, 24, 30, 35, 45; by fours that are put together 19, 35, 52 and more; the
 * native call 66 for any. Where making functions from text is forbidden, and for the first texts, it is done by fours.
 */
import { codeGenerationAllowed } from './code-generation.js';

/** Bytes up to which the switch beats the native call clearly. */
export const SHORT_TEXT_BYTES_MAX = 24;
/** Bytes up to which reading by fours does. */
const BY_FOURS_BYTES_MAX = 12;
/** Texts that are read by fours before the switch is written. */
const GENERATE_TEXTS_MIN = 256;

/** The text of [start, end), which is not empty and no longer than the bound; undefined when it is to be read by the native call. */
export type ShortTextReader = (bytes: Uint8Array, start: number, end: number) => string | undefined;

let textsLeft = GENERATE_TEXTS_MIN;

/** What reads short texts now. */
export let readShortText: ShortTextReader = (bytes, start, end) => {
  if (--textsLeft === 0) readShortText = codeGenerationAllowed() ? generateReader() : readByFours;
  return readByFours(bytes, start, end);
};

export const readByFours: ShortTextReader = (bytes, start, end) => {
  if (end - start > BY_FOURS_BYTES_MAX) return undefined;
  let text = '';
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    if ((a | b | c | d) >= 0x80) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
};

export function generateReader(): ShortTextReader {
  const cases: string[] = [];
  for (let length = 1; length <= SHORT_TEXT_BYTES_MAX; length++) {
    const names = Array.from({ length }, (_, i) => `a${i}`);
    const reads = names.map((name, i) => `${name} = bytes[start + ${i}]`).join(', ');
    const text = `String.fromCharCode(${names.join(', ')})`;
    cases.push(`case ${length}: { const ${reads}; return (${names.join(' | ')}) < 128 ? ${text} : undefined; }`);
  }
  return new Function('bytes', 'start', 'end', `switch (end - start) { ${cases.join('\n')} }`) as ShortTextReader;
}
