/** The checker finds what is planted, names it, and finds nothing in histories that are sound. */
import { Random } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import {
  type AnomalyKind,
  HistoryRecorder,
  type Level,
  type Operation,
  type RecordedTransaction,
  anomaliesOf,
  violationsOf,
} from '../src/histories.js';
import { modelHistory } from './model.js';
import { historyOf } from './notation.js';

const kindsOf = (transactions: readonly RecordedTransaction[]): AnomalyKind[] =>
  [...new Set(anomaliesOf(transactions).map(({ kind }) => kind))].sort();
const LEVELS: readonly Level[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];
/** The levels at which the history may not happen. */
const forbiddenAt = (lines: readonly string[]): Level[] =>
  LEVELS.filter((level) => violationsOf(historyOf(level, ...lines)).length > 0);
const FROM_COMMITTED = LEVELS;
const FROM_REPEATABLE = LEVELS.slice(2);
const ONLY_SERIALIZABLE = LEVELS.slice(3);

interface Planted {
  readonly name: string;
  readonly lines: readonly string[];
  readonly kinds: readonly AnomalyKind[];
  readonly forbidden: readonly Level[];
}

const planted: readonly Planted[] = [
  {
    name: 'G0: two overwrite each other, in both orders',
    lines: ['a1.1 a2.1', 'a1.2 a2.2', 'l1.1,2 l2.2,1'],
    kinds: ['G0'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'G1a: what was rolled back is read',
    lines: ['a1.1 aborted', 'l1.1'],
    kinds: ['G1a'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'G1a: a register, too',
    lines: ['w1.1 aborted', 'r1.1'],
    kinds: ['G1a'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'G1b: a list between two appends',
    lines: ['a1.1 a1.2', 'l1.1', 'l1.1,2'],
    kinds: ['G-single', 'G1b', 'OTV'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'G1b: a register that was written twice',
    lines: ['w1.1 w1.2', 'r1.1'],
    kinds: ['G-single', 'G1b', 'OTV'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'G1c: each reads what the other one wrote',
    lines: ['a1.1 l2.1', 'a2.1 l1.1'],
    kinds: ['G1c'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'OTV: seen in one key, then missed in the other',
    lines: ['a1.1 a2.1', 'l1.1 l2.', 'l2.1'],
    kinds: ['G-single', 'OTV'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'OTV: half a commit in one scan',
    lines: ['w1.1 w2.1', 'p2. p1.1'],
    kinds: ['G-single', 'OTV'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'P4: two replace what both have read',
    lines: ['l1. a1.1', 'l1. a1.2', 'l1.1,2'],
    kinds: ['G-single', 'P4'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'P4: of registers, in an order that nobody knows',
    lines: ['r1. w1.1', 'r1. w1.2', '2-3 r1.2'],
    kinds: ['G2-item', 'P4'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'fuzzy read: a row changes',
    lines: ['l1. l1.1', 'a1.1'],
    kinds: ['G-single', 'fuzzy read'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'PMP: a predicate matches more the second time',
    lines: ['s1. s2. | s1. s2.1', 'a2.1'],
    kinds: ['G-single', 'PMP'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'G-single: one key from before, one from after',
    lines: ['l1. l2.1', 'a1.1 a2.1', 'l1.1'],
    kinds: ['G-single'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'G-nonadjacent: two readers disagree about the order of two writers',
    lines: ['a1.1', 'a2.1', 'l1.1 l2.', 'l1. l2.1'],
    kinds: ['G-nonadjacent'],
    forbidden: FROM_REPEATABLE,
  },
  {
    name: 'G2-item: each reads what the other one replaces',
    lines: ['0-1 w1.1 w2.1', '2-4 r1.1 w2.2', '3-5 r2.1 w1.2'],
    kinds: ['G2-item'],
    forbidden: ONLY_SERIALIZABLE,
  },
  {
    name: 'G2: each misses the row that the other one inserts',
    lines: ['s1. s2. a1.1', 's1. s2. a2.1', '2-3 l1.1 l2.1'],
    kinds: ['G2'],
    forbidden: ONLY_SERIALIZABLE,
  },
  {
    name: 'the read-only anomaly: only the reader closes the circle',
    lines: ['0-1 w1.1 w2.1', '2-9 r1.1 r2.1 w1.2', '3-4 r2.1 w2.2', '5-6 r1.1 r2.2'],
    kinds: ['G2-item', 'read-only'],
    forbidden: ONLY_SERIALIZABLE,
  },
  {
    name: 'a transaction that does not see its own append',
    lines: ['a1.1 l1.'],
    kinds: ['own writes'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'a value that nobody wrote, and one that is there twice',
    lines: ['a1.1', 'l1.7', 'l2.1,1', 'a2.1'],
    kinds: ['garbage'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'two orders of one list',
    lines: ['a1.1', 'a1.2', 'l1.1,2', 'l1.2'],
    kinds: ['order'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'registers that follow each other in a circle',
    lines: ['r1.2 w1.1', 'r1.1 w1.2'],
    kinds: ['G1c', 'order'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'an acknowledged append that is gone',
    lines: ['0-1 a1.1', '2-3 l1.'],
    kinds: ['lost write'],
    forbidden: FROM_COMMITTED,
  },
  {
    name: 'an acknowledged register that is old again',
    lines: ['0-1 w1.1', '2-3 w1.2', '4-5 r1.1'],
    kinds: ['lost write'],
    forbidden: FROM_COMMITTED,
  },
];

describe('planted anomalies', () => {
  it.each(planted)('$name', ({ lines, kinds, forbidden }) => {
    expect(kindsOf(historyOf('serializable', ...lines))).toEqual([...kinds].sort());
    expect(forbiddenAt(lines)).toEqual(forbidden);
  });

  it('are explained: who did what, and why that is a circle', () => {
    const [anomaly] = anomaliesOf(historyOf('serializable', 'a1.1 l2.1', 'a2.1 l1.1'));
    expect(anomaly?.text).toMatchInlineSnapshot(`
      "G1c: transaction 0 was read in key 1 by 1, 1 was read in key 2 by 0
        0: serializable, session 0, committed: append 1 to 1; read 2 as [1]
        1: serializable, session 1, committed: append 1 to 2; read 1 as [1]"
    `);
  });

  it('only count where the level forbids them: a circle through a weaker transaction is none of a stronger one', () => {
    const skew = (first: Level, second: Level): number =>
      violationsOf(historyOf('serializable', '0-1 w1.1 w2.1', [first, '2-4 r1.1 w2.2'], [second, '3-5 r2.1 w1.2']))
        .length;
    expect(skew('serializable', 'serializable')).toBe(1);
    expect(skew('repeatable read', 'serializable')).toBe(0);
    const lost = (first: Level, second: Level): number =>
      violationsOf(historyOf('read committed', [first, '0-3 l1. a1.1'], [second, '0-3 l1. a1.2'], '4-5 l1.1,2')).length;
    expect(lost('read committed', 'repeatable read')).toBe(1);
    expect(lost('repeatable read', 'read committed')).toBe(0);
    // The second comes before the first, and that before the third, which overwrites it.
    const through = (first: Level): number =>
      violationsOf(historyOf('serializable', [first, '0-3 w1.5'], '2-6 p1. w2.7', '4-8 w1.6 r2.')).length;
    expect(through('serializable')).toBe(1);
    expect(through('repeatable read')).toBe(0);
  });

  it('do not count through a row that a weaker transaction may have made first', () => {
    // The third misses key 1, begins before the second has ended, and comes behind the fourth: 3 ─► 2 ─time─► 4 ─► 3.
    const missed = (maker: string, level: Level): number =>
      violationsOf(historyOf('serializable', [level, maker], '2-5 w1.2', '0-9 p1. w2.3', '6-8 r2.')).length;
    expect(missed('1-3 w1.1', 'serializable')).toBe(1);
    expect(missed('1-3 w1.1', 'read committed')).toBe(0);
    expect(missed('1-3 w1.1', 'repeatable read')).toBe(0);
    expect(missed('1-3 w1.1 unknown', 'read committed')).toBe(0);
    expect(missed('1-3 w1.1 aborted', 'read committed')).toBe(1);
    expect(missed('6-7 w1.1', 'read committed')).toBe(1);
    expect(missed('1-9 r1.2 w1.1', 'read committed')).toBe(1);
  });
});

describe('the order of time', () => {
  it('counts: what one has seen, nobody who begins later may miss', () => {
    expect(forbiddenAt(['0-9 a1.1', '1-2 l1.1', '3-4 l1.'])).toEqual(FROM_COMMITTED);
    expect(forbiddenAt(['0-9 a1.1', '1-3 l1.1', '2-4 l1.'])).toEqual([]);
  });

  it('makes skew of two whose third ended between them', () => {
    // The second one has ended before the third one begins, which comes before the first one, and that before the second.
    const lines = ['0-9 l1. a2.1', '1-2 a1.1', '3-4 l2.', '8-9 l1.1 l2.1'];
    expect(kindsOf(historyOf('serializable', ...lines))).toEqual([]);
    expect(forbiddenAt(lines)).toEqual(ONLY_SERIALIZABLE);
    expect(forbiddenAt(lines.with(2, '1-4 l2.'))).toEqual([]);
  });
});

describe('an outcome that nobody knows', () => {
  it('may be either, but not both', () => {
    expect(kindsOf(historyOf('serializable', 'a1.1 unknown', '2-3 l1.'))).toEqual([]);
    expect(kindsOf(historyOf('serializable', 'a1.1 unknown', '2-3 l1.1'))).toEqual([]);
    expect(kindsOf(historyOf('serializable', 'a1.1 a2.1 unknown', '2-3 l1.1 l2.'))).toContain('OTV');
    expect(forbiddenAt(['a1.1 unknown', '2-3 l1.1', '4-5 l1.'])).toEqual(FROM_COMMITTED);
  });

  it('is that of whoever had sent a commit when the power went', () => {
    const recorder = new HistoryRecorder();
    const [sent, open, late] = [0, 1, 2].map((session) => recorder.begin('serializable', session));
    sent!.wrote('append', 1, 1);
    sent!.isCommitting = true;
    open!.wrote('append', 1, 2);
    recorder.end(late!, 'committed');
    const atCrash = recorder.transactions();
    recorder.end(sent!, 'committed');
    expect(atCrash.map(({ outcome, ended }) => [outcome, ended])).toEqual([
      ['committed', 3],
      ['unknown', Infinity],
      ['aborted', 4],
    ]);
    const afterwards = new HistoryRecorder(atCrash);
    afterwards.end(afterwards.begin('serializable', 0), 'committed');
    expect(afterwards.transactions().at(-1)).toMatchObject({ began: 5, ended: 6 });
  });
});

describe('sound histories', () => {
  it.each(['repeatable read', 'serializable'] as const)('of a model at %s pass', (level) => {
    for (let seed = 0; seed < 20; seed++) {
      const history = modelHistory(level, seed);
      expect(history.filter(({ outcome }) => outcome === 'committed').length).toBeGreaterThan(20);
      expect(violationsOf(history).map(({ text }) => text)).toEqual([]);
    }
  });

  it('of snapshots are not serial ones, and are told apart', () => {
    const isSkewed = Array.from({ length: 20 }, (_, seed) =>
      modelHistory('repeatable read', seed).map((transaction) => ({ ...transaction, level: 'serializable' as const })),
    ).map((history) => violationsOf(history).some(({ kind }) => kind.startsWith('G2')));
    expect(isSkewed.filter(Boolean).length).toBeGreaterThan(15);
  });

  it('stop passing when one read of them is changed', () => {
    let found = 0;
    for (let seed = 0; seed < 30; seed++) {
      const history = modelHistory('serializable', seed);
      const random = new Random(seed);
      const readers = history.filter(
        ({ outcome, operations }) => outcome === 'committed' && operations.some(isListOfSeveral),
      );
      const reader = random.pick(readers);
      const at = reader.operations.findIndex(isListOfSeveral);
      const operation = reader.operations[at] as Operation & { kind: 'list' };
      const values = operation.values.slice(0, -1);
      const operations = reader.operations.with(at, { ...operation, values });
      if (violationsOf(history.map((one) => (one === reader ? { ...one, operations } : one))).length > 0) found++;
    }
    expect(found).toBe(30);
  });
});

function isListOfSeveral(operation: Operation): boolean {
  return operation.kind === 'list' && operation.values.length > 1;
}
