/**
 * The straight road for INSERT of one row, with what becomes of one that is in its way, and for UPDATE and DELETE of one row by its
 * whole key: one function that computes the values and hands them to the writer. Statements with RETURNING or subqueries take the
 * usual road.
 */
import { codeGenerationAllowed } from '@phantom/codec';
import type { TableDescriptor } from '@phantom/catalog';
import type { Expression } from '../expr/expression.js';
import type { DeleteNode, InsertNode, PhysicalNode, TableScan, UpdateNode } from '../plan/physical/physical.js';
import type { PhysicalPlanner } from '../plan/physical/planner.js';
import type { PointWrite } from '../plan/prepared-plan.js';
import { callsWaiting, hasSubquery } from '../plan/rules/facts.js';
import { isDivided } from '../storage/inheritance/table-tree.js';
import { physicalTable } from '../storage/physical-table.js';
import type { RowReference, WriteOutcome } from '../storage/table-writer.js';
import type { Value } from '../types/type.js';
import { closureFunction } from './code/closures.js';
import { ConstantTable, Emitter } from './code/emitter.js';
import {
  binary,
  call,
  conditional,
  element,
  literal,
  method,
  not,
  property,
  type Code,
  type FunctionCode,
  type Local,
} from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { filterBy } from './compile/filter.js';
import { keepingColumns, unreadColumns } from './compile/kept-columns.js';
import { computeRow, oldValues, sameRow } from './compile/modification.js';
import { PlanToProgram } from './compile/plan-compiler.js';
import { ProgramBuilder } from './compile/program-builder.js';
import { ColumnSource, Row } from './compile/row-scope.js';
import { stepContext, withRow, type PlanCompiler, type StepContext } from './compile/step.js';
import { isOneLayout, tableRow } from './compile/table-row.js';
import { slotBytes } from './compile/table-scan.js';
import { StatementRestart, type ExecutionContext } from './runtime.js';
import { type UniqueKey, uniqueKeyOf } from './row-lookup.js';
import { FoundRow } from './table-access.js';

/** Executions after which the function is generated. */
const GENERATE_EXECUTIONS_MIN = 3;

type Target = { readonly node: InsertNode | UpdateNode | DeleteNode; readonly scan: TableScan | undefined };

function targetOf(node: PhysicalNode): Target | undefined {
  if ((node.kind === 'insert' || node.kind === 'update') && node.checks.length > 0) return undefined;
  if ('table' in node && node.table.triggerOids !== undefined && node.table.triggerOids.length > 0) return undefined;
  if ('table' in node && isDivided(node.table)) return undefined;
  switch (node.kind) {
    case 'insert': {
      const single = node.input.kind === 'values' && node.input.rows.length === 1;
      return single && !asksOfConflict(node.conflict) ? { node, scan: undefined } : undefined;
    }
    case 'update':
    case 'delete': {
      const { input } = node;
      if (input.kind !== 'table-scan') return undefined;
      const simple = input.unique && input.range !== undefined && isOneLayout(node.table);
      return simple ? { node, scan: input } : undefined;
    }
    default:
      return undefined;
  }
}

/** Views, policies or subqueries have a say in what becomes of a row in the way. */
function asksOfConflict(conflict: InsertNode['conflict']): boolean {
  if (conflict === undefined) return false;
  return conflict.checks.length > 0 || conflict.existingChecks.length > 0 || conflict.rows.length > 0;
}

function expressionsOf({ node, scan }: Target): Expression[] {
  const values = node.kind === 'delete' ? [] : [...node.values];
  if (node.kind === 'insert' && node.conflict !== undefined) {
    const { condition, values: stored } = node.conflict;
    values.push(...stored, ...(condition === undefined ? [] : [condition]));
  }
  const rows = node.input.kind === 'values' ? node.input.rows.flatMap((row) => [...row]) : [];
  return [...values, ...rows, ...(scan?.range?.equal ?? []), ...(scan?.filter ?? [])];
}

