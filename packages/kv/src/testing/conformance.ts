/**
 * The conformance suite: every invariant of the engine contract (engine.ts), asked of any implementation. It knows no test
 * runner; it registers its cases through the `describe` and `it` that it is given, and a failing case throws.
 */
import { compareKeys } from '@phantom/base';
import { type AttachedView, ByteSlot, type KvEngine } from '../engine.js';
import { EngineCode } from '../space.js';
import { BatchReader, KEY_BYTES_MAX } from '../write-batch.js';
import { EngineDriver, type OpenView, check, compareEntry, compareSlot, encode } from './driver.js';
import { mirrorRun } from './mirror.js';
import type { ModelOperation } from './model.js';

export interface ConformanceOptions {
  readonly name: string;
  /** Whose spaces the engine keeps. */
  readonly code: EngineCode;
  /** A new, empty engine in a place of its own. */
  readonly open: () => Promise<KvEngine>;
  /** Closes the engine without a flush and opens its files again. Left out where nothing survives. */
  readonly reopen?: (engine: KvEngine) => Promise<KvEngine>;
  /** Opens the views that the engine shares, as another thread would. Left out where none can be shared. */
  readonly attach?: (engine: KvEngine) => (descriptor: unknown) => AttachedView;
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => void;
  /** Seeds of the mirror runs. Default 1 to 6. */
  readonly seeds?: readonly number[];
  /** Steps of each mirror run. Default 400. */
  readonly mirrorSteps?: number;
}

const SEEDS_DEFAULT = [1, 2, 3, 4, 5, 6];
const MIRROR_STEPS_DEFAULT = 400;
const MIRROR_TIMEOUT_MS = 60_000;

type Case = (driver: EngineDriver) => Promise<void>;

