/**
 * Ways to read a table: all of it, a range of its key, or a range of an index. A path matches conditions to key columns from
 * the left: equalities first, then one range; what it does not cover stays a filter. Indexes over expressions and partial ones
 * are matched through what they say (index-conditions.ts).
 */
import type { IndexDescriptor } from '@phantom/catalog';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { implies } from '../../expr/implication.js';
import { isSameKeyFamily } from '../../expr/key-families.js';
import { equalExpressions, withoutRelabel } from '../../expr/walk.js';
import type { CatalogPort } from '../catalog-port.js';
import type { Scan } from '../logical/logical.js';
import { TypeOid } from '../../types/type-oids.js';
import { hasSubquery, isFreeOf, isVolatile } from '../rules/facts.js';
import { answersOperator } from '../../storage/inverted-terms.js';
import { type AccessPath, FLIPPED, type KeyPart, type Role, ownColumns } from './access-path.js';
import { documentPath } from './document-path.js';
import { indexConditions } from './index-conditions.js';
import type { KeyRangePlan, RangeBound, TermsPlan } from './physical.js';

interface Match {
  readonly condition: Expression;
  readonly role: Role;
  readonly value: Expression;
}

/** True for the column itself, perhaps under a cast that changes nothing. */
function isKeyColumn(side: Expression, column: ColumnId): boolean {
  const inner = withoutRelabel(side);
  return inner.kind === 'column' && inner.column === column && side.type.collation === undefined;
}

/** True for what stands in the key: a column, or the expression of an index. */
function isKey(side: Expression, { column, expression }: KeyPart): boolean {
  if (column !== undefined) return isKeyColumn(side, column);
  if (expression === undefined || side.type.collation !== undefined) return false;
  return equalExpressions(side, expression) || equalExpressions(withoutRelabel(side), expression);
}

/** `key = ANY (array)`: the array, when it does not depend on the scan. */
function matchAny(
  condition: Expression,
  part: KeyPart,
  own: ReadonlySet<ColumnId>,
  elementOf: (arrayOid: number) => number,
): Expression | undefined {
  if (condition.kind !== 'array-quantified' || condition.role !== '=' || condition.quantifier !== 'any')
    return undefined;
  const { array } = condition;
  if (!isKey(condition.left, part) || !isFreeOf(array, own) || isVolatile(array) || hasSubquery(array))
    return undefined;
  const element = array.kind === 'array' && !array.nested ? array.elementOid : elementOf(array.type.oid);
  return isSameKeyFamily(part.typeOid, element) ? array : undefined;
}

/** Bounds of the texts that can match a LIKE pattern with a fixed beginning. The pattern itself stays a filter. */
function matchPrefix(
  condition: Expression,
  part: KeyPart,
): { readonly lower: RangeBound; readonly upper: RangeBound } | undefined {
  if (condition.kind !== 'call' || condition.operator?.name !== '~~') return undefined;
  const [left, right] = condition.arguments;
  if (left === undefined || right?.kind !== 'constant' || typeof right.value !== 'string') return undefined;
  if (!TEXT_TYPES.has(left.type.oid) || !isKey(left, part)) return undefined;
  const prefix = /^[^%_\\]*/.exec(right.value)?.[0] ?? '';
  const last = prefix.charCodeAt(prefix.length - 1);
  // The next character after the last one ends the range; surrogates and the end of the plane are left alone.
  if (prefix === '' || last >= 0xd7ff) return undefined;
  const end = prefix.slice(0, -1) + String.fromCharCode(last + 1);
  const bound = (value: string, inclusive: boolean): RangeBound => ({ value: { ...right, value }, inclusive });
  return { lower: bound(prefix, true), upper: bound(end, false) };
}

const TEXT_TYPES: ReadonlySet<number> = new Set([TypeOid.text, TypeOid.varchar]);

