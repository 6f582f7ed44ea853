/** What COPY TO writes, COPY FROM reads back: any values, any options, cut into any pieces. */
import { ByteWriter, type PhantomError } from '@phantom/base';
import { TextBytes } from '@phantom/codec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CopyChannel } from '../../src/copy/copy-channel.js';
import { CopyLines } from '../../src/copy/copy-lines.js';
import type { CopySettings } from '../../src/copy/copy-options.js';
import { BinaryRows } from '../../src/copy/binary-rows.js';
import type { CopyColumn, RowReader } from '../../src/copy/copy-rows.js';
import { TextRows } from '../../src/copy/text-rows.js';
import { copyWriter } from '../../src/copy/copy-writer.js';
import { builtinTypes } from '../../src/types/builtin-types.js';
import type { SqlType, TypeContext, Value } from '../../src/types/type.js';

const typeOf = (oid: number): SqlType => builtinTypes.find((type) => type.oid === oid) as SqlType;
const text = typeOf(25);
const integers = [21, 23, 20].map((oid) => ({ name: `of ${oid}`, type: typeOf(oid), typmod: -1 }));
const context = {} as unknown as TypeContext;
const columns = ['a', 'b', 'c'].map((name) => ({ name, type: text, typmod: -1 }));

const base: CopySettings = {
  format: 'text',
  delimiter: '\t',
  nullText: '\\N',
  header: 'none',
  quote: '"',
  escape: '"',
  forceQuote: [],
  forceNotNull: [],
  forceNull: [],
  encoding: undefined,
  freeze: false,
};
const csv: CopySettings = { ...base, format: 'csv', delimiter: ',', nullText: '' };

function written(rows: readonly (readonly Value[])[], settings: CopySettings): Uint8Array {
  const parts: Uint8Array[] = [];
  const channel = {
    write: (data: string | Uint8Array) => parts.push(typeof data === 'string' ? Buffer.from(data) : data.slice()),
  } as unknown as CopyChannel;
  const writer = copyWriter({
    channel,
    names: ['a', 'b', 'c'],
    types: columns.map(({ type }) => type),
    forceQuote: [false, false, false],
    settings,
    context,
  });
  writer.begin();
  writer.rows({ columns: columns.map((_, c) => rows.map((row) => row[c])), count: rows.length });
  writer.end();
  return Buffer.concat(parts);
}

function read(reader: RowReader, bytes: Uint8Array, cuts: readonly number[]): Value[][] {
  const rows: Value[][] = [];
  const row: Value[] = [];
  const drain = (): void => {
    while (reader.next(row)) rows.push(row.slice());
  };
  let at = 0;
  for (const cut of cuts.map((fraction) => Math.floor(fraction * bytes.length)).toSorted((x, y) => x - y)) {
    reader.push(bytes.subarray(at, cut));
    drain();
    at = cut;
  }
  reader.push(bytes.subarray(at));
  drain();
  reader.finish();
  drain();
  return rows;
}

const value = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.string({
      unit: fc.constantFrom('a', '\\', '"', '\n', '\r', ',', '\t', '|', 'ö', '🙂', '.', 'N', ''),
      maxLength: 6,
    }),
  },
);
const rowsOf = fc.array(fc.tuple(value, value, value), { maxLength: 6 });
const cutsOf = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });

/** What becomes of a field, as text: a value, or the code of an error. */
function outcomeOf(work: () => Value): string {
  try {
    const value = work();
    return `${typeof value} ${String(value)} ${Object.is(value, -0)}`;
  } catch (error) {
    return (error as PhantomError).code;
  }
}

