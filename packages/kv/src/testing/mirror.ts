/**
 * Mirror runs: random operations on an engine and on the oracle, compared at random moments. Views and cursors stay open
 * over later batches, flushes and whatever the engine does behind them. The seed is the whole input, so a failure is a
 * seed; the error names it, and the step.
 */
import { Random, toHex } from '@phantom/base';
import type { KvCursor, KvEngine } from '../engine.js';
import type { KeyRange } from '../key-range.js';
import type { EngineCode } from '../space.js';
import { EngineDriver, type OpenView, check, compareEntry } from './driver.js';
import type { ModelEntry, ModelOperation } from './model.js';

export interface MirrorOptions {
  readonly code: EngineCode;
  readonly seed: number;
  readonly steps: number;
  /** Distinct keys are about this many: few make long version chains, many make wide trees. Default 300. */
  readonly keys?: number;
  /** Values are shorter than this. Default 120. */
  readonly valueBytesMax?: number;
  readonly open: () => Promise<KvEngine>;
  /** Closes the engine without a flush and opens its files again. Left out where nothing survives. */
  readonly reopen?: ((engine: KvEngine) => Promise<KvEngine>) | undefined;
}

const VIEWS_MAX = 6;
const CURSORS_MAX = 6;

/** A cursor left open, what its range holds by the oracle, and where in that it stands. */
interface OpenCursor {
  readonly open: OpenView;
  readonly cursor: KvCursor;
  readonly expected: readonly ModelEntry[];
  /** Index into expected; -1 before the first, expected.length behind the last. */
  at: number;
  fresh: boolean;
}

/** Runs one seed to its end; throws at the first difference. Returns the number of commits. */
export async function mirrorRun(options: MirrorOptions): Promise<number> {
  const run = new MirrorRun(options, await options.open());
  let step = 0;
  try {
    for (; step < options.steps; step++) await run.step();
    return await run.finish();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`mirror run with seed ${options.seed} failed at step ${step}: ${message}`, { cause: error });
  }
}

class MirrorRun {
  private readonly options: MirrorOptions;
  private readonly driver: EngineDriver;
  private readonly random: Random;
  private readonly universe: Uint8Array[] = [];
  private readonly views: OpenView[] = [];
  private readonly cursors: OpenCursor[] = [];
  private flushing: Promise<unknown> | undefined;

  constructor(options: MirrorOptions, engine: KvEngine) {
    this.options = options;
    this.driver = new EngineDriver(engine, options.code);
    this.random = new Random(options.seed);
    const count = options.keys ?? 300;
    for (let i = 0; i < count; i++) this.universe.push(this.driver.key(this.keyText(i), 1 + this.random.below(3)));
  }