/** The condition as `key role value`, with a value that does not depend on the scan. */
export function matchColumn(condition: Expression, part: KeyPart, own: ReadonlySet<ColumnId>): Match | undefined {
  if (condition.kind !== 'call') return undefined;
  const role = condition.operator?.role;
  const [left, right] = condition.arguments;
  if (role === undefined || role === '<>' || left === undefined || right === undefined) return undefined;
  const usable = (value: Expression): boolean =>
    isFreeOf(value, own) && !isVolatile(value) && !hasSubquery(value) && isSameKeyFamily(part.typeOid, value.type.oid);
  if (isKey(left, part) && usable(right)) return { condition, role, value: right };
  if (isKey(right, part) && usable(left)) return { condition, role: FLIPPED[role], value: left };
  return undefined;
}

/** The type of an array's elements. */
export function elementsIn({ types }: CatalogPort): (arrayOid: number) => number {
  return (arrayOid) => types.byOid(arrayOid)?.elementOid ?? 0;
}

/** Every path over the scan's table, the plain one first. */
export function accessPaths(scan: Scan, catalog: CatalogPort): AccessPath[] {
  const { table } = scan;
  const { provider } = catalog;
  const elementOf = elementsIn(catalog);
  const own = ownColumns(scan);
  const idOf = (number: number | undefined): ColumnId | undefined =>
    scan.scanColumns.find((column) => column.number === number)?.id;
  const typeOf = (number: number): number => table.columns.find((column) => column.number === number)?.type.oid ?? 0;
  const paths: AccessPath[] = [];
  const keyParts = table.keyColumns.map((number): KeyPart => ({
    column: idOf(number),
    number,
    descending: false,
    nullsFirst: false,
    typeOid: typeOf(number),
  }));
  paths.push(pathOf(scan, undefined, keyParts, [], own, table.keyColumns.length > 0, elementOf));
  for (const index of catalog.indexesOf(table)) {
    if (index.method === 'gin') paths.push(...invertedPaths(scan, index, catalog, idOf, own));
    if (index.method === 'document' && provider !== undefined) {
      const path = documentPath(scan, index, elementOf, provider);
      if (path !== undefined) paths.push(path);
    }
    if (index.primary && index.space === table.space) continue;
    if (index.method !== 'btree' || index.state !== 'valid') continue;
    const conditions = indexConditions(index, scan, catalog);
    if (conditions === undefined) continue;
    const { predicate } = conditions;
    if (!predicate.every((condition) => implies(scan.filter, condition, catalog.types))) continue;
    const parts = index.parts.map((part, place): KeyPart => ({
      column: idOf(part.column),
      number: part.column,
      expression: conditions.parts[place],
      descending: part.descending,
      nullsFirst: part.nullsFirst,
      typeOid: part.type.oid,
    }));
    const path = pathOf(scan, index, parts, keyParts, own, index.unique && index.deferrable !== true, elementOf);
    paths.push(predicate.length === 0 ? path : { ...path, predicate });
  }
  return paths;
}

/** Operators by what they are with their sides exchanged. */
const EXCHANGED: Readonly<Record<string, string>> = {
  '<@': '@>',
  '&&': '&&',
  '@@': '@@',
  '@@@': '@@@',
  '=': '=',
  '%': '%',
  '<%': '%>',
  '<<%': '%>>',
};

/** One path for each condition that an inverted index can look for. */
function invertedPaths(
  scan: Scan,
  index: IndexDescriptor,
  catalog: CatalogPort,
  idOf: (number: number | undefined) => ColumnId | undefined,
  own: ReadonlySet<ColumnId>,
): AccessPath[] {
  if (index.state !== 'valid') return [];
  const conditions = indexConditions(index, scan, catalog);
  if (conditions === undefined) return [];
  const { predicate } = conditions;
  if (!predicate.every((condition) => implies(scan.filter, condition, catalog.types))) return [];
  const paths: AccessPath[] = [];
  index.parts.forEach((part, place) => {
    const key: KeyPart = {
      column: idOf(part.column),
      number: part.column,
      expression: conditions.parts[place],
      descending: false,
      nullsFirst: false,
      typeOid: part.type.oid,
    };
    for (const condition of scan.filter) {
      const terms = matchTerms(condition, key, part, place, own);
      if (terms === undefined) continue;
      const range = { equal: [], any: undefined, lower: undefined, upper: undefined, terms, conditions: [condition] };
      const path: AccessPath = { index, parts: [], rowKeyParts: [], range, unique: false, filter: scan.filter };
      paths.push(predicate.length === 0 ? path : { ...path, predicate });
    }
  });
  return paths;
}