/** It asks for rows of other tables, or may have to wait for what it calls. */
function looksElsewhere(expression: Expression): boolean {
  return hasSubquery(expression) || callsWaiting(expression);
}

/** True for a plan that writes one row, of values or found by its whole key, and reads nothing but that row; RETURNING may show it. */
export function writesOneRow(physical: PhysicalNode): boolean {
  const shown: Expression[] = [];
  let node = physical;
  for (; node.kind === 'project'; node = node.input) shown.push(...node.items.map(({ expression }) => expression));
  const target = targetOf(node);
  return target !== undefined && ![...expressionsOf(target), ...shown].some(looksElsewhere);
}

/** The straight road, where the plan is of its shape. */
export function compilePointWrite(
  planner: PhysicalPlanner,
  physical: PhysicalNode,
  backEnd: 'auto' | 'generated' | 'closures',
): PointWrite | undefined {
  const target = targetOf(physical);
  if (target === undefined || target.node.columns.length > 0 || expressionsOf(target).some(looksElsewhere))
    return undefined;
  const constants = new ConstantTable();
  const code = writeFunction(planner, target, constants);
  const generates = backEnd !== 'closures' && codeGenerationAllowed();
  let compiled = closureFunction(code, constants.values);
  let executions = 0;
  const { table } = target.node;
  return {
    run(context) {
      if (executions < GENERATE_EXECUTIONS_MIN && ++executions === GENERATE_EXECUTIONS_MIN && generates) {
        compiled = generateFunction(code, constants.values);
      }
      const outcome = compiled(context, context.writer(table)) as WriteOutcome | Promise<void> | number;
      if (outcome === 'written') return 1;
      if (typeof outcome === 'number' || outcome instanceof Promise) return outcome;
      throw StatementRestart.instance;
    },
  };
}

function writeFunction(planner: PhysicalPlanner, target: Target, constants: ConstantTable): FunctionCode {
  const { types } = planner.context.catalog;
  const builder = new ProgramBuilder({ types, constants, isNotNull: () => false }, []);
  const compiler: PlanCompiler = new PlanToProgram(builder, planner, undefined);
  const emitter = new Emitter(constants);
  const [run, writer] = emitter.parameters(2) as [Local, Local];
  const start = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  const { node, scan } = target;
  if (node.kind === 'insert') writeInsert(compiler, start, node, writer);
  else if (scan !== undefined) writeByKey(compiler, start, node, scan, writer);
  emitter.return(literal(0));
  return emitter.finish('write', [run, writer]);
}

function writeInsert(compiler: PlanCompiler, context: StepContext, node: InsertNode, writer: Local): void {
  const { emitter, expressions } = context;
  const row = new Row();
  if (node.input.kind === 'values') {
    const [values] = node.input.rows;
    node.input.columns.forEach((column, i) => {
      const expression = values?.[i];
      if (expression === undefined) return;
      row.set(column, new ColumnSource(true, () => expressions.value(expression).code));
    });
  }
  const inserted = withRow(compiler, context, row);
  const proposed = computeRow(compiler, inserted, node.table, node.values, node.newRow);
  const values = valuesOf(emitter, proposed.codes);
  const { conflict } = node;
  if (conflict === undefined) {
    emitter.return(method(writer, 'insert', values));
    return;
  }
  const outcome = emitter.let(method(writer, 'insert', values, emitter.constant(conflict)));
  emitter.if(binary('!==', outcome, emitter.constant('conflict')), () => emitter.return(outcome));
  if (conflict.action === 'nothing') return;
  updateExisting(compiler, withRow(compiler, inserted, proposed.row), node.table, conflict, writer);
}

