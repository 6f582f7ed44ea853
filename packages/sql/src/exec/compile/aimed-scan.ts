/**
 * Scans of few rows in a program that runs once for each row around it: a correlated subquery, a lateral side. Opening a cursor
 * costs ten times what finding a place with it does, so that one cursor is opened for the statement and aimed at each range.
 */
import { isOneStretch } from '../../plan/physical/access-path.js';
import type { TableScan } from '../../plan/physical/physical.js';
import { cursorCandidates } from './lookup-candidates.js';
import { matchLoop } from './match-loop.js';
import { produceOnce } from './sources.js';
import type { Consume, PlanCompiler } from './step.js';

/** The cost of what is read without a look at the clock, once for each row around the scan. */
const AIMED_COST_MAX = 2000;

/** True when the scan may be done by a cursor that stays open. */
export function isAimed({ range, unique, indexOnly, backward, partitioned, estimate }: TableScan): boolean {
  // What reads the partition of its run is aimed at that, and no more at its range.
  if (partitioned === true || range === undefined || backward || (unique && !indexOnly)) return false;
  if (estimate.total > AIMED_COST_MAX) return false;
  return range.among === undefined && isOneStretch(range);
}

export function produceAimedScan(compiler: PlanCompiler, node: TableScan, consume: Consume): void {
  produceOnce(compiler, 'aimed', ({ context }) => {
    matchLoop(compiler, context, 'inner', node.filter, cursorCandidates(compiler, context, node), consume);
  });
}
