/** FOR UPDATE and kin: which range items' rows are locked, and how. */
import type { Binder } from '../../expr/binder.js';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { RangeItem, Scope } from '../../expr/scope.js';
import type { LockingClause } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { LockRows } from '../logical/logical.js';
import { requirePrivilege } from './bind-relation.js';

type LockTarget = LockRows['targets'][number];

/** The clauses' targets; 0A000 where rows do not stand for rows of a table. */
export function lockRows(
  binder: Binder,
  clauses: readonly LockingClause[],
  scope: Scope,
  select: Ast.Select,
  grouped: boolean,
): LockTarget[] {
  const { context } = binder;
  const targets = new Map<ColumnId, LockTarget>();
  for (const clause of clauses) {
    const words = `FOR ${clause.strength.toUpperCase().replaceAll('-', ' ')}`;
    const refuse = (what: string): never => {
      throw context.error('0A000', `${words} is not allowed with ${what}`, undefined);
    };
    if (select.distinct !== undefined) refuse('DISTINCT clause');
    if (select.groupBy !== undefined) refuse('GROUP BY clause');
    if (select.having !== undefined) refuse('HAVING clause');
    if (grouped) refuse('aggregate functions');
    if (scope.windowCalls.length > 0) refuse('window functions');
    if (scope.setCalls.length > 0) refuse('set-returning functions in the target list');
    for (const item of clauseItems(binder, clause, scope, words)) {
      if (item.rowReference === undefined || item.table === undefined) continue;
      if (item.table.materialized !== undefined)
        throw context.error('42809', `cannot lock rows in materialized view "${item.table.name}"`, undefined);
      requirePrivilege(binder, item.table, 'update');
      targets.set(item.rowReference, {
        rowReference: item.rowReference,
        strength: clause.strength,
        wait: clause.wait,
      });
    }
  }
  return [...targets.values()];
}

/** What policies ask of rows that are locked: to lock one is to be allowed to change it. */
export function lockConditions(binder: Binder, clauses: readonly LockingClause[], scope: Scope): Expression[] {
  if (!scope.items.some((item) => item.lockConditions !== undefined)) return [];
  const secured = new Set<RangeItem>();
  for (const clause of clauses) for (const item of clauseItems(binder, clause, scope, 'FOR')) secured.add(item);
  return [...secured].flatMap((item) => item.lockConditions?.() ?? []);
}

function clauseItems(binder: Binder, clause: LockingClause, scope: Scope, words: string): readonly RangeItem[] {
  if (clause.of.length === 0) return scope.items;
  return clause.of.map((name) => {
    const last = name[name.length - 1]?.text ?? '';
    const item = scope.items.find((candidate) => candidate.name === last && candidate.relationVisible);
    if (item === undefined) {
      throw binder.context.error(
        '42P01',
        `relation "${last}" in ${words} clause not found in FROM clause`,
        name[0]?.position,
      );
    }
    if (item.rowReference === undefined) {
      throw binder.context.error('0A000', `${words} cannot be applied to "${last}"`, name[0]?.position);
    }
    return item;
  });
}
