/** OVER clauses and the WINDOW clause: partitions, orders and frames. */
import { Interval } from '@phantom/codec';
import type { Frame, FrameBound, RangeLimit } from '../plan/logical/logical.js';
import { columnsOf } from '../plan/logical/walk.js';
import type { Name } from '../text/ast-leaves.js';
import type * as Ast from '../text/ast.js';
import { bindSortItems, requireOrder } from './bind-sort.js';
import type { Binder } from './binder.js';
import { callNamed, callOperator } from './calls.js';
import { baseType, coerce, isUnknown, tryCoerce } from './coercion.js';
import { constant, type Expression, type SortKey } from './expression.js';
import type { BoundWindow, Scope } from './scope.js';
import { TypeOid } from '../types/type-oids.js';
import { INT8, TEXT, typeRef } from '../types/type-refs.js';

const DEFAULT_FRAME: Frame = {
  unit: 'range',
  start: { kind: 'unbounded-preceding', offset: undefined },
  end: { kind: 'current-row', offset: undefined },
  exclude: 'no-others',
  startLimit: undefined,
  endLimit: undefined,
};

export interface OverWindow {
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  readonly frame: Frame;
}

function isName(over: Ast.WindowSpecification | Name): over is Name {
  return !('kind' in over);
}

function namedWindow(binder: Binder, name: Name, scope: Scope): BoundWindow {
  const window = scope.windows.get(name.text);
  if (window === undefined) {
    throw binder.context.error('42704', `window "${name.text}" does not exist`, name.position);
  }
  return window;
}

/** The window of a call. */
export function bindOver(binder: Binder, over: Ast.WindowSpecification | Name, scope: Scope): OverWindow {
  const window = isName(over) ? namedWindow(binder, over, scope) : bindWindow(binder, over, scope);
  return { partition: window.partition, order: window.order, frame: window.frame ?? DEFAULT_FRAME };
}

/** A window specification, perhaps built on a named one. */
export function bindWindow(binder: Binder, node: Ast.WindowSpecification, scope: Scope): BoundWindow {
  const { context } = binder;
  const outside = scope.insideWindow;
  scope.insideWindow = true;
  try {
    const base = node.base === undefined ? undefined : namedWindow(binder, node.base, scope);
    const name = node.base?.text ?? '';
    if (base !== undefined && node.partitionBy.length > 0) {
      throw context.error('42P20', `cannot override PARTITION BY clause of window "${name}"`, node.position);
    }
    if (base !== undefined && base.order.length > 0 && node.orderBy.length > 0) {
      throw context.error('42P20', `cannot override ORDER BY clause of window "${name}"`, node.position);
    }
    if (base?.frame !== undefined) {
      throw context.error('42P20', `cannot copy window "${name}" because it has a frame clause`, node.position);
    }
    const partition =
      base?.partition ??
      node.partitionBy.map((item) => {
        const value = binder.bind(item, scope);
        const settled = isUnknown(value) ? coerce(context, value, TEXT, 'implicit', item.position) : value;
        requireOrder(binder, settled, item.position);
        return settled;
      });
    const order = node.orderBy.length > 0 ? bindSortItems(binder, node.orderBy, scope) : (base?.order ?? []);
    const frame = node.frame === undefined ? undefined : bindFrame(binder, node.frame, order, scope, node.position);
    return { partition, order, frame };
  } finally {
    scope.insideWindow = outside;
  }
}

function bindFrame(
  binder: Binder,
  node: Ast.WindowFrame,
  order: readonly SortKey[],
  scope: Scope,
  windowPosition: number,
): Frame {
  const { context } = binder;
  const end: Ast.FrameBound = node.end ?? { kind: 'current-row', offset: undefined, position: node.position };
  checkBounds(binder, node.start, end);
  if (node.unit === 'groups' && order.length === 0) {
    throw context.error('42P20', 'GROUPS mode requires an ORDER BY clause', windowPosition);
  }
  const hasOffset = node.start.offset !== undefined || end.offset !== undefined;
  if (node.unit === 'range' && hasOffset && order.length !== 1) {
    throw context.error(
      '42P20',
      'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column',
      windowPosition,
    );
  }
  const key = order[0];
  const bound = (part: Ast.FrameBound): { bound: FrameBound; limit: RangeLimit | undefined } => {
    if (part.offset === undefined) return { bound: { kind: part.kind, offset: undefined }, limit: undefined };
    const offset = frameOffset(binder, node.unit, part.offset, scope);
    if (node.unit !== 'range' || key === undefined) return { bound: { kind: part.kind, offset }, limit: undefined };
    const limit = rangeLimit(binder, key, part.kind === 'preceding', offset, part.position);
    return { bound: { kind: part.kind, offset: limit.offset }, limit };
  };
  const first = bound(node.start);
  const last = bound(end);
  return {
    unit: node.unit,
    start: first.bound,
    end: last.bound,
    exclude: node.exclude ?? 'no-others',
    startLimit: first.limit,
    endLimit: last.limit,
  };
}

