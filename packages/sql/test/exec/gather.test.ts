/** When the thread that gathers takes a partition itself, while other threads are at work. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PartitionReads } from '../../src/exec/runtime.js';
import type { SqlSession } from '../../src/index.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { planQuery, readContext, runStatement } from './answers.js';

/** Another thread that gets on, or does not, as told, and never sends anything. */
class SlowReads implements PartitionReads {
  readonly threads = 1;
  readonly work = [];
  isReading = true;
  slices = 0;
  claimed = 0;
  /** Called with each claim. */
  onClaim = (): void => undefined;
  private readonly partitions: number;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  claim(): number | undefined {
    this.onClaim();
    return this.claimed < this.partitions ? this.claimed++ : undefined;
  }

  take(): undefined {
    return undefined;
  }

  wait(): Promise<void> {
    return new Promise(() => undefined);
  }

  close(): void {
    this.isReading = false;
  }
}

let engine: TestEngine;
let session: SqlSession;

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
  await runStatement(session, 'create table t (id int primary key, g int)');
  await runStatement(session, 'insert into t select i, i % 5 from generate_series(1, 6600) i');
  await runStatement(session, 'analyze');
  await runStatement(session, 'set parallel_setup_cost = 0');
});
afterAll(() => engine.close());
afterEach(() => vi.useRealTimers());

/** An execution beside another thread; `others` is there from the first step on. */
function begin(): {
  readonly next: () => IteratorResult<unknown, number>;
  readonly others: () => SlowReads;
  readonly othersBegin: () => void;
} {
  const plan = planQuery(session, 'select g, count(*) from t group by g');
  let reads: SlowReads | undefined;
  const context = {
    ...readContext(engine, session),
    beginPartitions: (partitions: readonly unknown[]) => (reads = new SlowReads(partitions.length)),
  };
  const execution = plan.execute(context, { batchRowsMax: 100, rows: () => false });
  return {
    next: () => {
      context.slice.restart();
      return execution.next();
    },
    others: () => reads as SlowReads,
    othersBegin: () => void context.counters.executions++,
  };
}

describe('a gathering thread', () => {
  it('takes partitions after a turn in which nobody has come', () => {
    const { next, others } = begin();
    expect(next().value).toBeUndefined();
    expect(others().claimed).toBe(0);
    let step = next();
    while (step.value === undefined) step = next();
    expect(others().claimed).toBeGreaterThan(1);
  });

  it('leaves them to other threads while somebody comes and those get on, and takes one when they hardly do', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { next, others, othersBegin } = begin();
    next();
    othersBegin();
    others().onClaim = othersBegin;
    const waiting = next().value as Promise<void>;
    let isOver = false;
    void waiting.then(() => (isOver = true));
    for (let i = 0; i < 3; i++) {
      others().slices += 20;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect([isOver, others().claimed]).toEqual([false, 0]);
    others().slices += 2;
    await vi.advanceTimersByTimeAsync(100);
    await waiting;
    let step = next();
    while (step.value === undefined) step = next();
    expect(step.value).toBeInstanceOf(Promise);
    expect(others().claimed).toBe(1);
  });
});
