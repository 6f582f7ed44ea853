/** The cursor of a view whose layers are exchanged under it. */
import {
  type ByteSlot,
  BatchReader,
  CursorBatch,
  EngineCode,
  type KeyRange,
  WriteBatch,
  makeSpaceId,
  writeSpace,
} from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { Delta, MergingCursor, ViewCursor } from '../src/index.js';

const EVERYTHING: KeyRange = { lower: new Uint8Array(0), upper: undefined };

function numbered(i: number): Uint8Array {
  const key = new Uint8Array(5);
  writeSpace(key, 0, makeSpaceId(EngineCode.Lsm, 1));
  key[4] = i;
  return key;
}

function deltaOf(count: number): Delta {
  const batch = new WriteBatch();
  for (let i = 0; i < count; i++) batch.put(numbered(i), 0, 5, Uint8Array.of(i), 0, 1);
  const delta = new Delta();
  delta.apply(new BatchReader().setBatch(batch.finish()), 1, Number.POSITIVE_INFINITY, EngineCode.Lsm);
  return delta;
}

describe('the cursor of a view', () => {
  it('goes on from where it stands when its layers are exchanged, in both directions', () => {
    const view = {
      exchanges: 0,
      delta: deltaOf(9),
      openCursor(range: KeyRange, key: ByteSlot, value: ByteSlot): MergingCursor {
        return new MergingCursor([{ cursor: this.delta.cursor(range, 1), hidden: undefined }], key, value);
      },
    };
    const exchange = (): void => {
      view.delta = deltaOf(9);
      view.exchanges++;
    };
    const cursor = new ViewCursor(view, EVERYTHING);
    const shown = (): number => cursor.value.buffer[cursor.value.start] as number;
    for (let i = 0; i < 9; i++) {
      expect([cursor.next(), shown()]).toEqual([true, i]);
      exchange();
    }
    expect([cursor.next(), cursor.next(), cursor.fill(new CursorBatch(2))]).toEqual([false, false, 0]);
    exchange();
    for (let i = 8; i >= 0; i--) {
      expect([cursor.prev(), shown()]).toEqual([true, i]);
      exchange();
    }
    expect([cursor.prev(), cursor.prev()]).toEqual([false, false]);
    exchange();
    expect([cursor.seek(numbered(3), 0, 5), shown()]).toEqual([true, 3]);
    expect([cursor.seekBefore(numbered(3), 0, 5), shown()]).toEqual([true, 2]);
    expect(cursor.seekBefore(numbered(0), 0, 5)).toBe(false);
    expect(cursor.seek(numbered(9), 0, 5)).toBe(false);
    cursor.seek(numbered(6), 0, 5);
    exchange();
    const batch = new CursorBatch(8);
    let filled = 0;
    while (cursor.fill(batch) > 0) filled += batch.count;
    expect(filled).toBe(2);
    cursor.close();
    expect(cursor.next()).toBe(false);
  });
});
