/** The base types that extensions bring along, by their symbols. */
import { assert } from '@phantom/base';
import type { TypeDescriptor } from '@phantom/catalog';
import type { SqlType } from '../types/type.js';
import { citextType } from './citext.js';

/** What a type is in a database. */
export type TypeIdentity = Pick<SqlType, 'oid' | 'name' | 'arrayOid'>;

const TYPES: Readonly<Record<string, (identity: TypeIdentity) => SqlType>> = {
  citext: citextType,
};

/** The type of a descriptor whose definition has the symbol. */
export function extensionType({ oid, name, arrayOid }: TypeDescriptor, symbol: string): SqlType {
  const make = TYPES[symbol];
  assert(make !== undefined, 'the release knows every type that an extension has made');
  return make({ oid, name, arrayOid });
}
