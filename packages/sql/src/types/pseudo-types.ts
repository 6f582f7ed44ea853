/** Types that no column has: void, any and the polymorphic ones. Text in is an error for all but void and trigger's kin. */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType } from './base-type.js';
import { typeFacts } from './type-facts.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';

/** Pseudo-types with values of their own, made elsewhere. */
const ELSEWHERE: ReadonlySet<number> = new Set([TypeOid.record, TypeOid.unknown, TypeOid.cstring]);

function pseudoType(oid: number): SqlType {
  const name = typeFacts.get(oid)?.displayName ?? '';
  return builtinType<unknown>(oid, {
    storage: TEXT_STORAGE,
    input: () => {
      if (oid === TypeOid.void) return '';
      throw new PhantomError('0A000', `cannot accept a value of type ${name}`);
    },
    output: (value) => {
      if (oid === TypeOid.void) return '';
      if (typeof value === 'string') return value;
      throw new PhantomError('0A000', `cannot display a value of type ${name}`);
    },
    compare: undefined,
  });
}

export const pseudoTypes: readonly SqlType[] = [...typeFacts.values()]
  .filter((facts) => facts.pseudo && !facts.name.startsWith('_') && !ELSEWHERE.has(facts.oid))
  .map((facts) => pseudoType(facts.oid));
