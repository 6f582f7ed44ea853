/** OVER clauses and the WINDOW clause: partitions, orders and frames. */
import type { Frame, FrameBound, RangeLimit } from '../plan/logical/logical.js';
import type { Name } from '../text/ast-leaves.js';
import type * as Ast from '../text/ast.js';
import { bindSortItems, requireOrder } from './bind-sort.js';
import type { Binder } from './binder.js';
import { callOperator } from './calls.js';
import { baseType, coerce, isUnknown, tryCoerce } from './coercion.js';
import type { Expression, SortKey } from './expression.js';
import type { BoundWindow, Scope } from './scope.js';
import { INT8, Oids, TEXT, typeRef } from './type-oids.js';

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
    const frame = node.frame === undefined ? undefined : bindFrame(binder, node.frame, order, scope);
    return { partition, order, frame };
  } finally {
    scope.insideWindow = outside;
  }
}

function bindFrame(binder: Binder, node: Ast.WindowFrame, order: readonly SortKey[], scope: Scope): Frame {
  const { context } = binder;
  const end: Ast.FrameBound = node.end ?? { kind: 'current-row', offset: undefined, position: node.position };
  checkBounds(binder, node.start, end);
  if (node.unit === 'groups' && order.length === 0) {
    throw context.error('42P20', 'GROUPS mode requires an ORDER BY clause', node.position);
  }
  const hasOffset = node.start.offset !== undefined || end.offset !== undefined;
  if (node.unit === 'range' && hasOffset && order.length !== 1) {
    throw context.error(
      '42P20',
      'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column',
      node.position,
    );
  }
  const bound = (part: Ast.FrameBound): FrameBound => ({
    kind: part.kind,
    offset: part.offset === undefined ? undefined : frameOffset(binder, node.unit, part.offset, scope),
  });
  const start = bound(node.start);
  const boundEnd = bound(end);
  const key = order[0];
  const limit = (part: Ast.FrameBound, offset: Expression | undefined): RangeLimit | undefined =>
    node.unit === 'range' && offset !== undefined && key !== undefined
      ? rangeLimit(binder, key, part.kind === 'preceding', offset, part.position)
      : undefined;
  return {
    unit: node.unit,
    start,
    end: boundEnd,
    exclude: node.exclude ?? 'no-others',
    startLimit: limit(node.start, start.offset),
    endLimit: limit(end, boundEnd.offset),
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
  if (unit === 'range') return offset;
  const words = unit.toUpperCase();
  const coerced = tryCoerce(binder.context, offset, INT8, 'implicit', node.position);
  if (coerced !== undefined) return coerced;
  const type = binder.context.typeName(offset.type.oid);
  throw binder.context.error('42804', `argument of ${words} must be type bigint, not type ${type}`, node.position);
}

/** Room to add an offset without overflow: integers are widened. */
const WIDER: Readonly<Record<number, number>> = {
  [Oids.int2]: Oids.int8,
  [Oids.int4]: Oids.int8,
  [Oids.int8]: Oids.numeric,
};

/** The ordering value moved by the offset; PRECEDING moves against the order. */
function rangeLimit(
  binder: Binder,
  key: SortKey,
  preceding: boolean,
  offset: Expression,
  position: number,
): RangeLimit {
  const { context } = binder;
  const oid = baseType(context, key.expression.type).oid;
  const wider = WIDER[oid];
  const value =
    wider === undefined ? key.expression : coerce(context, key.expression, typeRef(wider), 'implicit', position);
  const wanted = oid === Oids.date || oid === Oids.timestamp || oid === Oids.timestamptz || oid === Oids.time;
  const read = isUnknown(offset)
    ? coerce(context, offset, typeRef(wanted ? Oids.interval : oid), 'implicit', position)
    : offset;
  const step =
    wider !== undefined && read.type.oid === oid ? coerce(context, read, value.type, 'implicit', position) : read;
  const limit = callOperator(context, preceding !== key.descending ? '-' : '+', value, step, position);
  return { value: coerce(context, value, limit.type, 'implicit', position), limit };
}
