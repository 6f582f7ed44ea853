/** Functions in FROM: one or several side by side, WITH ORDINALITY, column definition lists. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { type RecordShape, SqlRecord } from '@phantom/codec';
import { callOptions, schemaOfCall, setCallOutput } from '../../expr/bind-functions.js';
import { compositeFields } from '../../expr/bind-special.js';
import type { Binder } from '../../expr/binder.js';
import { resolveCall, withoutOutputs } from '../../expr/calls.js';
import { baseType, coerce, isUnknown } from '../../expr/coercion.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import type { Scope, ScopeColumn } from '../../expr/scope.js';
import { resolveTypeName } from '../../expr/type-names.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT8, TEXT } from '../../types/type-refs.js';
import type { FieldDefinition } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { ScalarFunction, SetFunction } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import type { Yielded } from '../../exec/runtime.js';
import type { ScalarItem, SetCall } from '../logical/logical.js';
import { functionColumnName } from './output-names.js';
import { rangeItem, renameColumns, type BoundFrom } from './range-items.js';

interface BoundItem {
  readonly call: SetCall | ScalarItem;
  readonly columns: readonly { readonly name: string; readonly type: TypeRef; readonly id: ColumnId }[];
  /** One unnamed column: the alias of the item names it. */
  readonly scalar: boolean;
}

export function bindFunctionTable(binder: Binder, node: Ast.FunctionTable, scope: Scope): BoundFrom {
  const { context } = binder;
  const items = node.functions.flatMap((item, i) => {
    const definitions = item.definitions.length > 0 ? item.definitions : i === 0 ? node.definitions : [];
    return spreadUnnest(binder, item.call).map((call) => bindItem(binder, call, definitions, scope));
  });
  const [first] = items;
  if (first === undefined) throw context.error('42601', 'ROWS FROM needs a function', node.position);
  const firstCall = node.functions[0]?.call;
  const name = node.alias?.name.text ?? (firstCall === undefined ? 'function' : functionColumnName(firstCall));
  const columns: ScopeColumn[] = [];
  const ids: ColumnId[] = [];
  for (const item of items) {
    for (const column of item.columns) {
      const named = item.scalar && items.length === 1 && node.alias !== undefined ? node.alias.name.text : column.name;
      columns.push({ name: named, expression: columnReference(column.id, column.type), type: column.type });
      ids.push(column.id);
    }
  }
  const scalarRow = items.length === 1 && !node.ordinality && first.columns.length === 1 && !first.call.composite;
  let ordinality: ColumnId | undefined;
  if (node.ordinality) {
    ordinality = context.newColumn('ordinality', INT8);
    columns.push({ name: 'ordinality', expression: columnReference(ordinality, INT8), type: INT8 });
    ids.push(ordinality);
  }
  const onUse = context.nameListener === undefined ? undefined : rowColumnUse(binder, items);
  return {
    plan: { kind: 'function-scan', calls: items.map((item) => item.call), ordinality, alias: name, columns: ids },
    items: [rangeItem(name, renameColumns(binder, columns, node.alias), { scalarRow, onUse })],
  };
}

/** What is stored stands on the columns of the tables whose rows the functions give, as far as it uses them. */
function rowColumnUse({ context }: Binder, items: readonly BoundItem[]): (index: number) => void {
  const sources = items.flatMap(({ call, columns }) => {
    const type = 'function' in call ? call.resultType : call.expression.type;
    const oid = call.composite ? context.catalog.relationOfRows(type.oid) : undefined;
    const relation = oid === undefined ? undefined : context.catalog.relationByOid(oid);
    const live = relation?.kind === 'table' ? relation.columns.filter((column) => !column.dropped) : [];
    return columns.map((_, i) => {
      const column = live[i]?.number;
      return oid === undefined || column === undefined ? undefined : { oid, column };
    });
  });
  return (index) => {
    const source = sources[index];
    if (source !== undefined) context.rowColumns.push(source);
  };
}

