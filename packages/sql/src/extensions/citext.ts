/** citext: texts that compare by their lower case (`lower`), and are kept as they were written. */
import { StorageKind } from '@phantom/codec';
import { hashFunctions } from '../functions/hash-functions.js';
import type { Implementation, Implementations } from '../functions/implementation.js';
import { lower } from '../functions/letter-case.js';
import { compareTexts } from '../types/base-type.js';
import { textType } from '../types/text-types.js';
import type { SqlType } from '../types/type.js';
import type { TypeIdentity } from './extension-types.js';

function compare(a: string, b: string): number {
  return a === b ? 0 : compareTexts(lower(a), lower(b));
}

export function citextType(identity: TypeIdentity): SqlType {
  return {
    ...textType,
    ...identity,
    displayName: identity.name,
    preferred: false,
    storage: { kind: StorageKind.FoldedText, fold: lower },
    compare: compare as NonNullable<SqlType['compare']>,
    hashKey: lower as NonNullable<SqlType['hashKey']>,
  };
}

export const citextCode: Implementations = {
  citext_eq: (a: string, b: string) => compare(a, b) === 0,
  citext_ne: (a: string, b: string) => compare(a, b) !== 0,
  citext_lt: (a: string, b: string) => compare(a, b) < 0,
  citext_le: (a: string, b: string) => compare(a, b) <= 0,
  citext_gt: (a: string, b: string) => compare(a, b) > 0,
  citext_ge: (a: string, b: string) => compare(a, b) >= 0,
  citext_cmp: (a: string, b: string) => Math.sign(compare(a, b)),
  citext_smaller: (a: string, b: string) => (compare(a, b) < 0 ? a : b),
  citext_larger: (a: string, b: string) => (compare(a, b) > 0 ? a : b),
  // The type of the argument says what is hashed.
  citext_hash: hashFunctions['hashenum'] as Implementation,
  citext_hash_extended: hashFunctions['hashenumextended'] as Implementation,
};
