/**
 * What a use of a table costs in either engine: a model of what the engines do, with the prices of single operations.
 *
 *   cost = reads + writes into memory + flushed rows + rows rewritten in the background + file bytes x FILE_BYTE_US
 *
 * The prices are microseconds of CPU, all threads together, as `npm run bench -- prices` measures them on operations that are
 * done alone; nothing is fitted to the workloads that the advice is held against (`npm run bench -- amplification`). What the
 * engines do follows from their own rules:
 *
 *   flush    a delta holds so many writes; of them one row for each different key is flushed. Both engines alike.
 *   B+tree   runs are merged into the pages they touch as merge-policy.ts of the B+tree decides: every 4 runs when that is
 *            cheap, every 8 when it is bearable; else runs are merged with each other until they are enough, or writing
 *            ends. A page is written whole for each row in it that has changed. Keys that ascend touch new pages only.
 *   LSM      4 runs or more are merged into the level below, of which every row is written again, once that is at most
 *            twice as large; until then 4 at a time become one, up to 4 that are full. Further levels, of levelFactor times
 *            the size, cost each row half the factor more. Keys that ascend are moved unread.
 *
 * Left out: the disk's reads (both engines read one page or block for a row that is not cached) and the room that each takes.
 */
import type { SpaceUse } from './space-use.js';

/** What is known of a space: of a table's rows, or of one of its indexes. */
export interface SpaceEvidence extends SpaceUse {
  readonly rows: number;
  /** Their size in files. */
  readonly bytes: number;
}

/** What an engine has to do its work with. */
export interface EngineMemory {
  /** Bytes of one delta, which is flushed as one run. */
  readonly deltaBytes: number;
  readonly cacheBytes: number;
}

/** The estimate for one engine. */
export interface EngineCost {
  /** Microseconds for everything that was counted. */
  readonly costUs: number;
  /** Bytes flushed, and written to files again in the background. */
  readonly bytesFlushed: number;
  readonly bytesRewritten: number;
}

/** So much for a row, and for each byte of it. */
type Price = readonly [rowUs: number, byteUs: number];

interface Prices {
  readonly write: Price;
  readonly flush: Price;
  readonly get: Price;
  /** A look-up that has to read a page or block. */
  readonly coldGet: Price;
  readonly seek: Price;
  readonly scannedRow: Price;
  /** A row that is written again in the background because of one beside it. */
  readonly rewrite: Price;
  /** A row that is brought to its place there. */
  readonly merge: Price;
}

const PRICES: Readonly<Record<'btree' | 'lsm', Prices>> = {
  btree: {
    write: [3.1, 0.004],
    flush: [1.3, 0.003],
    get: [1.6, 0.004],
    coldGet: [12, 0],
    seek: [5.5, 0.022],
    scannedRow: [0.12, 0.0013],
    rewrite: [0, 0.0097],
    merge: [2.7, 0],
  },
  lsm: {
    write: [4, 0.0035],
    flush: [1.8, 0.0075],
    get: [1.6, 0.0035],
    coldGet: [11.8, 0.021],
    seek: [9.2, 0.026],
    scannedRow: [0.19, 0.0013],
    rewrite: [0.87, 0.0052],
    merge: [0, 0],
  },
};
/** A disk that takes 200 MB a second. */
const FILE_BYTE_US = 0.005;
/** What an entry takes in a delta beside its bytes. */
const DELTA_ENTRY_BYTES = 40;
const PAGE_BYTES = 8192;
/** How full pages are after insertions in random order. */
const PAGE_FILL = 0.75;
/** Of a row's bytes in runs of the LSM-tree: they are compressed. */
const COMPRESSED_SHARE = 0.65;
/** Runs past which the B+tree merges, and page bytes for each byte of them up to which that is done: see merge-policy.ts. */
const RUNS_MAX = 8;
const CHEAP = 6;
const BEARABLE = 24;
/**
 * Runs that the LSM-tree merges into the level below or with each other, how many times their bytes that level may have for it,
 * and the sizes of levels: see compaction-picker.ts.
 */
const LEVEL0_RUNS = 4;
const CHEAP_FACTOR = 2;
const LEVEL_FACTOR = 10;
/** The topmost level has so many deltas. */
const LEVEL_DELTAS = 4;

/** What the writes come to in either engine before the two part. */
interface Flow {
  readonly rowBytes: number;
  /** Runs that are flushed, and the bytes of a delta that make one. */
  readonly runs: number;
  readonly deltaBytes: number;
  /** Rows of one run, and of so many merged. */
  rowsOf(runs: number): number;
  /** Share of the writes that go behind all others. */
  readonly appended: number;
  /** Rows of the table, halfway through where these writes have made it. */
  readonly tableRows: number;
  /** Whether they have. */
  readonly isLoad: boolean;
}

/** Rows and file bytes written again in the background. */
interface Rewriting {
  readonly rewritten: number;
  readonly merged: number;
  readonly fileBytes: number;
}

/** What the evidence would have cost in one engine. Pure. */
export function costIn(engine: 'btree' | 'lsm', evidence: SpaceEvidence, memory: EngineMemory): EngineCost {
  const prices = PRICES[engine];
  const flow = flowOf(evidence, memory.deltaBytes);
  const { rowBytes } = flow;
  const of = (count: number, [rowUs, byteUs]: Price): number => count * (rowUs + byteUs * rowBytes);
  const flushed = flow.runs * flow.rowsOf(1);
  const flushedBytes = flushed * rowBytes * (engine === 'lsm' ? COMPRESSED_SHARE : 1);
  const { rewritten, merged, fileBytes } = rewritingIn(engine, flow);
  const cold = evidence.gets * Math.max(0, 1 - memory.cacheBytes / Math.max(1, flow.tableRows * rowBytes));
  const costUs =
    of(evidence.gets - cold, prices.get) +
    of(cold, prices.coldGet) +
    of(evidence.scans, prices.seek) +
    of(evidence.rowsScanned, prices.scannedRow) +
    of(evidence.writes, prices.write) +
    of(flushed, prices.flush) +
    of(rewritten, prices.rewrite) +
    of(merged, prices.merge) +
    (flushedBytes + fileBytes) * FILE_BYTE_US;
  return { costUs, bytesFlushed: flushedBytes, bytesRewritten: fileBytes };
}

