/**
 * Scans of few rows in a program that runs once for each row around it: a correlated subquery, a lateral side. Opening a cursor
 * costs ten times what finding a place with it does, so that one cursor is opened for the statement and aimed at each range.
 */
import type { TableScan } from '../../plan/physical/physical.js';
import { cursorCandidates } from './lookup-candidates.js';
import { matchLoop } from './match-loop.js';
import { produceOnce } from './sources.js';
import type { Consume, PlanCompiler } from './step.js';

export function produceAimedScan(compiler: PlanCompiler, node: TableScan, consume: Consume): void {
  produceOnce(compiler, 'aimed', ({ context }) => {
    matchLoop(compiler, context, 'inner', node.filter, cursorCandidates(compiler, context, node), consume);
  });
}
