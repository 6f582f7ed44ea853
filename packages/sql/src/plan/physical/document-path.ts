/**
 * The way to a collection's rows through an index over paths of its documents. A condition speaks of a path by the column of a field, or
 * by what is taken out of a document: `doc -> 'a' ->> 'b'`, `doc.a.b`, `address ->> 'city'`. Which keys an index has for it is the
 * document model's to say; every condition stays a filter, so an index never changes an answer.
 */
import { assert } from '@phantom/base';
import type { IndexDescriptor, PathCondition, TableProvider } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { isSameKeyFamily } from '../../expr/key-families.js';
import { type ConditionRole, type OperandForm, pathConditions } from '../../storage/document-conditions.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import type { Scan } from '../logical/logical.js';
import { hasSubquery, isFreeOf, isVolatile } from '../rules/facts.js';
import { type AccessPath, FLIPPED, type KeyPart, ownColumns } from './access-path.js';
import { type DocumentOperand, operandOf } from './document-operand.js';
import type { DocumentsPlan } from './physical.js';

/** A condition that an index can look for. */
interface DocumentMatch {
  readonly operand: DocumentOperand;
  readonly role: ConditionRole;
  /** Undefined for `not null`. */
  readonly value: Expression | undefined;
  readonly condition: Expression;
}

const TYPES: Readonly<Record<OperandForm, number>> = {
  text: TypeOid.text,
  integer: TypeOid.int8,
  double: TypeOid.float8,
  boolean: TypeOid.bool,
  timestamp: TypeOid.timestamptz,
  json: TypeOid.jsonb,
  'text of': TypeOid.text,
};
/** Forms of which equal values have one place in an index, and the index the order of SQL. */
const ORDERED: ReadonlySet<OperandForm> = new Set<OperandForm>(['text', 'integer', 'timestamp', 'boolean']);

/** The way through one index; undefined when it helps with none of the scan's conditions. */
export function documentPath(
  scan: Scan,
  index: IndexDescriptor,
  elementOf: (arrayOid: number) => number,
  provider: TableProvider,
): AccessPath | undefined {
  const own = ownColumns(scan);
  const { document } = index;
  const isUsable = document?.kind === 'ordered' && document.partialFilter === undefined && index.state === 'valid';
  if (!isUsable || document.parts[0]?.wildcard === true) return undefined;
  const matches = scan.filter
    .map((condition) => matchOf(condition, scan, own, elementOf))
    .filter((m) => m !== undefined);
  const used: DocumentMatch[] = [];
  const parts: KeyPart[] = [];
  const equal: Expression[] = [];
  let isOrdered = true;
  for (const { path, descending } of document.parts) {
    const here = matches.filter(({ operand }) => operand.path === path);
    const point = here.find(({ role }) => role === '=') ?? here.find(({ role }) => role === 'any');
    const bounds = point === undefined ? boundsAmong(here) : [point];
    const [first] = bounds;
    if (first === undefined) break;
    used.push(...bounds);
    const { form, column } = first.operand;
    isOrdered &&= column !== undefined && (ORDERED.has(form) || form === 'double') && first.role !== 'any';
    if (isOrdered) parts.push(keyPart(scan, first.operand, descending));
    if (point === undefined || form === 'double') break;
    if (isOrdered && point.value !== undefined) equal.push(point.value);
  }
  if (used.length === 0) return undefined;
  const isSingle = used.every(({ role, operand }) => role !== 'any' && operand.form !== 'text of');
  const documents = documentsPlan(index, used, isSingle && document.parts.length === 1, provider);
  const conditions = [...new Set(used.map(({ condition }) => condition))];
  return {
    index,
    parts: isOrdered ? parts : [],
    rowKeyParts: [],
    range: {
      equal: isOrdered ? equal : [],
      any: undefined,
      lower: undefined,
      upper: undefined,
      documents,
      conditions,
    },
    unique: false,
    filter: scan.filter,
  };
}

