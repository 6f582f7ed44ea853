/**
 * Rows of COPY FROM in the text format and CSV.
 *
 * Records of the text format without a backslash, nearly all there are, take a road of their own: fields are found in the text
 * of the piece, and integers read where they stand, without a string for the record, an array of its fields or a string for
 * each of those. Where all of a piece is ASCII bytes and characters have the same offsets and lengths: then fields are walked
 * through in the bytes, which costs half, and texts that are only stored go from there to the row.
 */
import { PhantomError } from '@phantom/base';
import { PLAIN_DIGITS_MAX } from '../types/integer-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { TypeContext, Value } from '../types/type.js';
import { type ForcedNulls, csvFields, textFields } from './copy-fields.js';
import { CopyLines } from './copy-lines.js';
import type { CopySettings } from './copy-options.js';
import type { CopyColumn, RowReader } from './copy-rows.js';
import { type PlainText, plainText } from './plain-texts.js';

/** Characters of a value or line that an error shows. */
const SHOWN_CHARACTERS = 100;
/** Characters of a field that are looked at one by one before the rest of it is searched. */
const WALKED_CHARACTERS = 16;
const ZERO = 48;
const MINUS = 45;
/** Integers up to these, of either sign, are in range of their types and safe. */
const INTEGERS_MAX: ReadonlyMap<number, number> = new Map([
  [TypeOid.int2, 32_767],
  [TypeOid.int4, 2_147_483_647],
  [TypeOid.int8, Number.MAX_SAFE_INTEGER],
]);

/** Reads the text format and CSV. */
export class TextRows implements RowReader {
  private readonly table: string;
  private readonly columns: readonly CopyColumn[];
  private readonly settings: CopySettings;
  private readonly forced: ForcedNulls;
  private readonly context: TypeContext;
  private readonly lines: CopyLines;
  private readonly fields: (string | null)[] = [];
  /** For each column of integers the largest that needs no second look, 0 for others. */
  private readonly integersMax: readonly number[];
  /** For each column what takes its texts as bytes; undefined where they are values. */
  private readonly texts: readonly (PlainText | undefined)[];
  /** NULL in a record without a backslash; undefined where there can be none. */
  private readonly plainNull: string | undefined;
  private readonly delimiterCode: number;
  private headerDue: boolean;
  /** Where the field ends that was read last. */
  private fieldStop = 0;

  constructor(
    table: string,
    columns: readonly CopyColumn[],
    settings: CopySettings,
    forced: ForcedNulls,
    context: TypeContext,
  ) {
    this.table = table;
    this.columns = columns;
    this.settings = settings;
    this.forced = forced;
    this.context = context;
    this.lines = new CopyLines({ quotes: settings.format === 'csv' ? settings : undefined });
    const { nullText } = settings;
    this.plainNull = nullText.includes('\\') ? undefined : nullText;
    // Digits may stand for NULL.
    const areIntegers = !/\d/.test(nullText);
    this.integersMax = columns.map(({ type }) => (areIntegers ? (INTEGERS_MAX.get(type.oid) ?? 0) : 0));
    this.texts = columns.map(plainText);
    this.delimiterCode = settings.delimiter.charCodeAt(0);
    this.headerDue = settings.header !== 'none';
  }

  get ended(): boolean {
    return this.lines.ended;
  }

  push(piece: Uint8Array): void {
    this.guarded(() => this.lines.push(piece));
  }

  finish(): void {
    this.guarded(() => this.lines.finish());
  }

  next(into: Value[]): boolean {
    if (!this.nextRecord()) return false;
    if (this.headerDue) {
      this.headerDue = false;
      if (this.settings.header === 'match') this.matchHeader();
      if (!this.nextRecord()) return false;
    }
    if (!this.lines.recordIsSpecial && this.settings.format === 'text') {
      this.readPlain(into);
      return true;
    }
    this.split();
    const { fields, columns } = this;
    const width = columns.length;
    if (fields.length > width) this.refuseRest();
    if (fields.length < width) throw this.missingData(fields.length);
    for (let i = 0; i < width; i++) {
      const field = fields[i] as string | null;
      into[i] = field === null ? null : this.value(field, columns[i] as CopyColumn);
    }
    return true;
  }

  place(): string {
    return `COPY ${this.table}, line ${this.lines.line}`;
  }

  private nextRecord(): boolean {
    try {
      return this.lines.next();
    } catch (error) {
      throw this.onNextLine(error);
    }
  }