/** Registers the whole suite. */
export function engineConformance(options: ConformanceOptions): void {
  const { code, open, reopen, attach, describe, it } = options;
  const run = (name: string, body: Case): void => {
    it(name, async () => {
      const driver = new EngineDriver(await open(), code);
      await body(driver);
      for (const finding of driver.engine.check()) throw new Error(`check found: ${finding.message}`);
      await driver.engine.close();
    });
  };
  describe(`${options.name}: engine conformance`, () => {
    for (const [name, body] of Object.entries(CASES)) run(name, body);
    if (reopen !== undefined) {
      for (const [name, body] of Object.entries(REOPEN_CASES)) run(name, (driver) => body(driver, reopen));
    }
    if (attach !== undefined) {
      for (const [name, body] of Object.entries(SHARING_CASES)) {
        run(name, (driver) => body(driver, attach(driver.engine)));
      }
    }
    for (const seed of options.seeds ?? SEEDS_DEFAULT) {
      const steps = options.mirrorSteps ?? MIRROR_STEPS_DEFAULT;
      const keys = [40, 300, 2000][seed % 3] as number;
      const body = async (): Promise<void> => {
        await mirrorRun({ code, seed, steps, keys, open, reopen });
      };
      it(`mirrors random operations, seed ${seed}`, body, MIRROR_TIMEOUT_MS);
    }
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const numbered = (i: number): string => String(i).padStart(6, '0');

const CASES: Readonly<Record<string, Case>> = {
  'is empty when it is new': async (driver) => {
    check(driver.engine.appliedSeq === 0 && driver.engine.flushedSeq() === 0, 'a new engine is at seq 0');
    driver.compareNow();
    const { view } = driver.view();
    const cursor = view.cursor(driver.range('a', 'z'));
    const key = driver.key('b');
    check(!cursor.seek(key, 0, key.length) && !cursor.seekBefore(key, 0, key.length), 'there is nothing to seek');
    check(!cursor.prev() && !cursor.next(), 'there is nothing to walk');
    cursor.close();
    view.release();
    check((await driver.engine.flush()) === 0, 'flushing nothing is nothing');
  },

  'returns what was put, and nothing else': async (driver) => {
    await driver.commit([driver.put('b', 'one'), driver.put('d', ''), driver.put('bb', 'three')]);
    const open = driver.view();
    for (const text of ['', 'a', 'b', 'b\0', 'bb', 'bbb', 'c', 'd', 'e']) driver.compareGet(open, driver.key(text));
    driver.compareGet(open, driver.key('b', 2));
    driver.compareAll(open);
    open.view.release();
  },

  'lets later batches win': async (driver) => {
    await driver.commit([driver.put('a', '1'), driver.put('b', '1')]);
    await driver.commit([driver.put('a', '2')]);
    await driver.commit([driver.remove('b'), driver.remove('c')]);
    driver.compareNow();
    await driver.commit([driver.put('b', '3')]);
    driver.compareNow();
  },

  'lets later operations of a batch win': async (driver) => {
    await driver.commit([
      driver.put('a', '1'),
      driver.put('a', '2'),
      driver.put('b', '1'),
      driver.remove('b'),
      driver.remove('c'),
      driver.put('c', '3'),
      driver.put('d', '4'),
      driver.removeRange('c', 'e'),
      driver.put('d', '5'),
    ]);
    driver.compareNow();
  },

  'removes ranges: lower end included, upper end not': async (driver) => {
    await driver.commit(range(0, 300).map((i) => driver.put(numbered(i), `v${i}`)));
    await driver.commit([driver.removeRange(numbered(50), numbered(100)), driver.put(numbered(70), 'again')]);
    driver.compareNow();
    await driver.commit([driver.removeRange(numbered(60), numbered(60)), driver.removeRange('x', 'z')]);
    await driver.commit([driver.put(numbered(99), 'again'), driver.removeRange(numbered(98), numbered(120))]);
    driver.compareNow();
    await driver.engine.flush();
    driver.compareNow();
    await driver.commit([driver.removeRange(numbered(0), numbered(1000)), driver.put(numbered(5), 'last')]);
    driver.compareNow();
  },

  'shows a range removal to later views only': async (driver) => {
    await driver.commit(range(0, 100).map((i) => driver.put(numbered(i), 'old')));
    const before = driver.view();
    await driver.commit([driver.removeRange(numbered(10), numbered(90))]);
    const after = driver.view();
    await driver.commit([driver.put(numbered(50), 'new')]);
    for (const open of [before, after]) driver.compareAll(open);
    await driver.engine.flush();
    for (const open of [before, after]) driver.compareAll(open);
    driver.compareNow();
    before.view.release();
    after.view.release();
  },

  'holds a view still whatever comes after it': async (driver) => {
    const views = [];
    for (let round = 0; round < 12; round++) {
      await driver.commit(range(0, 40).map((i) => driver.put(numbered(i * ((round % 3) + 1)), `round ${round}`)));
      if (round % 4 === 1)
        await driver.commit([driver.remove(numbered(round)), driver.removeRange('000030', '000040')]);
      views.push(driver.view());
      if (round % 3 === 2) await driver.engine.flush();
    }
    for (const open of views) driver.compareAll(open);
    check(driver.engine.stats().openViews >= views.length, 'stats count the open views');
    for (const open of views.filter((_, i) => i % 2 === 0)) open.view.release();
    await driver.commit([driver.put('zzz', 'more')]);
    await driver.engine.flush();
    for (const open of views.filter((_, i) => i % 2 === 1)) {
      driver.compareAll(open);
      open.view.release();
    }
    check(driver.engine.stats().openViews === 0, 'stats forget released views');
  },

  'keeps big values and long keys': async (driver) => {
    const long = 'k'.repeat(KEY_BYTES_MAX - 5);
    const values = [0, 1, 127, 128, 4000, 4096, 16_384, 100_000, 1_500_000];
    await driver.commit(values.map((bytes, i) => driver.put(`${long}${i}`, new Uint8Array(bytes).fill(i + 1))));
    driver.compareNow();
    await driver.engine.flush();
    driver.compareNow();
    await driver.commit([driver.put(`${long}3`, new Uint8Array(90_000).fill(7)), driver.remove(`${long}7`)]);
    driver.compareNow();
    await driver.engine.flush();
    driver.compareNow();
  },

  'seeks and turns around anywhere': async (driver) => {
    await driver.commit(range(0, 500).map((i) => driver.put(numbered(i * 2), `v${i}`)));
    await driver.commit([driver.removeRange(numbered(200), numbered(300)), driver.remove(numbered(500))]);
    const open = driver.view();
    const bounds = driver.range(numbered(100), numbered(901));
    const expected = open.model.entries(bounds.lower, bounds.upper);
    const cursor = open.view.cursor(bounds);
    for (const i of [0, 99, 100, 101, 102, 199, 200, 250, 298, 299, 300, 499, 500, 501, 898, 900, 901, 5000]) {
      const key = driver.key(numbered(i));
      const at = open.model.entries(bounds.lower, key).length;
      const found = cursor.seek(key, 0, key.length);
      check(found === at < expected.length, `seek ${i} says ${String(found)}`);
      for (let step = 0; step < 3 && at + step < expected.length; step++) {
        compareEntry(cursor, expected[at + step] as never, `after seek ${i}`);
        cursor.next();
      }
      const before = Math.min(at, expected.length) - 1;
      check(cursor.seekBefore(key, 0, key.length) === before >= 0, `seekBefore ${i}`);
      for (let step = 0; step < 3 && before - step >= 0; step++) {
        compareEntry(cursor, expected[before - step] as never, `after seekBefore ${i}`);
        cursor.prev();
      }
    }
    cursor.close();
    const turning = open.view.cursor(bounds);
    check(turning.prev(), 'a fresh cursor goes to the last entry');
    compareEntry(turning, expected.at(-1) as never, 'from the end');
    check(!turning.next() && turning.prev(), 'back from behind the end');
    compareEntry(turning, expected.at(-1) as never, 'the last again');
    check(turning.prev() && turning.next(), 'there and back');
    compareEntry(turning, expected.at(-1) as never, 'there and back');
    turning.close();
    open.view.release();
  },

  'walks empty and one-sided ranges': async (driver) => {
    await driver.commit(range(0, 50).map((i) => driver.put(numbered(i), 'v')));
    const open = driver.view();
    driver.compareRange(open, driver.range(numbered(10), numbered(10)));
    driver.compareRange(open, driver.range(numbered(20), numbered(10)));
    driver.compareRange(open, driver.range('x', 'z'));
    driver.compareRange(open, { lower: driver.key(numbered(30)), upper: undefined });
    driver.compareRange(open, { lower: new Uint8Array(0), upper: undefined });
    open.view.release();
  },

  'keeps handed-out bytes valid while batches are applied': async (driver) => {
    await driver.commit(range(0, 200).map((i) => driver.put(numbered(i), `value ${i}`)));
    const open = driver.view();
    const expected = open.model.entries(driver.key(''), undefined);
    const cursor = open.view.cursor(driver.everything());
    const slot = new ByteSlot();
    for (const [i, entry] of expected.entries()) {
      check(cursor.next(), 'the walk goes on');
      const key = driver.key(numbered(i));
      check(open.view.get(key, 0, key.length, slot), 'the key is there');
      await driver.commit([
        driver.put(numbered(i), 'overwritten'),
        driver.put(`${numbered(i)}x`, 'new'),
        driver.remove(numbered(i + 1)),
        driver.put(`big${i}`, new Uint8Array(2000)),
      ]);
      if (i % 70 === 69) await driver.engine.flush();
      compareEntry(cursor, entry, 'the entry under the cursor');
      compareSlot(slot, entry.value, () => 'the value of a get');
    }
    check(!cursor.next(), 'the cursor shows nothing newer than its view');
    cursor.close();
    open.view.release();
    driver.compareNow();
  },

  'applies in slices and shows nothing before the last': async (driver) => {
    await driver.commit(range(0, 100).map((i) => driver.put(numbered(i), 'old')));
    const open = driver.view();
    let slices = 0;
    const operations: ModelOperation[] = range(0, 100).map((i) => driver.put(numbered(i * 2), 'new'));
    operations.push(driver.removeRange(numbered(20), numbered(40)));
    await driver.commit(operations, 7, () => {
      slices++;
      driver.compareAll(open);
      const late = { view: driver.engine.view(open.view.seq), model: open.model };
      driver.compareRange(late, driver.range(numbered(10), numbered(50)));
      late.view.release();
    });
    check(slices >= 14, 'a slice holds no more operations than asked for');
    driver.compareAll(open);
    driver.compareNow();
    open.view.release();
  },

  'copies what it is given': async (driver) => {
    const bytes = encode([driver.put('a', 'value'), driver.put('b', 'value')]);
    const reader = new BatchReader().setBatch(bytes);
    await driver.engine.admit(reader.room);
    driver.engine.apply(reader, ++driver.seq, Number.POSITIVE_INFINITY);
    bytes.fill(0xff);
    driver.model.apply(driver.put('a', 'value'));
    driver.model.apply(driver.put('b', 'value'));
    driver.compareNow();
  },

  'reads a batch from the middle of a buffer': async (driver) => {
    const bytes = encode([driver.put('a', 'value'), driver.remove('b')]);
    const around = new Uint8Array(bytes.length + 30).fill(0xff);
    around.set(bytes, 13);
    const reader = new BatchReader().setBatch(around, 13, 13 + bytes.length);
    await driver.engine.admit(reader.room);
    driver.engine.apply(reader, ++driver.seq, Number.POSITIVE_INFINITY);
    driver.model.apply(driver.put('a', 'value'));
    driver.compareNow();
  },

  "leaves other engines' spaces alone": async (driver) => {
    const other = new EngineDriver(driver.engine, driver.code === EngineCode.Lsm ? EngineCode.Btree : EngineCode.Lsm);
    const bytes = encode([other.put('a', '1'), driver.put('b', '2'), other.removeRange('a', 'z'), other.remove('b')]);
    const reader = new BatchReader().setBatch(bytes);
    await driver.engine.admit(reader.room);
    driver.engine.apply(reader, ++driver.seq, Number.POSITIVE_INFINITY);
    driver.model.apply(driver.put('b', '2'));
    driver.compareNow();
    const { view } = driver.view();
    const key = other.key('a');
    check(!view.get(key, 0, key.length, new ByteSlot()), 'a key of another engine is not here');
    view.release();
  },

  'takes an empty batch': async (driver) => {
    await driver.commit([]);
    driver.compareNow();
  },

  'changes nothing when batches are replayed': async (driver) => {
    await driver.commit(range(0, 50).map((i) => driver.put(numbered(i), 'one')));
    await driver.commit([driver.removeRange(numbered(0), numbered(25))]);
    await driver.commit(range(0, 50).map((i) => driver.put(numbered(i * 2), 'two')));
    await driver.engine.flush();
    await driver.replay(0);
    driver.compareNow();
  },

  'never holds the log when it is idle': async (driver) => {
    driver.advance();
    check(driver.engine.flushedSeq() === 1, 'an empty delta reports the last seq');
    await driver.commit([driver.put('a', '1')]);
    check((await driver.engine.flush()) === 2, 'flush reaches the applied seq');
    driver.advance();
    driver.advance();
    check(driver.engine.flushedSeq() === 4, 'after a flush the delta is empty again');
    driver.compareNow();
  },

  'flushes while batches go on': async (driver) => {
    const flushes: Promise<number>[] = [];
    for (let round = 0; round < 10; round++) {
      await driver.commit(range(0, 200).map((i) => driver.put(numbered((i * 7 + round) % 400), `round ${round}`)));
      const atLeast = driver.seq;
      flushes.push(
        driver.engine.flush().then((seq) => {
          check(seq >= atLeast, `flush reached ${seq}, asked at ${atLeast}`);
          return seq;
        }),
      );
      driver.compareNow();
    }
    await Promise.all(flushes);
    check(driver.engine.flushedSeq() === driver.seq, 'everything is flushed');
    driver.compareNow();
  },

  'flushes on the calling thread, whatever is under way': async (driver) => {
    const flushes: Promise<unknown>[] = [];
    for (let i = 0; i < 60; i++) {
      await driver.commit(range(0, 20).map((j) => driver.put(numbered((i * 7 + j) % 300), `${i}`)));
      if (i % 7 === 0) flushes.push(driver.engine.flush());
      if (i % 5 === 0) {
        check(driver.engine.flushNow() === driver.seq, 'everything is flushed when flushNow returns');
        check(driver.engine.flushedSeq() === driver.seq, 'and stays so');
      }
    }
    driver.compareNow();
    await Promise.all(flushes);
    driver.compareNow();
  },

  'gives back what was admitted and not used': async (driver) => {
    for (let i = 0; i < 20_000; i++) {
      const waiting = driver.engine.admit(100_000);
      if (waiting !== undefined) await waiting;
      driver.engine.unadmit(100_000);
    }
    driver.engine.admitNow(1000);
    driver.engine.unadmit(1000);
    await driver.commit([driver.put('a', '1')]);
    driver.compareNow();
  },

  'estimates sizes and cuts ranges into parts': async (driver) => {
    const all = driver.everything();
    check(driver.engine.estimate(all).keys < 100, 'nothing is estimated as little');
    check(driver.engine.split(all, 4).length >= 1, 'nothing can be cut');
    for (let i = 0; i < 20; i++) {
      await driver.commit(range(0, 500).map((j) => driver.put(numbered(j * 20 + i), 'x'.repeat(50))));
      if (i === 9) await driver.engine.flush();
    }
    const whole = driver.engine.estimate(all);
    check(whole.keys > 3000 && whole.keys < 30_000, `10,000 keys are estimated as ${whole.keys}`);
    check(whole.bytes > 100_000 && whole.bytes < 6_000_000, `700 KB are estimated as ${whole.bytes}`);
    const tenth = driver.engine.estimate(driver.range(numbered(1000), numbered(2000)));
    check(tenth.keys > 200 && tenth.keys < 5000, `1,000 keys are estimated as ${tenth.keys}`);
    const parts = driver.engine.split(all, 4);
    check(parts.length >= 2 && parts.length <= 4, `four parts asked for, ${parts.length} given`);
    check(compareKeys((parts[0] as typeof all).lower, all.lower) === 0, 'the parts begin where the range does');
    for (const [i, part] of parts.entries()) {
      const following = parts[i + 1];
      if (following === undefined) {
        check(
          part.upper !== undefined && compareKeys(part.upper, all.upper as Uint8Array) === 0,
          'the parts end with it',
        );
      } else {
        check(part.upper !== undefined && compareKeys(part.upper, following.lower) === 0, 'the parts touch');
        check(compareKeys(part.lower, part.upper) < 0, 'the parts ascend');
      }
    }
  },
};

type ReopenCase = (driver: EngineDriver, reopen: (engine: KvEngine) => Promise<KvEngine>) => Promise<void>;

const REOPEN_CASES: Readonly<Record<string, ReopenCase>> = {
  'finds everything that was flushed': async (driver, reopen) => {
    await driver.commit(range(0, 2000).map((i) => driver.put(numbered(i), `v${i}`)));
    await driver.commit([driver.removeRange(numbered(100), numbered(200)), driver.remove(numbered(5))]);
    await driver.engine.flush();
    await driver.restart(reopen, driver.seq + 1);
    check(driver.engine.flushedSeq() === 2, 'the files know their seq');
    driver.compareNow();
  },

  'holds nothing later than flushedSeq': async (driver, reopen) => {
    await driver.commit(range(0, 500).map((i) => driver.put(numbered(i), 'flushed')));
    await driver.engine.flush();
    const models = new Map([[driver.seq, driver.model.clone()]]);
    await driver.commit([driver.put(numbered(3), 'not flushed'), driver.removeRange(numbered(10), numbered(400))]);
    models.set(driver.seq, driver.model.clone());
    driver.engine = await reopen(driver.engine);
    const seq = driver.engine.flushedSeq();
    const model = models.get(seq);
    check(model !== undefined, `the files hold seq ${seq}, which was not flushed last`);
    const open = { view: driver.engine.view(seq), model };
    driver.compareAll(open);
    open.view.release();
    await driver.replay(0);
    driver.compareNow();
  },

  'comes back to the same after many rounds of crash and replay': async (driver, reopen) => {
    for (let round = 0; round < 8; round++) {
      await driver.commit(range(0, 300).map((i) => driver.put(numbered((i * 13 + round * 7) % 900), `round ${round}`)));
      if (round % 3 === 0) await driver.engine.flush();
      await driver.commit([
        driver.removeRange(numbered(round * 50), numbered(round * 50 + 20)),
        driver.remove(numbered(round)),
      ]);
      await driver.restart(reopen);
      driver.compareNow();
    }
  },
};

type Attach = (descriptor: unknown) => AttachedView;

/** Compares a view with what another thread opens of it, whatever `meanwhile` does to the engine. */
async function compareShared(
  driver: EngineDriver,
  { view, model }: OpenView,
  attach: Attach,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const share = await view.share?.();
  check(share !== undefined, 'a view can be shared');
  const attached = attach(structuredClone(share.descriptor));
  await meanwhile();
  check(attached.seq === view.seq, 'a shared view is of the same seq');
  driver.compareAll({ view: attached, model });
  for (const text of ['000000', '000099', '000150', '000299', 'zz']) {
    driver.compareGet({ view: attached, model }, driver.key(text));
  }
  check(attached.estimate(driver.everything()).keys > 0, 'a shared view estimates');
  attached.release();
  share.release();
  view.release();
}

const SHARING_CASES: Readonly<Record<string, (driver: EngineDriver, attach: Attach) => Promise<void>>> = {
  'shares what is in files and what is in memory only': async (driver, attach) => {
    const round = (from: number, to: number, value: string): Promise<number> =>
      driver.commit(range(from, to).map((i) => driver.put(numbered(i), value)));
    await round(0, 300, 'flushed');
    await driver.engine.flush();
    await driver.commit([driver.removeRange(numbered(50), numbered(100)), driver.remove(numbered(150))]);
    await round(90, 110, 'in memory');
    const first = driver.view();
    await round(0, 20, 'later');
    await compareShared(driver, first, attach, async () => {
      await driver.commit([driver.removeRange(numbered(0), numbered(1000))]);
      await driver.engine.flush();
    });
    await round(250, 320, 'last');
    await compareShared(driver, driver.view(), attach, () => Promise.resolve());
  },

  'shares a view while a batch is being applied': async (driver, attach) => {
    await driver.commit(range(0, 300).map((i) => driver.put(numbered(i), 'before')));
    const open = driver.view();
    const compared: Promise<void>[] = [];
    const operations = range(0, 300).map((i) => driver.put(numbered(i), 'after'));
    await driver.commit([...operations, driver.removeRange(numbered(10), numbered(20))], 70, () => {
      if (compared.length > 0) return;
      compared.push(compareShared(driver, open, attach, () => Promise.resolve()));
    });
    await Promise.all(compared);
  },
};