function rewritingIn(engine: 'btree' | 'lsm', flow: Flow): Rewriting {
  if (flow.runs === 0) return { rewritten: 0, merged: 0, fileBytes: 0 };
  return engine === 'lsm' ? compactions(flow) : treeMerges(flow);
}

function flowOf(evidence: SpaceEvidence, deltaBytes: number): Flow {
  const { writes, bytesWritten, appends, keysWritten, rows, bytes } = evidence;
  const rowBytes = writes > 0 ? bytesWritten / writes : bytes / Math.max(1, rows);
  const runWrites = Math.max(1, deltaBytes / (rowBytes + DELTA_ENTRY_BYTES));
  const runs = writes === 0 ? 0 : Math.max(1, writes / runWrites);
  const isLoad = keysWritten === Number.POSITIVE_INFINITY && writes <= rows * 1.2;
  return {
    rowBytes,
    runs,
    deltaBytes,
    rowsOf: (count) => differentKeys(Math.min(writes, count * runWrites), keysWritten),
    appended: writes === 0 ? 0 : appends / writes,
    tableRows: isLoad ? Math.max(rows - writes / 2, rows / 2) : rows,
    isLoad,
  };
}

/** How many different ones of so many keys so many writes hit when each is as likely as the other. */
function differentKeys(writes: number, keys: number): number {
  return keys === Number.POSITIVE_INFINITY ? writes : keys * (1 - Math.exp(-writes / keys));
}

function treeMerges({ rowBytes, runs, rowsOf, appended, tableRows, isLoad }: Flow): Rewriting {
  const pageRows = (PAGE_BYTES * PAGE_FILL) / rowBytes;
  // Of a table that grows, what a merge brings is among the pages that it writes, and not yet among those that decide.
  const touchedBy = (rows: number, grown: number): number => {
    const scattered = rows * (1 - appended);
    const pages = (tableRows + (isLoad ? grown * rows : 0)) / pageRows;
    return (rows * appended) / pageRows + (pages === 0 ? 0 : pages * (1 - Math.exp(-scattered / pages)));
  };
  // At 4 runs only what is cheap, later what is bearable; runs know how many rows they have, not how many are the same.
  const isBearable = (count: number, rows: number): boolean =>
    (2 * touchedBy(rows, -0.5) * PAGE_BYTES) / (rows * rowBytes) <= (count < RUNS_MAX ? CHEAP : BEARABLE);
  let count = RUNS_MAX / 2;
  while (count < runs && !isBearable(count, count <= RUNS_MAX ? count * rowsOf(1) : rowsOf(count))) count *= 2;
  // When writing ends everything is merged.
  const merges = Math.ceil(runs / count);
  const merged = rowsOf(runs / merges);
  const pagesWritten = merges * touchedBy(merged, 0.5);
  // Until then runs are merged with those that are as large.
  const runRows = merges * merged * Math.max(0, Math.log2(Math.min(count, runs) / RUNS_MAX));
  return {
    rewritten: pagesWritten * pageRows + runRows,
    merged: merges * merged,
    fileBytes: pagesWritten * PAGE_BYTES + runRows * rowBytes,
  };
}

function compactions({ rowBytes, runs, deltaBytes, rowsOf, appended, tableRows, isLoad }: Flow): Rewriting {
  const levelRows = (LEVEL_DELTAS * rowsOf(1)) / COMPRESSED_SHARE;
  // What is written behind everything meets nothing on its way down.
  const scattered = 1 - appended;
  const deeper = Math.max(0, Math.log(tableRows / levelRows) / Math.log(LEVEL_FACTOR) - 1);
  const baseRows = tableRows / LEVEL_FACTOR ** Math.ceil(deeper);
  // Runs of level 0 that go down together: few while the base is small, at most 4 that are full, as a delta's bytes are.
  const roundsMax = Math.max(0, Math.ceil(logOf(deltaBytes / (rowsOf(1) * rowBytes * COMPRESSED_SHARE), LEVEL0_RUNS)));
  const cheapFrom = Math.max(LEVEL0_RUNS, baseRows / (CHEAP_FACTOR * rowsOf(1)));
  const together = Math.min(cheapFrom, LEVEL0_RUNS ** (1 + roundsMax));
  const rounds = Math.max(0, logOf(Math.min(runs, together), LEVEL0_RUNS) - 1);
  const tiered = scattered * rounds * (runs / together) * rowsOf(together);
  const merges = Math.floor(runs / together);
  const brought = rowsOf(together);
  // Of a table that grows, what stays in level 0 and what a merge brings are not yet in the base that it meets.
  const late = isLoad ? Math.min(baseRows, ((runs - merges * together) * rowsOf(1) + brought) / 2) : 0;
  const deeperRows = (brought * Math.ceil(deeper) * LEVEL_FACTOR) / 2;
  const rewritten = tiered + merges * scattered * (baseRows - late + brought + deeperRows);
  return { rewritten, merged: 0, fileBytes: rewritten * rowBytes * COMPRESSED_SHARE };
}

function logOf(number: number, base: number): number {
  return Math.log(number) / Math.log(base);
}
