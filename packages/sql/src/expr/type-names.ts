/** Types as written in SQL, resolved: name, modifiers, arrays. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { IntervalField, TypeName } from '../text/ast-leaves.js';
import type { SqlType } from '../types/type.js';
import { TypeOid } from '../types/type-oids.js';
import { typeRef } from '../types/type-refs.js';

/** Bits of PostgreSQL's interval range masks. */
const INTERVAL_BITS: Readonly<Record<IntervalField, number>> = {
  year: 1 << 2,
  month: 1 << 1,
  day: 1 << 3,
  hour: 1 << 10,
  minute: 1 << 11,
  second: 1 << 12,
};
const INTERVAL_FULL_RANGE = 0x7fff;
const INTERVAL_FULL_PRECISION = 0xffff;
const INTERVAL_ORDER: readonly IntervalField[] = ['year', 'month', 'day', 'hour', 'minute', 'second'];

function undefinedType(name: TypeName): PhantomError {
  const shown = name.name.map((part) => part.text).join('.');
  return new PhantomError('42704', `type "${shown}" does not exist`);
}

/** `a to b` has the bits of both ends and of all fields between. */
export function intervalTypmod(fields: readonly IntervalField[], precision: number | undefined): number {
  if (fields.length === 0) {
    return precision === undefined ? -1 : (INTERVAL_FULL_RANGE << 16) | precision;
  }
  const first = INTERVAL_ORDER.indexOf(fields[0] as IntervalField);
  const last = INTERVAL_ORDER.indexOf(fields[fields.length - 1] as IntervalField);
  let mask = 0;
  for (let i = first; i <= last; i++) mask |= INTERVAL_BITS[INTERVAL_ORDER[i] as IntervalField];
  return (mask << 16) | (precision ?? INTERVAL_FULL_PRECISION);
}

function typmodOf(type: SqlType, name: TypeName): number {
  if (type.oid === TypeOid.interval) {
    const precision = name.modifiers[0];
    return intervalTypmod(name.intervalFields, precision === undefined ? undefined : Number(precision.text));
  }
  if (name.modifiers.length === 0) return -1;
  if (type.parseTypmod === undefined) {
    throw new PhantomError('42601', `type modifier is not allowed for type "${type.name}"`);
  }
  return type.parseTypmod(name.modifiers.map((m) => (m.kind === 'number' ? Number(m.text) : m.text)));
}

/** The type by name alone, undefined if there is none. */
export function findTypeName(catalog: CatalogPort, name: TypeName): SqlType | undefined {
  const parts = name.name.map((part) => part.text);
  const last = parts[parts.length - 1] ?? '';
  const schema = parts.length > 1 ? parts[parts.length - 2] : name.system ? 'pg_catalog' : undefined;
  return catalog.typeNamed(schema === undefined ? { name: last } : { schema, name: last });
}

/** The type, or 42704. Positions are the caller's to add. */
export function resolveTypeName(catalog: CatalogPort, name: TypeName): TypeRef {
  if (name.setOf) throw new PhantomError('42601', 'SETOF is not allowed here');
  if (name.columnType) return columnType(catalog, name);
  const type = findTypeName(catalog, name);
  if (type === undefined) throw undefinedType(name);
  const typmod = typmodOf(type, name);
  if (name.arrayBounds.length === 0) {
    const { collation } = type;
    return collation === undefined ? typeRef(type.oid, typmod) : { oid: type.oid, typmod, collation };
  }
  if (type.arrayOid === 0)
    throw new PhantomError('42704', `could not find array type for data type ${type.displayName}`);
  return typeRef(type.arrayOid, typmod);
}

/** `table.column%type`. */
function columnType(catalog: CatalogPort, name: TypeName): TypeRef {
  const parts = name.name.map((part) => part.text);
  const column = parts[parts.length - 1] ?? '';
  const table = parts[parts.length - 2] ?? '';
  const schema = parts[parts.length - 3];
  const relation = catalog.relation(schema === undefined ? { name: table } : { schema, name: table });
  if (relation === undefined) throw new PhantomError('42P01', `relation "${table}" does not exist`);
  if (relation.kind === 'table' || relation.kind === 'view' || relation.kind === 'virtual') {
    for (const candidate of relation.columns) if (candidate.name === column) return candidate.type;
  }
  throw new PhantomError('42703', `column "${column}" of relation "${table}" does not exist`);
}