/** `unnest(a, b)` stands for unnest(a) and unnest(b) side by side. */
function spreadUnnest(binder: Binder, call: Ast.Expression): Ast.Expression[] {
  if (call.kind !== 'call' || call.arguments.length < 2) return [call];
  if (call.name[call.name.length - 1]?.text !== 'unnest') return [call];
  const schema = schemaOfCall(binder, call);
  if (schema !== undefined && schema !== 'pg_catalog') return [call];
  if (call.arguments.some((argument) => argument.variadic || argument.name !== undefined)) return [call];
  return call.arguments.map((argument) => ({ ...call, arguments: [argument] }));
}

function bindItem(
  binder: Binder,
  node: Ast.Expression,
  definitions: readonly FieldDefinition[],
  scope: Scope,
): BoundItem {
  const { context } = binder;
  if (node.kind === 'call') {
    const set = bindSetCall(binder, node, definitions, scope);
    if (set !== undefined) return set;
  }
  const bound = binder.bind(node, scope);
  if (scope.aggregates.length > 0) {
    throw context.error('42803', 'aggregate functions are not allowed in functions in FROM', node.position);
  }
  if (definitions.length > 0 && !mayBeRecord(binder, bound)) throw needlessDefinitions(binder, definitions, false);
  if (bound.kind === 'call' && bound.type.oid === TypeOid.record) {
    const hasColumns = bound.recordColumns !== undefined;
    if (definitions.length > 0 && hasColumns) throw needlessDefinitions(binder, definitions, true);
    if (definitions.length === 0 && !hasColumns) throw missingDefinitions(binder, node.position);
  }
  const value = isUnknown(bound) ? coerce(context, bound, TEXT, 'implicit', node.position) : bound;
  const fields = definitions.length > 0 ? definedColumns(binder, definitions) : compositeFields(binder, value);
  if (fields !== undefined) {
    const columns = fields.map((field) => ({ ...field, id: context.newColumn(field.name, field.type) }));
    const described = definitions.length > 0 && value.kind === 'call' ? { ...value, recordColumns: fields } : value;
    const typed = definitions.length > 0 || isRoutineRow(value) ? checkedRow(binder, described, fields) : value;
    const call: ScalarItem = { expression: typed, columns: columns.map((column) => column.id), composite: true };
    return { call, columns, scalar: false };
  }
  const resultName = bound.kind === 'call' ? bound.function.resultName : undefined;
  const name = resultName ?? functionColumnName(node);
  const id = context.newColumn(name, value.type);
  return {
    call: { expression: value, columns: [id], composite: false },
    columns: [{ name, type: value.type, id }],
    scalar: resultName === undefined,
  };
}

/** 42601 where nothing says what columns the records have. */
function missingDefinitions({ context }: Binder, position: number): Error {
  return context.error('42601', 'a column definition list is required for functions returning "record"', position);
}

/** 42601 for a column definition list where the columns are known. */
function needlessDefinitions({ context }: Binder, [first]: readonly FieldDefinition[], hasColumns: boolean): Error {
  const message = hasColumns
    ? 'a column definition list is redundant for a function with OUT parameters'
    : 'a column definition list is only allowed for functions returning "record"';
  return context.error('42601', message, first?.position);
}

/** What a user's function with several OUT parameters gives: its body may select a row of other types as a whole. */
function isRoutineRow(value: Expression): boolean {
  return value.kind === 'call' && value.function.routine !== undefined && value.recordColumns !== undefined;
}

type Fields = readonly { readonly name: string; readonly type: TypeRef }[];

/** 42804 unless the record has as many fields as the query expects, of their types. */
function rowCheck(binder: Binder, fields: Fields): (row: Value) => Value {
  const { context } = binder;
  const complain = (detail: string): never => {
    throw new PhantomError('42804', 'function return row and query-specified return row do not match', { detail });
  };
  let fitting: RecordShape | undefined;
  return (row) => {
    if (!(row instanceof SqlRecord) || row.shape === fitting) return row;
    const { types } = row.shape;
    if (types.length !== fields.length) {
      const attributes = types.length === 1 ? 'attribute' : 'attributes';
      complain(`Returned row contains ${types.length} ${attributes}, but query expects ${fields.length}.`);
    }
    fields.forEach((field, i) => {
      const given = types[i] as number;
      if (given === field.type.oid || given === TypeOid.unknown) return;
      complain(
        `Returned type ${context.typeName(given)} at ordinal position ${i + 1}, but query expects ${context.typeName(field.type.oid)}.`,
      );
    });
    fitting = row.shape;
    return row;
  };
}

