import { PhantomError, Random, toHex } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ARENA_BYTES_MAX,
  BATCH_BYTES_MAX,
  BATCH_HEADER_BYTES,
  BatchReader,
  EngineCode,
  NONE,
  OperationKind,
  type ValueSource,
  WriteBatch,
  makeSpaceId,
  writeSpace,
} from '../src/index.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function keyIn(engine: EngineCode, ...rest: number[]): Uint8Array {
  const key = new Uint8Array(4 + rest.length);
  writeSpace(key, 0, makeSpaceId(engine, 1));
  key.set(rest, 4);
  return key;
}

/** Every operation as text. */
function operationsOf(batch: Uint8Array, start = 0, end: number = batch.length): string[] {
  const reader = new BatchReader().setBatch(batch, start, end);
  const found: string[] = [];
  while (reader.next()) {
    const key = toHex(reader.bytes, reader.keyStart, reader.keyEnd);
    const value = toHex(reader.bytes, reader.valueStart, reader.valueEnd);
    found.push(`${reader.kind} ${key} ${value}`);
    expect(reader.position).toBe(found.length);
  }
  expect(found).toHaveLength(reader.count);
  return found;
}

/** The notes on the operations, in their order; undefined for none. */
function notesOf(batch: Uint8Array): (string | undefined)[] {
  const reader = new BatchReader().setBatch(batch);
  const notes: (string | undefined)[] = [];
  while (reader.next()) {
    const { noteStart, noteEnd } = reader;
    notes.push(noteStart === noteEnd ? undefined : toHex(batch, noteStart, noteEnd));
  }
  return notes;
}

const operation = fc.record({
  kind: fc.constantFrom(OperationKind.Put, OperationKind.Remove, OperationKind.RemoveRange),
  engine: fc.constantFrom(EngineCode.Memory, EngineCode.Btree, EngineCode.Lsm),
  key: fc.uint8Array({ maxLength: 300 }),
  value: fc.uint8Array({ maxLength: 20_000 }),
});

/** What would write this value. */
const sourceOf = (value: Uint8Array): ValueSource => ({ writeValue: (writer) => writer.bytes(value) });

describe('a put whose value is written in place', () => {
  it('leaves the bytes that a put of the value leaves, however long the value before it was', () => {
    const sizes = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384, 100_000));
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 12 }), (lengths) => {
        const inPlace = new WriteBatch();
        const copied = new WriteBatch();
        for (const [i, length] of lengths.entries()) {
          const key = keyIn(EngineCode.Lsm, i);
          const value = new Uint8Array(length).fill(i + 1);
          const at = inPlace.putFrom(key, 0, key.length, sourceOf(value), BATCH_BYTES_MAX);
          expect(at).toBe(copied.put(key, 0, key.length, value, 0, value.length));
        }
        expect(Buffer.compare(inPlace.finish(), copied.finish())).toBe(0);
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  it('leaves nothing when there is no room for it, or when its source throws', () => {
    const batch = new WriteBatch();
    const first = keyIn(EngineCode.Btree, 1);
    const second = keyIn(EngineCode.Lsm, 2);
    batch.put(first, 0, first.length, bytes(1, 2), 0, 2);
    const before = toHex(batch.finish());
    expect(batch.putFrom(second, 0, second.length, sourceOf(new Uint8Array(200)), batch.bytes + 200)).toBe(NONE);
    expect(toHex(batch.finish())).toBe(before);
    const broken: ValueSource = {
      writeValue(writer) {
        writer.u32(7);
        throw new Error('no value');
      },
    };
    expect(() => batch.putFrom(second, 0, second.length, broken, BATCH_BYTES_MAX)).toThrow('no value');
    expect(toHex(batch.finish())).toBe(before);
    expect(batch.usesReserve).toBe(false);
  });
});

