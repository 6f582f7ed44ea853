/** format_type: a type and its modifier as SQL writes them. */
import type { SqlType } from './type.js';
import { TypeOid } from './type-oids.js';

/** Types whose modifier stands inside their name: timestamp(3) without time zone. */
const SPLIT_NAMES: Readonly<Record<number, string>> = {
  [TypeOid.time]: 'time',
  [TypeOid.timetz]: 'time',
  [TypeOid.timestamp]: 'timestamp',
  [TypeOid.timestamptz]: 'timestamp',
};

/** `character varying(10)`, `timestamp(3) without time zone`, `numeric(8,2)[]`. */
export function formatType(type: SqlType, typmod: number): string {
  const array = type.kind === 'array' ? '[]' : '';
  const oid = type.kind === 'array' ? type.elementOid : type.oid;
  const display = array === '' ? type.displayName : type.displayName.slice(0, -2);
  if (typmod < 0 || type.formatTypmod === undefined) return display + array;
  return (SPLIT_NAMES[oid] ?? display) + type.formatTypmod(typmod) + array;
}
