/**
 * FETCH FIRST n PERCENT (ISO F866): the part of all rows, those that OFFSET leaves out among them, rounded up to whole rows. How many
 * that is can be told only when all are there, so each is numbered in a window, beside the count of all, and a filter takes those within:
 *
 *   rows in order ── window: number, place, count(*) ── filter: number > offset, place <= offset + ceil(count * n / 100)
 *
 * `place` is the row's number, or with WITH TIES that of the first of its peers.
 */
import { PhantomError } from '@phantom/base';
import { Decimal } from '@phantom/codec';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, INT8, typeRef } from '../../types/type-refs.js';
import type { Binder } from '../../expr/binder.js';
import { bindCount } from '../../expr/bind-special.js';
import { coerce } from '../../expr/coercion.js';
import type { BindContext } from '../../expr/context.js';
import { columnReference, constant, type ColumnId, type Expression, type SortKey } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import type { ScalarFunction } from '../../functions/registry.js';
import type * as Ast from '../../text/ast.js';
import type { LogicalNode, WindowCall } from '../logical/logical.js';
import { isVolatile } from '../rules/facts.js';

const NUMERIC = typeRef(TypeOid.numeric);
const ROW_NUMBER = 3100;
const RANK = 3101;
const COUNT_OF_ROWS = 2803;
const HUNDRED = Decimal.of(100);

type Integer = number | bigint;

function isWithin(
  number: Integer,
  place: Integer,
  count: Integer,
  percent: Decimal | null,
  offset: Integer | null,
): boolean {
  const skipped = offset ?? 0;
  if (skipped < 0) throw new PhantomError('2201X', 'OFFSET must not be negative');
  if (percent !== null && !(percent.compare(Decimal.Zero) >= 0 && percent.compare(HUNDRED) <= 0)) {
    throw new PhantomError('2201W', 'FETCH FIRST percentage must be between 0 and 100');
  }
  if (number <= skipped) return false;
  // A whole number is at most ceil(x) exactly when the one before it is less than x.
  const before = BigInt(place) - BigInt(skipped) - 1n;
  return percent === null || Decimal.of(before * 100n).compare(percent.mul(Decimal.of(count))) < 0;
}

const WITHIN: ScalarFunction = {
  kind: 'scalar',
  oid: 0,
  name: 'within_percent',
  argumentTypes: [TypeOid.int8, TypeOid.int8, TypeOid.int8, TypeOid.numeric, TypeOid.int8],
  resultType: TypeOid.bool,
  volatility: 'immutable',
  strict: false,
  call: isWithin as ScalarFunction['call'],
};

/** Of the rows of `input`, which are in `order`, those that the clause and OFFSET want. The clause's expression sees no columns of them. */
export function partOfRows(
  binder: Binder,
  input: LogicalNode,
  clause: Ast.LimitClause,
  skipped: Ast.Expression | undefined,
  order: readonly SortKey[],
  scope: Scope,
): LogicalNode {
  const { context } = binder;
  const { position } = clause.count;
  const percent = coerce(context, binder.bind(clause.count, scope), NUMERIC, 'assignment', position);
  scope.clause = 'OFFSET';
  const offset = skipped === undefined ? constant(0, INT8) : bindCount(binder, skipped, scope, 'OFFSET');
  for (const [expression, at] of [
    [percent, position],
    [offset, skipped?.position],
  ] as const) {
    if (isVolatile(expression))
      throw context.unsupported('a volatile expression beside FETCH FIRST n PERCENT', at ?? position);
  }
  const number = windowCall(context, ROW_NUMBER);
  const place = clause.withTies ? windowCall(context, RANK) : number;
  const count = windowCall(context, COUNT_OF_ROWS);
  const calls = [...new Set([number, place, count])];
  const columns = [...input.columns, ...calls.map(({ column }) => column)];
  const numbered: LogicalNode = {
    kind: 'window',
    input,
    partition: [],
    order: clause.withTies ? order : [],
    calls,
    columns,
  };
  const whole = [number, place, count].map(({ column }) => columnReference(column, INT8));
  const condition: Expression = {
    kind: 'call',
    function: WITHIN,
    operator: undefined,
    arguments: [...whole, percent, offset],
    variadicFrom: undefined,
    variadicElement: undefined,
    type: BOOL,
  };
  const part: LogicalNode = { kind: 'filter', input: numbered, conditions: [condition], columns };
  return { kind: 'project', input: part, items: [], columns: input.columns };
}

/** A function over all rows. */
function windowCall(context: BindContext, oid: number): WindowCall & { readonly column: ColumnId } {
  const definition = context.catalog.functions.functionByOid(oid);
  if (definition?.kind !== 'window' && definition?.kind !== 'aggregate')
    throw new Error(`${oid} is no function over a window`);
  return {
    column: context.newColumn('?row?', INT8),
    function: definition,
    arguments: [],
    argumentTypes: [],
    variadicFrom: undefined,
    variadicElement: undefined,
    filter: undefined,
    frame: {
      unit: 'rows',
      start: { kind: 'unbounded-preceding', offset: undefined },
      end: { kind: 'unbounded-following', offset: undefined },
      exclude: 'no-others',
      startLimit: undefined,
      endLimit: undefined,
    },
    ignoreNulls: false,
    fromLast: false,
    type: INT8,
  };
}