describe('notes', () => {
  it('stand before what they are about, and are no operations', () => {
    const batch = new WriteBatch();
    const key = keyIn(EngineCode.Btree, 0x61);
    batch.put(key, 0, 5, bytes(1), 0, 1, bytes(0xaa, 0xbb));
    const mark = batch.mark();
    const offset = batch.remove(key, 0, 5, bytes(0xcc));
    batch.put(key, 0, 5, bytes(2), 0, 1);
    const finished = batch.finish();
    expect(toHex(finished, 8, 21)).toBe('0402aabb' + '0105100000016101' + '01');
    expect([batch.count, notesOf(finished)]).toEqual([3, ['aabb', 'cc', undefined]]);
    expect(operationsOf(finished)).toEqual(['1 1000000161 01', '2 1000000161 ', '1 1000000161 02']);
    const reader = new BatchReader();
    reader.readAt(finished, offset, finished.length);
    expect([reader.kind, reader.noteStart === reader.noteEnd]).toEqual([OperationKind.Remove, true]);
    batch.truncate(mark);
    expect(notesOf(batch.finish())).toEqual(['aabb']);
  });

  it('are refused where nothing follows them, or another', () => {
    const batch = new WriteBatch();
    batch.remove(keyIn(EngineCode.Btree, 0x61), 0, 5, bytes(0xaa));
    const whole = Array.from(batch.finish());
    const [header, note, operation] = [whole.slice(0, 8), whole.slice(8, 11), whole.slice(11)];
    for (const broken of [
      [...header, ...note],
      [...header, ...note, ...note, ...operation],
      [...header, 4, 200, 1, ...operation],
      [...header, ...operation, ...note],
      [...header, 4],
    ]) {
      expect(() => operationsOf(Uint8Array.from(broken))).toThrow(PhantomError);
    }
  });
});