/** Conditions that bound a stretch of one type; none where they do not. */
function boundsAmong(matches: readonly DocumentMatch[]): readonly DocumentMatch[] {
  const bounds = matches.filter(({ role, operand }) => role !== '=' && role !== 'any' && operand.column !== undefined);
  const [first] = bounds;
  // NaN is above all doubles in SQL and below them in an index.
  const hasUpper = bounds.some(({ role }) => role === '<' || role === '<=');
  return first?.operand.form === 'double' && !hasUpper ? [] : bounds;
}

function keyPart({ scanColumns }: Scan, { column }: DocumentOperand, descending: boolean): KeyPart {
  return {
    column: scanColumns.find(({ number }) => number === column?.number)?.id,
    number: column?.number,
    descending,
    nullsFirst: false,
    typeOid: column?.type.oid ?? 0,
    neverNull: true,
  };
}

function documentsPlan(
  index: IndexDescriptor,
  matches: readonly DocumentMatch[],
  single: boolean,
  provider: TableProvider,
): DocumentsPlan {
  const operands = matches.map(({ value }) => value).filter((value) => value !== undefined);
  return {
    operands,
    single,
    entries(values) {
      const conditions: PathCondition[] = [];
      let next = 0;
      for (const { operand, role, value } of matches) {
        const given = value === undefined ? undefined : (values[next++] as Value);
        if (given === null) return null;
        const items = given instanceof SqlArray && role === 'any' ? given.items : given;
        conditions.push(...pathConditions(operand.path, operand.form, role, items));
      }
      const found = provider.indexRanges(index, unlimited(conditions));
      assert(found !== undefined, 'an index is planned with where it helps');
      return found;
    },
  };
}

/** Where a condition asks for all there is at a path, bounds beside it do not count: they may leave out what it means. */
function unlimited(conditions: readonly PathCondition[]): readonly PathCondition[] {
  const whole = new Set(conditions.filter(({ operator }) => operator === '$exists').map(({ path }) => path));
  return whole.size === 0
    ? conditions
    : conditions.filter(({ path, operator }) => operator === '$exists' || !whole.has(path));
}

function matchOf(
  condition: Expression,
  scan: Scan,
  own: ReadonlySet<ColumnId>,
  elementOf: (arrayOid: number) => number,
): DocumentMatch | undefined {
  const usable = (value: Expression, typeOid: number, form: OperandForm): boolean =>
    isSameKeyFamily(TYPES[form], typeOid) && isFreeOf(value, own) && !isVolatile(value) && !hasSubquery(value);
  if (condition.kind === 'null-test' && condition.negated && !condition.row) {
    const operand = operandOf(condition.operand, scan);
    if (operand === undefined || !ORDERED.has(operand.form)) return undefined;
    return { operand, role: 'not null', value: undefined, condition };
  }
  if (condition.kind === 'array-quantified') {
    if (condition.role !== '=' || condition.quantifier !== 'any') return undefined;
    const { array } = condition;
    const operand = operandOf(condition.left, scan);
    const element = array.kind === 'array' && !array.nested ? array.elementOid : elementOf(array.type.oid);
    if (operand === undefined || !usable(array, element, operand.form)) return undefined;
    return { operand, role: 'any', value: array, condition };
  }
  const role = condition.kind === 'call' ? condition.operator?.role : undefined;
  if (condition.kind !== 'call' || role === undefined || role === '<>') return undefined;
  const [left, right] = condition.arguments;
  if (left === undefined || right === undefined) return undefined;
  const match = (side: Expression, value: Expression, sideRole: typeof role): DocumentMatch | undefined => {
    const operand = operandOf(side, scan);
    return operand === undefined || !usable(value, value.type.oid, operand.form)
      ? undefined
      : { operand, role: sideRole as ConditionRole, value, condition };
  };
  return match(left, right, role) ?? match(right, left, FLIPPED[role]);
}