/** DO UPDATE of the row that the writer has met; nothing else of the statement can have written that. */
function updateExisting(
  compiler: PlanCompiler,
  context: StepContext,
  table: TableDescriptor,
  conflict: NonNullable<InsertNode['conflict']>,
  writer: Local,
): void {
  const { emitter } = context;
  const physical = physicalTable(table, compiler.builder.context.types);
  const values = table.columns.map((): Value => null);
  const decode = ({ evaluation }: ExecutionContext, { row: bytes }: RowReference): readonly Value[] => {
    physical.decode(bytes, 0, bytes.length, values, evaluation);
    return values;
  };
  const reference = emitter.let(property(writer, 'conflict'));
  const old = emitter.let(call(emitter.constant(decode), context.run, reference));
  const row = Row.of(context.row);
  conflict.existing.forEach((column, i) => row.set(column, new ColumnSource(true, () => element(old, literal(i)))));
  const inner = withRow(compiler, context, row);
  const test = conflict.condition === undefined ? literal(true) : inner.expressions.test(conflict.condition, true);
  emitter.if(test, () => {
    const { codes } = computeRow(compiler, inner, table, conflict.values, conflict.stored);
    const stored = valuesOf(emitter, codes);
    const update = method(writer, 'update', reference, old, stored);
    if (!conflict.countAsMySql) {
      emitter.return(update);
      return;
    }
    emitter.if(call(emitter.constant(sameRow), old, stored), () => emitter.return(literal(0)));
    const outcome = emitter.let(update);
    emitter.return(conditional(binary('===', outcome, emitter.constant('written')), literal(2), outcome));
  });
}

/** An array of values. Whoever is given it copies what it keeps: one serves all executions. */
function valuesOf(emitter: Emitter, codes: readonly Code[]): Code {
  const values = emitter.constant(codes.map((): Value => null));
  codes.forEach((code, i) => emitter.setElement(values, literal(i), code));
  return values;
}

function readForWrite(context: ExecutionContext, unique: UniqueKey, values: readonly Value[]): boolean {
  return unique.find(context.read, values);
}

function writeByKey(
  compiler: PlanCompiler,
  context: StepContext,
  node: UpdateNode | DeleteNode,
  scan: TableScan,
  writer: Local,
): void {
  const { emitter, expressions, run } = context;
  const unique = uniqueKeyOf(scan, compiler.builder.context.types);
  const uniqueCode = emitter.constant(unique);
  const equal = scan.range?.equal ?? [];
  const key = valuesOf(
    emitter,
    equal.map((expression) => expressions.value(expression).code),
  );
  const found = call(emitter.constant(readForWrite), run, uniqueCode, key);
  emitter.if(not(found), () => emitter.return(literal(0)));
  const bytes = slotBytes(emitter, emitter.constant(unique.slot), undefined);
  const row = tableRow(compiler, emitter, run, scan, bytes);
  const inner = withRow(compiler, context, row);
  filterBy(inner, scan.filter, () => {
    const stored = emitter.constant(new FoundRow(unique.slot));
    const reference = emitter.let({ kind: 'method', object: stored, name: 'aim', arguments: [] });
    if (node.kind === 'delete') {
      const old = valuesOf(emitter, oldValues(inner, node.table, node.oldRow));
      emitter.return({ kind: 'method', object: writer, name: 'remove', arguments: [reference, old] });
      return;
    }
    const update = (at: StepContext): void => {
      const old = valuesOf(emitter, oldValues(at, node.table, node.oldRow));
      const { codes } = computeRow(compiler, at, node.table, node.values, node.newRow);
      const values = valuesOf(emitter, codes);
      emitter.return({ kind: 'method', object: writer, name: 'update', arguments: [reference, old, values] });
    };
    const unread = unreadColumns(node, compiler.builder.context.types);
    if (unread.length > 0) {
      const kept = withRow(compiler, inner, keepingColumns(inner, node, unread));
      const leaves = method(writer, 'leavesUnread', emitter.constant(unread));
      emitter.if(leaves, () => update(kept));
    }
    update(inner);
  });
}