describe('texts that are only stored', () => {
  const types = [
    { type: text, typmod: -1 },
    { type: typeOf(1043), typmod: 4 + 3 },
    { type: typeOf(1042), typmod: 4 + 3 },
  ];
  const columnsOf = (isOnlyStored: boolean): CopyColumn[] =>
    types.map((type, i) => ({ name: `c${i}`, ...type, isOnlyStored }));
  const field = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'ö', '\\', 'N', '\0'), maxLength: 4 });
  const record = fc.tuple(field, field, field).map((fields) => `${fields.join('\t')}\n`);
  const settingsOf = fc.constantFrom(base, { ...base, nullText: 'aa' });
  /** Rows until the data ends or is refused, and how it is refused. */
  const outcome = (
    isOnlyStored: boolean,
    bytes: Uint8Array,
    cuts: readonly number[],
    settings: CopySettings,
  ): unknown[] => {
    const reader = new TextRows('t', columnsOf(isOnlyStored), settings, { notNull: [], null: [] }, context);
    const rows: unknown[] = [];
    const taking: Pick<RowReader, keyof RowReader> = {
      push: (piece) => reader.push(piece),
      finish: () => reader.finish(),
      ended: false,
      place: () => reader.place(),
      next(into) {
        if (!reader.next(into)) return false;
        rows.push(into.map((value) => (value instanceof TextBytes ? asStored(value) : value)));
        return true;
      },
    };
    try {
      read(taking, bytes, cuts);
    } catch (error) {
      rows.push((error as PhantomError).code, (error as PhantomError).where);
    }
    return rows;
  };
  const asStored = (value: TextBytes): string => {
    const writer = new ByteWriter();
    value.append(writer);
    expect(writer.view().toString()).toBe(Uint8Array.from(Buffer.from(value.text)).toString());
    return value.text;
  };

  it('are what they are as values, in any pieces', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 6 }), cutsOf, settingsOf, (records, cuts, settings) => {
        const bytes = Buffer.from(records.join(''));
        expect(outcome(true, bytes, cuts, settings)).toEqual(outcome(false, bytes, cuts, settings));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('are taken as bytes where all of a piece is ASCII', () => {
    const reader = new TextRows('t', columnsOf(true), base, { notNull: [], null: [] }, context);
    const row: Value[] = [];
    reader.push(Buffer.from('one\ttwo\t3\nfour\tfiv\tsix\n'));
    expect([reader.next(row), ...row.map((value) => (value as TextBytes).text)]).toEqual([true, 'one', 'two', '3  ']);
    expect([reader.next(row), ...row.map((value) => (value as TextBytes).text)]).toEqual([true, 'four', 'fiv', 'six']);
  });
});

