/**
 * INSERT, UPDATE, DELETE and MERGE: the new row is computed in locals, handed to the table's writer, and goes on to RETURNING
 * from the same locals. A writer that waits for another transaction answers with a promise: the step yields it and asks again.
 */
import { PhantomError, equalBytes } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import type { TableDescriptor } from '@phantom/catalog';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { DeleteNode, InsertNode, MergeNode, UpdateNode } from '../../plan/physical/physical.js';
import type { RowCheck } from '../../plan/logical/logical.js';
import { checkOptionViolation, policyViolation } from '../../storage/constraint-errors.js';
import { isVolatile } from '../../plan/rules/facts.js';
import { isDerived } from '../../storage/document-fields.js';
import { isDivided, rootOf } from '../../storage/inheritance/table-tree.js';
import { physicalTable } from '../../storage/physical-table.js';
import type { RowReference } from '../../storage/table-writer.js';
import type { Value } from '../../types/type.js';
import {
  binary,
  call,
  element,
  isNotNull,
  isNull,
  literal,
  method,
  not,
  ONE,
  property,
  type Code,
  type Local,
} from '../code/ir.js';
import type { Run } from '../run.js';
import { REST, StatementRestart, type Yielded } from '../runtime.js';
import { keepingColumns, unreadColumns } from './kept-columns.js';
import { stateOf } from './program-builder.js';
import { ColumnSource, Row } from './row-scope.js';
import { isOneLayout } from './table-row.js';
import { withTableOid } from './written-partition.js';
import { withRow, type Consume, type PlanCompiler, type StepContext } from './step.js';

function isPromise(value: unknown): boolean {
  return value instanceof Promise;
}

/** What to wait for before a writer is asked again. */
function waitOf(outcome: Promise<unknown>): Yielded {
  return outcome === REST ? undefined : outcome;
}

function restart(): never {
  throw StatementRestart.instance;
}

/** Compiles one modification; `consume` gets each row it wrote. */
export function produceModification(
  compiler: PlanCompiler,
  node: InsertNode | UpdateNode | DeleteNode | MergeNode,
  consume: Consume,
): void {
  const writer = compiler.builder.addSlot((run) => run.context.writer(node.table));
  const counted = compiler.isCounted(node);
  const parts: Parts = { compiler, writer, counted, consume: withTableOid(compiler, node, writer, consume) };
  switch (node.kind) {
    case 'insert':
      produceInsert(parts, node);
      return;
    case 'update':
      produceUpdate(parts, node);
      return;
    case 'delete':
      produceDelete(parts, node);
      return;
    default:
      produceMerge(parts, node);
  }
}

interface Parts {
  readonly compiler: PlanCompiler;
  readonly writer: number;
  /** Its rows are the statement's count. */
  readonly counted: boolean;
  readonly consume: Consume;
}

function writerOf(context: StepContext, parts: Parts): Code {
  return stateOf(context.emitter, context.run, parts.writer);
}

/** Adds to the statement's row count. */
function count(context: StepContext, parts: Parts, rows: Code = ONE): void {
  if (!parts.counted) return;
  const statement = context.emitter.hoist('statement', property(context.run, 'statement'));
  context.emitter.setProperty(statement, 'rowsAffected', binary('+', property(statement, 'rowsAffected'), rows));
}

/** Asks the writer until it has an answer, waiting in between; a changed row runs the statement anew. */
function ask(context: StepContext, question: Code): Code {
  const { emitter } = context;
  const outcome = emitter.let(literal(null));
  emitter.loop((label) => {
    emitter.assign(outcome, question);
    emitter.if(
      call(emitter.constant(isPromise), outcome),
      () => emitter.yield(call(emitter.constant(waitOf), outcome)),
      () => emitter.break(label),
    );
  });
  emitter.if(binary('===', outcome, emitter.constant('changed')), () =>
    emitter.evaluate(call(emitter.constant(restart))),
  );
  return outcome;
}

