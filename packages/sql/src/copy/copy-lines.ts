/**
 * Cuts the bytes of COPY's text and CSV formats into records, whatever pieces they come in.
 *
 * A piece is turned into text up to its last line end by one native call, and records are slices of that text. What follows
 * the last line end waits as bytes, so no character is ever cut. How lines end (\n, \r\n or \r) is learned from the first
 * one; another kind of line end is an error from then on, as in PostgreSQL.
 *
 * In CSV a line end inside quotes belongs to its field. The search for a record's end goes on where it stopped, in the
 * newest piece alone, so a field of many pieces costs no more than its length.
 */
import { ByteWriter, PhantomError } from '@phantom/base';

/** Longest record: one that is longer could not be a row either. */
export const RECORD_BYTES_MAX = 256 * 1024 * 1024;
const WAITING_BYTES_KEPT = 256 * 1024;

const NEWLINE = 10;
const RETURN = 13;
const BACKSLASH = 92;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface LineSyntax {
  /** Quote and escape of CSV; undefined in the text format. */
  readonly quotes: { readonly quote: string; readonly escape: string } | undefined;
}

export class CopyLines {
  /** The record at hand, without its line end, is a part of this text. */
  recordText = '';
  recordStart = 0;
  recordEnd = 0;
  /** UTF-8 of `recordText`, where each offset in it is that of the same character; undefined where there is none at hand. */
  recordBytes: Uint8Array | undefined = undefined;
  /** False only when the record holds no quote (CSV) or backslash (text) for certain. */
  recordIsSpecial = false;
  /** False only when no record of the pieces at hand holds a character with the code zero. */
  mayHoldZero = false;
  /** Number of the line on which the record at hand ends, from 1. */
  line = 0;
  /** The end mark `\.` was met: what follows is not data. */
  ended = false;
  private readonly quote: string;
  private readonly escape: string;
  private readonly isCsv: boolean;
  private readonly special: string;
  private text = '';
  /** Of the text, where they are as many as its characters: all of it is ASCII. */
  private bytes: Uint8Array | undefined = undefined;
  private at = 0;
  /** Offset of the next special character at or after `at`; Infinity when there is none. */
  private specialAt = 0;
  private hasReturn = false;
  /** Beginnings of a record that is not whole yet. */
  private readonly held: string[] = [];
  private heldCharacters = 0;
  private inQuotes = false;
  private escapePending = false;
  /** Bytes behind the last line end. */
  private waiting = new ByteWriter();
  /** Takes turns with `waiting`, which is not written to while its text is read. */
  private taken = new ByteWriter();
  private lineEnd: '\n' | '\r\n' | '\r' | undefined;
  private finished = false;

  constructor({ quotes }: LineSyntax) {
    this.isCsv = quotes !== undefined;
    this.quote = quotes?.quote ?? '\\';
    this.escape = quotes?.escape ?? '\\';
    this.special = this.quote;
  }

  /** The record at hand as a string of its own. */
  get record(): string {
    return this.recordText.slice(this.recordStart, this.recordEnd);
  }

  /** Takes the next piece, borrowed until `next` has returned false; its bytes are copied where they have to wait. */
  push(piece: Uint8Array): void {
    let cut = piece.length;
    while (cut > 0 && piece[cut - 1] !== NEWLINE && piece[cut - 1] !== RETURN) cut--;
    // A return at the very end may be half of a line end.
    if (cut === piece.length && cut > 0 && piece[cut - 1] === RETURN) cut--;
    while (cut > 0 && piece[cut - 1] !== NEWLINE && piece[cut - 1] !== RETURN) cut--;
    const { waiting } = this;
    if (cut > 0) {
      if (waiting.length === 0) this.append(piece.subarray(0, cut));
      else {
        waiting.bytes(piece, 0, cut);
        this.appendWaiting();
      }
    }
    if (this.waiting.length + piece.length - cut > RECORD_BYTES_MAX) throw tooLong();
    this.waiting.bytes(piece, cut, piece.length);
  }

