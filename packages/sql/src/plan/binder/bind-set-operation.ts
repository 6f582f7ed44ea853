/** UNION, INTERSECT and EXCEPT: columns matched by place, under their common types. */
import type { TypeRef } from '@phantom/catalog';
import type { Binder, BindQueryOptions, BoundField, BoundQuery } from '../../expr/binder.js';
import { withCollation } from '../../expr/calls.js';
import { requireOneCollation } from '../../expr/collations.js';
import { commonType, tryCoerce } from '../../expr/coercion.js';
import { requireEquality } from '../../expr/equality.js';
import { columnReference, constant, type ColumnId, type Expression } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { TEXT } from '../../types/type-refs.js';
import type { Corresponding } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode, SetOperation } from '../logical/logical.js';

export function bindSetOperation(
  binder: Binder,
  node: Ast.SetOperation,
  scope: Scope | undefined,
  options: BindQueryOptions,
): BoundQuery {
  const inner = { ...options, keepUnknown: true };
  let left = binder.bindQueryBody(node.first, scope, inner);
  for (let i = 0; i < node.rest.length; i++) {
    const branch = node.rest[i] as Ast.SetBranch;
    const right = binder.bindQueryBody(branch.body, scope, inner);
    const last = i === node.rest.length - 1;
    left = combine(binder, branch, left, right, last && options.keepUnknown === true);
  }
  return left;
}

function combine(
  binder: Binder,
  branch: Ast.SetBranch,
  first: BoundQuery,
  second: BoundQuery,
  keepUnknown: boolean,
): BoundQuery {
  const { context } = binder;
  const what = branch.operator.toUpperCase();
  const [left, right] =
    branch.corresponding === undefined ? [first, second] : matched(binder, branch.corresponding, first, second, what);
  if (left.fields.length !== right.fields.length) {
    throw context.error(
      '42601',
      `each ${what} query must have the same number of columns`,
      right.fields[0]?.position ?? branch.position,
    );
  }
  const types = left.fields.map((field, i) => {
    const other = right.fields[i] as BoundField;
    if (keepUnknown && field.type.oid === TypeOid.unknown && other.type.oid === TypeOid.unknown) return field.type;
    const pair = [outputExpression(left, field), outputExpression(right, other)];
    const positions = [field.position ?? branch.position, other.position ?? branch.position];
    return withCollation(context, commonType(context, pair, positions, what), pair, other.position ?? branch.position);
  });
  requireComparable(binder, branch, types);
  const leftCast = castColumns(binder, left, types, what, branch.position);
  const rightCast = castColumns(binder, right, types, what, branch.position);
  const columns = left.fields.map((field, i) => context.newColumn(field.name, types[i] as TypeRef));
  const plan = flatten({
    kind: 'set-operation',
    operation: branch.operator,
    all: branch.all,
    inputs: [leftCast.plan, rightCast.plan],
    inputColumns: [leftCast.columns, rightCast.columns],
    columns,
  });
  const fields = left.fields.map((field, i) => ({
    name: field.name,
    column: columns[i] as ColumnId,
    type: types[i] as TypeRef,
    tableOid: 0,
    columnNumber: 0,
  }));
  return { plan, fields };
}

/** CORRESPONDING: of both sides the columns that have the same names, in the order of BY or of the first side. */
function matched(
  binder: Binder,
  { by, position }: Corresponding,
  left: BoundQuery,
  right: BoundQuery,
  what: string,
): [BoundQuery, BoundQuery] {
  const { context } = binder;
  const sides = [left, right].map(({ fields }) => {
    const named = new Map<string, BoundField | 'twice'>();
    for (const field of fields) named.set(field.name, named.has(field.name) ? 'twice' : field);
    return named;
  }) as [Map<string, BoundField | 'twice'>, Map<string, BoundField | 'twice'>];
  const shared = left.fields.filter(({ name }) => sides[1].has(name)).map((field) => ({ text: field.name, position }));
  const wanted = by.length > 0 ? by : shared;
  if (wanted.length === 0) throw context.error('42601', `the sides of ${what} CORRESPONDING share no column`, position);
  const repeated = by.find((name, i) => by.findIndex(({ text }) => text === name.text) < i);
  if (repeated !== undefined) {
    throw context.error('42701', `column "${repeated.text}" is named twice in CORRESPONDING BY`, repeated.position);
  }
  const chosen = sides.map((named) =>
    wanted.map(({ text, position: at }) => {
      const field = named.get(text);
      if (field === undefined) throw context.error('42703', `column "${text}" is not on both sides of ${what}`, at);
      if (field === 'twice') throw context.error('42702', `column "${text}" is on one side of ${what} twice`, at);
      return field;
    }),
  ) as [BoundField[], BoundField[]];
  return [
    { ...left, fields: chosen[0] },
    { ...right, fields: chosen[1] },
  ];
}

