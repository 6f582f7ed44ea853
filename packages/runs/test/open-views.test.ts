/** Views that are open: who is given which, what is kept for those to come, and which goes first when all pin too much. */
import { silentLogger } from '@phantom/base';
import { BatchReader, EngineCode, type KvCursor, type Seq, WriteBatch, makeSpaceId, writeSpace } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { Delta, type Layer, OpenViews, bytesBeside } from '../src/index.js';

/** Pins so many bytes until it is released, or told why not. */
class TestView {
  readonly seq: Seq;
  readonly layers: readonly Layer[];
  readonly bytes: number;
  reason: Error | undefined;
  private readonly forget: (view: TestView) => void;

  constructor(seq: Seq, layers: readonly Layer[], bytes: number, forget: (view: TestView) => void) {
    this.seq = seq;
    this.layers = layers;
    this.bytes = bytes;
    this.forget = forget;
  }

  get(): boolean {
    return false;
  }

  cursor(): KvCursor {
    throw new Error('nobody walks it');
  }

  exchange(): void {}

  release(): void {
    this.forget(this);
  }

  revoke(reason: Error): void {
    this.reason = reason;
    this.forget(this);
  }
}

/** Of an engine that has a delta in memory and holds files of so many bytes. */
function rig(delta: Delta): {
  views: OpenViews<TestView>;
  bounds: { applied: Seq; floor: Seq };
  files: { bytes: number };
  published: { seq: Seq | undefined };
} {
  const bounds = { applied: 0, floor: 0 };
  const published: { seq: Seq | undefined } = { seq: undefined };
  const files = { bytes: 0 };
  const forget = (view: TestView): void => views.forget(view);
  const context = { logger: silentLogger, readerOf: (seq: Seq) => `reader ${seq}`, renewViews: () => published.seq };
  const views: OpenViews<TestView> = new OpenViews(bounds, context, {
    present: (seq) => new TestView(seq, [delta], files.bytes, forget),
    again: (seq, { layers, bytes }) => new TestView(seq, layers, bytes, forget),
    pinnedBytes: (open) => [...open].reduce((sum, { bytes }) => sum + bytes, 0),
  });
  return { views, bounds, files, published };
}

/** A delta that was written to at 1, 2 and 3. */
function filled(): Delta {
  const delta = new Delta();
  const key = new Uint8Array(5);
  writeSpace(key, 0, makeSpaceId(EngineCode.Btree, 1));
  for (let seq = 1; seq <= 3; seq++) {
    const batch = new WriteBatch();
    batch.put(key, 0, key.length, key, 0, key.length);
    delta.apply(new BatchReader().setBatch(batch.finish()), seq, Number.POSITIVE_INFINITY, EngineCode.Btree);
  }
  return delta;
}

describe('open views', () => {
  it('are counted, and say at which seqs somebody looks at a delta', () => {
    const delta = filled();
    const { views, bounds } = rig(delta);
    bounds.applied = 3;
    expect([views.count, views.oldestSeq(3), views.seqsOf(delta)]).toEqual([0, 3, [0]]);
    const first = views.open(1);
    const second = views.open(2);
    views.open(3);
    expect([views.count, views.oldestSeq(9), views.seqsOf(delta)]).toEqual([3, 1, [1, 2]]);
    expect(views.seqsOf(filled())).toEqual([]);
    expect([...views].map(({ seq }) => seq)).toEqual([1, 2, 3]);
    second.release();
    expect([views.count, views.seqsOf(delta)]).toEqual([2, [1]]);
    expect(() => views.open(2)).toThrow('between the last published and the applied seq');
    expect(() => views.open(4)).toThrow('between the last published and the applied seq');
    first.release();
    views.close();
    expect([views.count, views.isClosed]).toEqual([0, true]);
  });

  it('show what the files held before for as long as somebody may ask for that', () => {
    const { views, bounds, files } = rig(filled());
    bounds.applied = 2;
    bounds.floor = 1;
    files.bytes = 10;
    views.keepForLaterViews(1);
    expect([...views]).toEqual([]);
    views.keepForLaterViews(2);
    files.bytes = 20;
    views.keepForLaterViews(2);
    expect([views.count, [...views].length]).toEqual([0, 1]);
    const before = views.open(1);
    expect(before.bytes).toBe(10);
    expect(views.open(2).bytes).toBe(20);
    before.release();
    expect([views.count, [...views].length]).toEqual([1, 1]);
  });

  it('keep nothing of what the files held for views of which the store says that nobody will ask for them', () => {
    const { views, bounds, published } = rig(filled());
    bounds.applied = 2;
    bounds.floor = 1;
    views.keepForLaterViews(2);
    views.renew();
    published.seq = 1;
    views.renew();
    expect([...views].length).toBe(1);
    published.seq = 2;
    views.renew();
    expect([...views]).toEqual([]);
    expect(() => views.open(1)).toThrow('between the last published and the applied seq');
    published.seq = 1;
    views.renew();
    expect(bounds.floor).toBe(2);
  });

  it('lose their files when they pin too much, the oldest first, the present never', () => {
    const { views, bounds, files } = rig(filled());
    views.limitPinned(0);
    bounds.applied = 3;
    files.bytes = 10;
    const [first, second, third] = [views.open(1), views.open(2), views.open(3)];
    views.limitPinned(30);
    expect(views.count).toBe(3);
    views.limitPinned(20);
    expect(first.reason).toMatchObject({ code: '72000', data: { reader: 'reader 1' } });
    views.limitPinned(5);
    expect(second.reason).toMatchObject({ code: '72000' });
    expect([third.reason, views.count, views.pinnedBytes()]).toEqual([undefined, 1, 10]);
    expect(bytesBeside(new Set(), [filled()])).toBe(0);
  });
});