  /** There are no more pieces. */
  finish(): void {
    this.finished = true;
    if (this.waiting.length > 0) this.appendWaiting();
  }

  /** Aims at the next record; false when more bytes are needed, or there are none. */
  next(): boolean {
    if (this.ended) return false;
    if (this.at >= this.text.length) {
      if (!this.finished || this.held.length === 0) return this.unfinished();
      return this.last();
    }
    const end = this.isCsv ? this.csvEnd() : this.textEnd();
    if (end < 0) return this.finished ? this.last() : this.hold();
    this.take(end);
    this.at = end + (this.lineEnd as string).length;
    return this.accept();
  }

  private unfinished(): false {
    if (this.finished && this.inQuotes) throw unterminated();
    return false;
  }

  /** The record that ends with the data and not with a line end. */
  private last(): boolean {
    if (this.inQuotes) throw unterminated();
    if (this.at >= this.text.length && this.held.length === 0) return false;
    this.take(this.text.length);
    this.at = this.text.length;
    this.inQuotes = false;
    return this.accept();
  }

  private accept(): boolean {
    this.line++;
    const { recordText, recordStart, recordEnd } = this;
    if (recordText.charCodeAt(recordStart) !== BACKSLASH || !recordText.startsWith('\\.', recordStart)) return true;
    if (recordEnd - recordStart === 2) {
      this.ended = true;
      return false;
    }
    if (!this.isCsv) throw new PhantomError('22P04', 'end-of-copy marker corrupt');
    return true;
  }

  /** The record up to the offset, with what was held of it. */
  private take(end: number): void {
    const { held } = this;
    this.recordIsSpecial = held.length > 0 || this.specialAt < end;
    this.recordText = this.text;
    this.recordBytes = this.bytes;
    this.recordStart = this.at;
    this.recordEnd = end;
    if (held.length > 0) {
      held.push(this.record);
      this.recordText = held.join('');
      this.recordBytes = undefined;
      this.recordStart = 0;
      this.recordEnd = this.recordText.length;
      held.length = 0;
      this.heldCharacters = 0;
    }
    this.findSpecial(end);
  }

  private hold(): false {
    this.held.push(this.text.slice(this.at));
    this.heldCharacters += this.text.length - this.at;
    if (this.heldCharacters > RECORD_BYTES_MAX) throw tooLong();
    this.text = '';
    this.at = 0;
    this.specialAt = Infinity;
    return false;
  }

  /** Offset of the line end of the record at hand in the text format; -1 when it is not there yet. */
  private textEnd(): number {
    const { text } = this;
    if (this.lineEnd === undefined) this.learnFromText();
    const { lineEnd } = this;
    if (lineEnd === undefined) return -1;
    for (let from = this.at; ;) {
      const end = text.indexOf(lineEnd, from);
      const stop = end < 0 ? text.length : end;
      if (this.hasReturn || lineEnd !== '\n') this.refuseStrayLineEnds(stop);
      if (end < 0) return -1;
      if (this.specialAt > end || !this.isEscaped(end)) return end;
      // A backslash before a line end makes it part of the value.
      this.line++;
      from = end + 1;
    }
  }

  private learnFromText(): void {
    const { text } = this;
    for (let i = this.at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if ((code !== NEWLINE && code !== RETURN) || this.isEscaped(i)) continue;
      this.learn(i);
      return;
    }
  }

  private isEscaped(at: number): boolean {
    let backslashes = 0;
    for (let i = at - 1; i >= this.at && this.text.charCodeAt(i) === BACKSLASH; i--) backslashes++;
    return backslashes % 2 === 1;
  }

