/** Operators and casts that users have made. Those that are built in stand in sql's facts, with PostgreSQL's oids. */
import type { Oid } from './type-ref.js';

export interface OperatorDescriptor {
  readonly kind: 'operator';
  readonly oid: Oid;
  /** Its symbol. */
  readonly name: string;
  readonly databaseOid: Oid;
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
  /** 0 for a prefix operator. */
  readonly leftTypeOid: Oid;
  readonly rightTypeOid: Oid;
  /** 0 while it is but named as another one's commutator or negator: such a shell is no operator yet. */
  readonly functionOid: Oid;
  readonly resultTypeOid: Oid;
  /** Other operators, built-in ones among them; 0: none. Kept and shown. */
  readonly commutatorOid: Oid;
  readonly negatorOid: Oid;
  /** Estimators and ways to join, as they were written: kept and shown. */
  readonly restrict?: string;
  readonly join?: string;
  readonly hashes?: true;
  readonly merges?: true;
  readonly comment?: string;
}

export interface CastDescriptor {
  readonly kind: 'cast';
  readonly oid: Oid;
  /** The oids of its types, `23,25`: it has no name of its own. */
  readonly name: string;
  readonly databaseOid: Oid;
  readonly sourceOid: Oid;
  readonly targetOid: Oid;
  /** 0 where it has none: the value is taken as it is, or by its text. */
  readonly functionOid: Oid;
  readonly method: 'function' | 'binary' | 'inout';
  /** The weakest context in which it is applied. */
  readonly context: 'implicit' | 'assignment' | 'explicit';
  readonly comment?: string;
}

/** What tells an operator from all others of its schema: its symbol and the oids of its types, `+(23,25)`. */
export function operatorKeyName({
  name,
  leftTypeOid,
  rightTypeOid,
}: Pick<OperatorDescriptor, 'name' | 'leftTypeOid' | 'rightTypeOid'>): string {
  return `${name}(${leftTypeOid},${rightTypeOid})`;
}

/** What tells a cast from all others of its database: `23,25`. */
export function castKeyName({ sourceOid, targetOid }: Pick<CastDescriptor, 'sourceOid' | 'targetOid'>): string {
  return `${sourceOid},${targetOid}`;
}
