import { ByteWriter } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEPT, rowCodec } from '../src/row-codec.js';
import { ROW_WIDE, isNullColumn, rowLayout, rowVersion } from '../src/row-layout.js';
import { columnSource, isNullSource, readHelpers } from '../src/row-source.js';
import { isTextAmong, isTextHeadedBy, isTextOfPieces } from '../src/row-text.js';
import { StorageKind, type StorageType } from '../src/storage.js';
import { kinds } from './arbitraries.js';
import { VALUE_OR_CORRUPTION, outcome } from './outcome.js';

const columnsWithValues = fc
  .array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 })
  .chain((chosen) =>
    fc.tuple(fc.constant(chosen), fc.tuple(...chosen.map((kind) => fc.option(kind.values, { freq: 5 })))),
  );

describe('row codec', () => {
  it('gives back what was written, by compiled code and by closures alike', () => {
    fc.assert(
      fc.property(columnsWithValues, fc.nat(300), ([chosen, values], before) => {
        const layout = rowLayout(
          7,
          chosen.map((kind) => kind.storage),
        );
        const compiled = rowCodec(layout);
        const closures = rowCodec(layout, { generate: false });
        const writer = new ByteWriter();
        // Behind what is written memory holds what it may.
        writer.bytes(new Uint8Array(before + 500).fill(0xaa));
        writer.length = before;
        compiled.encode(values, writer);
        const other = new ByteWriter();
        closures.encode(values, other);
        expect(writer.take().subarray(before)).toEqual(other.take());
        const buffer = writer.take();
        expect(rowVersion(buffer, before, buffer.length)).toBe(7);
        for (const codec of [compiled, closures]) {
          const into: unknown[] = [];
          codec.decode(buffer, before, buffer.length, into);
          expect(into).toEqual(values);
          for (let i = 0; i < values.length; i++) {
            expect(codec.readColumn(buffer, before, buffer.length, i)).toEqual(values[i]);
            expect(isNullColumn(buffer, before, i)).toBe(values[i] === null);
          }
        }
      }),
      { numRuns: 120, seed: 1 },
    );
  });

  it('keeps variable columns of the row in whose place another is put, from a narrow row and from a wide one', () => {
    const rows = columnsWithValues.chain(([chosen, stored]) =>
      fc.tuple(
        fc.constant(chosen),
        fc.constant(stored),
        fc.tuple(...chosen.map((kind) => fc.option(kind.values, { freq: 5 }))),
        fc.array(fc.boolean(), { minLength: chosen.length, maxLength: chosen.length }),
        fc.constantFrom('', 'w'.repeat(70_000)),
        fc.constantFrom('', 'v'.repeat(70_000)),
      ),
    );
    fc.assert(
      fc.property(rows, ([chosen, stored, given, keeps, storedText, text]) => {
        const layout = rowLayout(3, [...chosen.map((kind) => kind.storage), { kind: StorageKind.Text }]);
        const kept = given.map((value, i) =>
          keeps[i] === true && (layout.fixedOffsets[i] as number) < 0 ? KEPT : value,
        );
        const before = new ByteWriter();
        const [over, whole] = [new ByteWriter(), new ByteWriter()];
        before.bytes(new Uint8Array(3));
        for (const codec of [rowCodec(layout), rowCodec(layout, { generate: false })]) {
          before.length = 3;
          over.reset();
          whole.reset();
          codec.encode([...stored, storedText], before);
          codec.encodeOver([...kept, text], before.buffer, 3, before.length, over);
          codec.encode([...kept.map((value, i) => (value === KEPT ? stored[i] : value)), text], whole);
          expect(Buffer.compare(over.take(), whole.take())).toBe(0);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('reads fields in place by generated text', () => {
    fc.assert(
      fc.property(columnsWithValues, ([chosen, values]) => {
        const layout = rowLayout(
          1,
          chosen.map((kind) => kind.storage),
        );
        const writer = new ByteWriter();
        rowCodec(layout).encode(values, writer);
        const names = { buffer: 'b', start: 's', end: 'e', helpers: 'h', layout: 'l' };
        for (let i = 0; i < values.length; i++) {
          const source = `${isNullSource(i, names)} ? null : ${columnSource(layout, i, names)}`;
          const read = new Function('b', 's', 'e', 'h', 'l', `return ${source}`);
          expect(read(writer.buffer, 0, writer.length, readHelpers, layout)).toEqual(values[i]);
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('finds texts among others without decoding them', () => {
    const text: StorageType = { kind: StorageKind.Text };
    const layout = rowLayout(1, [text, { kind: StorageKind.Int32 }, text]);
    const writer = new ByteWriter();
    const utf8 = (...texts: string[]): Uint8Array[] => texts.map((one) => Buffer.from(one));
    for (const long of ['', 'x'.repeat(70_000)]) {
      writer.reset();
      rowCodec(layout).encode([long, 7, 'naïve'], writer);
      const among = (index: number, texts: readonly Uint8Array[]): boolean =>
        isTextAmong(writer.buffer, 0, writer.length, index, layout, texts);
      expect(among(2, utf8('naive', 'naïve'))).toBe(true);
      expect(among(2, utf8('naïv', 'naïve '))).toBe(false);
      expect(among(0, utf8('', 'y'))).toBe(long === '');
      expect(among(0, [])).toBe(false);
      const headedBy = (index: number, heads: readonly Uint8Array[]): boolean =>
        isTextHeadedBy(writer.buffer, 0, writer.length, index, layout, heads);
      expect(headedBy(2, utf8('x', 'naï'))).toBe(true);
      expect(headedBy(2, utf8('nai', 'naïve '))).toBe(false);
      expect(headedBy(0, utf8('xx'))).toBe(long !== '');
      expect(headedBy(0, utf8(''))).toBe(true);
      const ofPieces = (index: number, ...pieces: string[]): boolean =>
        isTextOfPieces(writer.buffer, 0, writer.length, index, layout, utf8(...pieces));
      expect(ofPieces(2, 'na', 'ï', 've')).toBe(true);
      expect(ofPieces(2, '', '', '')).toBe(true);
      expect(ofPieces(2, 'naïv', 'ïve')).toBe(false);
      expect(ofPieces(2, '', 'v', 'a', '')).toBe(false);
      expect(ofPieces(0, '', 'xx', 'x')).toBe(long !== '');
      expect(ofPieces(0, 'x', 'y', '')).toBe(false);
    }
  });

  it('widens the end offsets of rows over 64 KiB', () => {
    const text: StorageType = { kind: StorageKind.Text };
    const codec = rowCodec(rowLayout(3, [text, { kind: StorageKind.Int32 }, text, text]));
    const values = ['x'.repeat(70_000), -5, null, 'é'.repeat(10)];
    const writer = new ByteWriter();
    codec.encode(values, writer);
    expect((writer.buffer[0] as number) | ((writer.buffer[1] as number) << 8)).toBe(3 | ROW_WIDE);
    expect(rowVersion(writer.buffer, 0, writer.length)).toBe(3);
    const into: unknown[] = [];
    codec.decode(writer.buffer, 0, writer.length, into);
    expect(into).toEqual(values);
  });

  it('keeps fixed columns at fixed offsets', () => {
    const layout = rowLayout(
      1,
      [StorageKind.Int32, StorageKind.Text, StorageKind.Float64, StorageKind.Text].map((kind) => ({ kind })),
    );
    expect(layout.fixedOffsets).toEqual([3, -1, 7, -1]);
    expect(layout.variableIndexes).toEqual([-1, 0, -1, 1]);
    expect(layout.endsOffset).toBe(15);
    expect(layout.narrowDataOffset).toBe(19);
  });

  it('refuses more columns than a row can have', () => {
    const columns = Array.from({ length: 1601 }, () => ({ kind: StorageKind.Int32 }));
    expect(() => rowLayout(1, columns)).toThrow(expect.objectContaining({ code: '54011' }));
  });

  it('ends in a value or a corruption error on any bytes', () => {
    const layout = rowLayout(
      1,
      kinds.map((kind) => kind.storage),
    );
    const codec = rowCodec(layout);
    const values = fc.tuple(...kinds.map((kind) => fc.option(kind.values, { freq: 6 })));
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(values, damage, fc.nat(), (row, changes, cut) => {
        const writer = new ByteWriter();
        codec.encode(row, writer);
        const bytes = writer.take();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const end = cut % 3 === 0 ? cut % bytes.length : bytes.length;
        const read = (): void => {
          rowVersion(bytes, 0, end);
          codec.decode(bytes, 0, end, []);
        };
        expect(outcome(read)).toMatch(VALUE_OR_CORRUPTION);
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
