/**
 * Which engine should a table have? A function of what was counted: engine-costs.ts estimates what the same use would cost
 * in either engine, and the cheaper one is advised, unless the difference is small or little was seen.
 */
import { type EngineMemory, type SpaceEvidence, costIn } from './engine-costs.js';

/** The estimate for one engine. */
export interface EngineEstimate {
  /** Microseconds for everything that was counted. */
  readonly costUs: number;
  /** Bytes written to files for each byte that is flushed; 1 when nothing was written. */
  readonly writeAmplification: number;
}

export interface EngineAdvice {
  /** The engine the table should have; its own when nothing speaks clearly for the other. */
  readonly engine: 'btree' | 'lsm';
  readonly btree: EngineEstimate;
  readonly lsm: EngineEstimate;
  /** One sentence with the figures that decided. */
  readonly reason: string;
}

/** Fewer operations than this say nothing. */
const OPERATIONS_MIN = 1000;
/** How much dearer the present engine must be before the other is advised: moving a table costs something, too. */
const ADVANTAGE_MIN = 1.15;

/** Advice for a table that consists of these spaces, all of the engine. Pure: the same evidence gives the same advice. */
export function adviseEngine(
  engine: 'btree' | 'lsm',
  spaces: readonly SpaceEvidence[],
  memory: EngineMemory,
): EngineAdvice {
  const btree = estimateIn('btree', spaces, memory);
  const lsm = estimateIn('lsm', spaces, memory);
  const [own, other, otherEngine] =
    engine === 'btree' ? ([btree, lsm, 'lsm'] as const) : ([lsm, btree, 'btree'] as const);
  const total = (of: (space: SpaceEvidence) => number): number => spaces.reduce((sum, space) => sum + of(space), 0);
  const [writes, gets, scans] = [
    total((space) => space.writes),
    total((space) => space.gets),
    total((space) => space.scans),
  ];
  const operations = writes + gets + scans;
  if (operations < OPERATIONS_MIN) {
    return { engine, btree, lsm, reason: `about ${Math.round(operations)} operations say too little` };
  }
  const ratio = own.costUs / other.costUs;
  const shares = `${percent(writes, operations)} writes, ${percent(gets, operations)} look-ups, ${percent(scans, operations)} scans`;
  const amplification = `write amplification ${btree.writeAmplification.toFixed(1)} in the B+tree, ${lsm.writeAmplification.toFixed(1)} in the LSM-tree`;
  if (ratio < ADVANTAGE_MIN) {
    return { engine, btree, lsm, reason: `${shares}; ${amplification}: it is well where it is` };
  }
  const reason = `${shares}; ${amplification}: ${otherEngine} would cost ${ratio.toFixed(1)} times less`;
  return { engine: otherEngine, btree, lsm, reason };
}

function estimateIn(engine: 'btree' | 'lsm', spaces: readonly SpaceEvidence[], memory: EngineMemory): EngineEstimate {
  let costUs = 0;
  let bytesFlushed = 0;
  let bytesRewritten = 0;
  for (const space of spaces) {
    const cost = costIn(engine, space, memory);
    costUs += cost.costUs;
    bytesFlushed += cost.bytesFlushed;
    bytesRewritten += cost.bytesRewritten;
  }
  return { costUs, writeAmplification: bytesFlushed === 0 ? 1 : 1 + bytesRewritten / bytesFlushed };
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}
