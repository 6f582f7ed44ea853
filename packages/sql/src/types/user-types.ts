/** Types that users make: enums, domains, distinct types and shells (composites are in record-type.ts), from the catalog's descriptors. */
import { PhantomError } from '@phantom/base';
import type { TypeDescriptor } from '@phantom/catalog';
import { type EnumLabels, StorageKind } from '@phantom/codec';
import type { SqlType, TypeContext, TypeLookup, Value } from './type.js';
import { getText, putText } from './wire.js';

type EnumDefinition = Extract<TypeDescriptor['definition'], { kind: 'enum' }>;
type DomainDefinition = Extract<TypeDescriptor['definition'], { kind: 'domain' }>;

/** Numbers stored in rows are the labels' oids, which never change. */
function labelsOf(definition: EnumDefinition, name: string): EnumLabels {
  const byLabel = new Map(definition.labels.map((entry) => [entry.label, entry]));
  const byId = new Map(definition.labels.map((entry) => [entry.oid, entry.label]));
  const byOrder = new Map(definition.labels.map((entry) => [entry.order, entry.label]));
  const entryOf = (label: string): { readonly oid: number; readonly order: number } => {
    const entry = byLabel.get(label);
    if (entry === undefined) throw new PhantomError('22P02', `invalid input value for enum ${name}: "${label}"`);
    return entry;
  };
  return {
    idOf: (label) => entryOf(label).oid,
    labelOf: (id) => byId.get(id),
    orderOf: (label) => entryOf(label).order,
    labelAt: (order) => byOrder.get(order),
  };
}

/** Labels that only this transaction has added to a type that others see without them. */
function newLabels(definition: EnumDefinition, committed: TypeDescriptor | undefined): ReadonlySet<number> {
  if (committed?.definition.kind !== 'enum') return new Set();
  const known = new Set(committed.definition.labels.map(({ oid }) => oid));
  return new Set(definition.labels.filter(({ oid }) => !known.has(oid)).map(({ oid }) => oid));
}

/**
 * An enum. Its labels are those of the descriptor: a type that gains labels is made anew, and tables with it. `committed` is
 * the type as others see it, where this transaction has changed it: labels that it has not are no values before the commit.
 */
export function enumType(
  descriptor: TypeDescriptor,
  definition: EnumDefinition,
  committed: TypeDescriptor | undefined,
): SqlType {
  const labels = labelsOf(definition, descriptor.name);
  const unsafe = newLabels(definition, committed);
  const input = (text: string): string => {
    if (!unsafe.has(labels.idOf(text))) return text;
    throw new PhantomError('55P04', `unsafe use of new value "${text}" of enum type ${descriptor.name}`, {
      hint: 'New enum values must be committed before they can be used.',
    });
  };
  return {
    oid: descriptor.oid,
    name: descriptor.name,
    displayName: descriptor.name,
    kind: 'enum',
    category: 'E',
    preferred: false,
    length: 4,
    elementOid: 0,
    arrayOid: descriptor.arrayOid,
    baseOid: 0,
    enumLabels: definition.labels.toSorted((a, b) => a.order - b.order).map((entry) => entry.label),
    storage: { kind: StorageKind.Enum, labels },
    input,
    output: (value) => value as string,
    receive: (bytes, start, end) => input(getText(bytes, start, end)),
    send: (value, writer) => putText(writer, value as string),
    compare: (a, b) => (a === b ? 0 : labels.orderOf(a as string) - labels.orderOf(b as string)),
    hashKey: (value) => value as string,
  };
}

/** Applies the constraints of one domain to a value of its base type; the session's picture knows how. */
export type DomainConstraints = (
  descriptor: TypeDescriptor,
) => ((value: Value, context: TypeContext, shownName: string) => void) | undefined;

/** A domain: its base type under another name. Its constraints are applied on every cast to it and to what is read as text. */
export function domainType(
  descriptor: TypeDescriptor,
  definition: DomainDefinition,
  types: TypeLookup,
  constraints: DomainConstraints,
): SqlType {
  const base = types.byOid(definition.base.oid);
  if (base === undefined) throw new PhantomError('42704', `type with OID ${definition.base.oid} does not exist`);
  const typmod = definition.base.typmod;
  const { defaultSql: _inherited, constrain: _inner, ...facts } = base;
  const own = constraints(descriptor);
  const below = base.constrain?.bind(base);
  const constrain = (value: Value, context: TypeContext, shownName: string = descriptor.name): Value => {
    below?.(value, context, shownName);
    own?.(value, context, shownName);
    return value;
  };
  const defaultSql = definition.defaultSql ?? base.defaultSql;
  const { collation } = definition.base;
  return {
    ...facts,
    oid: descriptor.oid,
    name: descriptor.name,
    displayName: descriptor.name,
    kind: 'domain',
    preferred: false,
    arrayOid: descriptor.arrayOid,
    baseOid: base.oid,
    baseTypmod: typmod,
    ...(defaultSql === undefined ? {} : { defaultSql }),
    ...(collation === undefined ? {} : { collation }),
    ...(own === undefined && below === undefined ? {} : { constrain }),
    input: (text, _typmod, context) => constrain(base.input(text, typmod, context), context),
    receive: (bytes, start, end, _typmod, context) =>
      constrain(base.receive(bytes, start, end, typmod, context), context),
  };
}

type DistinctDefinition = Extract<TypeDescriptor['definition'], { kind: 'distinct' }>;

/**
 * A distinct type of ISO SQL: the values of a predefined type, with its modifier, under a name that keeps them apart. They
 * compare with each other alone and are cast to and from that type.
 */
export function distinctType(descriptor: TypeDescriptor, definition: DistinctDefinition, types: TypeLookup): SqlType {
  const base = types.byOid(definition.base.oid);
  if (base === undefined) throw new PhantomError('42704', `type with OID ${definition.base.oid} does not exist`);
  const { typmod } = definition.base;
  const { parseTypmod: _parsed, formatTypmod: _formatted, coerceTypmod: _coerced, ...facts } = base;
  return {
    ...facts,
    oid: descriptor.oid,
    name: descriptor.name,
    displayName: descriptor.name,
    kind: 'distinct',
    category: 'U',
    preferred: false,
    arrayOid: descriptor.arrayOid,
    baseOid: base.oid,
    baseTypmod: typmod,
    input: (text, _typmod, context) => base.input(text, typmod, context),
    receive: (bytes, start, end, _typmod, context) => base.receive(bytes, start, end, typmod, context),
  };
}

/** A type of which nothing but the name is known: it has no values. */
export function shellType(descriptor: TypeDescriptor): SqlType {
  const refuse = (): never => {
    throw new PhantomError('42704', `type "${descriptor.name}" is only a shell`);
  };
  return {
    oid: descriptor.oid,
    name: descriptor.name,
    displayName: descriptor.name,
    kind: 'pseudo',
    category: 'P',
    preferred: false,
    length: 4,
    elementOid: 0,
    arrayOid: 0,
    baseOid: 0,
    storage: { kind: StorageKind.Text },
    input: refuse,
    output: refuse,
    receive: refuse,
    send: refuse,
    compare: undefined,
    hashKey: undefined,
  };
}
