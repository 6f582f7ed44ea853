/** The page docs/formats/write-batch.md says enough: a reader written from it alone reads what is written, and refuses the same. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BatchReader, EngineCode, OperationKind, WriteBatch, makeSpaceId, writeSpace } from '../src/index.js';
import { readWriteBatch } from './format-reader.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const operation = fc.record({
  kind: fc.constantFrom(OperationKind.Put, OperationKind.Remove, OperationKind.RemoveRange),
  engine: fc.constantFrom(EngineCode.Memory, EngineCode.Btree, EngineCode.Lsm),
  key: fc.uint8Array({ maxLength: 200 }),
  value: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  note: fc.option(fc.uint8Array({ minLength: 1, maxLength: 20 })),
});
const batches = fc.array(operation, { minLength: 1, maxLength: 20 });
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never;

/** The batch, and its operations the way the reader tells them. */
function write(operations: readonly Operation[]): { bytes: Uint8Array; expected: string[] } {
  const batch = new WriteBatch();
  const expected = operations.map(({ kind, engine, key: rest, value, note }) => {
    const key = new Uint8Array(4 + rest.length);
    writeSpace(key, 0, makeSpaceId(engine, 1));
    key.set(rest, 4);
    const told = note === null || kind === OperationKind.RemoveRange ? undefined : note;
    const text = told === undefined ? '' : ` [${hex(told)}]`;
    if (kind === OperationKind.Put) {
      batch.put(key, 0, key.length, value, 0, value.length, told);
      return `1 ${hex(key)} ${hex(value)}${text}`;
    }
    if (kind === OperationKind.Remove) {
      batch.remove(key, 0, key.length, told);
      return `2 ${hex(key)} ${text}`;
    }
    const upper = Uint8Array.from([...key, ...value]);
    batch.removeRange(key, upper);
    return `3 ${hex(key)} ${hex(upper)}`;
  });
  return { bytes: batch.finish().slice(), expected };
}

describe('a reader written from the page', () => {
  it('reads what is written', () => {
    fc.assert(
      fc.property(batches, (operations) => {
        const { bytes, expected } = write(operations);
        expect(readWriteBatch(bytes)).toEqual(expected);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('refuses what the package refuses', () => {
    const isRefused = (read: () => unknown): boolean => {
      try {
        read();
        return false;
      } catch {
        return true;
      }
    };
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (operations, place, flip) => {
        const { bytes } = write(operations);
        bytes[place % bytes.length] = (bytes[place % bytes.length] as number) ^ flip;
        const byPackage = isRefused(() => {
          const reader = new BatchReader().setBatch(bytes);
          while (reader.next());
        });
        expect(isRefused(() => readWriteBatch(bytes))).toBe(byPackage);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('reads the example of the page', () => {
    const page = readFileSync(new URL('../../../docs/formats/write-batch.md', import.meta.url), 'utf8');
    const lines = /## Example\n[^]*?```\n([^]*?)```/.exec(page)?.[1] as string;
    const bytes = lines.split('\n').map((line) => /^[0-9a-f]{2} +((?:[0-9a-f]{2} ?)+)/.exec(line)?.[1] ?? '');
    const example = new Uint8Array(Buffer.from(bytes.join('').replaceAll(' ', ''), 'hex'));
    expect(readWriteBatch(example)).toEqual(['1 1000000161 0203', '2 2000000162 ', '3 1000000161 1000000163']);
  });
});
