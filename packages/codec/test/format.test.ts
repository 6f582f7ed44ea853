/** The pages docs/formats/row.md and document.md say enough: readers written from them alone read what is written. */
import { ByteWriter } from '@phantom/base';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../src/decimal.js';
import { type DocumentValue, nodeValue } from '../src/document-reader.js';
import { defineStructure } from '../src/document-structure.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { Interval, TimeTz } from '../src/interval.js';
import { Jsonb } from '../src/jsonb.js';
import { rowCodec } from '../src/row-codec.js';
import { rowLayout } from '../src/row-layout.js';
import { StorageKind, type StorageType } from '../src/storage.js';
import { Json, SqlArray, SqlMultirange, SqlRange, SqlRecord } from '../src/value.js';
import { kinds, moods, richDocument } from './arbitraries.js';
import { floatText, readDocument, readRow } from './format-reader.js';
import { shapeOf } from './format-shapes.js';

const JSONB: StorageType = { kind: StorageKind.Jsonb };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A value the way the reader tells it. */
function textOf(value: unknown, storage: StorageType): string | null {
  if (value === null) return null;
  if (storage.kind === StorageKind.Enum) return `label ${moods.idOf(value as string)}`;
  if (storage.kind === StorageKind.Float32) return floatText(Math.fround(value as number));
  if (typeof value === 'number') return storage.kind === StorageKind.Float64 ? floatText(value) : String(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof TimeTz) return `${value.micros} west ${value.offsetSeconds}`;
  if (value instanceof Interval) return `${value.months} months ${value.days} days ${value.micros}`;
  if (value instanceof Json) return value.text;
  if (value instanceof Jsonb) return documentText(nodeValue(value.bytes, 0, value.bytes.length, 'map'));
  if (value instanceof SqlArray) {
    const lengths = value.dimensions.map((length, i) => `${length} from ${value.lowerBounds[i]}`);
    return `[${lengths.join()}: ${value.items.map((item) => textOf(item, (storage.element as never)['storage'])).join()}]`;
  }
  if (value instanceof SqlRecord)
    return `(${value.fields.map((field, i) => textOf(field, storage.record?.fields[i] as StorageType)).join()})`;
  if (value instanceof SqlMultirange)
    return `{${value.ranges.map((range) => textOf(range, storage.multirange?.range as StorageType)).join()}}`;
  if (value instanceof SqlRange) {
    const bound = storage.range?.bound as StorageType;
    const side = (end: unknown): string => (end === null ? '' : (textOf(end, bound) as string));
    if (value.empty) return 'empty';
    return `${value.lowerInclusive ? '[' : '('}${side(value.lower)},${side(value.upper)}${value.upperInclusive ? ']' : ')'}`;
  }
  return String(value);
}

function documentText(value: DocumentValue): string {
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'bigint') return `long ${value}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Decimal) return `decimal ${value.toString()}`;
  if (value instanceof Uint8Array) return `binary ${hex(value)}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uuid) return `uuid ${String(value).replaceAll('-', '')}`;
  if (value instanceof ObjectId) return `id ${String(value)}`;
  if (Array.isArray(value)) return `[${value.map(documentText).join()}]`;
  if (value === null || typeof value !== 'object') return String(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${documentText(field as DocumentValue)}`).join()}}`;
}

function rowBytes(version: number, columns: readonly StorageType[], values: readonly unknown[]): Uint8Array {
  const writer = new ByteWriter();
  rowCodec(rowLayout(version, columns)).encode(values, writer);
  return writer.take();
}

describe('a reader written from the page', () => {
  it('reads rows of every kind of value', () => {
    const columns = kinds.map(({ storage }) => storage);
    const shapes = columns.map(shapeOf);
    const rows = fc.tuple(...kinds.map(({ values }) => fc.option(values, { freq: 6 })));
    fc.assert(
      fc.property(rows, fc.nat(0x7fff), (values, version) => {
        const found = readRow(rowBytes(version, columns, values), shapes);
        expect(found.version).toBe(version);
        expect(found.values).toEqual(values.map((value, i) => textOf(value, columns[i] as StorageType)));
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  it('reads rows of more than 64 KiB', () => {
    const columns = [{ kind: StorageKind.Text }, { kind: StorageKind.Int32 }, { kind: StorageKind.Text }];
    const values = ['x'.repeat(70_000), -1, 'behind'];
    expect(readRow(rowBytes(3, columns, values), columns.map(shapeOf)).values).toEqual([values[0], '-1', 'behind']);
  });

  it('reads documents of every kind of node', () => {
    fc.assert(
      fc.property(richDocument, (value) => {
        expect(readDocument(Jsonb.ordered(value).bytes)).toBe(textOf(Jsonb.ordered(value), JSONB));
        const sorted = Jsonb.of(value);
        expect(readDocument(sorted.bytes)).toBe(textOf(sorted, JSONB));
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  it('reads the examples of the pages', () => {
    const exampleOf = (page: string): Uint8Array => {
      const text = readFileSync(new URL(`../../../docs/formats/${page}.md`, import.meta.url), 'utf8');
      const lines = /## Example\n[^]*?```\n([^]*?)```/.exec(text)?.[1] as string;
      const bytes = lines.split('\n').map((line) => line.split(/ {2,}/, 1)[0] as string);
      return new Uint8Array(Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex'));
    };
    const row = readRow(
      exampleOf('row'),
      (['int4', 'text', 'bool', 'decimal'] as const).map((kind) => ({ kind })),
    );
    expect(row).toEqual({ version: 3, values: ['7', 'ab', null, '1.50'] });
    expect(readDocument(exampleOf('document'))).toBe('{"a":1,"bb":[true]}');
  });

  it('reads the example of a structure', () => {
    const text = readFileSync(new URL('../../../docs/formats/document.md', import.meta.url), 'utf8');
    const lines = /by its structure[^]*?```\n([^]*?)\n\n([^]*?)```/.exec(text) as RegExpExecArray;
    const [structure, document] = lines.slice(1).map((part) => {
      const bytes = part.split('\n').map((line) => line.split(/ {2,}/, 1)[0] as string);
      return new Uint8Array(Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex'));
    }) as [Uint8Array, Uint8Array];
    const structures = new Map([[createHash('sha256').update(structure).digest('hex').slice(0, 16), structure]]);
    expect(readDocument(document, structures)).toBe('{"station":7,"degrees":20}');
    expect(defineStructure(structure)?.names).toEqual(['station', 'degrees']);
    expect(new Jsonb(document).plain()).toEqual({ station: 7, degrees: 20 });
  });
});