describe('integers of the text format', () => {
  const near = [21, 23, 20].flatMap((oid) => {
    const limit = 2n ** BigInt({ 21: 15, 23: 31, 20: 63 }[oid] as number);
    return [-1n, 0n, 1n].flatMap((step) => [limit + step, -limit - step]);
  });
  const field = fc.oneof(
    fc.constantFrom(...near.map(String), '-', '', ' 7 ', '+7', '007', '-0', '1.5', '999999999999999', '1e3'),
    fc.string({ unit: fc.constantFrom('0', '1', '9', '-', '+', ' ', 'x'), maxLength: 20 }),
  );

  it('are what their types read, whatever stands there', () => {
    fc.assert(
      fc.property(field, (given) => {
        // What follows makes of a piece one that is read as bytes, or as text.
        for (const behind of ['', 'ö\n'])
          for (const column of integers) {
            const reader = new TextRows('t', [column], base, { notNull: [], null: [] }, context);
            reader.push(Buffer.from(`${given}\n${behind}`));
            const row: Value[] = [];
            const read = outcomeOf(() => (reader.next(row) ? row[0] : undefined));
            expect(read).toBe(outcomeOf(() => column.type.input(given, -1, context)));
          }
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it.each([
    ['1\t2', 'missing data for column "of 20"'],
    ['1\t2\t3\t4', 'extra data after last expected column'],
    ['1\t2\t3\t', 'extra data after last expected column'],
  ])('are as many as there are columns: %j', (line, message) => {
    for (const behind of ['', 'ö\n']) {
      const reader = new TextRows('t', integers, base, { notNull: [], null: [] }, context);
      reader.push(Buffer.from(`${line}\n${behind}`));
      expect(() => reader.next([])).toThrow(message);
    }
  });

  it.each([0, 15, 16, 17, 40])('are not taken for each other when they have %i characters', (length) => {
    const reader = new TextRows('t', columns.slice(0, 2), base, { notNull: [], null: [] }, context);
    const long = 'x'.repeat(length);
    const lines = [`${long}\t${long}`, `\t${long}`, long, `${long}\t${long}\t${long}`, `${long}\t${long}\t`];
    reader.push(Buffer.from(lines.map((line) => `${line}\n`).join('')));
    const row: Value[] = [];
    expect([reader.next(row), ...row]).toEqual([true, long, long]);
    expect([reader.next(row), ...row]).toEqual([true, '', long]);
    expect(() => reader.next(row)).toThrow('missing data for column "b"');
    expect(() => reader.next(row)).toThrow('extra data after last expected column');
    expect(() => reader.next(row)).toThrow('extra data after last expected column');
  });

  it('are NULL where the record says so in words of its own', () => {
    const reader = new TextRows('t', integers, { ...base, nullText: '-' }, { notNull: [], null: [] }, context);
    expect(read(reader, Buffer.from('1\t-\t-3\n'), [])).toEqual([[1, null, -3]]);
    const digits = new TextRows('t', integers, { ...base, nullText: '0' }, { notNull: [], null: [] }, context);
    expect(read(digits, Buffer.from('1\t0\t-0\n'), [])).toEqual([[1, null, 0]]);
  });
});

describe('COPY formats', () => {
  it.each([
    ['text', base],
    ['text with another delimiter and null', { ...base, delimiter: '|', nullText: 'null' }],
    ['CSV', csv],
    ['CSV with a header', { ...csv, header: 'match' as const }],
    ['CSV with an escape of its own', { ...csv, escape: '\\', delimiter: '|', nullText: 'N' }],
  ])('read back what they wrote: %s', (_name, settings) => {
    fc.assert(
      fc.property(rowsOf, cutsOf, (rows, cuts) => {
        const reader = new TextRows('t', columns, settings, { notNull: [], null: [] }, context);
        expect(read(reader, written(rows, settings), cuts)).toEqual(rows);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('read back what they wrote: binary', () => {
    fc.assert(
      fc.property(rowsOf, cutsOf, (rows, cuts) => {
        const reader = new BinaryRows('t', columns, context);
        expect(read(reader, written(rows, { ...base, format: 'binary' }), cuts)).toEqual(rows);
        expect(reader.ended).toBe(true);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it('refuse a zero byte, wherever the data is cut', () => {
    const bytes = Buffer.from('a\tb\tc\nd\te\0\tf\ng\th\ti\n');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new TextRows('t', columns, base, { notNull: [], null: [] }, context);
      expect(() => read(reader, bytes, [cut / bytes.length])).toThrow(/0x00/);
    }
  });

  it('end in rows or in an error, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const readers: (() => RowReader)[] = [
      () => new TextRows('t', columns, base, { notNull: [], null: [] }, context),
      () => new TextRows('t', columns, csv, { notNull: [true], null: [true] }, context),
      () => new BinaryRows('t', columns, context),
    ];
    fc.assert(
      fc.property(bytes, cutsOf, fc.nat({ max: 2 }), (input, cuts, which) => {
        const signed =
          which === 2 ? Buffer.concat([written([], { ...base, format: 'binary' }).slice(0, 19), input]) : input;
        try {
          read((readers[which] as () => RowReader)(), signed, cuts);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^(22P04|22021|22P03)$/);
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe('line ends', () => {
  const records = (input: string, isCsv = false): string[] => {
    const lines = new CopyLines({ quotes: isCsv ? { quote: '"', escape: '"' } : undefined });
    const found: string[] = [];
    lines.push(Buffer.from(input));
    while (lines.next()) found.push(lines.record);
    lines.finish();
    while (lines.next()) found.push(lines.record);
    return found;
  };

  it('are learned from the first one', () => {
    for (const isCsv of [false, true]) {
      expect(records('a\nb\n', isCsv)).toEqual(['a', 'b']);
      expect(records('a\r\nb\r\n', isCsv)).toEqual(['a', 'b']);
      expect(records('a\rb\r', isCsv)).toEqual(['a', 'b']);
      expect(records('a\nb', isCsv)).toEqual(['a', 'b']);
      expect(records('', isCsv)).toEqual([]);
      expect(records('a\n\\.\nb\n', isCsv)).toEqual(['a']);
    }
  });

  it('of another kind are refused, and those that belong to a value are not', () => {
    expect(() => records('a\nb\rc\n')).toThrow('literal carriage return found in data');
    expect(() => records('a\r\nb\nc\r\n')).toThrow('literal newline found in data');
    expect(() => records('a\nb\rc\n', true)).toThrow('unquoted carriage return found in data');
    expect(() => records('a\r\nb\nc\r\n', true)).toThrow('unquoted newline found in data');
    expect(() => records('a\n\\.x\n')).toThrow('end-of-copy marker corrupt');
    expect(records('a\\\nb\nc\n')).toEqual(['a\\\nb', 'c']);
    expect(records('"a\nb"\r\nc\r\n', true)).toEqual(['"a\nb"', 'c']);
    expect(() => records('"a\nb', true)).toThrow('unterminated CSV quoted field');
  });
});
