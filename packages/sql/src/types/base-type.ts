/** Puts a SqlType together from pg_type's facts and the behaviour written for it; everything has a default that suits text-like types. */
import { assert } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { type StorageType, StorageKind, compareText } from '@phantom/codec';
import { typeFacts } from './type-facts.js';
import type { SqlType, TypeContext, TypeKind, Value } from './type.js';
import { getText, putText } from './wire.js';

/** What a type's author writes; `oid` and the rest come from the facts. */
export interface TypeBehaviour<V> {
  readonly storage: StorageType;
  readonly kind?: TypeKind;
  input(text: string, typmod: number, context: TypeContext): V;
  output?(value: V, context: TypeContext): string;
  receive?: SqlType['receive'];
  send?(value: V, ...rest: [Parameters<SqlType['send']>[1], TypeContext]): void;
  /** `undefined` where the type has no order. */
  readonly compare: ((a: V, b: V) => number) | undefined;
  readonly hashKey?: ((value: V) => string | number | bigint | boolean) | undefined;
  coerceTypmod?(value: V, typmod: number, explicit: boolean): V;
  parseTypmod?(modifiers: readonly (number | string)[]): number;
  formatTypmod?(typmod: number): string;
  readonly keyless?: true;
}

/** The built-in type with that oid. */
export function builtinType<V>(oid: Oid, behaviour: TypeBehaviour<V>): SqlType {
  const facts = typeFacts.get(oid);
  assert(facts !== undefined, 'a built-in type has facts');
  const input = behaviour.input as SqlType['input'];
  const output = (behaviour.output ?? String) as SqlType['output'];
  return {
    oid,
    name: facts.name,
    displayName: facts.displayName,
    kind: behaviour.kind ?? (facts.pseudo ? 'pseudo' : 'base'),
    category: facts.category,
    preferred: facts.preferred,
    length: facts.length,
    elementOid: facts.elementOid,
    arrayOid: facts.arrayOid,
    baseOid: 0,
    storage: behaviour.storage,
    input,
    output,
    receive:
      behaviour.receive ?? ((bytes, start, end, typmod, context) => input(getText(bytes, start, end), typmod, context)),
    send: (behaviour.send ??
      ((value: Value, writer, context) => putText(writer, output(value, context)))) as SqlType['send'],
    compare: behaviour.compare as SqlType['compare'],
    hashKey:
      behaviour.compare === undefined && behaviour.hashKey === undefined
        ? undefined
        : ((behaviour.hashKey ?? identity) as SqlType['hashKey']),
    ...(behaviour.coerceTypmod === undefined
      ? {}
      : { coerceTypmod: behaviour.coerceTypmod as NonNullable<SqlType['coerceTypmod']> }),
    ...(behaviour.parseTypmod === undefined ? {} : { parseTypmod: behaviour.parseTypmod }),
    ...(behaviour.formatTypmod === undefined ? {} : { formatTypmod: behaviour.formatTypmod }),
    ...(behaviour.keyless === undefined ? {} : { keyless: behaviour.keyless }),
  };
}

function identity(value: Value): string | number | bigint | boolean {
  return value as string | number | bigint | boolean;
}

/** Order of numbers, bigints and booleans. */
export function compareScalars(a: number | bigint | boolean, b: number | bigint | boolean): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export const TEXT_STORAGE: StorageType = { kind: StorageKind.Text };

/** Order of texts: code points, as their UTF-8 bytes compare. */
export const compareTexts: (a: string, b: string) => number = compareText;
