/**
 * FOR UPDATE and kin: which items of FROM have their rows locked, and how, after PostgreSQL's rules.
 *
 *   table                  its rows
 *   subquery, view         the rows of all tables in its own FROM, in the same way, as deep as it goes
 *   anything else          nothing: WITH queries, functions, VALUES and system views have no rows that could be locked
 *
 * Items are found by the syntax, before they are bound: what is locked must show its rows' references upwards, and asks for
 * more rights. Of several clauses the strongest lock holds, and not to wait before waiting.
 *
 * A query shows the references of what it locks for another one around it, which locks them among the rows that pass its own
 * conditions. Where fewer rows than it has read come out of it (LIMIT), or its own text has a locking clause, it locks them by
 * itself as well. Rows of groups, sets and windows are no table's rows: they are refused, also where PostgreSQL locks
 * nothing without a word (a view that is a UNION).
 */
import type { Binder, BindQueryOptions } from '../../expr/binder.js';
import type { RangeLocks, Scope } from '../../expr/scope.js';
import type { LockingClause } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { lockingWords, type LockTarget, type LogicalNode, type RowLock } from '../logical/logical.js';
import { functionColumnName } from './output-names.js';

const STRENGTHS = ['key-share', 'share', 'no-key-update', 'update'] as const;
const WAITS = ['block', 'skip-locked', 'nowait'] as const;

/** An item of FROM as a locking clause sees it. */
interface Lockable {
  readonly node: Ast.TableExpression;
  readonly name: string | undefined;
  /** What it is, where nothing of it can be locked. */
  readonly other: string | undefined;
}

/** The locking clauses of one SELECT, and those of what is around it. */
export class SelectLocks implements RangeLocks {
  readonly targets: LockTarget[] = [];
  private readonly binder: Binder;
  private readonly clauses: readonly LockingClause[];
  private readonly around: RowLock | undefined;
  private readonly locks = new Map<Ast.TableExpression, RowLock>();
  private refused: Error | undefined;

  private constructor(binder: Binder, clauses: readonly LockingClause[], around: RowLock | undefined) {
    this.binder = binder;
    this.clauses = clauses;
    this.around = around;
  }

  /** Undefined when there is nothing to lock. `scope` knows the names of WITH queries. */
  static of(
    binder: Binder,
    select: Ast.Select,
    query: Ast.Query | undefined,
    scope: Scope,
    options: BindQueryOptions,
  ): SelectLocks | undefined {
    const clauses = query?.locking ?? [];
    if (clauses.length === 0 && options.lock === undefined) return undefined;
    const locks = new SelectLocks(binder, clauses, options.lock);
    const items = select.from.flatMap((node) => lockables(node, scope));
    for (const clause of clauses) for (const item of locks.named(clause, items)) locks.add(item, clause);
    if (options.lock !== undefined) for (const item of items) locks.add(item, options.lock);
    return locks;
  }

  /** What whoever is around the query locks of it. */
  get passed(): readonly LockTarget[] {
    return this.around === undefined ? [] : this.targets;
  }

  of(node: Ast.TableExpression): RowLock | undefined {
    return this.locks.get(node);
  }

  /** 42P01 and 0A000 for what cannot be locked, once the query is bound. */
  check(select: Ast.Select, scope: Scope, grouped: boolean): void {
    const what = notRowsOfTables(select, scope, grouped);
    const asked = [...this.clauses, ...(this.around === undefined || this.targets.length === 0 ? [] : [this.around])];
    if (what !== undefined) for (const lock of asked) throw notAllowedWith(this.binder, lock, what);
    if (this.refused !== undefined) throw this.refused;
  }

  /** The plan with its rows locked here, unless only whoever is around the query is to do that. */
  apply(plan: LogicalNode, query: Ast.Query | undefined): LogicalNode {
    const isHere = this.around === undefined || this.clauses.length > 0 || isLimited(query);
    return isHere ? lockedRows(plan, this.targets) : plan;
  }

  private add({ node, other }: Lockable, { strength, wait }: RowLock): void {
    if (other !== undefined) return;
    const known = this.locks.get(node);
    this.locks.set(node, {
      strength: STRENGTHS[rank(STRENGTHS, strength, known?.strength)] ?? strength,
      wait: WAITS[rank(WAITS, wait, known?.wait)] ?? wait,
    });
  }

  private named(clause: LockingClause, items: readonly Lockable[]): readonly Lockable[] {
    if (clause.of.length === 0) return items;
    const { context } = this.binder;
    const words = lockingWords(clause);
    return clause.of.flatMap((name) => {
      const last = name[name.length - 1]?.text ?? '';
      const position = name[0]?.position;
      const item = items.find((candidate) => candidate.name === last);
      if (name.length > 1) {
        this.refused ??= context.error('42601', `${words} must specify unqualified relation names`, position);
      } else if (item === undefined) {
        this.refused ??= context.error(
          '42P01',
          `relation "${last}" in ${words} clause not found in FROM clause`,
          position,
        );
      } else if (item.other !== undefined) {
        this.refused ??= context.error('0A000', `${words} cannot be applied to ${item.other}`, position);
      }
      return item === undefined ? [] : [item];
    });
  }
}

/** Fewer rows come out of the query than it reads. */
export function isLimited(query: Ast.Query | undefined): boolean {
  return query?.limit !== undefined || query?.offset !== undefined;
}

export function lockedRows(input: LogicalNode, targets: readonly LockTarget[]): LogicalNode {
  return targets.length === 0 ? input : { kind: 'lock-rows', input, targets, columns: input.columns };
}

function rank<T>(order: readonly T[], one: T, other: T | undefined): number {
  return Math.max(order.indexOf(one), other === undefined ? -1 : order.indexOf(other));
}

/** 0A000: rows that come out of `what` are no rows of tables. */
export function notAllowedWith(binder: Binder, lock: RowLock, what: string): Error {
  return binder.context.error('0A000', `${lockingWords(lock)} is not allowed with ${what}`, undefined);
}

function notRowsOfTables(select: Ast.Select, scope: Scope, grouped: boolean): string | undefined {
  if (select.distinct !== undefined) return 'DISTINCT clause';
  if (select.groupBy !== undefined) return 'GROUP BY clause';
  if (select.having !== undefined) return 'HAVING clause';
  if (grouped) return 'aggregate functions';
  if (scope.windowCalls.length > 0) return 'window functions';
  return scope.setCalls.length > 0 ? 'set-returning functions in the target list' : undefined;
}

/** The items below and at a node of FROM, in the order in which a name finds them: those that a join's alias hides as well. */
function lockables(node: Ast.TableExpression, scope: Scope): Lockable[] {
  const alias = 'alias' in node ? node.alias?.name.text : undefined;
  switch (node.kind) {
    case 'table': {
      const last = node.name[node.name.length - 1]?.text;
      const isCommon = node.name.length === 1 && last !== undefined && scope.cte(last) !== undefined;
      return [{ node, name: alias ?? last, other: isCommon ? 'a WITH query' : undefined }];
    }
    case 'derived':
      return [{ node, name: alias, other: undefined }];
    case 'join': {
      const name = alias ?? node.using?.alias?.text;
      return [...lockables(node.left, scope), ...lockables(node.right, scope), { node, name, other: 'a join' }];
    }
    case 'function-table': {
      const call = node.functions[0]?.call;
      return [
        { node, name: alias ?? (call === undefined ? undefined : functionColumnName(call)), other: 'a function' },
      ];
    }
    default:
      return [{ node, name: alias, other: 'a table function' }];
  }
}