function checkBounds(binder: Binder, start: Ast.FrameBound, end: Ast.FrameBound): void {
  const fail = (message: string, position: number): never => {
    throw binder.context.error('42P20', message, position);
  };
  if (start.kind === 'unbounded-following') fail('frame start cannot be UNBOUNDED FOLLOWING', start.position);
  if (end.kind === 'unbounded-preceding') fail('frame end cannot be UNBOUNDED PRECEDING', end.position);
  if (start.kind === 'current-row' && end.kind === 'preceding') {
    fail('frame starting from current row cannot have preceding rows', start.position);
  }
  if (start.kind === 'following' && (end.kind === 'preceding' || end.kind === 'current-row')) {
    fail('frame starting from following row cannot have preceding rows', start.position);
  }
}

function frameOffset(binder: Binder, unit: string, node: Ast.Expression, scope: Scope): Expression {
  const offset = binder.bind(node, scope);
  const words = unit.toUpperCase();
  for (const column of columnsOf(offset)) {
    if (!scope.owns(column)) continue;
    throw binder.context.error('42P10', `argument of ${words} must not contain variables`, node.position);
  }
  if (unit === 'range') return offset;
  const coerced = tryCoerce(binder.context, offset, INT8, 'assignment', node.position);
  if (coerced !== undefined) return coerced;
  const type = binder.context.typeName(offset.type.oid);
  throw binder.context.error('42804', `argument of ${words} must be type bigint, not type ${type}`, node.position);
}

/** Room to add an offset without overflow: integers are widened. */
const WIDER: Readonly<Record<number, number>> = {
  [TypeOid.int2]: TypeOid.int8,
  [TypeOid.int4]: TypeOid.int8,
  [TypeOid.int8]: TypeOid.numeric,
};

/** Ordering types whose offset is an interval. */
const TIME_LIKE: ReadonlySet<number> = new Set([
  TypeOid.date,
  TypeOid.timestamp,
  TypeOid.timestamptz,
  TypeOid.time,
  TypeOid.timetz,
  TypeOid.interval,
]);

/** Types that have an in_range function, with the types their offsets may have. */
const RANGE_OFFSETS: Readonly<Record<number, readonly number[]>> = {
  [TypeOid.int2]: [TypeOid.int8, TypeOid.int4, TypeOid.int2],
  [TypeOid.int4]: [TypeOid.int8, TypeOid.int4, TypeOid.int2],
  [TypeOid.int8]: [TypeOid.int8],
  [TypeOid.float4]: [TypeOid.float8],
  [TypeOid.float8]: [TypeOid.float8],
  [TypeOid.numeric]: [TypeOid.numeric],
};

/** The offset as the type that the ordering type asks for; 0A000 where it has no notion of distance. */
function rangeOffset(binder: Binder, oid: number, offset: Expression, position: number): Expression {
  const { context } = binder;
  const accepted = TIME_LIKE.has(oid) ? [TypeOid.interval] : (RANGE_OFFSETS[oid] ?? []);
  if (accepted.includes(offset.type.oid)) return offset;
  const name = context.typeName(oid);
  const first = accepted[0];
  if (first === undefined) {
    throw context.error(
      '0A000',
      `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${name}`,
      position,
    );
  }
  const same = accepted.length > 1 ? oid : first;
  const coerced = tryCoerce(context, offset, typeRef(isUnknown(offset) ? same : first), 'implicit', position);
  if (coerced !== undefined) return coerced;
  throw context.error(
    '0A000',
    `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${name} and offset type ${context.typeName(offset.type.oid)}`,
    position,
    { hint: 'Cast the offset value to an appropriate type.' },
  );
}

/** Time since midnight in Greenwich, which may lie outside of a day: a time moved by an offset does not wrap around. */
function greenwichTime(binder: Binder, value: Expression, position: number): Expression {
  const { context } = binder;
  const local = coerce(
    context,
    coerce(context, value, typeRef(TypeOid.time), 'explicit', position),
    INTERVAL,
    'explicit',
    position,
  );
  const east = callNamed(context, 'extract', [constant('timezone', TEXT), value], position);
  const seconds = coerce(context, east, typeRef(TypeOid.float8), 'explicit', position);
  const second = constant(new Interval(0, 0, 1_000_000), INTERVAL);
  return callOperator(context, '-', local, callOperator(context, '*', seconds, second, position), position);
}

/** The value of the ordering key in the type in which it is moved. */
function movable(binder: Binder, oid: number, value: Expression, position: number): Expression {
  const { context } = binder;
  if (oid === TypeOid.time) return coerce(context, value, INTERVAL, 'explicit', position);
  if (oid === TypeOid.timetz) return greenwichTime(binder, value, position);
  const wider = WIDER[oid];
  return wider === undefined ? value : coerce(context, value, typeRef(wider), 'implicit', position);
}

const INTERVAL = typeRef(TypeOid.interval);

/** The ordering value moved by the offset; PRECEDING moves against the order. */
function rangeLimit(
  binder: Binder,
  key: SortKey,
  preceding: boolean,
  offset: Expression,
  position: number,
): RangeLimit & { readonly offset: Expression } {
  const { context } = binder;
  const oid = baseType(context, key.expression.type).oid;
  const read = rangeOffset(binder, oid, offset, position);
  const value = movable(binder, oid, key.expression, position);
  const wider = WIDER[oid];
  const step =
    wider !== undefined && read.type.oid !== value.type.oid
      ? coerce(context, read, value.type, 'implicit', position)
      : read;
  const limit = callOperator(context, preceding !== key.descending ? '-' : '+', value, step, position);
  return { value: coerce(context, value, limit.type, 'implicit', position), limit, offset: read };
}
