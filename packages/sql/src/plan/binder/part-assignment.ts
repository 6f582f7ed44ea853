/**
 * Assignment to parts of columns: fields of composites, elements and slices of arrays, paths of jsonb, and these within each
 * other. The new value of the whole column is an expression over its old one, so several assignments to parts of a column
 * follow one another.
 */
import type { ColumnDescriptor, TypeRef } from '@phantom/catalog';
import type { Jsonb, SqlArray } from '@phantom/codec';
import { PhantomError } from '@phantom/base';
import type { Binder } from '../../expr/binder.js';
import { letIn } from '../../expr/calls.js';
import { jsonbKey } from '../../expr/bind-special.js';
import { baseType, coerce, insideDomain, isUnknown, tryCoerce } from '../../expr/coercion.js';
import { constant, type Expression } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT4, TEXT, typeRef } from '../../types/type-refs.js';
import { type AssignmentBounds, assignElement, assignSlice } from '../../functions/array-assignment.js';
import { assignPath } from '../../functions/json/jsonb-assignment.js';
import type { ScalarFunction } from '../../functions/registry.js';
import { noFigureSlices, withPart } from '../../types/geometric-values.js';
import type { Value } from '../../types/type.js';
import type { Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';

type Path = Ast.TargetColumn['path'];
type Subscript = Exclude<Path[number], Name>;

function isField(step: Path[number]): step is Name {
  return !('kind' in step);
}

/** One step of a path: a field, or all subscripts that stand together. */
type Step =
  | { readonly kind: 'field'; readonly at: number; readonly type: TypeRef; readonly rest: Path }
  | {
      readonly kind: 'array';
      readonly subscripts: readonly Subscript[];
      readonly slice: boolean;
      readonly elementOid: number;
      readonly type: TypeRef;
      readonly rest: Path;
    }
  /** Of jsonb all that is left of the path. */
  | { readonly kind: 'jsonb'; readonly path: Path; readonly type: TypeRef; readonly rest: Path };

/** What the first step of a path does to a value of the type; 42804 and 42703 where it can do nothing. */
function firstStep(binder: Binder, type: TypeRef, path: Path, target: Ast.TargetColumn): Step {
  const { context } = binder;
  const [first] = path;
  const base = baseType(context, type);
  if (base.oid === TypeOid.jsonb) {
    for (const subscript of path) {
      if (isField(subscript) || subscript.kind === 'index') continue;
      const at = subscript.upper ?? subscript.lower ?? target;
      throw context.error('42804', 'jsonb subscript does not support slices', at.position);
    }
    return { kind: 'jsonb', path, type: typeRef(TypeOid.jsonb), rest: [] };
  }
  const typeName = context.typeName(type.oid);
  if (first !== undefined && isField(first)) {
    const fields = binder.compositeFields(base.oid);
    const name = target.name.text;
    if (fields === undefined) {
      const message = `cannot assign to field "${first.text}" of column "${name}" because its type ${typeName} is not a composite type`;
      throw context.error('42804', message, target.position);
    }
    const at = fields.findIndex((field) => field.name === first.text);
    const field = fields[at];
    if (field === undefined) {
      const message = `cannot assign to field "${first.text}" of column "${name}" because there is no such column in data type ${typeName}`;
      throw context.error('42703', message, target.position);
    }
    return { kind: 'field', at, type: field.type, rest: path.slice(1) };
  }
  let count = 0;
  while (count < path.length && !isField(path[count] as Path[number])) count++;
  const subscripts = path.slice(0, count) as readonly Subscript[];
  const rest = path.slice(count);
  const elementOid = context.catalog.types.byOid(base.oid)?.elementOid ?? 0;
  if (elementOid === 0) {
    const message = `cannot subscript type ${typeName} because it does not support subscripting`;
    throw context.error('42804', message, target.position);
  }
  const slice = subscripts.some((subscript) => subscript.kind === 'slice');
  return { kind: 'array', subscripts, slice, elementOid, type: slice ? base : typeRef(elementOid, base.typmod), rest };
}

/** The whole with the part that the target names replaced; `value` gives the new part for its type. */
export function assignPart(
  binder: Binder,
  whole: Expression,
  target: Ast.TargetColumn,
  scope: Scope,
  value: (type: TypeRef) => Expression,
): Expression {
  const part = value(partType(binder, whole, target));
  return replacePart(binder, whole, whole.type, target.path, target, part, scope);
}

/** The type of the part that the target names. */
export function partType(binder: Binder, column: { readonly type: TypeRef }, target: Ast.TargetColumn): TypeRef {
  let type = column.type;
  let path = target.path;
  while (path.length > 0) {
    const step = firstStep(binder, type, path, target);
    ({ type } = step);
    path = step.rest;
  }
  return type;
}

/** The value as an assignment casts it to the part's type. */
export function assignPartValue(
  binder: Binder,
  value: Expression,
  column: ColumnDescriptor,
  target: Ast.TargetColumn,
  position: number,
): Expression {
  const { context } = binder;
  const type = partType(binder, column, target);
  const coerced = tryCoerce(context, value, type, 'assignment', position);
  if (coerced !== undefined) return coerced;
  const last = target.path[target.path.length - 1] as Path[number];
  const given = context.typeName(isUnknown(value) ? TEXT.oid : value.type.oid);
  const wanted = context.typeName(type.oid);
  const message = isField(last)
    ? `subfield "${last.text}" is of type ${wanted} but expression is of type ${given}`
    : `subscripted assignment to "${column.name}" requires type ${wanted} but expression is of type ${given}`;
  throw context.error('42804', message, target.position, { hint: 'You will need to rewrite or cast the expression.' });
}

function internal(name: string, resultType: number, call: (...args: never[]) => Value): ScalarFunction {
  return { kind: 'scalar', oid: 0, name, argumentTypes: [], resultType, volatility: 'immutable', strict: false, call };
}

function callOf(definition: ScalarFunction, args: readonly Expression[], type: TypeRef): Expression {
  return {
    kind: 'call',
    function: definition,
    operator: undefined,
    arguments: args,
    variadicFrom: undefined,
    variadicElement: undefined,
    type,
  };
}

/**
 * The whole (column or part) with the part at `path` replaced by the value, which has the part's type. A domain checks the
 * whole once, when the last of several parts of it is in place.
 */
export function replacePart(
  binder: Binder,
  whole: Expression,
  type: TypeRef,
  path: Path,
  target: Ast.TargetColumn,
  value: Expression,
  scope: Scope,
): Expression {
  if (path.length === 0) return value;
  const { context } = binder;
  const base = baseType(context, type);
  const step = firstStep(binder, type, path, target);
  const old = base.oid === type.oid ? whole : insideDomain(whole, type);
  const replaced = letIn(context, old, (reference) => {
    switch (step.kind) {
      case 'field':
        return replaceField(binder, reference, base, step, target, value, scope);
      case 'array':
        return replaceElements(binder, reference, base, step, target, value, scope);
      default:
        return replacePath(binder, reference, base, step, value, scope);
    }
  });
  return base.oid === type.oid ? replaced : coerce(context, replaced, type, 'explicit', target.position);
}

function replaceField(
  binder: Binder,
  whole: Expression,
  type: TypeRef,
  step: Step & { kind: 'field' },
  target: Ast.TargetColumn,
  value: Expression,
  scope: Scope,
): Expression {
  const fields = binder.compositeFields(type.oid) ?? [];
  const read = (i: number): Expression => ({
    kind: 'field',
    operand: whole,
    field: i,
    type: (fields[i] as (typeof fields)[number]).type,
  });
  const parts = fields.map((_, i) =>
    i === step.at ? replacePart(binder, read(i), step.type, step.rest, target, value, scope) : read(i),
  );
  return { kind: 'row', fields: parts, names: fields.map((field) => field.name), type };
}

/** Bounds written as arguments: two for each subscript, null where a slice leaves one out. */
function boundArguments(binder: Binder, subscripts: readonly Subscript[], scope: Scope): Expression[] {
  const { context } = binder;
  const read = (node: Ast.Expression | undefined): Expression => {
    if (node === undefined) return constant(null, INT4);
    const coerced = tryCoerce(context, binder.bind(node, scope), INT4, 'assignment', node.position);
    if (coerced !== undefined) return coerced;
    throw context.error('42804', 'array subscript must have type integer', node.position);
  };
  return subscripts.flatMap((subscript) =>
    subscript.kind === 'index' ? [read(subscript.index)] : [read(subscript.lower), read(subscript.upper)],
  );
}

function replaceElements(
  binder: Binder,
  whole: Expression,
  type: TypeRef,
  step: Step & { kind: 'array' },
  target: Ast.TargetColumn,
  value: Expression,
  scope: Scope,
): Expression {
  const { subscripts, elementOid } = step;
  const bounds = boundArguments(binder, subscripts, scope);
  const isFigure = binder.context.catalog.types.byOid(baseType(binder.context, type).oid)?.category === 'G';
  let stored = value;
  if (step.rest.length > 0) {
    const element: Expression = {
      kind: 'subscript',
      operand: whole,
      subscripts: bounds.map((index) => ({ index, lower: undefined, upper: undefined })),
      slice: false,
      type: step.type,
    };
    stored = replacePart(binder, element, step.type, step.rest, target, value, scope);
  }
  const set = (array: SqlArray | Uint8Array | null, item: Value, ...args: Value[]): Value => {
    if (isFigure) return assignFigurePart(array as Uint8Array | null, step.slice ? undefined : args, item);
    return step.slice
      ? assignSlice(array as SqlArray | null, elementOid, sliceBounds(subscripts, args), item as SqlArray | null)
      : assignElement(array as SqlArray | null, elementOid, args.map(present), item);
  };
  const assign = internal('array_assign', type.oid, set as (...args: never[]) => Value);
  return callOf(assign, [whole, stored, ...bounds], type);
}

/** A point, line, segment or box with a coordinate or a point of it replaced; where either is null it stays as it is. */
function assignFigurePart(figure: Uint8Array | null, subscripts: readonly Value[] | undefined, item: Value): Value {
  const indexes = subscripts?.map(present);
  if (figure === null || item === null) return figure;
  if (indexes === undefined) throw noFigureSlices();
  if (indexes.length !== 1) throw new PhantomError('2202E', 'wrong number of array subscripts');
  const changed = withPart(figure, indexes[0] as number, item as number | Uint8Array);
  if (changed === undefined) throw new PhantomError('2202E', 'array subscript out of range');
  return changed;
}

function present(bound: Value): number {
  if (bound === null) throw new PhantomError('22004', 'array subscript in assignment must not be null');
  return bound as number;
}

/** A plain subscript among slices means the slice from 1 up to it. */
function sliceBounds(subscripts: readonly Subscript[], args: readonly Value[]): AssignmentBounds[] {
  let next = 0;
  return subscripts.map((subscript) => {
    if (subscript.kind === 'index') return { low: 1, high: present(args[next++]) };
    const low = args[next++];
    const high = args[next++];
    return {
      low: subscript.lower === undefined ? undefined : present(low),
      high: subscript.upper === undefined ? undefined : present(high),
    };
  });
}

function replacePath(
  binder: Binder,
  whole: Expression,
  type: TypeRef,
  step: Step & { kind: 'jsonb' },
  value: Expression,
  scope: Scope,
): Expression {
  const subscripts = step.path.map((one) =>
    isField(one)
      ? { key: constant(one.text, TEXT), isInteger: false }
      : jsonbKey(binder, (one as Subscript & { kind: 'index' }).index, scope),
  );
  const arrayFirst = subscripts[0]?.isInteger ?? false;
  const assign = internal('jsonb_assign', type.oid, ((document: Jsonb | null, item: Jsonb | null, ...path: Value[]) =>
    assignPath(document, path as (string | null)[], arrayFirst, item)) as (...args: never[]) => Value);
  return callOf(assign, [whole, value, ...subscripts.map(({ key }) => key)], type);
}
