/** Questions about text columns that are answered from a row's bytes: no string is made. */
import { type RowLayout, variableEnd, variableStart } from './row-layout.js';

/**
 * True when the text in column `index` of the row at [start, end), which is a variable column and not null, is one of some
 * texts, given as UTF-8.
 */
export function isTextAmong(
  buffer: Uint8Array,
  start: number,
  end: number,
  index: number,
  layout: RowLayout,
  texts: readonly Uint8Array[],
): boolean {
  const variable = layout.variableIndexes[index] as number;
  const from = variableStart(buffer, start, variable, layout);
  const length = variableEnd(buffer, start, end, variable, layout, from) - from;
  for (let t = 0; t < texts.length; t++) {
    const text = texts[t] as Uint8Array;
    if (text.length !== length) continue;
    // Texts that are alike at their heads, as numbered ones are, differ at their ends.
    let i = length - 1;
    while (i >= 0 && buffer[from + i] === text[i]) i--;
    if (i < 0) return true;
  }
  return false;
}

/** True when the text in column `index` of the row, as above, begins with one of some texts, given as UTF-8. */
export function isTextHeadedBy(
  buffer: Uint8Array,
  start: number,
  end: number,
  index: number,
  layout: RowLayout,
  heads: readonly Uint8Array[],
): boolean {
  const variable = layout.variableIndexes[index] as number;
  const from = variableStart(buffer, start, variable, layout);
  const length = variableEnd(buffer, start, end, variable, layout, from) - from;
  for (let h = 0; h < heads.length; h++) {
    const head = heads[h] as Uint8Array;
    if (head.length <= length && standsAt(buffer, from, head)) return true;
  }
  return false;
}

/** Bytes up to which a loop finds a short text faster than Buffer's native search does. */
const LOOP_BYTES_MAX = 256;

/**
 * True when the text in column `index` of the row, as above, is made of these pieces in their order: it begins with the first,
 * ends with the last, and has the others somewhere between them. Each is UTF-8 and may be empty; there are at least two.
 */
export function isTextOfPieces(
  buffer: Uint8Array,
  start: number,
  end: number,
  index: number,
  layout: RowLayout,
  pieces: readonly Uint8Array[],
): boolean {
  const variable = layout.variableIndexes[index] as number;
  const from = variableStart(buffer, start, variable, layout);
  const to = variableEnd(buffer, start, end, variable, layout, from);
  const last = pieces.length - 1;
  const head = pieces[0] as Uint8Array;
  const tail = pieces[last] as Uint8Array;
  let at = from + head.length;
  const tailAt = to - tail.length;
  if (tailAt < at || !standsAt(buffer, from, head) || !standsAt(buffer, tailAt, tail)) return false;
  for (let i = 1; i < last; i++) {
    const piece = pieces[i] as Uint8Array;
    at = find(buffer, at, tailAt, piece);
    if (at < 0) return false;
    at += piece.length;
  }
  return true;
}

function standsAt(buffer: Uint8Array, at: number, piece: Uint8Array): boolean {
  for (let i = 0; i < piece.length; i++) if (buffer[at + i] !== piece[i]) return false;
  return true;
}

/** Where the piece first stands within [from, to); -1 when it does not. */
function find(buffer: Uint8Array, from: number, to: number, piece: Uint8Array): number {
  if (piece.length === 0) return from;
  if (to - from > LOOP_BYTES_MAX) {
    const found = Buffer.prototype.indexOf.call(buffer.subarray(from, to), piece);
    return found < 0 ? -1 : from + found;
  }
  const first = piece[0];
  const latest = to - piece.length;
  for (let at = from; at <= latest; at++) if (buffer[at] === first && standsAt(buffer, at, piece)) return at;
  return -1;
}