/** The condition as `key operator operand`, when the part's operator class has the operator. */
function matchTerms(
  condition: Expression,
  key: KeyPart,
  part: IndexDescriptor['parts'][number],
  place: number,
  own: ReadonlySet<ColumnId>,
): TermsPlan | undefined {
  if (condition.kind !== 'call' || condition.operator === undefined) return undefined;
  const [left, right] = condition.arguments;
  if (left === undefined || right === undefined) return undefined;
  const isLeft = isKey(left, key);
  if (!isLeft && !isKey(right, key)) return undefined;
  const operator = isLeft ? condition.operator.name : EXCHANGED[condition.operator.name];
  const operand = isLeft ? right : left;
  if (operator === undefined || !answersOperator(part, operator)) return undefined;
  if (!isFreeOf(operand, own) || isVolatile(operand) || hasSubquery(operand)) return undefined;
  return { place, operator, operand };
}

function pathOf(
  scan: Scan,
  index: IndexDescriptor | undefined,
  parts: readonly KeyPart[],
  rowKeyParts: readonly KeyPart[],
  own: ReadonlySet<ColumnId>,
  uniqueKey: boolean,
  elementOf: (arrayOid: number) => number,
): AccessPath {
  const { range, filter } = rangeOver(scan, parts, own, elementOf);
  const unique = uniqueKey && parts.length > 0 && range?.equal.length === parts.length;
  return { index, parts, rowKeyParts, range, unique, filter };
}

/** What the conditions of a scan say of the parts of a key, from the first on; and the conditions that are left. */
export function rangeOver(
  scan: Scan,
  parts: readonly KeyPart[],
  own: ReadonlySet<ColumnId>,
  elementOf: (arrayOid: number) => number,
): Pick<AccessPath, 'range' | 'filter'> {
  const equal: Expression[] = [];
  const covered = new Set<Expression>();
  const shown: Expression[] = [];
  let lower: RangeBound | undefined;
  let upper: RangeBound | undefined;
  let any: Expression | undefined;
  for (const part of parts) {
    if (part.column === undefined && part.expression === undefined) break;
    const matches = scan.filter
      .map((condition) => matchColumn(condition, part, own))
      .filter((match) => match !== undefined);
    const equality = matches.find((match) => match.role === '=');
    if (equality !== undefined) {
      equal.push(equality.value);
      covered.add(equality.condition);
      continue;
    }
    const listed = scan.filter
      .map((condition) => ({ condition, array: matchAny(condition, part, own, elementOf) }))
      .find((candidate) => candidate.array !== undefined);
    if (listed !== undefined) {
      any = listed.array;
      covered.add(listed.condition);
      break;
    }
    for (const match of matches) {
      const bound: RangeBound = { value: match.value, inclusive: match.role === '<=' || match.role === '>=' };
      const isLower = match.role === '>' || match.role === '>=';
      if (isLower && lower === undefined) lower = bound;
      else if (!isLower && upper === undefined) upper = bound;
      else continue;
      covered.add(match.condition);
    }
    if (lower === undefined && upper === undefined) {
      const prefix = scan.filter
        .map((condition) => ({ condition, bounds: matchPrefix(condition, part) }))
        .find((candidate) => candidate.bounds !== undefined);
      lower = prefix?.bounds?.lower;
      upper = prefix?.bounds?.upper;
      if (prefix !== undefined) shown.push(prefix.condition);
    }
    break;
  }
  const ranged = equal.length > 0 || any !== undefined || lower !== undefined || upper !== undefined;
  const conditions = [...covered, ...shown];
  const range: KeyRangePlan | undefined = ranged ? { equal, any, lower, upper, conditions } : undefined;
  return { range, filter: scan.filter.filter((condition) => !covered.has(condition)) };
}
