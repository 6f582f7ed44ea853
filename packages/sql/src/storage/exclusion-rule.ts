/**
 * Exclusion constraints: EXCLUDE (room WITH =, during WITH &&) lets no two rows be there of which every operator is true. What
 * PostgreSQL looks up in a GiST index stands here in a tree, in the order of the parts as they were written:
 *
 *   key = index space(4)  room (keycode)  during (keycode)  row key          value as every index's
 *
 * Parts that are compared by `=` and come first narrow the search: the rows that can be in the way have entries next to each other.
 * Among those, a last part of a range type under `&&` is looked up in the order of its lower bounds:
 *
 *   ... [1,3) [4,9) │ new [8,12) │ [12,20) ...      the entry before and the one behind are all that can overlap it
 *
 * 1. Entries of one prefix that obey such a constraint do not overlap each other, so one further to the left ends before the entry
 *    before does, and one further to the right begins after the entry behind. While a deferred constraint is broken for a while that
 *    need not be so; but of entries that overlap, two neighbours do, and each entry is looked at in its turn.
 * 2. Any other operators are tried on every entry of the prefix. Without a leading `=` that is every row of the table.
 *
 * Values of types that have no order (boxes, circles) stand in the tree by their bytes, which narrow nothing: the = of circles compares areas.
 */
import { ByteWriter } from '@phantom/base';
import type { ColumnDescriptor, ConstraintDescriptor, IndexDescriptor } from '@phantom/catalog';
import { SPACE_BYTES, prefixRange } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { RowExpression } from '../expr/row-expression-types.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { Value } from '../types/type.js';
import type { PhysicalIndex } from './physical-table.js';

export type ExclusionConstraint = ConstraintDescriptor & { readonly kind: 'exclusion' };
type KvCursor = ReturnType<MvccTransaction['cursorNewest']>;

/** What an index of an exclusion constraint is asked. Holds nothing of a transaction. */
export class ExclusionRule {
  readonly constraint: ExclusionConstraint;
  readonly index: IndexDescriptor;
  private readonly physical: PhysicalIndex;
  /** How many leading parts are compared by `=`. */
  private readonly equalParts: number;
  /** What follows them is one range under `&&`. */
  private readonly isOverlap: boolean;
  /** Over the parts of two rows, one behind the other. */
  private readonly condition: RowExpression;
  private readonly key = new ByteWriter();
  private readonly other: Value[] = [];

  constructor(
    constraint: ExclusionConstraint,
    index: IndexDescriptor,
    operators: readonly string[],
    physical: PhysicalIndex,
    catalog: CatalogPort,
  ) {
    this.constraint = constraint;
    this.index = index;
    this.physical = physical;
    const isEquality = (operator: string, i: number): boolean =>
      operator === '=' && catalog.types.byOid(index.parts[i]?.type.oid ?? 0)?.compare !== undefined;
    const firstOther = operators.findIndex((operator, i) => !isEquality(operator, i));
    this.equalParts = firstOther < 0 ? operators.length : firstOther;
    const last = index.parts.at(-1);
    this.isOverlap =
      this.equalParts === operators.length - 1 &&
      operators.at(-1) === '&&' &&
      last !== undefined &&
      isRange(catalog, last.type.oid);
    this.condition = exclusionCondition(index.parts, operators, catalog);
  }

  /** A row with these parts is in nobody's way. */
  isFree(parts: readonly Value[]): boolean {
    return parts.includes(null);
  }

  /** The key that stands for all entries that rows with these parts may meet; the caller's until the next call. */
  prefix(parts: readonly Value[]): ByteWriter {
    const { key, physical } = this;
    key.reset();
    key.bytes(physical.prefix);
    physical.keyCode.encodePrefix(parts, this.equalParts, key);
    return key;
  }

  /**
   * Looks for an entry that a row with `parts` must not stand beside, other than the one under the key `own` (its own, or the one
   * it is about to leave). A cursor on it, which the caller closes; undefined when there is none.
   */
  find(
    parts: readonly Value[],
    own: Uint8Array | undefined,
    transaction: MvccTransaction,
    context: EvaluationContext,
  ): KvCursor | undefined {
    const cursor = transaction.cursorNewest(prefixRange(this.prefix(parts).take()));
    let isFound = false;
    try {
      isFound = this.isOverlap
        ? this.hasNeighbour(cursor, parts, own, context)
        : this.hasAny(cursor, parts, own, context);
      return isFound ? cursor : undefined;
    } finally {
      if (!isFound) cursor.close();
    }
  }

  /** The parts of the entry under a cursor; until the next look. */
  partsAt(cursor: KvCursor): readonly Value[] {
    const { key } = cursor;
    this.physical.keyCode.decode(key.buffer, key.start + SPACE_BYTES, key.end, this.other);
    return this.other;
  }

  private hasAny(
    cursor: KvCursor,
    parts: readonly Value[],
    own: Uint8Array | undefined,
    context: EvaluationContext,
  ): boolean {
    while (cursor.next()) if (!isAt(cursor, own) && this.excludes(cursor, parts, context)) return true;
    return false;
  }

  private hasNeighbour(
    cursor: KvCursor,
    parts: readonly Value[],
    own: Uint8Array | undefined,
    context: EvaluationContext,
  ): boolean {
    const { key, physical } = this;
    key.reset();
    key.bytes(physical.prefix);
    physical.keyCode.encodePrefix(parts, this.index.parts.length, key);
    const from = key.take();
    let isThere = cursor.seekBefore(from, 0, from.length);
    if (isThere && isAt(cursor, own)) isThere = cursor.prev();
    if (isThere && this.excludes(cursor, parts, context)) return true;
    isThere = cursor.seek(from, 0, from.length);
    if (isThere && isAt(cursor, own)) isThere = cursor.next();
    return isThere && this.excludes(cursor, parts, context);
  }

  private excludes(cursor: KvCursor, parts: readonly Value[], context: EvaluationContext): boolean {
    return this.condition.evaluate([...parts, ...this.partsAt(cursor)], context) === true;
  }
}

function isAt({ key }: KvCursor, own: Uint8Array | undefined): boolean {
  if (own === undefined || key.end - key.start !== own.length) return false;
  for (let i = 0; i < own.length; i++) if (key.buffer[key.start + i] !== own[i]) return false;
  return true;
}

function isRange(catalog: CatalogPort, oid: number): boolean {
  const type = catalog.types.byOid(oid);
  return (type?.kind === 'domain' ? catalog.types.byOid(type.baseOid ?? 0) : type)?.kind === 'range';
}

/** True of the parts of two rows that exclude each other; raises the binder's errors for operators that are not there. */
export function exclusionCondition(
  parts: IndexDescriptor['parts'],
  operators: readonly string[],
  catalog: CatalogPort,
): RowExpression {
  const column = (side: string, i: number, number: number): ColumnDescriptor => ({
    number,
    name: `${side}${i}`,
    type: (parts[i] as IndexDescriptor['parts'][number]).type,
    notNull: false,
    dropped: false,
    sinceVersion: 1,
  });
  const columns = [
    ...parts.map((_, i) => column('a', i, i + 1)),
    ...parts.map((_, i) => column('b', i, parts.length + i + 1)),
  ];
  const pairs = operators.map((operator, i) => `(a${i} OPERATOR(pg_catalog.${operator}) b${i})`);
  return bindRowExpression(pairs.join(' AND '), {
    columns,
    relationName: undefined,
    catalog,
    target: undefined,
    purpose: 'check',
  });
}
