/**
 * PostgreSQL's hash functions, which people spread keys over shards by. A function of 32 bits gives the low half of the 64 bits that its
 * extended one gives for the seed 0.
 */
import { canonicalInteger } from '@phantom/codec';
import { requiredHash } from '../types/hashes/extended-hash.js';
import { Hash64, hash64Of } from '../types/hashes/hash64.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type Implementations, scalar } from './implementation.js';
import type { Int8 } from './integers.js';
import type { CallTypes, EvaluationContext } from './registry.js';

/** Names without and with a seed, and the type that is hashed; undefined: that of the argument. */
const FUNCTIONS: readonly (readonly [name: string, extended: string, oid: number | undefined])[] = [
  ['hashchar', 'hashcharextended', TypeOid.char],
  ['hashint2', 'hashint2extended', TypeOid.int2],
  ['hashint4', 'hashint4extended', TypeOid.int4],
  ['hashint8', 'hashint8extended', TypeOid.int8],
  ['hashoid', 'hashoidextended', TypeOid.oid],
  ['hashfloat4', 'hashfloat4extended', TypeOid.float4],
  ['hashfloat8', 'hashfloat8extended', TypeOid.float8],
  ['hash_numeric', 'hash_numeric_extended', TypeOid.numeric],
  ['hashtext', 'hashtextextended', TypeOid.text],
  ['hashbpchar', 'hashbpcharextended', TypeOid.bpchar],
  ['hashname', 'hashnameextended', TypeOid.name],
  ['uuid_hash', 'uuid_hash_extended', TypeOid.uuid],
  ['time_hash', 'time_hash_extended', TypeOid.time],
  ['timetz_hash', 'timetz_hash_extended', TypeOid.timetz],
  ['timestamp_hash', 'timestamp_hash_extended', TypeOid.timestamp],
  ['interval_hash', 'interval_hash_extended', TypeOid.interval],
  ['hashinet', 'hashinetextended', TypeOid.inet],
  ['hashmacaddr', 'hashmacaddrextended', TypeOid.macaddr],
  ['hashmacaddr8', 'hashmacaddr8extended', TypeOid.macaddr8],
  ['pg_lsn_hash', 'pg_lsn_hash_extended', TypeOid.pgLsn],
  ['jsonb_hash', 'jsonb_hash_extended', TypeOid.jsonb],
  ['hashenum', 'hashenumextended', undefined],
  ['hash_array', 'hash_array_extended', undefined],
  ['hash_range', 'hash_range_extended', undefined],
  ['hash_multirange', 'hash_multirange_extended', undefined],
  ['hash_record', 'hash_record_extended', undefined],
];

const NO_SEED = new Hash64();

function hashOf(
  value: Value,
  oid: number | undefined,
  seed: Hash64,
  { types }: EvaluationContext,
  call: CallTypes,
): Hash64 {
  const hash = new Hash64();
  requiredHash(types.byOid(oid ?? call.arguments[0]?.oid ?? 0), types)(value, seed, hash);
  return hash;
}

function hashFunctionsOf(): Implementations {
  const needs = { context: true, types: true };
  return Object.fromEntries(
    FUNCTIONS.flatMap(([name, extended, oid]) => [
      [
        name,
        scalar(
          (value: Value, context: EvaluationContext, call: CallTypes) => hashOf(value, oid, NO_SEED, context, call).low,
          needs,
        ),
      ],
      [
        extended,
        scalar((value: Value, seed: Int8, context: EvaluationContext, call: CallTypes) => {
          return canonicalInteger(hashOf(value, oid, hash64Of(seed), context, call).toBigInt());
        }, needs),
      ],
    ]),
  );
}

export const hashFunctions: Implementations = hashFunctionsOf();
