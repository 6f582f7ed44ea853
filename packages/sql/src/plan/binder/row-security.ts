/**
 * Row-level security: what the policies of a table add to a statement that reads or writes it, as PostgreSQL does it.
 *
 *   rows that are read, changed or removed   conditions over them: others are not seen
 *   rows that are written                    checks over them: 42501 for what no policy lets in
 *   rows that an upsert or a merge meets     checks as well: they cannot be left out of sight any more
 *
 * Of the policies for a command (and for ALL) one permissive one must hold and every restrictive one; without a permissive
 * one nothing passes. Who reads what is changed (WHERE, RETURNING) is held to the policies for SELECT besides.
 *
 * Invariants:
 *   1. Conditions of a policy come before those of the query, which could tell what they see by failing. One that holds a
 *      subquery is a barrier: nothing is pushed below it.
 *   2. A policy's text means what it meant when it was made: it is bound by its own names, with the rights of whoever reads.
 */
import type { PolicyCondition, PolicyDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import { columnReference, FALSE, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope, type RangeItem } from '../../expr/scope.js';
import { BOOL } from '../../types/type-refs.js';
import type { LogicalNode, RowCheck } from '../logical/logical.js';
import { rangeItem } from './range-items.js';

export type SecuredCommand = Exclude<PolicyDescriptor['command'], 'all'>;

/** The policies of a table as they hold for whoever a statement, or the view in it, reads for. */
export class TablePolicies {
  private readonly binder: Binder;
  private readonly table: TableDescriptor;
  private readonly policies: readonly PolicyDescriptor[];

  private constructor(binder: Binder, table: TableDescriptor, policies: readonly PolicyDescriptor[]) {
    this.binder = binder;
    this.table = table;
    this.policies = policies;
  }

  /** Undefined when the table is open. 42P17 for a policy that reads its own table. */
  static of(binder: Binder, table: TableDescriptor): TablePolicies | undefined {
    const { context } = binder;
    if (table.rowSecurity?.enabled !== true) return undefined;
    context.security.key = context.catalog.securityKey;
    const policies = context.catalog.policiesFor(table, context.viewOwnerOid);
    if (policies === undefined) return undefined;
    if (context.policyStack.includes(table.oid)) {
      throw context.error('42P17', `infinite recursion detected in policy for relation "${table.name}"`, undefined);
    }
    return new TablePolicies(binder, table, policies);
  }

  /** Which rows there are for a command; `row` has an id for each column by position. */
  visible(command: SecuredCommand, row: readonly ColumnId[]): Expression[] {
    const { permissive, restrictive } = this.bound(command, 'using', row);
    return permissive === undefined ? [FALSE] : [...restrictive.map(({ condition }) => condition), permissive];
  }

  /** What a row must be to be written. */
  written(command: 'insert' | 'update', row: readonly ColumnId[]): RowCheck[] {
    return this.checks(command, 'check', 'new', row);
  }

  /** As `visible`, of a row that the statement has come upon in another way. */
  met(command: SecuredCommand, kind: 'new' | 'existing' | 'target', row: readonly ColumnId[]): RowCheck[] {
    return this.checks(command, 'using', kind, row);
  }

  private checks(
    command: SecuredCommand,
    part: 'using' | 'check',
    row: 'new' | 'existing' | 'target',
    ids: readonly ColumnId[],
  ): RowCheck[] {
    const { permissive, restrictive } = this.bound(command, part, ids);
    const first: RowCheck = { condition: permissive ?? FALSE, refused: { by: 'policy', row } };
    if (permissive === undefined) return [first];
    const others = restrictive.map(({ name, condition }): RowCheck => ({
      condition,
      refused: { by: 'policy', row, name },
    }));
    return [first, ...others];
  }

  private bound(command: SecuredCommand, part: 'using' | 'check', row: readonly ColumnId[]): BoundPolicies {
    const permissive: Expression[] = [];
    const restrictive: { name: string; condition: Expression }[] = [];
    for (const policy of this.policies) {
      if (policy.command !== 'all' && policy.command !== command) continue;
      const text = part === 'using' ? policy.using : (policy.check ?? policy.using);
      if (text === undefined) continue;
      const condition = this.bind(text, row);
      if (policy.permissive) permissive.push(condition);
      else restrictive.push({ name: policy.name, condition });
    }
    restrictive.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { permissive: anyOf(permissive), restrictive };
  }

  private bind(text: PolicyCondition, row: readonly ColumnId[]): Expression {
    const { binder, table } = this;
    const { context } = binder;
    const nested = context.stored(text);
    nested.policyStack = [...context.policyStack, table.oid];
    const { body } = binder.parseQuery(text.querySql);
    if (body.kind !== 'select' || body.where === undefined) return FALSE;
    const from = body.from[0];
    const written = from?.kind === 'table' ? from.name.map((part) => part.text).join('.') : '';
    const stored = text.names?.find(({ name }) => name === written);
    const scope = new Scope(nested, undefined);
    scope.clause = 'policy expressions';
    scope.items = [this.item(row, written.split('.').at(-1) ?? table.name, stored?.columns)];
    return coerceToBoolean(nested, binder.within(nested).bind(body.where, scope), 'POLICY', 0);
  }

  /** The table's row as the policy's text calls it. */
  private item(row: readonly ColumnId[], name: string, names: readonly string[] | undefined): RangeItem {
    const { table } = this;
    const columns = table.columns.flatMap((column, i) => {
      const called = names === undefined ? column.name : (names[column.number - 1] ?? '');
      if (column.dropped || called === '') return [];
      return [{ name: called, expression: columnReference(row[i] as ColumnId, column.type), type: column.type }];
    });
    return rangeItem(name, columns, { rowTypeOid: table.rowTypeOid, table });
  }
}

interface BoundPolicies {
  /** One of them; undefined when there is none. */
  readonly permissive: Expression | undefined;
  readonly restrictive: readonly { readonly name: string; readonly condition: Expression }[];
}

function anyOf(conditions: readonly Expression[]): Expression | undefined {
  const [first] = conditions;
  if (conditions.length <= 1) return first;
  return { kind: 'logical', operator: 'or', operands: [...conditions], type: BOOL };
}

/** Rows that pass the conditions of policies, kept below everything else. */
export function behindPolicies(input: LogicalNode, conditions: readonly Expression[]): LogicalNode {
  if (conditions.length === 0) return input;
  return { kind: 'filter', input, conditions, isBarrier: true, columns: input.columns };
}
