/**
 * Long texts made of many small parts. A sum of two strings is at first a node that names both, of 32 bytes: 300 million single
 * characters put together one by one are ten gigabytes, and the end of the process. So parts are put together some thousands
 * at a time, each time into one string that is a run of characters. What would be longer than a string may be is given up on
 * the way there: 54000.
 */
import { constants } from 'node:buffer';
import { PhantomError } from '@phantom/base';

/** Units of a text that are worked on at a time, and parts that are held before they become one. */
const PIECE_UNITS = 16_384;
const PARTS_MAX = 4096;

/** A text that grows by small parts. */
export class TextPieces {
  private readonly wholes: string[] = [];
  private parts: string[] = [];
  private units = 0;

  add(part: string): void {
    if (this.parts.push(part) >= PARTS_MAX) this.join();
  }

  text(): string {
    if (this.wholes.length === 0) return this.parts.join('');
    this.join();
    return this.wholes.join('');
  }

  private join(): void {
    const whole = this.parts.join('');
    this.units = checkedUnits(this.units + whole.length);
    this.wholes.push(whole);
    this.parts = [];
  }
}

/** What `make` makes of a text, of which it gets the next piece each time; none is cut within a character. */
export function byPieces(text: string, make: (piece: string) => string): string {
  if (text.length <= PIECE_UNITS) return make(text);
  const made: string[] = [];
  let units = 0;
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    const part = make(text.slice(at, end));
    units = checkedUnits(units + part.length);
    // Asking for a unit makes it a run of characters.
    if (!Number.isNaN(part.charCodeAt(0))) made.push(part);
    at = end;
  }
  return made.join('');
}

/** The text with `to` in the place of each `from`, which is not empty. */
export function replaceEach(text: string, from: string, to: string): string {
  if (text.length <= PIECE_UNITS) return text.replaceAll(from, () => to);
  let found = text.indexOf(from);
  if (found < 0) return text;
  const pieces = new TextPieces();
  let at = 0;
  for (; found >= 0; found = text.indexOf(from, at)) {
    pieces.add(text.slice(at, found));
    pieces.add(to);
    at = found + from.length;
  }
  pieces.add(text.slice(at));
  return pieces.text();
}

/** The characters of a text in the opposite order. */
export function reversed(text: string): string {
  if (text.length <= PIECE_UNITS) return reversedPiece(text);
  const made: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = pieceEnd(text, at);
    made.push(reversedPiece(text.slice(at, end)));
    at = end;
  }
  return made.reverse().join('');
}

/** As bytes, or as units: then the halves of pairs change places once more. */
function reversedPiece(text: string): string {
  if (!WIDE.test(text)) return Buffer.from(text, 'latin1').reverse().toString('latin1');
  const bytes = Buffer.from(text, 'utf16le').swap16().reverse();
  for (let at = 0; at < bytes.length - 3; at += 2) {
    const isLowHalf = ((bytes[at + 1] as number) & 0xfc) === 0xdc;
    if (!isLowHalf) continue;
    bytes.writeUInt32LE(((bytes.readUInt32LE(at) << 16) | (bytes.readUInt32LE(at) >>> 16)) >>> 0, at);
    at += 2;
  }
  return bytes.toString('utf16le');
}

const WIDE = /[\u0100-\uffff]/;

function checkedUnits(units: number): number {
  if (units > constants.MAX_STRING_LENGTH) throw new PhantomError('54000', 'a value is too long', { family: 'limit' });
  return units;
}

function pieceEnd(text: string, at: number): number {
  const end = at + PIECE_UNITS;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end + 1 : end;
}
