/**
 * Which engine should a table have? A function of what was counted: it estimates what the same use would cost in either
 * engine and advises the cheaper one, unless the difference is small or little was seen.
 *
 *   cost = gets x look-up + scans x seek + bytes written x (1 + write amplification) x file byte
 *
 * Write amplification is what each byte costs again in the background:
 *
 *   B+tree   a delta's worth of rows, DELTA_BYTES at a time, is merged into the pages it touches. Of a table that is larger
 *            than that, each row soon touches a page of its own: at most page / row, and at most the whole table / delta.
 *   LSM      one flush, one merge out of level 0, and about half the level factor for each further level.
 *
 * The prices are rough constants in microseconds: only their proportions matter, and they are estimates, not fitted to the
 * workloads the advice is held against.
 */

/** What is known of a table with its indexes. */
export interface TableEvidence {
  readonly engine: 'btree' | 'lsm';
  readonly gets: number;
  readonly scans: number;
  readonly writes: number;
  readonly bytesWritten: number;
  /** Size of the table and its indexes. */
  readonly tableBytes: number;
}

/** The estimate for one engine. */
export interface EngineCost {
  /** Microseconds for everything that was counted. */
  readonly costUs: number;
  readonly writeAmplification: number;
}

export interface EngineAdvice {
  /** The engine the table should have; its own when nothing speaks clearly for the other. */
  readonly engine: 'btree' | 'lsm';
  readonly btree: EngineCost;
  readonly lsm: EngineCost;
  /** One sentence with the figures that decided. */
  readonly reason: string;
}

const GET_US = { btree: 0.7, lsm: 1.4 } as const;
const SCAN_US = { btree: 3, lsm: 8 } as const;
const FILE_BYTE_US = 0.004;
const PAGE_BYTES = 8192;
const DELTA_BYTES = 32 * 1024 * 1024;
const LEVEL_BYTES = 64 * 1024 * 1024;
const LEVEL_FACTOR = 10;
/** Fewer operations than this say nothing. */
const OPERATIONS_MIN = 1000;
/** How much dearer the present engine must be before the other is advised: moving a table costs something, too. */
const ADVANTAGE_MIN = 1.2;

/** Advice for a table. Pure: the same evidence gives the same advice. */
export function adviseEngine(evidence: TableEvidence): EngineAdvice {
  const btree = costIn('btree', evidence, btreeAmplification(evidence));
  const lsm = costIn('lsm', evidence, lsmAmplification(evidence));
  const own = evidence.engine === 'btree' ? btree : lsm;
  const other = evidence.engine === 'btree' ? lsm : btree;
  const otherEngine = evidence.engine === 'btree' ? 'lsm' : 'btree';
  const operations = evidence.gets + evidence.scans + evidence.writes;
  if (operations < OPERATIONS_MIN) {
    return { engine: evidence.engine, btree, lsm, reason: `about ${Math.round(operations)} operations say too little` };
  }
  const ratio = own.costUs / other.costUs;
  const shares = `${percent(evidence.writes, operations)} writes, ${percent(evidence.gets, operations)} look-ups, ${percent(evidence.scans, operations)} scans`;
  const amplification = `write amplification ${btree.writeAmplification.toFixed(1)} in the B+tree, ${lsm.writeAmplification.toFixed(1)} in the LSM-tree`;
  if (ratio < ADVANTAGE_MIN) {
    return { engine: evidence.engine, btree, lsm, reason: `${shares}; ${amplification}: it is well where it is` };
  }
  const reason = `${shares}; ${amplification}: ${otherEngine} would cost ${ratio.toFixed(1)} times less`;
  return { engine: otherEngine, btree, lsm, reason };
}

function costIn(engine: 'btree' | 'lsm', evidence: TableEvidence, writeAmplification: number): EngineCost {
  const { gets, scans, bytesWritten } = evidence;
  const costUs =
    gets * GET_US[engine] + scans * SCAN_US[engine] + bytesWritten * (1 + writeAmplification) * FILE_BYTE_US;
  return { costUs, writeAmplification };
}

function btreeAmplification({ writes, bytesWritten, tableBytes }: TableEvidence): number {
  const rowBytes = Math.max(1, bytesWritten / Math.max(1, writes));
  // Once as a run, and again in the pages that it touches.
  return 1 + Math.min(PAGE_BYTES / rowBytes, tableBytes / DELTA_BYTES);
}

function lsmAmplification({ tableBytes }: TableEvidence): number {
  if (tableBytes <= DELTA_BYTES) return 1;
  const levels = Math.max(1, Math.ceil(Math.log(tableBytes / LEVEL_BYTES) / Math.log(LEVEL_FACTOR)));
  return 2 + (levels * LEVEL_FACTOR) / 2;
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}
