/** The picker as tables: levels drawn as text, one run a word, and the job that must come out. */
import { describe, expect, it } from 'vitest';
import {
  type CompactionJob,
  type PickerRun,
  heldBelow0,
  levelOfNewest,
  levelTargets,
  pickCompaction,
  pressureOf,
} from '../src/compaction-picker.js';
import { cutsAround } from '../src/held-runs.js';
import { pickTier } from '../src/tier-picker.js';

interface DrawnRun extends PickerRun {
  readonly name: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * "a-f:20" lies in [a, f) and has 20 bytes; "!x" behind it says that x is made of removals: r half of its many entries and
 * more, t a range tombstone over all of it, s more seeks than it has bytes.
 */
function run(text: string): DrawnRun {
  const [, lower, upper, size, marks = ''] = /^(\w+)-(\w+):(\d+)(?:!(\w+))?$/.exec(text) as RegExpExecArray;
  const span = { lower: bytes(lower as string), upper: bytes(upper as string) };
  return {
    name: text,
    ...span,
    bytes: Number(size),
    entries: 2000,
    removals: marks.includes('r') ? 1500 : 0,
    tombstones: marks.includes('t') ? [span] : [],
    seeks: marks.includes('s') ? 100 : 0,
  };
}

/** Levels from the top; what is not drawn is empty. `{ 6: 'a-c:5 c-d:5' }` */
function draw(drawn: Readonly<Record<number, string>>): DrawnRun[][] {
  return Array.from({ length: 7 }, (_, level) =>
    (drawn[level] ?? '').split(' ').flatMap((text) => (text === '' ? [] : [run(text)])),
  );
}

function show(job: CompactionJob<DrawnRun> | undefined): string {
  if (job === undefined) return 'nothing';
  const names = (runs: readonly DrawnRun[]): string => runs.map(({ name }) => name).join(' ');
  if (job.kind === 'drop') return `drop ${names(job.runs)}`;
  if (job.kind === 'move') return `move ${names(job.runs)} to ${job.to}`;
  return `merge ${job.from} (${names(job.upper)}) into ${job.to} (${names(job.lower)}) for ${job.reason}`;
}

const OPTIONS = { level0RunsMin: 3, level0RunsSlow: 8, levelBytes: 100, levelFactor: 10 };

const LARGE = { ...OPTIONS, levelBytes: 1e6 };

interface Case {
  readonly name: string;
  readonly levels: Readonly<Record<number, string>>;
  /** Runs have so many bytes that a seek counts as few. */
  readonly isLarge?: boolean;
  readonly job: string;
}

const CASES: readonly Case[] = [
  { name: 'leaves an empty tree alone', levels: {}, job: 'nothing' },
  { name: 'lets runs gather in level 0', levels: { 0: 'a-z:10 a-z:10', 6: 'a-z:90' }, job: 'nothing' },
  {
    name: 'merges all of level 0 into the only other level, and leaves alone what lies beside',
    levels: { 0: 'b-m:10 c-n:10 d-p:10', 6: 'a-b:30 b-h:30 k-q:30 q-z:30' },
    job: 'merge 0 (b-m:10 c-n:10 d-p:10) into 6 (b-h:30 k-q:30) for size',
  },
  {
    name: 'takes level 0 by its bytes when its runs are large',
    levels: { 0: 'a-m:150 c-n:150', 6: 'x-z:30' },
    job: 'merge 0 (a-m:150 c-n:150) into 6 () for size',
  },
  {
    name: 'takes level 0 once enough of its runs are full',
    levels: { 0: 'a-m:25 c-n:25 d-n:5 c-n:25', 6: 'a-z:900' },
    job: 'merge 0 (a-m:25 c-n:25 d-n:5 c-n:25) into 6 (a-z:900) for size',
  },
  {
    name: 'leaves to the tiers what costs more to merge down',
    levels: { 0: 'a-m:10 c-n:10 d-n:10', 6: 'a-z:90' },
    job: 'nothing',
  },
  {
    name: 'takes level 0 before its runs slow writers down',
    levels: { 0: 'a-z:1 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2', 6: 'a-z:900' },
    job: 'merge 0 (a-z:1 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2 a-z:2) into 6 (a-z:900) for size',
  },
  {
    name: 'moves runs that overlap nothing',
    levels: { 0: 'm-p:10 h-m:10 d-h:10', 6: 'a-d:30 p-z:5' },
    job: 'move m-p:10 h-m:10 d-h:10 to 6',
  },
  {
    name: 'moves most of level 0 and keeps the rest',
    levels: { 0: 'm-p:10 d-h:10 c-g:10 p-q:10', 6: 'x-z:5' },
    job: 'move m-p:10 p-q:10 to 6',
  },
  {
    name: 'merges when little could be moved',
    levels: { 0: 'm-p:10 d-h:10 c-g:10', 6: 'x-z:5' },
    job: 'merge 0 (m-p:10 d-h:10 c-g:10) into 6 () for size',
  },
  {
    name: 'reads runs with removals on their way to the bottom',
    levels: { 0: 'm-p:10!r h-m:10!t d-h:10!r' },
    job: 'merge 0 (m-p:10!r h-m:10!t d-h:10!r) into 6 () for size',
  },
  {
    name: 'goes to the topmost level that is in use',
    levels: { 0: 'a-m:10 c-n:10 d-p:10', 5: 'b-d:10 x-z:10', 6: 'a-z:1000' },
    job: 'merge 0 (a-m:10 c-n:10 d-p:10) into 5 (b-d:10) for size',
  },
  {
    name: 'puts a level above a bottom that has grown',
    levels: { 0: 'a-m:10 c-n:10 d-p:10', 6: 'a-z:1000' },
    job: 'merge 0 (a-m:10 c-n:10 d-p:10) into 5 () for size',
  },
  {
    name: 'takes the run that overlaps least for its bytes from a level that is too large',
    levels: { 5: 'a-d:50 d-h:50 h-m:50', 6: 'a-c:400 c-f:300 f-g:300 h-m:200' },
    job: 'merge 5 (h-m:50) into 6 (h-m:200) for size',
  },
  {
    name: 'prefers runs of removals',
    levels: { 5: 'a-d:60!r h-m:60', 6: 'a-d:500 h-m:450 m-n:150' },
    job: 'merge 5 (a-d:60!r) into 6 (a-d:500) for size',
  },
  {
    name: 'moves a run down that overlaps nothing',
    levels: { 5: 'a-d:60 d-e:60', 6: 'a-d:1000 e-f:100' },
    job: 'move d-e:60 to 6',
  },
  {
    name: 'takes the level that has most too much',
    levels: { 0: 'a-z:1 a-z:1 a-z:1', 4: 'a-c:400', 5: 'a-b:1000', 6: 'a-z:10000' },
    job: 'merge 4 (a-c:400) into 5 (a-b:1000) for size',
  },
  {
    name: 'empties a level that is no longer wanted',
    levels: { 4: 'a-c:50', 6: 'a-z:100' },
    job: 'move a-c:50 to 5',
  },
  {
    name: 'drops runs under a range tombstone of a newer run, unread',
    levels: { 0: 'a-c:1 b-h:1!t c-g:1 a-c:1', 5: 'b-c:10 c-d:10', 6: 'a-b:100 b-h:100 h-k:100' },
    job: 'drop c-g:1 b-c:10 c-d:10 b-h:100',
  },
  {
    name: 'drops what several tombstones cover together, and not what lies beside them in their own level',
    levels: { 5: 'a-d:1!t d-h:1!t h-k:1', 6: 'b-f:100 g-i:100' },
    job: 'drop b-f:100',
  },
  {
    name: 'merges runs of removals early',
    levels: { 5: 'a-d:3!r h-m:3', 6: 'a-d:500' },
    job: 'merge 5 (a-d:3!r) into 6 (a-d:500) for removals',
  },
  {
    name: 'merges level 0 when cursors look into it often',
    levels: { 0: 'a-d:60000!s c-e:60000!s', 6: 'a-z:500000' },
    isLarge: true,
    job: 'merge 0 (a-d:60000!s c-e:60000!s) into 6 (a-z:500000) for seeks',
  },
  {
    name: 'merges a deeper run when cursors look into it often',
    levels: { 5: 'a-d:60000!s', 6: 'a-d:900000 d-g:5000000' },
    isLarge: true,
    job: 'merge 5 (a-d:60000!s) into 6 (a-d:900000) for seeks',
  },
  {
    name: 'leaves runs alone whose merge would cost more than the seeks',
    levels: { 0: 'a-d:60000!s', 5: 'a-d:1900000', 6: 'a-d:20000000' },
    isLarge: true,
    job: 'nothing',
  },
];

describe('the compaction picker', () => {
  it.each(CASES)('$name', ({ levels, isLarge, job }) => {
    expect(show(pickCompaction(draw(levels), isLarge === true ? LARGE : OPTIONS))).toBe(job);
  });
});

describe('the tiers of level 0', () => {
  const BELOW = { 6: 'a-z:90' };
  const tier = (level0: string, taken: readonly number[] = []): string => {
    const levels = draw({ ...BELOW, 0: level0 });
    const isTaken = (one: DrawnRun): boolean => taken.some((at) => levels[0]?.[at] === one);
    const runs = pickTier(levels, isTaken, OPTIONS);
    return runs === undefined ? 'nothing' : runs.map(({ bytes: size }) => size).join(' ');
  };

  it.each([
    ['become one once there are enough of them', 'a-z:4 a-z:4 a-z:4', '4 4 4'],
    ['gather until then', 'a-z:4 a-z:4', 'nothing'],
    ['take along what is as large as all of them', 'a-z:4 a-z:4 a-z:4 a-z:20 a-z:30', '4 4 4 20'],
    ['leave alone what is much larger', 'a-z:2 a-z:2 a-z:2 a-z:20', '2 2 2'],
    ['grow where each is much larger than the ones before', 'a-z:1 a-z:4 a-z:20', 'nothing'],
    ['end at full runs', 'a-z:25 a-z:25 a-z:25', 'nothing'],
  ])('%s', (_, level0, merged) => {
    expect(tier(level0)).toBe(merged);
  });

  it('leave alone what a compaction reads', () => {
    expect(tier('a-z:4 a-z:4 a-z:4 a-z:4', [3])).toBe('4 4 4');
    expect(tier('a-z:4 a-z:4 a-z:4 a-z:4', [2, 3])).toBe('nothing');
  });

  it('leave to a move what overlaps nothing', () => {
    expect(pickTier(draw({ 0: 'a-b:4 b-c:4 c-d:4', 6: 'x-z:90' }), () => false, OPTIONS)).toBeUndefined();
  });
});

describe('what is held', () => {
  /** Runs with an h behind them are held. */
  const isHeld = ({ name }: DrawnRun): boolean => /!\w*h/.test(name);
  const pick = (levels: Readonly<Record<number, string>>): string =>
    show(pickCompaction(draw(levels), OPTIONS, isHeld));
  const tier = (level0: string, below: string): string => {
    const levels = draw({ 0: level0, 6: below });
    const runs = pickTier(levels, isHeld, OPTIONS, heldBelow0(levels, OPTIONS, isHeld));
    return runs === undefined ? 'nothing' : runs.map(({ name }) => name).join(' ');
  };

  it('is read by no merge, and what lies beside it goes down', () => {
    const beside = 'm-p:9 a-c:9 b-d:9 e-k:9 c-d:9 n-p:9 a-d:9';
    expect(pick({ 0: beside, 6: 'a-e:1 e-m:1!h m-z:1' })).toBe(
      'merge 0 (a-c:9 b-d:9 c-d:9 a-d:9) into 6 (a-e:1) for size',
    );
    expect(pick({ 0: 'a-z:9 a-z:9 a-z:9 a-z:9', 6: 'a-e:1 e-m:1!h' })).toBe('nothing');
    expect(pick({ 5: 'a-d:80 d-h:80 h-m:80', 6: 'a-b:1!h d-h:900 h-m:950 m-z:1' })).toBe(
      'merge 5 (d-h:80) into 6 (d-h:900) for size',
    );
    expect(pick({ 5: 'a-d:60!h d-h:60', 6: 'a-b:1 d-h:900!h' })).toBe('nothing');
    expect(pick({ 5: 'a-d:3!rh d-e:3!r h-m:3', 6: 'a-d:500 d-e:500' })).toBe(
      'merge 5 (d-e:3!r) into 6 (d-e:500) for removals',
    );
  });

  it('lets the level that is next have its turn', () => {
    expect(pick({ 4: 'a-c:400!h', 5: 'a-b:1000 f-g:1000', 6: 'a-z:10000' })).toBe(
      'merge 5 (a-b:1000) into 6 (a-z:10000) for size',
    );
  });

  it('keeps what is newer than it above it, in level 0', () => {
    expect(pick({ 0: 'a-m:9 a-f:9 a-z:9!h a-z:9 a-z:9 a-z:9', 6: 'a-z:9' })).toBe(
      'merge 0 (a-z:9 a-z:9 a-z:9) into 6 (a-z:9) for size',
    );
  });

  it('may be dropped and moved: nothing is read for that', () => {
    expect(pick({ 0: 'a-f:1!t', 6: 'b-c:9!h f-z:9' })).toBe('drop b-c:9!h');
    expect(pick({ 5: 'a-d:60 d-e:60', 6: 'a-d:1000!h e-f:100' })).toBe('move d-e:60 to 6');
  });

  it('lets what cannot go down be merged with each other however large it is, if that makes fewer runs of it', () => {
    expect(tier('a-z:50 a-z:50 a-z:50', 'a-z:9')).toBe('nothing');
    expect(tier('a-z:50 a-z:50 a-z:50', 'a-z:9!h')).toBe('a-z:50 a-z:50 a-z:50');
    // It would be cut in three.
    expect(tier('a-z:50 a-z:50 a-z:50', 'd-g:9!h')).toBe('nothing');
    expect(tier('a-z:50 a-z:50 a-z:50 a-z:50', 'd-g:9!h')).toBe('a-z:50 a-z:50 a-z:50 a-z:50');
    expect(tier('a-z:50 a-z:50 a-z:50!h a-z:50', 'a-z:9')).toBe('nothing');
    expect(tier('a-z:5 a-z:5 a-z:1!h a-z:5 a-z:5 a-z:5 a-z:5 a-z:5', 'a-z:9')).toBe('a-z:5 a-z:5');
  });

  it('is cut around one by one, or all together where it is much', () => {
    const spans = (text: string): DrawnRun[] => draw({ 6: text })[6] as DrawnRun[];
    const cuts = (text: string): string =>
      cutsAround(spans(text), run('b-y:1'))
        .map((key) => String.fromCharCode(...key))
        .join(' ');
    expect(cuts('')).toBe('');
    expect(cuts('a-c:1 c-d:1 g-h:1 y-z:1')).toBe('c d g h');
    expect(cuts('c-d:1 e-f:1 g-h:1 i-j:1 k-l:1')).toBe('c l');
  });
});

describe('level sizes', () => {
  const targets = (levels: Readonly<Record<number, string>>): unknown[] => {
    const { base, bytes: sizes } = levelTargets(draw(levels), OPTIONS);
    return [base, ...sizes.slice(base, 6)];
  };

  it('follow from the fullest level', () => {
    expect(targets({})).toEqual([6]);
    expect(targets({ 6: 'a-z:999' })).toEqual([6]);
    expect(targets({ 6: 'a-z:1000' })).toEqual([5, 100]);
    expect(targets({ 6: 'a-z:123000' })).toEqual([3, 123, 1230, 12300]);
    expect(targets({ 5: 'a-z:20000', 6: 'a-z:10' })).toEqual([4, 200, 2000]);
  });

  it('stay what they were while a higher level is in use', () => {
    expect(targets({ 3: 'a-b:1', 6: 'a-z:1000' })).toEqual([3, 0, 0, 100]);
  });

  it('never go above level 1', () => {
    expect(targets({ 6: 'a-z:999999999999999' })[0]).toBe(1);
  });
});

describe('the place of a file that is newer than everything', () => {
  it('is the deepest one where it lies above all it overlaps', () => {
    const levels = draw({ 0: 'a-c:1', 4: 'e-g:1', 6: 'a-k:1' });
    expect(levelOfNewest(levels, run('b-d:1'))).toBe(0);
    expect(levelOfNewest(levels, run('c-f:1'))).toBe(3);
    expect(levelOfNewest(levels, run('c-e:1'))).toBe(5);
    expect(levelOfNewest(levels, run('k-z:1'))).toBe(6);
  });
});

describe('pressure', () => {
  it('rises from the first run too many to the last one that may be', () => {
    expect([0, 3, 4, 5, 6, 7, 8, 20].map((runs) => pressureOf(runs, 4, 8))).toEqual([0, 0, 0.2, 0.4, 0.6, 0.8, 1, 1]);
  });
});