  async step(): Promise<void> {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 45) await this.commit();
    else if (dice < 55) this.openView();
    else if (dice < 60) this.releaseView();
    else if (dice < 68) this.compareView();
    else if (dice < 76) this.openCursor();
    else if (dice < 92) this.moveCursor();
    else if (dice < 94) this.driver.advance();
    else if (dice < 97) this.startFlush();
    else if (dice < 99) await this.flush();
    else await this.restart();
  }

  async finish(): Promise<number> {
    for (const open of this.views) this.driver.compareAll(open);
    await this.flush();
    for (const open of this.views) this.driver.compareAll(open);
    this.driver.compareNow();
    await this.restart();
    this.driver.compareNow();
    for (const finding of this.driver.engine.check()) throw new Error(`check found: ${finding.message}`);
    this.closeAll();
    await this.driver.engine.close();
    return this.driver.seq;
  }

  /** Keys of different lengths, some of which are heads of others, some with a long common head. */
  private keyText(i: number): Uint8Array {
    const { random } = this;
    const style = random.below(4);
    if (style === 0) return Uint8Array.of(i >>> 8, i & 0xff);
    if (style === 1) return new Uint8Array(random.below(30));
    const head = style === 2 ? random.bytes(random.below(20)) : new Uint8Array(24).fill(0x55);
    return Uint8Array.of(...head, i & 0xff, i >>> 8);
  }

  private async commit(): Promise<void> {
    const { random, driver } = this;
    const count = random.chance(0.05) ? 400 : 1 + random.below(12);
    const operations: ModelOperation[] = [];
    for (let i = 0; i < count; i++) operations.push(this.operation());
    const slice = random.chance(0.3) ? 1 + random.below(5) : Number.POSITIVE_INFINITY;
    await driver.commit(operations, slice, () => {
      const open = this.views.at(-1);
      if (open !== undefined && random.chance(0.1)) driver.compareGet(open, random.pick(this.universe));
    });
  }

  private operation(): ModelOperation {
    const { random } = this;
    const dice = random.below(100);
    const key = random.pick(this.universe);
    if (dice < 72) {
      const bytes = random.chance(0.02) ? 20_000 : random.below(this.options.valueBytesMax ?? 120);
      return { kind: 'put', key, value: random.bytes(bytes) };
    }
    if (dice < 96) return { kind: 'remove', key };
    const range = this.range(8);
    return { kind: 'removeRange', lower: range.lower, upper: range.upper as Uint8Array };
  }

  /** A range between two keys of the universe, at most so many of them apart when a limit is given. */
  private range(apart?: number): KeyRange {
    const { random } = this;
    const sorted = this.universe.map((key) => ({ key, text: toHex(key) })).sort((a, b) => (a.text < b.text ? -1 : 1));
    const from = random.below(sorted.length);
    const to =
      apart === undefined ? random.below(sorted.length) : Math.min(sorted.length - 1, from + random.below(apart));
    const low = sorted[Math.min(from, to)] as { key: Uint8Array };
    const high = sorted[Math.max(from, to)] as { key: Uint8Array };
    return { lower: low.key, upper: high.key };
  }

  private openView(): void {
    if (this.views.length === VIEWS_MAX) this.releaseView();
    this.views.push(this.driver.view());
  }

  private releaseView(): void {
    if (this.views.length === 0) return;
    const [open] = this.views.splice(this.random.below(this.views.length), 1) as [OpenView];
    for (let i = this.cursors.length - 1; i >= 0; i--) {
      const entry = this.cursors[i] as OpenCursor;
      if (entry.open !== open) continue;
      entry.cursor.close();
      this.cursors.splice(i, 1);
    }
    open.view.release();
    open.view.release();
  }

  private compareView(): void {
    const { random, driver } = this;
    if (this.views.length === 0) {
      driver.compareNow();
      return;
    }
    const open = random.pick(this.views);
    for (let i = 0; i < 20; i++) driver.compareGet(open, random.pick(this.universe));
    driver.compareRange(open, random.chance(0.2) ? driver.everything() : this.range());
  }

  private openCursor(): void {
    if (this.views.length === 0) this.openView();
    if (this.cursors.length === CURSORS_MAX) this.cursors.shift()?.cursor.close();
    const open = this.random.pick(this.views);
    const range = this.random.chance(0.3) ? this.driver.everything() : this.range();
    const expected = open.model.entries(range.lower, range.upper);
    this.cursors.push({ open, cursor: open.view.cursor(range), expected, at: -1, fresh: true });
  }

  private moveCursor(): void {
    const { random } = this;
    if (this.cursors.length === 0) return;
    const entry = random.pick(this.cursors);
    const { cursor, expected } = entry;
    if (!entry.fresh && entry.at >= 0 && entry.at < expected.length) {
      compareEntry(cursor, expected[entry.at] as ModelEntry, 'an entry handed out before');
    }
    const moves = 1 + random.below(30);
    const dice = random.below(10);
    for (let i = 0; i < moves; i++) this.moveOnce(entry, dice);
  }

  private moveOnce(entry: OpenCursor, dice: number): void {
    const { cursor, expected } = entry;
    let found: boolean;
    if (dice < 4) {
      found = cursor.next();
      entry.at = entry.fresh ? 0 : Math.min(entry.at + 1, expected.length);
    } else if (dice < 7) {
      found = cursor.prev();
      entry.at = entry.fresh ? expected.length - 1 : Math.max(entry.at - 1, -1);
    } else {
      const key = this.random.pick(this.universe);
      const text = toHex(key);
      const at = expected.findIndex((candidate) => candidate.key >= text);
      const lowerBound = at < 0 ? expected.length : at;
      found = dice < 9 ? cursor.seek(key, 0, key.length) : cursor.seekBefore(key, 0, key.length);
      entry.at = dice < 9 ? lowerBound : lowerBound - 1;
    }
    entry.fresh = false;
    const there = expected[entry.at];
    check(found === (there !== undefined), `a cursor at ${entry.at} of ${expected.length} says ${String(found)}`);
    if (there !== undefined) compareEntry(cursor, there, 'a cursor left open');
  }

  private startFlush(): void {
    const flush = this.driver.engine.flush();
    this.flushing = Promise.all([this.flushing, flush]);
    // Reported when it is awaited; not before, by nobody.
    this.flushing.catch(() => undefined);
  }

  private async flush(): Promise<void> {
    await this.flushing;
    this.flushing = undefined;
    const { driver } = this;
    const seq = await driver.engine.flush();
    check(seq === driver.seq, `flush with nothing going on reached ${seq} of ${driver.seq}`);
    check(driver.engine.flushedSeq() === seq, 'flushedSeq is not what flush said');
  }

  private async restart(): Promise<void> {
    const { driver, random } = this;
    const { reopen } = this.options;
    if (reopen === undefined) return;
    this.closeAll();
    await this.flushing;
    this.flushing = undefined;
    await driver.restart(reopen, random.chance(0.5) ? 0 : Math.max(0, driver.engine.flushedSeq() - random.below(10)));
    driver.compareNow();
  }

  private closeAll(): void {
    for (const { cursor } of this.cursors.splice(0)) cursor.close();
    while (this.views.length > 0) this.releaseView();
  }
}
