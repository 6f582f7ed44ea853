/** The suite must notice engines that break the contract: each of these breaks one rule of it. */
import { describe, expect, it } from 'vitest';
import {
  type BatchReader,
  type ByteSlot,
  EngineCode,
  type KeyRange,
  type KvCursor,
  type KvEngine,
  type KvView,
} from '../src/index.js';
import { MemoryEngine } from '../src/memory.js';
import { engineConformance } from '../src/testing/index.js';

/** Runs the suite without a test runner, up to so many failures, and returns the cases that failed with their messages. */
async function failuresOf(
  open: () => KvEngine,
  failuresMax: number = Number.POSITIVE_INFINITY,
  reopen?: (engine: KvEngine) => KvEngine,
): Promise<string[]> {
  const cases: { name: string; body: () => Promise<void> }[] = [];
  engineConformance({
    name: 'broken',
    code: EngineCode.Memory,
    open: () => Promise.resolve(open()),
    ...(reopen === undefined ? {} : { reopen: (engine: KvEngine) => Promise.resolve(reopen(engine)) }),
    describe: (_name, body) => body(),
    it: (name, body) => cases.push({ name, body }),
    seeds: [1, 2],
    mirrorSteps: 150,
  });
  const failures: string[] = [];
  for (const { name, body } of cases) {
    if (failures.length === failuresMax) break;
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failures;
}

/** Changes what a view does, one method at a time. */
function wrapView(view: KvView, change: Partial<KvView>): KvView {
  return {
    seq: view.seq,
    get: (key, start, end, value) => view.get(key, start, end, value),
    cursor: (range) => view.cursor(range),
    release: () => view.release(),
    ...change,
  };
}

function wrapCursor(cursor: KvCursor, change: Partial<KvCursor>): KvCursor {
  return {
    key: cursor.key,
    value: cursor.value,
    seek: (key, start, end) => cursor.seek(key, start, end),
    seekBefore: (key, start, end) => cursor.seekBefore(key, start, end),
    next: () => cursor.next(),
    prev: () => cursor.prev(),
    fill: (batch) => cursor.fill(batch),
    close: () => cursor.close(),
    ...change,
  };
}

function withCursor(change: (cursor: KvCursor, range: KeyRange) => Partial<KvCursor>): () => KvEngine {
  return () => {
    const engine = new MemoryEngine();
    const view = engine.view.bind(engine);
    engine.view = (seq) => {
      const inner = view(seq);
      return wrapView(inner, {
        cursor: (range) => {
          const cursor = inner.cursor(range);
          return wrapCursor(cursor, change(cursor, range));
        },
      });
    };
    return engine;
  };
}

const broken: Record<string, () => KvEngine> = {
  'shows views whatever is newest': () => {
    const engine = new MemoryEngine();
    const view = engine.view.bind(engine);
    engine.view = (seq) => {
      const inner = view(seq);
      return wrapView(inner, {
        get: (key, start, end, value) => {
          const late = view(engine.appliedSeq);
          const found = late.get(key, start, end, value);
          late.release();
          return found;
        },
      });
    };
    return engine;
  },
  'finds what is not there': () => {
    const engine = new MemoryEngine();
    const view = engine.view.bind(engine);
    engine.view = (seq) => {
      const inner = view(seq);
      return wrapView(inner, {
        get: (key: Uint8Array, start: number, end: number, value: ByteSlot) =>
          inner.get(key, start, end, value) || end === 5,
      });
    };
    return engine;
  },
  'moves its seq before the batch is complete': () => {
    const engine = new MemoryEngine();
    const apply = engine.apply.bind(engine);
    let begun = 0;
    engine.apply = (batch: BatchReader, seq: number, operationsMax: number) => {
      begun = seq;
      return apply(batch, seq, operationsMax);
    };
    Object.defineProperty(engine, 'appliedSeq', { get: () => begun });
    return engine;
  },
  'applies slices of the wrong size': () => {
    const engine = new MemoryEngine();
    const apply = engine.apply.bind(engine);
    engine.apply = (batch, seq) => apply(batch, seq, Number.POSITIVE_INFINITY);
    return engine;
  },
  'takes the spaces of others': () => {
    const engine = new MemoryEngine();
    const apply = engine.apply.bind(engine);
    engine.apply = (batch, seq, operationsMax) => {
      const { bytes, base } = batch;
      const position = batch.position;
      if (position === 0 && batch.count === 4) {
        const own = bytes.slice(base, base + batch.length);
        own[14] = 0;
        own[1] = 0xff;
        batch.setBatch(own);
      }
      return apply(batch, seq, operationsMax);
    };
    return engine;
  },
  'reports too little as flushed': () => {
    const engine = new MemoryEngine();
    engine.flushedSeq = () => 0;
    return engine;
  },
  'flushes to nowhere': () => {
    const engine = new MemoryEngine();
    engine.flush = () => Promise.resolve(engine.appliedSeq - 1);
    return engine;
  },
  'leaks reservations': () => {
    const engine = new MemoryEngine({ bytesMax: 16 * 1024 * 1024 });
    engine.unadmit = () => undefined;
    return engine;
  },
  'forgets to count views': () => {
    const engine = new MemoryEngine();
    const stats = engine.stats.bind(engine);
    engine.stats = () => ({ ...stats(), openViews: 0 });
    return engine;
  },
  'finds faults in itself': () => {
    const engine = new MemoryEngine();
    engine.check = () => [{ severity: 'corruption', file: 'nowhere', message: 'a page is upside down' }];
    return engine;
  },
  'estimates without looking': () => {
    const engine = new MemoryEngine();
    engine.estimate = () => ({ keys: 5, bytes: 5 });
    return engine;
  },
  'cuts ranges with gaps': () => {
    const engine = new MemoryEngine();
    const split = engine.split.bind(engine);
    engine.split = (range, parts) => split(range, parts).filter((_, i) => i !== 1);
    return engine;
  },
  'stops early going forward': withCursor((cursor) => {
    let left = 30;
    return { next: () => left-- > 0 && cursor.next() };
  }),
  'stops early going back': withCursor((cursor) => {
    let left = 30;
    return { prev: () => left-- > 0 && cursor.prev() };
  }),
  'walks out of its range': withCursor((cursor) => {
    const clamped = cursor.next.bind(cursor);
    return { next: () => clamped() || cursor.prev() };
  }),
  'seeks one too far': withCursor((cursor) => ({
    seek: (key, start, end) => cursor.seek(key, start, end) && cursor.next(),
  })),
  'seeks back to the key itself': withCursor((cursor) => ({
    seekBefore: (key, start, end) => cursor.seekBefore(key, start, end) && cursor.next(),
  })),
  'drops entries between batches of references': withCursor((cursor) => ({
    fill: (batch) => {
      const count = cursor.fill(batch);
      cursor.next();
      return count;
    },
  })),
};

describe('the conformance suite', () => {
  it('passes a sound engine', async () => {
    expect(await failuresOf(() => new MemoryEngine())).toEqual([]);
  });

  for (const [name, open] of Object.entries(broken)) {
    it(`notices an engine that ${name}`, async () => {
      expect(await failuresOf(open, 1)).toHaveLength(1);
    });
  }

  it('replays what an engine lost, and notices one that lost what it had flushed', async () => {
    const emptied = (): KvEngine => {
      const engine = new MemoryEngine();
      engine.flushedSeq = () => 0;
      return engine;
    };
    const failures = await failuresOf(() => new MemoryEngine(), 1, emptied);
    expect(failures.some((text) => text.startsWith('finds everything that was flushed'))).toBe(true);
    const kept = await failuresOf(
      () => new MemoryEngine(),
      1,
      (engine) => engine,
    );
    expect(kept).toEqual([]);
  });

  it('names seed and step of a mirror run that fails', async () => {
    const failures = await failuresOf(broken['stops early going forward'] as () => KvEngine);
    expect(failures.join('\n')).toMatch(/mirror run with seed 1 failed at step \d+/);
  });
});
