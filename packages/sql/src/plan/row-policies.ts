/**
 * A table's policies as functions over single rows, for rows that no plan of SQL reads or writes: the documents that the document model
 * finds and writes by itself. They are bound as a statement binds them, so the answers are the same. One that asks other tables is a
 * plan over the one row, whose values are the plan's parameters.
 */
import type { ColumnDescriptor, DocumentPolicies, PolicyDescriptor, TableDescriptor } from '@phantom/catalog';
import { evaluateExpression } from '../exec/evaluate-expression.js';
import { BindContext } from '../expr/context.js';
import type { ColumnId, Expression } from '../expr/expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import { policyViolation } from '../storage/constraint-errors.js';
import { physicalTable } from '../storage/physical-table.js';
import { BOOL } from '../types/type-refs.js';
import type { Value } from '../types/type.js';
import { TablePolicies } from './binder/row-security.js';
import { StatementBinder } from './binder/statement-binder.js';
import type { CatalogPort } from './catalog-port.js';
import type { LogicalNode, RowCheck } from './logical/logical.js';
import { preparedPlan } from './plan-statement.js';
import type { PreparedPlan } from './prepared-plan.js';
import { sqlReader } from './sql-reader.js';
import { foldExpression } from './rules/constant-folding.js';
import { hasSubquery } from './rules/facts.js';

type Command = Exclude<PolicyDescriptor['command'], 'all'>;
type Condition = (row: readonly Value[]) => boolean;

/** Runs a plan that only reads, in the transaction that asks; the number of its rows. */
export type PlanRunner = (plan: PreparedPlan, parameters: readonly Value[]) => number;

/** The policies that hold for whoever the catalog's picture is of; undefined: the table is open to them. */
export function rowPolicies(
  table: TableDescriptor,
  catalog: CatalogPort,
  evaluation: EvaluationContext,
  run: PlanRunner,
): DocumentPolicies | undefined {
  const context = new BindContext({ catalog, text: '', parameterTypes: table.columns.map(({ type }) => type) });
  const policies = TablePolicies.of(new StatementBinder(context, sqlReader), table);
  if (policies === undefined) return undefined;
  const ids = table.columns.map((column: ColumnDescriptor): ColumnId => context.newColumn(column.name, column.type));
  const places = new Map(ids.map((id, place) => [id, place]));
  const compiled = (bound: Expression): Condition => {
    if (hasSubquery(bound)) {
      const plan = planOverRow(bound, table, ids, context, catalog);
      return (row) => run(plan, row) > 0;
    }
    const evaluate = evaluateExpression(foldExpression(bound, context), [], places, catalog.types);
    return (row) => evaluate(row, evaluation) === true;
  };
  const visible = new Map<Command, Condition>();
  const conditionOf = (command: Command): Condition => {
    let condition = visible.get(command);
    if (condition === undefined) {
      condition = compiled({ kind: 'logical', operator: 'and', operands: policies.visible(command, ids), type: BOOL });
      visible.set(command, condition);
    }
    return condition;
  };
  const checks = new Map<Command, readonly { check: RowCheck; holds: Condition }[]>();
  const checksOf = (command: 'insert' | 'update', reads: boolean): readonly { check: RowCheck; holds: Condition }[] => {
    let bound = checks.get(command);
    if (bound === undefined) {
      const all = [...policies.written(command, ids), ...(reads ? policies.met('select', 'new', ids) : [])];
      bound = all.map((check) => ({ check, holds: compiled(check.condition) }));
      checks.set(command, bound);
    }
    return bound;
  };
  const physical = physicalTable(table, catalog.types);
  const row: Value[] = [];
  return {
    sees(command, buffer, start, end) {
      physical.decode(buffer, start, end, row, evaluation);
      return conditionOf('select')(row) && (command === 'select' || conditionOf(command)(row));
    },
    check(command, buffer, start, end) {
      physical.decode(buffer, start, end, row, evaluation);
      // Documents are changed by a filter, which reads them: what they become has to be visible, too.
      for (const { check, holds } of checksOf(command, command === 'update')) {
        if (holds(row)) continue;
        const { refused } = check;
        throw policyViolation(table, 'new', refused.by === 'policy' ? refused.name : undefined);
      }
    },
  };
}

/** A plan that gives a row where a condition holds for the row of its parameters. */
function planOverRow(
  condition: Expression,
  { columns }: TableDescriptor,
  ids: readonly ColumnId[],
  context: BindContext,
  catalog: CatalogPort,
): PreparedPlan {
  const row = columns.map(({ type }, i): Expression => ({ kind: 'parameter', index: i + 1, type }));
  const plan: LogicalNode = {
    kind: 'filter',
    input: { kind: 'values', rows: [row], columns: ids },
    conditions: [condition],
    columns: ids,
  };
  return preparedPlan(context, { plan, fields: [] }, 'select', catalog, {});
}
