/**
 * Ways to read a table: all of it, a range of its key, or a range of an index. A path matches conditions to key columns from
 * the left: equalities first, then one range; what it does not cover stays a filter.
 */
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { isSameKeyFamily } from '../../expr/key-families.js';
import type { Scan } from '../logical/logical.js';
import { hasSubquery, isFreeOf, isVolatile } from '../rules/facts.js';
import type { KeyRangePlan, RangeBound } from './physical.js';

/** A column of a key, in key order. */
export interface KeyPart {
  readonly column: ColumnId | undefined;
  readonly number: number | undefined;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly typeOid: number;
}

export interface AccessPath {
  readonly index: IndexDescriptor | undefined;
  readonly parts: readonly KeyPart[];
  readonly range: KeyRangePlan | undefined;
  /** At most one row. */
  readonly unique: boolean;
  /** Conditions the range does not cover. */
  readonly filter: readonly Expression[];
}

type Role = '=' | '<' | '<=' | '>' | '>=';

interface Match {
  readonly condition: Expression;
  readonly role: Role;
  readonly value: Expression;
}

const FLIPPED: Readonly<Record<Role, Role>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** The condition as `column role value`, with a value that does not depend on the scan. */
function matchColumn(
  condition: Expression,
  column: ColumnId,
  typeOid: number,
  own: ReadonlySet<ColumnId>,
): Match | undefined {
  if (condition.kind !== 'call') return undefined;
  const role = condition.operator?.role;
  const [left, right] = condition.arguments;
  if (role === undefined || role === '<>' || left === undefined || right === undefined) return undefined;
  const isColumn = (side: Expression): boolean => {
    const inner = side.kind === 'cast' && side.definition.call === undefined ? side.operand : side;
    return inner.kind === 'column' && inner.column === column && side.type.collation === undefined;
  };
  const usable = (value: Expression): boolean =>
    isFreeOf(value, own) && !isVolatile(value) && !hasSubquery(value) && isSameKeyFamily(typeOid, value.type.oid);
  if (isColumn(left) && usable(right)) return { condition, role, value: right };
  if (isColumn(right) && usable(left)) return { condition, role: FLIPPED[role], value: left };
  return undefined;
}

/** Every path over the scan's table, the plain one first. */
export function accessPaths(
  scan: Scan,
  table: TableDescriptor,
  indexes: readonly IndexDescriptor[],
): AccessPath[] {
  const own = new Set<ColumnId>(scan.scanColumns.map((column) => column.id));
  if (scan.rowReference !== undefined) own.add(scan.rowReference);
  const idOf = (number: number | undefined): ColumnId | undefined =>
    scan.scanColumns.find((column) => column.number === number)?.id;
  const typeOf = (number: number): number => table.columns.find((column) => column.number === number)?.type.oid ?? 0;
  const paths: AccessPath[] = [];
  const keyParts = table.keyColumns.map(
    (number): KeyPart => ({ column: idOf(number), number, descending: false, nullsFirst: false, typeOid: typeOf(number) }),
  );
  paths.push(pathOf(scan, undefined, keyParts, own, table.keyColumns.length > 0));
  for (const index of indexes) {
    if (index.primary && index.space === table.space) continue;
    if (index.method !== 'btree' || index.state !== 'valid' || index.predicateSql !== undefined) continue;
    const parts = index.parts.map(
      (part): KeyPart => ({
        column: idOf(part.column),
        number: part.column,
        descending: part.descending,
        nullsFirst: part.nullsFirst,
        typeOid: part.type.oid,
      }),
    );
    paths.push(pathOf(scan, index, parts, own, index.unique));
  }
  return paths;
}

function pathOf(
  scan: Scan,
  index: IndexDescriptor | undefined,
  parts: readonly KeyPart[],
  own: ReadonlySet<ColumnId>,
  uniqueKey: boolean,
): AccessPath {
  const equal: Expression[] = [];
  const covered = new Set<Expression>();
  let lower: RangeBound | undefined;
  let upper: RangeBound | undefined;
  for (const part of parts) {
    if (part.column === undefined) break;
    const { column, typeOid } = part;
    const matches = scan.filter
      .map((condition) => matchColumn(condition, column, typeOid, own))
      .filter((match) => match !== undefined);
    const equality = matches.find((match) => match.role === '=');
    if (equality !== undefined) {
      equal.push(equality.value);
      covered.add(equality.condition);
      continue;
    }
    for (const match of matches) {
      const bound: RangeBound = { value: match.value, inclusive: match.role === '<=' || match.role === '>=' };
      const isLower = match.role === '>' || match.role === '>=';
      if (isLower && lower === undefined) lower = bound;
      else if (!isLower && upper === undefined) upper = bound;
      else continue;
      covered.add(match.condition);
    }
    break;
  }
  const ranged = equal.length > 0 || lower !== undefined || upper !== undefined;
  const range: KeyRangePlan | undefined = ranged ? { equal, lower, upper, conditions: [...covered] } : undefined;
  return {
    index,
    parts,
    range,
    unique: uniqueKey && parts.length > 0 && equal.length === parts.length,
    filter: scan.filter.filter((condition) => !covered.has(condition)),
  };
}
