/**
 * Inlining of WITH queries: one that is read once, does not recurse, modifies nothing and calls nothing volatile becomes a
 * plain subquery where it is read, so that conditions and pruning reach into it. MATERIALIZED forbids it.
 */
import { columnReference, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import type { CommonTable, CteScan, LogicalNode, Project, With } from '../logical/logical.js';
import { forEachSubplan } from '../logical/subplans.js';
import {
  forEachNodeExpression,
  inputsOf,
  mapInputs,
  mapNodeExpressions,
  rewriteDeep,
  subplanOf,
} from '../logical/walk.js';
import type { Rule } from './rule.js';
import { planIsVolatile } from './volatile-plans.js';

export const inlineCommonTables: Rule = {
  name: 'inlining of common tables',
  apply: (plan, context) => inline(plan, context),
};

function inline(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => inline(input, context));
  return inner.kind === 'with' ? inlineWith(inner, context) : inner;
}

function inlineWith(node: With, context: BindContext): LogicalNode {
  let current: With = node;
  for (const table of node.tables) {
    if (!canInline(table)) continue;
    const reads = { inside: 0, inSubplans: 0 };
    countReads(current, table.id, reads, false);
    if (reads.inside !== 1 || reads.inSubplans > 0) continue;
    const definition = current.tables.find((candidate) => candidate.id === table.id) ?? table;
    const without: With = { ...current, tables: current.tables.filter((candidate) => candidate.id !== table.id) };
    current = replaceScan(without, definition, context) as With;
  }
  return current.tables.length === 0 ? current.input : current;
}

function canInline(table: CommonTable): boolean {
  return table.recursive === undefined && !table.writes && table.materialized !== true && !planIsVolatile(table.plan);
}

/** Reads of a WITH query in the plan proper, and in subplans of expressions, which may run many times. */
function countReads(
  node: LogicalNode,
  id: number,
  reads: { inside: number; inSubplans: number },
  inSubplan: boolean,
): void {
  if (node.kind === 'cte-scan' && node.cte === id) {
    if (inSubplan) reads.inSubplans++;
    else reads.inside++;
  }
  // The right side of a lateral join and a recursive step may run many times, too.
  for (const input of inputsOf(node)) {
    const repeated =
      (node.kind === 'join' && node.lateral && input === node.right) ||
      (node.kind === 'with' && node.tables.some((table) => table.recursive?.step === input));
    countReads(input, id, reads, inSubplan || repeated);
  }
  forEachNodeExpression(node, (expression) => forEachSubplan(expression, (plan) => countReads(plan, id, reads, true)));
}

function replaceScan(node: LogicalNode, table: CommonTable, context: BindContext): LogicalNode {
  if (node.kind === 'cte-scan' && node.cte === table.id) return projectScan(node, table, context);
  const inner = mapInputs(node, (input) => replaceScan(input, table, context));
  return mapNodeExpressions(inner, (expression) =>
    rewriteDeep(expression, (part): Expression | undefined => {
      if (part.kind !== 'subquery') return undefined;
      const plan = replaceScan(subplanOf(part), table, context);
      return plan === part.plan ? undefined : { ...part, plan };
    }),
  );
}

function projectScan(scan: CteScan, table: CommonTable, context: BindContext): Project {
  return {
    kind: 'project',
    input: table.plan,
    items: scan.columns.map((column, i) => {
      const source = scan.sources[i] as number;
      return { column, expression: columnReference(source, context.pool.get(source).type) };
    }),
    columns: scan.columns,
  };
}