describe('WriteBatch', () => {
  it('lays its bytes out as the format says', () => {
    const batch = new WriteBatch();
    const key = keyIn(EngineCode.Btree, 0x61);
    batch.put(key, 0, 5, bytes(1, 2, 3), 1, 3);
    batch.remove(keyIn(EngineCode.Lsm, 0x62), 0, 5);
    batch.removeRange(key, keyIn(EngineCode.Btree, 0x63));
    expect(toHex(batch.finish())).toBe(
      '0106000003000000' + '01051000000161020203' + '02052000000162' + '03051000000161051000000163',
    );
    expect(batch.count).toBe(3);
    expect(batch.bytes).toBe(38);
    expect(batch.usesReserve).toBe(false);
    expect(batch.engines).toBe((1 << EngineCode.Btree) | (1 << EngineCode.Lsm));
  });

  it('reads back what was written', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), fc.nat({ max: 40 }), (operations, offset) => {
        const batch = new WriteBatch();
        const expected: string[] = [];
        for (const { kind, engine, key: rest, value } of operations) {
          const key = keyIn(engine, ...rest);
          if (kind === OperationKind.Put) batch.put(key, 0, key.length, value, 0, value.length);
          else if (kind === OperationKind.Remove) batch.remove(key, 0, key.length);
          else batch.removeRange(key, value);
          expected.push(`${kind} ${toHex(key)} ${kind === OperationKind.Remove ? '' : toHex(value)}`);
        }
        const around = new Uint8Array(batch.bytes + offset + 7).fill(0xff);
        around.set(batch.finish(), offset);
        expect(operationsOf(around, offset, offset + batch.bytes)).toEqual(expected);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('goes back to any mark', () => {
    const random = new Random(2);
    const batch = new WriteBatch();
    for (let round = 0; round < 30; round++) {
      const mark = batch.mark();
      const removedOnly = batch.usesReserve;
      const before = toHex(batch.finish());
      for (let i = random.below(20); i > 0; i--) {
        const key = keyIn(random.chance(0.5) ? EngineCode.Btree : EngineCode.Lsm, random.below(256));
        batch.put(key, 0, key.length, random.bytes(random.below(300)), 0, 0);
      }
      if (random.chance(0.5)) continue;
      batch.truncate(mark);
      expect(toHex(batch.finish())).toBe(before);
      expect(batch.usesReserve).toBe(removedOnly);
    }
    const late = batch.mark();
    batch.reset();
    expect(batch.bytes).toBe(BATCH_HEADER_BYTES);
    expect(operationsOf(batch.finish())).toEqual([]);
    expect(() => batch.truncate({ ...late, length: 1_000_000 })).toThrow('earlier mark');
  });

  it('tells where an operation is', () => {
    const batch = new WriteBatch();
    const key = keyIn(EngineCode.Btree, 1);
    const first = batch.put(key, 0, key.length, bytes(7), 0, 1);
    const second = batch.remove(key, 0, key.length);
    const reader = new BatchReader();
    reader.readAt(batch.buffer, first, batch.bytes);
    expect([reader.kind, reader.operation, reader.valueEnd - reader.valueStart]).toEqual([OperationKind.Put, first, 1]);
    reader.readAt(batch.buffer, second, batch.bytes);
    expect([reader.kind, reader.keyEnd - reader.keyStart]).toEqual([OperationKind.Remove, 5]);
  });
});

describe('BatchReader', () => {
  it('can be rewound and tells its length', () => {
    const batch = new WriteBatch();
    batch.remove(keyIn(EngineCode.Btree, 1), 0, 5);
    const reader = new BatchReader().setBatch(batch.finish());
    expect([reader.next(), reader.next(), reader.next()]).toEqual([true, false, false]);
    reader.rewind();
    expect(reader.next()).toBe(true);
    expect([reader.length, reader.base]).toEqual([15, 0]);
  });

  it.each([
    ['a short header', bytes(1, 2, 0, 0, 0, 0, 0)],
    ['a foreign format', bytes(2, 2, 0, 0, 0, 0, 0, 0)],
    ['reserved bytes in use', bytes(1, 2, 1, 0, 0, 0, 0, 0)],
    ['bytes behind the last operation', bytes(1, 2, 0, 0, 0, 0, 0, 0, 1)],
    ['fewer operations than counted', bytes(1, 2, 0, 0, 1, 0, 0, 0)],
    ['an unknown operation', bytes(1, 2, 0, 0, 1, 0, 0, 0, 9, 4, 16, 0, 0, 1)],
    ['a key past the end', bytes(1, 2, 0, 0, 1, 0, 0, 0, 2, 5, 16, 0, 0, 1)],
    ['an empty key', bytes(1, 2, 0, 0, 1, 0, 0, 0, 2, 0)],
    ['a key length without an end', bytes(1, 2, 0, 0, 1, 0, 0, 0, 2, 0x80, 0x80)],
    ['a key length written too long', bytes(1, 2, 0, 0, 1, 0, 0, 0, 2, 0x84, 0, 16, 0, 0, 1)],
    ['a value length written too long', bytes(1, 2, 0, 0, 1, 0, 0, 0, 1, 4, 16, 0, 0, 1, 0x80, 0)],
    ['a value past the end', bytes(1, 2, 0, 0, 1, 0, 0, 0, 1, 4, 16, 0, 0, 1, 2, 7)],
    ['an engine that the header does not name', bytes(1, 2, 0, 0, 1, 0, 0, 0, 2, 4, 32, 0, 0, 1)],
  ])('refuses %s', (_name, broken) => {
    expect(() => operationsOf(broken)).toThrow(PhantomError);
  });

  it('ends in operations or a corruption error whatever it is given', () => {
    const batch = new WriteBatch();
    for (let i = 0; i < 5; i++) {
      const key = keyIn(EngineCode.Btree, i);
      batch.put(key, 0, key.length, key, 0, i);
      batch.removeRange(key, keyIn(EngineCode.Btree, i + 1));
    }
    const whole = batch.finish().slice();
    const outcome = (broken: Uint8Array): unknown => {
      try {
        return operationsOf(broken).length;
      } catch (error) {
        return error instanceof PhantomError && error.family === 'corruption' ? error.code : error;
      }
    };
    const isFine = (found: unknown): boolean => typeof found === 'number' || found === 'XX001';
    expect(isFine(outcome(whole))).toBe(true);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, length) => {
        const broken = whole.slice(0, length);
        if (at < length) broken[at] = byte;
        return isFine(outcome(broken));
      }),
      { seed: 3, numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        return isFine(outcome(Uint8Array.of(1, 7, 0, 0, noise.length & 3, 0, 0, 0, ...noise)));
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});

describe('the largest batch', () => {
  it('is what a log record holds, and fits into the arena of a delta that it has for itself', () => {
    expect(BATCH_BYTES_MAX).toBe(1024 * 1024 * 1024);
    // An arena has keys and values; the batch has the same bytes and more.
    expect(BATCH_BYTES_MAX).toBeLessThan(ARENA_BYTES_MAX);
  });
});