  private refuseStrayLineEnds(end: number): void {
    const { text, lineEnd } = this;
    if (lineEnd === '\r') return;
    for (let i = this.at; i < end; i++) {
      const code = text.charCodeAt(i);
      if (code === RETURN && !this.isEscaped(i)) {
        throw new PhantomError('22P04', 'literal carriage return found in data', {
          hint: 'Use "\\r" to represent carriage return.',
        });
      }
      if (code === NEWLINE && !this.isEscaped(i)) {
        throw new PhantomError('22P04', 'literal newline found in data', {
          hint: 'Use "\\n" to represent newline.',
        });
      }
    }
  }

  /** The same in CSV; remembers where in quotes the search has stopped. */
  private csvEnd(): number {
    const { text, lineEnd } = this;
    if (lineEnd !== undefined && !this.inQuotes && !this.escapePending) {
      const end = text.indexOf(lineEnd, this.at);
      if (end >= 0 && this.specialAt > end && (!this.hasReturn || this.isFirstLineEnd(end))) return end;
    }
    const quote = this.quote.charCodeAt(0);
    const escape = this.escape.charCodeAt(0);
    for (let i = this.at; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (this.escapePending) {
        this.escapePending = false;
        if (code === quote || code === escape) continue;
      }
      if (this.inQuotes) {
        if (code === escape && escape !== quote) this.escapePending = true;
        else if (code === quote) this.inQuotes = false;
        else if (code === NEWLINE) this.line++;
      } else if (code === quote) {
        this.inQuotes = true;
      } else if (code === NEWLINE || code === RETURN) {
        if (text.startsWith(lineEnd ?? this.learn(i), i)) return i;
        throw strayInCsv(code);
      }
    }
    return -1;
  }

  /** True when no line end of another kind stands before the offset. */
  private isFirstLineEnd(end: number): boolean {
    const { text, at, lineEnd } = this;
    const newline = text.indexOf('\n', at);
    const carriage = text.indexOf('\r', at);
    if (lineEnd === '\r\n') return carriage === end && newline === end + 1;
    return lineEnd === '\n' ? carriage < 0 || carriage > end : newline < 0 || newline > end;
  }

  private append(bytes: Uint8Array): void {
    let text: string;
    try {
      text = UTF8.decode(bytes);
    } catch {
      throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8"');
    }
    const isAlone = this.at >= this.text.length;
    this.text = isAlone ? text : this.text.slice(this.at) + text;
    // Parts of a Buffer cost more than those of a plain array.
    this.bytes =
      isAlone && text.length === bytes.length
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
        : undefined;
    this.at = 0;
    this.hasReturn = this.text.includes('\r');
    this.mayHoldZero = this.held.length > 0 || this.text.includes('\0');
    this.findSpecial(0);
  }

  private findSpecial(from: number): void {
    if (this.specialAt >= from && from !== 0) return;
    const at = this.text.indexOf(this.special, from);
    this.specialAt = at < 0 ? Infinity : at;
  }

  private appendWaiting(): void {
    const { waiting, taken } = this;
    this.append(waiting.view());
    // The memory of a long record is not kept for the next one.
    this.waiting = taken.buffer.length > WAITING_BYTES_KEPT ? new ByteWriter() : taken;
    this.waiting.reset();
    this.taken = waiting;
  }

  /** The line end at the offset, which is the first one: text ends in \r only where the data does. */
  private learn(at: number): string {
    if (this.text.charCodeAt(at) === NEWLINE) return (this.lineEnd = '\n');
    return (this.lineEnd = this.text.charCodeAt(at + 1) === NEWLINE ? '\r\n' : '\r');
  }
}

function strayInCsv(code: number): PhantomError {
  const what = code === RETURN ? 'carriage return' : 'newline';
  return new PhantomError('22P04', `unquoted ${what} found in data`, {
    hint: `Use quoted CSV field to represent ${what}.`,
  });
}

function unterminated(): PhantomError {
  return new PhantomError('22P04', 'unterminated CSV quoted field');
}

function tooLong(): PhantomError {
  return new PhantomError('54000', `a record of COPY is longer than ${RECORD_BYTES_MAX} bytes`, {
    data: { recordBytesMax: RECORD_BYTES_MAX },
  });
}
