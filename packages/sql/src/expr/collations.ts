/**
 * Which collation an expression has, after the standard's derivation as PostgreSQL has it: COLLATE counts for more than
 * what columns bring, a named collation for more than the default, and two different ones of equal weight cancel each
 * other: what needs a collation then raises 42P22, what two COLLATEs disagree on 42P21.
 */
import type { TypeRef } from '@phantom/catalog';
import type { OperatorDefinition, ScalarFunction } from '../functions/registry.js';
import { initcapOfAscii, lowerOfAscii, upperOfAscii } from '../functions/letter-case.js';
import { like } from '../functions/like.js';
import { collatorFor, isBinaryCollation, knowsAsciiOnly, localeTag } from '../types/collation.js';
import type { BindContext } from './context.js';
import type { Expression } from './expression.js';
import { TypeOid } from '../types/type-oids.js';

const COLLATABLE: ReadonlySet<number> = new Set([TypeOid.text, TypeOid.varchar, TypeOid.bpchar]);

/** What parts make of a whole: the fields of a TypeRef that speak of collations. */
type Collation = Pick<TypeRef, 'collation' | 'explicitCollation' | 'otherCollation'>;

const NAME_HINT = 'You can choose the collation by applying the COLLATE clause to one or both expressions.';

function isDefault(collation: Collation): boolean {
  return collation.collation === undefined || collation.collation === 'default';
}

function mergeTwo(context: BindContext, a: Collation, b: Collation, position: number): Collation {
  if (a.explicitCollation === true && b.explicitCollation === true) {
    if (a.collation === b.collation) return a;
    const names = `"${a.collation ?? ''}" and "${b.collation ?? ''}"`;
    throw context.error('42P21', `collation mismatch between explicit collations ${names}`, position);
  }
  if (a.explicitCollation === true) return a;
  if (b.explicitCollation === true) return b;
  if (a.otherCollation !== undefined) return a;
  if (b.otherCollation !== undefined) return b;
  if (isDefault(b) || a.collation === b.collation) return a;
  if (isDefault(a)) return b;
  return { ...a, otherCollation: b.collation as string };
}

/** The collation of a whole made of the parts. */
export function mergedCollation(context: BindContext, parts: readonly Expression[], position: number): Collation {
  let merged: Collation = {};
  for (const { type, kind } of parts) {
    if (!COLLATABLE.has(type.oid)) continue;
    // What COLLATE said inside of a subquery is no more than a column's collation outside.
    const part = kind === 'column' && type.explicitCollation === true ? { collation: type.collation as string } : type;
    merged = mergeTwo(context, merged, part, position);
  }
  return merged;
}

/** The type with a collation, where it is a text type. */
export function collated(type: TypeRef, collation: Collation): TypeRef {
  if (!COLLATABLE.has(type.oid) || collation.collation === undefined) return type;
  return {
    oid: type.oid,
    typmod: type.typmod,
    collation: collation.collation,
    ...(collation.explicitCollation === undefined ? {} : { explicitCollation: true }),
    ...(collation.otherCollation === undefined ? {} : { otherCollation: collation.otherCollation }),
  };
}

/** A cast's target keeps the collation of what is cast. */
export function inheritCollation(target: TypeRef, source: TypeRef): TypeRef {
  return target.collation === undefined ? collated(target, source) : target;
}

/** 42P21 or, for a column that brings it, 42P22 when the parts of a key (ORDER BY, DISTINCT, UNION) have collations that cancel each other. */
export function requireOneCollation(
  context: BindContext,
  type: TypeRef,
  position: number | undefined,
  isColumn = false,
): void {
  if (type.otherCollation === undefined) return;
  if (isColumn) throw undetermined(context, 'string comparison');
  const names = `"${type.collation ?? ''}" and "${type.otherCollation}"`;
  throw context.error('42P21', `collation mismatch between implicit collations ${names}`, position, {
    hint: NAME_HINT,
  });
}

function undetermined(context: BindContext, what: string): Error {
  return context.error('42P22', `could not determine which collation to use for ${what}`, undefined, {
    hint: 'Use the COLLATE clause to set the collation explicitly.',
  });
}

const PATTERNS: Readonly<Record<string, string>> = {
  '~~*': 'ILIKE',
  '!~~*': 'ILIKE',
  '~': 'regular expression',
  '!~': 'regular expression',
  '~*': 'regular expression',
  '!~*': 'regular expression',
};

/** ILIKE where only the letters of ASCII have cases. */
const ASCII_PATTERNS: Readonly<Record<string, (text: string, pattern: string) => boolean>> = {
  '~~*': (text, pattern) => like(lowerOfAscii(text), lowerOfAscii(pattern)),
  '!~~*': (text, pattern) => !like(lowerOfAscii(text), lowerOfAscii(pattern)),
};

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/**
 * The operator under a collation: comparisons of order are made by its collator, and lose the role that would let an index
 * in binary order serve them. Equality is that of bytes in every collation here.
 */
export function collatedOperator(
  context: BindContext,
  operator: OperatorDefinition,
  collation: Collation,
): OperatorDefinition {
  const { role, name } = operator;
  const pattern = PATTERNS[name];
  if (collation.otherCollation !== undefined && (role !== undefined || pattern !== undefined)) {
    throw undetermined(context, pattern ?? 'string comparison');
  }
  const isAlike = ASCII_PATTERNS[name];
  if (isAlike !== undefined && collation.collation !== undefined && knowsAsciiOnly(collation.collation))
    return { ...operator, function: { ...operator.function, call: isAlike } };
  const compare = collatorFor(collation.collation);
  const accept = role === undefined ? undefined : ORDERS[role];
  if (compare === undefined || accept === undefined) return operator;
  const plain = operator.function;
  const { inline: _inline, ...rest } = plain;
  const { role: _role, ...without } = operator;
  const call = (a: string, b: string): boolean => accept(compare(a, b));
  return { ...without, function: { ...rest, call } };
}

const CASE_FUNCTIONS: Readonly<Record<string, (text: string, tag: string | undefined) => string>> = {
  upper: (text, tag) => text.toLocaleUpperCase(tag),
  lower: (text, tag) => text.toLocaleLowerCase(tag),
};

/** What has cases in the collations C and POSIX are the letters of ASCII. */
const ASCII_FUNCTIONS: Readonly<Record<string, (text: string) => string>> = {
  upper: upperOfAscii,
  lower: lowerOfAscii,
  initcap: initcapOfAscii,
};

/** upper, lower and initcap in the language of a collation. */
export function collatedFunction(
  context: BindContext,
  definition: ScalarFunction,
  collation: Collation,
): ScalarFunction {
  const ofAscii = ASCII_FUNCTIONS[definition.name];
  if (ofAscii === undefined || definition.argumentTypes[0] !== TypeOid.text) return definition;
  if (collation.otherCollation !== undefined) throw undetermined(context, `${definition.name}() function`);
  const { collation: name } = collation;
  if (name === undefined) return definition;
  const { inline: _inline, ...rest } = definition;
  if (knowsAsciiOnly(name)) return { ...rest, call: ofAscii };
  const convert = CASE_FUNCTIONS[definition.name];
  if (convert === undefined || isBinaryCollation(name)) return definition;
  const tag = localeTag(name);
  return { ...rest, call: (text: string) => convert(text, tag) };
}