function checkedRow(binder: Binder, row: Expression, fields: Fields): Expression {
  const check: ScalarFunction = {
    kind: 'scalar',
    oid: 0,
    name: 'check_row',
    argumentTypes: [TypeOid.record],
    resultType: TypeOid.record,
    volatility: 'immutable',
    strict: true,
    call: rowCheck(binder, fields) as ScalarFunction['call'],
  };
  return {
    kind: 'call',
    function: check,
    operator: undefined,
    arguments: [row],
    variadicFrom: undefined,
    variadicElement: undefined,
    type: row.type,
  };
}

/** The set with each of its rows checked. */
function checkedSet(binder: Binder, definition: SetFunction, fields: Fields): SetFunction {
  const check = rowCheck(binder, fields);
  const call = definition.call as unknown as (...args: Value[]) => Iterable<Value>;
  function* checked(...args: Value[]): Generator<Value, void, void> {
    for (const row of call(...args)) yield check(row);
  }
  const { execute } = definition;
  if (execute === undefined) return { ...definition, call: checked as unknown as SetFunction['call'] };
  const executeSet = execute as unknown as (...args: Value[]) => Generator<Yielded, Value, void>;
  function* executed(...args: Value[]): Generator<Yielded, Value, void> {
    const rows = (yield* executeSet(...args)) as Value[];
    for (const row of rows) check(row);
    return rows;
  }
  return {
    ...definition,
    call: checked as unknown as SetFunction['call'],
    execute: executed as unknown as NonNullable<SetFunction['execute']>,
  };
}

function mayBeRecord(binder: Binder, expression: Expression): boolean {
  const { oid } = baseType(binder.context, expression.type);
  return oid === TypeOid.record || binder.compositeFields(oid) !== undefined;
}

function definedColumns(
  binder: Binder,
  definitions: readonly FieldDefinition[],
): { readonly name: string; readonly type: TypeRef }[] {
  const { context } = binder;
  return definitions.map((definition) => ({
    name: definition.name.text,
    type: context.at(definition.type.position, () => resolveTypeName(context.catalog, definition.type)),
  }));
}

function bindSetCall(
  binder: Binder,
  written: Ast.FunctionCall,
  definitions: readonly FieldDefinition[],
  scope: Scope,
): BoundItem | undefined {
  const { context } = binder;
  const name = written.name[written.name.length - 1]?.text ?? '';
  const bound = written.arguments.map((argument) => binder.bind(argument.value, scope));
  const { node, args } = withoutOutputs(written, bound);
  const resolved = resolveCall(context, name, args, node.position, callOptions(binder, node));
  if (resolved === undefined || resolved.definition.kind !== 'set') return undefined;
  const { definition } = resolved;
  if (resolved.type.oid === TypeOid.record && definition.columns === undefined && definitions.length === 0) {
    throw missingDefinitions(binder, node.position);
  }
  if (definitions.length > 0 && (resolved.type.oid !== TypeOid.record || definition.columns !== undefined)) {
    throw needlessDefinitions(binder, definitions, definition.columns !== undefined);
  }
  const record = resolved.type.oid === TypeOid.record && definition.columns === undefined;
  const output =
    record && definitions.length > 0
      ? definedColumns(binder, definitions)
      : setCallOutput(binder, resolved, definition);
  const composite = definition.columns !== undefined || record;
  const isRoutineSet = definition.routine !== undefined && definition.columns !== undefined;
  const elementFields = composite ? undefined : binder.compositeFields(resolved.type.oid);
  const columns = (elementFields ?? output).map((column) => ({
    ...column,
    id: context.newColumn(column.name, column.type),
  }));
  const call: SetCall = {
    function: record || isRoutineSet ? checkedSet(binder, definition, output) : definition,
    arguments: resolved.arguments,
    variadicFrom: resolved.variadicFrom,
    variadicElement: resolved.variadicElement,
    resultType: resolved.type,
    recordColumns: composite && (record || definition.routine !== undefined) ? output : undefined,
    columns: columns.map((column) => column.id),
    composite: composite || elementFields !== undefined,
  };
  return { call, columns, scalar: !call.composite && definition.resultName === undefined };
}