/**
 * Computes values by column position. Those made of others come last and see them under `ids`; before them come volatile ones,
 * so that a row that cannot be written for another value's sake takes no number of a sequence.
 */
export function computeRow(
  compiler: PlanCompiler,
  context: StepContext,
  table: TableDescriptor,
  values: readonly Expression[],
  ids: readonly ColumnId[],
): { readonly codes: Code[]; readonly row: Row } {
  const row = Row.of(context.row);
  const codes: Code[] = new Array<Code>(values.length);
  const place = (position: number, at: StepContext): void => {
    const operand = at.expressions.value(values[position] as Expression);
    codes[position] = operand.code;
    row.set(ids[position] as ColumnId, new ColumnSource(operand.nullable, () => operand.code));
  };
  const derived: number[] = [];
  const volatile: number[] = [];
  values.forEach((value, position) => {
    if (isDerived(table, position)) derived.push(position);
    else if (isVolatile(value)) volatile.push(position);
    else place(position, context);
  });
  for (const position of volatile) place(position, context);
  if (derived.length > 0) {
    const inner = withRow(compiler, context, row);
    for (const position of derived) place(position, inner);
  }
  return { codes, row };
}

function arrayOf(context: StepContext, codes: readonly Code[]): Local {
  return context.emitter.let({ kind: 'array', items: codes });
}

const NO_VALUES: Code = { kind: 'array', items: [] };

/** The checks of policies, which are asked before a row is written, or of views, which are asked about one that is. */
function checksOf(by: RowCheck['refused']['by'], checks: readonly RowCheck[]): readonly RowCheck[] {
  return checks.filter(({ refused }) => refused.by === by);
}

/** What views WITH CHECK OPTION and policies ask of a row whose values, as an array, errors may show. */
function emitChecks(context: StepContext, table: TableDescriptor, checks: readonly RowCheck[], values: Code): void {
  for (const { condition, refused } of checks) {
    const refuse = (run: Run, row: readonly Value[]): never => {
      if (refused.by === 'view') throw checkOptionViolation(table, refused.name, row, run.evaluation);
      throw policyViolation(table, refused.row, refused.name);
    };
    context.emitter.if(not(context.expressions.test(condition, true)), () =>
      context.emitter.evaluate(call(context.emitter.constant(refuse), context.run, values)),
    );
  }
}

/** Triggers may change or pass over what is written: those of the table, of its partitions, or of tables that inherit from it. */
function hasTriggers(table: TableDescriptor): boolean {
  return isDivided(table) || (table.triggerOids !== undefined && table.triggerOids.length > 0);
}

/** Goes on with the row unless a trigger has passed it over. */
function unlessSkipped(context: StepContext, table: TableDescriptor, outcome: Code, then: () => void): void {
  if (hasTriggers(table)) context.emitter.if(binary('===', outcome, context.emitter.constant('written')), then);
  else then();
}

/** Checks and writes a row, counts it and hands it on: where triggers may change it, as it was stored. */
function emitWrite(
  parts: Parts,
  context: StepContext,
  { table, newRow }: Pick<InsertNode, 'table' | 'newRow'>,
  checks: readonly RowCheck[],
  values: Code,
  question: Code,
): void {
  if (!hasTriggers(table)) {
    emitChecks(context, table, checksOf('policy', checks), values);
    ask(context, question);
    // What a check refuses is undone with the statement.
    emitChecks(context, table, checksOf('view', checks), values);
    count(context, parts);
    parts.consume(context);
    return;
  }
  const outcome = ask(context, question);
  unlessSkipped(context, table, outcome, () => {
    const written = storedRow(parts, context, newRow);
    emitChecks(written.context, table, checks, written.values);
    count(written.context, parts);
    parts.consume(written.context);
  });
}

