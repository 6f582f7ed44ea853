/** The log as a layer: what it says last of a key counts, unless a bulk load may have written the key since. */
import { EngineCode, WriteBatch, isLostRange, mergeSalvaged } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { RecordKind } from '../src/format.js';
import { encodeLoads } from '../src/load-record.js';
import { LogLayer } from '../src/log-layer.js';
import { keyNamed } from './support.js';

type Record = ConstructorParameters<typeof LogLayer>[0][number];

function batch(seq: number, write: (into: WriteBatch) => void): Record {
  const made = new WriteBatch();
  write(made);
  return { seq, flags: RecordKind.Batch, payload: made.finish().slice() };
}

const put = (name: string) => (into: WriteBatch) => {
  const key = keyNamed(name);
  into.put(key, 0, key.length, key, 0, 0);
};

/** A load of both engines, over these keys of the left one. */
function load(seq: number, first: string, last: string): Record {
  const payload = encodeLoads([
    { engine: EngineCode.Btree, firstKey: keyNamed(first), lastKey: keyNamed(last), files: [] },
    { engine: EngineCode.Lsm, firstKey: keyNamed('right a'), lastKey: keyNamed('right z'), files: [] },
  ]);
  return { seq, flags: RecordKind.Load, payload };
}

function keysOf(records: readonly Record[], flushedSeq: number, isWhole: boolean): string {
  const layer = new LogLayer(records, EngineCode.Btree, flushedSeq, isWhole);
  const rows = [...mergeSalvaged([layer])];
  return rows
    .map((row) => (isLostRange(row) ? row.lower : row.key))
    .map((key) => new TextDecoder().decode(key.subarray(4)))
    .join('');
}

describe('the layer of a log', () => {
  const records = [
    batch(1, put('left b')),
    batch(2, put('left m')),
    batch(3, put('right k')),
    load(4, 'left l', 'left n'),
    batch(5, put('left c')),
  ];

  it('leaves keys to a load that came behind them, unless they are in no file yet', () => {
    expect(keysOf(records, 4, true)).toBe('bc');
    expect(keysOf(records, 1, true)).toBe('bcm');
    expect(keysOf(records, 4, false)).toBe('c');
    expect(keysOf(records.slice(2, 4), 0, true)).toBe('');
  });

  it('applies removals of ranges to what came before them in their batch, and nothing outside', () => {
    const removing = batch(6, (into) => {
      for (const name of ['left a', 'left d', 'left x']) put(name)(into);
      into.removeRange(keyNamed('left c'), keyNamed('left f'));
      put('left e')(into);
      const key = keyNamed('left b');
      into.remove(key, 0, key.length);
    });
    expect(keysOf([...records, removing], 0, true)).toBe('aemx');
    expect(keysOf([removing, load(7, 'left a', 'left d')], 7, true)).toBe('ex');
  });
});