  /** The fields of a record of the text format that holds no backslash. */
  private readPlain(into: Value[]): void {
    const { columns, integersMax, plainNull, texts } = this;
    const { recordText: text, recordEnd: end, recordBytes, mayHoldZero } = this.lines;
    const bytes = mayHoldZero ? undefined : recordBytes;
    const last = columns.length - 1;
    let start = this.lines.recordStart;
    for (let i = 0; i <= last; i++) {
      if (start > end) throw this.missingData(i);
      const max = integersMax[i] as number;
      const integer =
        bytes === undefined ? this.integerAt(text, start, end, max) : this.integerIn(bytes, start, end, max);
      if (Number.isNaN(integer)) {
        const stop = (this.fieldStop = this.fieldEnd(text, bytes, start, end, i === last));
        const mayBeNull = plainNull !== undefined && plainNull.length === stop - start;
        const taken = bytes === undefined || mayBeNull ? undefined : texts[i]?.(bytes, start, stop);
        if (taken === undefined) {
          const field = text.slice(start, stop);
          into[i] = field === plainNull ? null : this.value(field, columns[i] as CopyColumn);
        } else into[i] = taken;
      } else into[i] = integer;
      start = this.fieldStop + 1;
    }
    if (start <= end) this.refuseRest();
  }

  /** As integerAt, in bytes. */
  private integerIn(bytes: Uint8Array, start: number, end: number, max: number): number {
    if (max === 0) return Number.NaN;
    const isNegative = start < end && bytes[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    let value = 0;
    let at = first;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const isWhole = at > first && at - first <= PLAIN_DIGITS_MAX;
    if (!isWhole || value > max || (at < end && bytes[at] !== this.delimiterCode)) return Number.NaN;
    this.fieldStop = at;
    return isNegative && value !== 0 ? -value : value;
  }

  /** The integer that is all of the field at `start`, which then ends at `fieldStop`; NaN where the type of the column has to look. */
  private integerAt(text: string, start: number, end: number, max: number): number {
    if (max === 0) return Number.NaN;
    const isNegative = start < end && text.charCodeAt(start) === MINUS;
    const first = isNegative ? start + 1 : start;
    let value = 0;
    let at = first;
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const isWhole = at > first && at - first <= PLAIN_DIGITS_MAX;
    if (!isWhole || value > max || (at < end && text.charCodeAt(at) !== this.delimiterCode)) return Number.NaN;
    this.fieldStop = at;
    return isNegative && value !== 0 ? -value : value;
  }

  /** Where the field ends that begins at `start`: short ones are walked through, since a search costs as much as twenty characters. */
  private fieldEnd(text: string, bytes: Uint8Array | undefined, start: number, end: number, isLast: boolean): number {
    const { delimiterCode } = this;
    const { delimiter } = this.settings;
    const walked = Math.min(end, start + WALKED_CHARACTERS);
    let stop = start;
    if (bytes === undefined) while (stop < walked && text.charCodeAt(stop) !== delimiterCode) stop++;
    else while (stop < walked && bytes[stop] !== delimiterCode) stop++;
    if (stop < walked || stop === end) return stop;
    // Behind the last field the next one stands in the next record; where each has but one there is none as far as the piece goes.
    const isOnly = isLast && this.columns.length === 1;
    const found = isOnly ? text.slice(stop, end).indexOf(delimiter) : text.indexOf(delimiter, stop);
    if (found < 0) return end;
    return isOnly ? stop + found : Math.min(found, end);
  }

  private split(): void {
    const { lines, settings, fields } = this;
    if (settings.format === 'csv') csvFields(lines.record, lines.recordIsSpecial, settings, this.forced, fields);
    else this.guarded(() => textFields(lines.record, lines.recordIsSpecial, settings, fields));
  }

  private value(field: string, { type, typmod, name }: CopyColumn): Value {
    try {
      if (this.lines.mayHoldZero && field.includes('\0'))
        throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
      return type.input(field, typmod, this.context);
    } catch (error) {
      if (!(error instanceof PhantomError)) throw error;
      throw error.with({ where: `${this.place()}, column ${name}: "${shown(field)}"` });
    }
  }

  private matchHeader(): void {
    this.split();
    const { fields, columns } = this;
    if (fields.length !== columns.length) {
      throw this.bad(`wrong number of fields in header line: got ${fields.length}, expected ${columns.length}`);
    }
    columns.forEach(({ name }, i) => {
      const field = fields[i] as string | null;
      if (field === name) return;
      const got = field === null ? `null value ("${this.settings.nullText}")` : `"${field}"`;
      throw this.bad(`column name mismatch in header line field ${i + 1}: got ${got}, expected "${name}"`);
    });
  }

  /** There is more in the record than there are columns. */
  private refuseRest(): void {
    // A table without columns is copied as empty lines.
    if (this.columns.length === 0 && this.lines.record === '') return;
    throw this.bad('extra data after last expected column');
  }

  private missingData(column: number): PhantomError {
    return this.bad(`missing data for column "${(this.columns[column] as CopyColumn).name}"`);
  }

  private bad(message: string): PhantomError {
    return new PhantomError('22P04', message, { where: `${this.place()}: "${shown(this.lines.record)}"` });
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw this.onNextLine(error);
    }
  }

  private onNextLine(error: unknown): unknown {
    if (!(error instanceof PhantomError)) return error;
    return error.with({ where: `COPY ${this.table}, line ${this.lines.line + 1}` });
  }
}

function shown(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}