/** The row as the writer has it, which triggers may have changed. */
function storedRow(
  parts: Parts,
  context: StepContext,
  columns: readonly ColumnId[],
): { readonly context: StepContext; readonly values: Local } {
  const values = context.emitter.let(property(writerOf(context, parts), 'stored'));
  const row = Row.of(context.row);
  columns.forEach((column, i) => row.set(column, new ColumnSource(true, () => element(values, literal(i)))));
  return { context: withRow(parts.compiler, context, row), values };
}

// ------------------------------------------------------------------------------------------------------------- insert

function produceInsert(parts: Parts, node: InsertNode): void {
  const { compiler } = parts;
  compiler.produce(node.input, (context) => {
    const { emitter } = context;
    const { codes, row } = computeRow(compiler, context, node.table, node.values, node.newRow);
    const inserted = withRow(compiler, context, row);
    const values = arrayOf(inserted, codes);
    const writer = writerOf(inserted, parts);
    const { conflict } = node;
    if (conflict === undefined) {
      emitWrite(parts, inserted, node, node.checks, values, method(writer, 'insert', values));
      return;
    }
    // Also about a row that is in the way of another.
    const policies = checksOf('policy', node.checks);
    const insert = method(writer, 'insert', values, emitter.constant(conflict));
    if (!hasTriggers(node.table)) {
      emitChecks(inserted, node.table, policies, values);
      emitSettled(parts, node, inserted, values, ask(inserted, insert));
      return;
    }
    const outcome = ask(inserted, insert);
    emitter.if(binary('!==', outcome, emitter.constant('skipped')), () => {
      const proposed = storedRow(parts, inserted, node.newRow);
      emitChecks(proposed.context, node.table, policies, proposed.values);
      emitSettled(parts, node, proposed.context, proposed.values, outcome);
    });
  });
}

/** What ON CONFLICT does with a row that was written, or that met another. */
function emitSettled(parts: Parts, node: InsertNode, context: StepContext, values: Local, outcome: Code): void {
  const { emitter } = context;
  const isWritten = binary('===', outcome, emitter.constant('written'));
  if (node.conflict?.action !== 'nothing') {
    emitUpsert(parts, node, context, values, isWritten);
    return;
  }
  emitter.if(isWritten, () => {
    emitChecks(context, node.table, checksOf('view', node.checks), values);
    count(context, parts);
    parts.consume(context);
  });
}