/** UNION of a UNION of the same kind is one UNION of several. */
function flatten(node: SetOperation): SetOperation {
  const [first] = node.inputs;
  const [firstColumns] = node.inputColumns;
  if (node.operation !== 'union' || first?.kind !== 'set-operation' || firstColumns === undefined) return node;
  if (first.operation !== 'union' || first.all !== node.all) return node;
  const order = firstColumns.map((column) => first.columns.indexOf(column));
  if (order.some((at) => at < 0)) return node;
  return {
    ...node,
    inputs: [...first.inputs, ...node.inputs.slice(1)],
    inputColumns: [
      ...first.inputColumns.map((columns) => order.map((at) => columns[at] as ColumnId)),
      ...node.inputColumns.slice(1),
    ],
  };
}

function requireComparable(binder: Binder, branch: Ast.SetBranch, types: readonly TypeRef[]): void {
  if (branch.operator === 'union' && branch.all) return;
  for (const type of types) {
    requireOneCollation(binder.context, type, branch.position);
    requireEquality(binder.context, type, branch.position);
  }
}

/**
 * The constant or parameter behind an output column of unknown type, if it is one: so that a constant's text is read as the type
 * that is wanted, and the type of a parameter is decided by it.
 */
export function outputExpression({ plan }: BoundQuery, field: BoundField): Expression {
  if (field.type.oid === TypeOid.unknown) {
    let node = plan;
    while (node.kind === 'sort' || node.kind === 'limit') node = node.input;
    const item = node.kind === 'project' ? node.items.find(({ column }) => column === field.column) : undefined;
    if (item !== undefined) return item.expression;
  }
  return columnReference(field.column, field.type);
}

/**
 * The query's columns under the given types; a project node is added where something must be cast. 42846, which `what` is named in,
 * where only an assignment would cast: a common type must not lose a part of a value.
 */
export function castColumns(
  binder: Binder,
  query: BoundQuery,
  types: readonly TypeRef[],
  what: string,
  position: number,
): { readonly plan: LogicalNode; readonly columns: ColumnId[] } {
  const { context } = binder;
  const items: { column: ColumnId; expression: Expression }[] = [];
  const columns = query.fields.map((field, i) => {
    const type = types[i] as TypeRef;
    if (field.type.oid === type.oid && (type.typmod === -1 || type.typmod === field.type.typmod)) return field.column;
    const source = outputExpression(query, field);
    const wanted = type.oid === TypeOid.unknown ? TEXT : type;
    const isGiven = source.kind === 'constant' || source.kind === 'parameter';
    const value = isGiven ? source : columnReference(field.column, field.type);
    const cast =
      source.kind === 'constant' && source.value === null
        ? constant(null, wanted)
        : tryCoerce(context, value, wanted, 'implicit', position);
    if (cast === undefined) {
      const [from, to] = [field.type, wanted].map(({ oid }) => context.typeName(oid));
      throw context.error('42846', `${what} could not convert type ${from} to ${to}`, field.position ?? position);
    }
    const column = context.newColumn(field.name, wanted);
    items.push({ column, expression: cast });
    return column;
  });
  if (items.length === 0) return { plan: query.plan, columns };
  const outputs = [...new Set(columns)];
  return { plan: { kind: 'project', input: query.plan, items, columns: outputs }, columns };
}
