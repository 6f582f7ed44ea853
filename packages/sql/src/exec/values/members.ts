/**
 * Membership by hash in a list that is the same for all rows: `x IN ($1, $2, ...)` and `x = ANY ($1)`. Comparing each row with each item
 * multiplies them: 40,000 rows and 30,000 parameters were a minute.
 */
import type { SqlArray } from '@phantom/codec';
import type { ArrayQuantified, Expression } from '../../expr/expression.js';
import type { TypeLookup, Value } from '../../types/type.js';

/** Listed items from which on hashing pays, as PostgreSQL has it too. */
const ITEMS_MIN = 9;

type Member = (value: Value) => boolean | null;

/** The run that asks: of a statement, or of an expression or a point road by itself. */
interface Asking {
  readonly statement?: object;
  readonly parameters: readonly Value[];
}

/** Makes the test from the parameters, once for a statement: a step may be called for each of its rows. Undefined where the comparison or the list is of another kind. */
export function memberTest(
  { left, array: listed, role, quantifier }: ArrayQuantified,
  types: TypeLookup,
): ((run: Asking) => Member) | undefined {
  const hashKey = types.byOid(left.type.oid)?.hashKey;
  if (hashKey === undefined || left.type.collation !== undefined || role !== '=' || quantifier !== 'any')
    return undefined;
  const listOf = itemsOf(listed, left.type.oid, types);
  if (listOf === undefined) return undefined;
  const known = new WeakMap<object, Member>();
  return ({ statement, parameters }) => {
    if (statement === undefined) return memberOf(listOf(parameters), hashKey);
    let member = known.get(statement);
    if (member === undefined) known.set(statement, (member = memberOf(listOf(parameters), hashKey)));
    return member;
  };
}

/** The items, given the parameters; null for an array that is. */
type Items = (parameters: readonly Value[]) => readonly Value[] | null;

function itemsOf(listed: Expression, oid: number, types: TypeLookup): Items | undefined {
  if (listed.kind === 'parameter') {
    if (types.byOid(listed.type.oid)?.elementOid !== oid) return undefined;
    const { index } = listed;
    return (parameters) => (parameters[index - 1] as SqlArray | null)?.items ?? null;
  }
  if (listed.kind !== 'array' || listed.nested || listed.elements.length < ITEMS_MIN) return undefined;
  const { elements } = listed;
  const isGiven = elements.every(
    ({ kind, type }) =>
      (kind === 'constant' || kind === 'parameter') && type.oid === oid && type.collation === undefined,
  );
  // Constants alone make one set for all executions.
  if (!isGiven || elements.every(({ kind }) => kind === 'constant')) return undefined;
  return (parameters) =>
    elements.map((item) => {
      if (item.kind === 'constant') return item.value;
      return item.kind === 'parameter' ? parameters[item.index - 1] : null;
    });
}

function memberOf(items: readonly Value[] | null, hashKey: (value: Value) => unknown): Member {
  if (items === null) return () => null;
  if (items.length === 0) return () => false;
  const present = items.filter((item) => item !== null);
  const keys = present.map((item) => hashKey(item));
  const miss = present.length < items.length ? null : false;
  if (keys.length < ITEMS_MIN) return (value) => (value === null ? null : keys.includes(hashKey(value)) ? true : miss);
  const set = new Set(keys);
  return (value) => (value === null ? null : set.has(hashKey(value)) ? true : miss);
}