/** DO UPDATE: what is stored in the end goes into locals of its own, whichever way it went. */
function emitUpsert(parts: Parts, node: InsertNode, context: StepContext, values: Local, written: Code): void {
  const { compiler } = parts;
  const { emitter } = context;
  const { conflict } = node;
  if (conflict === undefined) return;
  const pass = emitter.let(literal(true));
  const { table } = node;
  const stored = table.columns.map(() => emitter.let(literal(null)));
  const existing = table.columns.map(() => emitter.let(literal(null)));
  emitter.if(
    written,
    () => {
      emitChecks(context, table, checksOf('view', node.checks), values);
      stored.forEach((local, i) => emitter.assign(local, element(values, literal(i))));
      count(context, parts);
    },
    () => {
      emitter.assign(pass, literal(false));
      const reference = emitter.let(property(writerOf(context, parts), 'conflict'));
      const old =
        table.partitioned === undefined
          ? emitDecode(compiler, context, table, reference)
          : emitter.let(method(writerOf(context, parts), 'conflictRow'));
      const row = Row.of(context.row);
      conflict.existing.forEach((column, i) => {
        emitter.assign(existing[i] as Local, element(old, literal(i)));
        row.set(column, new ColumnSource(true, () => existing[i] as Local));
      });
      const inner = withRow(compiler, context, row);
      if (!conflict.countAsMySql) {
        emitter.evaluate(call(emitter.constant(refuseOwnRow), context.run, reference));
      }
      const change = (): void => {
        emitChecks(inner, table, conflict.existingChecks, old);
        for (const item of conflict.rows) {
          const value = inner.expressions.value(item.expression);
          row.set(item.column, new ColumnSource(true, () => value.code));
        }
        const computed = computeRow(compiler, inner, table, conflict.values, conflict.stored);
        const changed = arrayOf(inner, computed.codes);
        const keep = (values: Local): void => {
          stored.forEach((local, i) => emitter.assign(local, element(values, literal(i))));
          emitter.assign(pass, literal(true));
        };
        const update = method(writerOf(inner, parts), 'update', reference, old, changed);
        if (hasTriggers(table) && !conflict.countAsMySql) {
          unlessSkipped(inner, table, ask(inner, update), () => {
            const written = storedRow(parts, inner, conflict.stored);
            emitChecks(written.context, table, conflict.checks, written.values);
            count(inner, parts);
            keep(written.values);
          });
          return;
        }
        const proposed = withRow(compiler, inner, computed.row);
        emitChecks(proposed, table, checksOf('policy', conflict.checks), changed);
        if (conflict.countAsMySql) emitMySqlUpdate(parts, inner, reference, old, changed);
        else ask(inner, update);
        emitChecks(proposed, table, checksOf('view', conflict.checks), changed);
        if (!conflict.countAsMySql) count(inner, parts);
        keep(changed);
      };
      const test = conflict.condition === undefined ? literal(true) : inner.expressions.test(conflict.condition, true);
      emitter.if(test, change);
    },
  );
  emitter.if(pass, () => {
    const row = Row.of(context.row);
    conflict.stored.forEach((column, i) => row.set(column, new ColumnSource(true, () => stored[i] as Local)));
    conflict.existing.forEach((column, i) => row.set(column, new ColumnSource(true, () => existing[i] as Local)));
    parts.consume(withRow(compiler, context, row));
  });
}

/** 21000 when the row in the way was put there, or changed, by this same statement. */
function refuseOwnRow(run: Run, reference: RowReference): void {
  const { transaction } = run.context;
  if (transaction === undefined) return;
  const { key, row } = reference;
  const slot = new ByteSlot();
  const before = run.read.get(key, 0, key.length, slot);
  const same = before && equalBytes(slot.buffer, slot.start, slot.end, row, 0, row.length);
  if (same || transaction.changedSinceSnapshot(key, 0, key.length)) return;
  throw new PhantomError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time', {
    hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.',
  });
}

/** MySQL: a row that stays as it was is not written and counts 0, one that changes counts 2. */
function emitMySqlUpdate(parts: Parts, context: StepContext, reference: Code, old: Code, values: Code): void {
  const { emitter } = context;
  const same = call(emitter.constant(sameRow), old, values);
  emitter.if(binary('===', same, literal(false)), () => {
    ask(context, method(writerOf(context, parts), 'update', reference, old, values));
    count(context, parts, literal(2));
  });
}

/** Whether no value differs. */
export function sameRow(a: readonly Value[], b: readonly Value[]): boolean {
  return a.every((value, i) => Object.is(value, b[i]) || String(value) === String(b[i]));
}

/** The values of a stored row, all of them, as an array. */
function emitDecode(compiler: PlanCompiler, context: StepContext, table: TableDescriptor, reference: Code): Local {
  const physical = physicalTable(table, compiler.builder.context.types);
  const decode = (run: Run, row: RowReference): Value[] => {
    const values: Value[] = table.columns.map(() => null);
    physical.decode(row.row, 0, row.row.length, values, run.evaluation);
    return values;
  };
  return context.emitter.let(call(context.emitter.constant(decode), context.run, reference));
}

// ---------------------------------------------------------------------------------------------------- update and delete

/** The old row's values by position; dropped columns are null. */
export function oldValues(context: StepContext, table: TableDescriptor, oldRow: readonly ColumnId[]): Code[] {
  return table.columns.map((column, i) =>
    column.dropped ? literal(null) : context.expressions.column(oldRow[i] as ColumnId).code,
  );
}

/** A row's key as a string, for sets. */
function keyText(row: RowReference): string {
  return Buffer.from(row.key.buffer, row.key.byteOffset, row.key.byteLength).toString('latin1');
}

/** Only the first coming of each target row passes. */
function once(context: StepContext, slot: number | undefined, reference: Code, then: () => void): void {
  if (slot === undefined) {
    then();
    return;
  }
  const { emitter, run } = context;
  const isFirst = (seen: Set<string>, row: RowReference): boolean => {
    const key = keyText(row);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  emitter.if(call(emitter.constant(isFirst), stateOf(emitter, run, slot), reference), then);
}

/** A slot for the keys of the rows that were touched, where they may come more than once. */
function seenSlot({ compiler: { builder } }: Parts, { table, mayRepeat }: UpdateNode | DeleteNode): number | undefined {
  if (builder.context.sharedTargets?.has(table.oid) === true) return builder.addSlot((run) => seenIn(run, table));
  return mayRepeat ? builder.addSlot(() => new Set<string>()) : undefined;
}

/** Of a table that several parts of the statement change. */
function seenIn({ statement: { results } }: Run, table: TableDescriptor): Set<string> {
  // Whether a part of the statement means the table alone, or with all that inherit from it.
  const root = rootOf(table);
  const seen = (results.get(root) as Set<string> | undefined) ?? new Set<string>();
  results.set(root, seen);
  return seen;
}

/**
 * Rows that come straight from the scan need no copies of what stands there: the writer is done with one before the next is read.
 * Triggers may keep one for the end of the statement.
 */
function lendRows({ compiler }: Parts, { input, table, rowReference }: UpdateNode | DeleteNode): boolean {
  const isLent = input.kind === 'table-scan' && !hasTriggers(table) && isOneLayout(table);
  if (isLent) compiler.builder.lentReferences.add(rowReference);
  return isLent;
}

function produceUpdate(parts: Parts, node: UpdateNode): void {
  const { compiler } = parts;
  const seen = seenSlot(parts, node);
  const mayKeep = lendRows(parts, node) && node.columns.length === 0 && node.checks.length === 0;
  const unread = mayKeep ? unreadColumns(node, compiler.builder.context.types) : [];
  compiler.produce(node.input, (context) => {
    const reference = context.expressions.column(node.rowReference).code;
    once(context, seen, reference, () => {
      if (unread.length === 0) {
        emitUpdate(parts, context, node, node, reference);
        return;
      }
      const { emitter } = context;
      const kept = withRow(compiler, context, keepingColumns(context, node, unread));
      emitter.if(
        method(writerOf(context, parts), 'leavesUnread', emitter.constant(unread)),
        () => emitUpdate(parts, kept, node, node, reference),
        () => emitUpdate(parts, context, node, node, reference),
      );
    });
  });
}

function emitUpdate(
  parts: Parts,
  context: StepContext,
  node: UpdateNode | MergeNode,
  { values: expressions, checks }: Pick<UpdateNode, 'values' | 'checks'>,
  reference: Code,
): void {
  const { compiler } = parts;
  const old = arrayOf(context, oldValues(context, node.table, node.oldRow));
  const { codes, row } = computeRow(compiler, context, node.table, expressions, node.newRow);
  const updated = withRow(compiler, context, row);
  const values = arrayOf(updated, codes);
  emitWrite(parts, updated, node, checks, values, method(writerOf(updated, parts), 'update', reference, old, values));
}

function produceDelete(parts: Parts, node: DeleteNode): void {
  const seen = seenSlot(parts, node);
  lendRows(parts, node);
  parts.compiler.produce(node.input, (context) => {
    const reference = context.expressions.column(node.rowReference).code;
    once(context, seen, reference, () => {
      const old = arrayOf(context, oldValues(context, node.table, node.oldRow));
      const outcome = ask(context, method(writerOf(context, parts), 'remove', reference, old));
      unlessSkipped(context, node.table, outcome, () => {
        count(context, parts);
        parts.consume(context);
      });
    });
  });
}

// -------------------------------------------------------------------------------------------------------------- merge

function produceMerge(parts: Parts, node: MergeNode): void {
  const { compiler } = parts;
  const seen = compiler.builder.addSlot(() => new Set<string>());
  compiler.produce(node.input, (context) => {
    const { emitter } = context;
    const reference = context.expressions.column(node.rowReference).code;
    const mark = context.expressions.column(node.sourceMark).code;
    emitter.if(
      isNull(reference),
      () => mergeActions(parts, context, node, 'not-matched', reference, seen),
      () =>
        emitter.if(
          isNotNull(mark),
          () => mergeActions(parts, context, node, 'matched', reference, seen),
          () => mergeActions(parts, context, node, 'not-matched-by-source', reference, seen),
        ),
    );
  });
}

/** The first action of the kind whose condition holds. */
function mergeActions(
  parts: Parts,
  context: StepContext,
  node: MergeNode,
  match: MergeNode['actions'][number]['match'],
  reference: Code,
  seen: number,
): void {
  const { emitter } = context;
  const step = (actions: MergeNode['actions']): void => {
    const [action, ...rest] = actions;
    if (action === undefined) return;
    const test = action.condition === undefined ? literal(true) : context.expressions.test(action.condition, true);
    emitter.if(
      test,
      () => mergeAction(parts, context, node, action, reference, seen),
      () => step(rest),
    );
  };
  step(node.actions.filter((action) => action.match === match));
}

function mergeAction(
  parts: Parts,
  context: StepContext,
  node: MergeNode,
  action: MergeNode['actions'][number],
  reference: Code,
  seen: number,
): void {
  const { compiler } = parts;
  const named = (at: StepContext, name: string): StepContext => {
    const row = Row.of(at.row);
    row.set(node.actionName, new ColumnSource(false, (emitter) => emitter.constant(name)));
    return withRow(compiler, at, row);
  };
  const touched = action.action === 'update' || action.action === 'delete';
  if (touched) {
    context.emitter.evaluate(
      call(context.emitter.constant(touchOnce), stateOf(context.emitter, context.run, seen), reference),
    );
    emitChecks(context, node.table, action.oldChecks, NO_VALUES);
  }
  switch (action.action) {
    case 'nothing':
      return;
    case 'update': {
      const inner: Parts = { ...parts, consume: (updated) => parts.consume(named(updated, 'UPDATE')) };
      emitUpdate(inner, context, node, action, reference);
      return;
    }
    case 'delete': {
      const old = arrayOf(context, oldValues(context, node.table, node.oldRow));
      const outcome = ask(context, method(writerOf(context, parts), 'remove', reference, old));
      unlessSkipped(context, node.table, outcome, () => {
        count(context, parts);
        const row = Row.of(context.row);
        node.newRow.forEach((column, i) => row.set(column, new ColumnSource(true, () => element(old, literal(i)))));
        parts.consume(named(withRow(compiler, context, row), 'DELETE'));
      });
      return;
    }
    default: {
      const { codes, row } = computeRow(compiler, context, node.table, action.values, node.newRow);
      const inserted = withRow(compiler, context, row);
      const values = arrayOf(inserted, codes);
      const inner: Parts = { ...parts, consume: (written) => parts.consume(named(written, 'INSERT')) };
      emitWrite(inner, inserted, node, action.checks, values, method(writerOf(inserted, parts), 'insert', values));
    }
  }
}

/** 21000 when one target row meets two source rows. */
function touchOnce(seen: Set<string>, row: RowReference): void {
  const key = keyText(row);
  if (seen.has(key)) throw mergeTwice();
  seen.add(key);
}

function mergeTwice(): PhantomError {
  return new PhantomError('21000', 'MERGE command cannot affect row a second time', {
    hint: 'Ensure that not more than one source row matches any one target row.',
  });
}
