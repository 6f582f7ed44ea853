/**
 * Where a key belongs in hash partitions. Stored rows stand by it, so each of these hashes never changes; which one a table has is kept
 * with its key (docs/formats/partitions.md).
 *
 *   postgresql   the extended hash functions of the key's types, with one seed, made one over the columns that are not null: rows lie
 *                where PostgreSQL has them
 *   by bytes     of tables made before that was there: FNV-1a over the bytes that an index over the key has. Nothing moves their rows
 *                but who copies them into a new table
 */
import { ByteWriter } from '@phantom/base';
import type { KeyCode } from '@phantom/codec';
import type { PartitionKey } from '@phantom/catalog';
import { extendedHashOf, requiredHash } from '../../types/hashes/extended-hash.js';
import { Hash64, combine } from '../../types/hashes/hash64.js';
import type { TypeLookup, Value } from '../../types/type.js';

/** Gives the hash of a whole key, good until the next call. */
export type KeyHash = (key: readonly Value[]) => Hash64;

/** The seed of PostgreSQL's partitions. */
const SEED = new Hash64(0x7a5b2236, 0x7996dcfd);

/** The hash of a table's key; its keys raise 42883 where a type, or a field of it, has none. */
export function keyHashOf(key: PartitionKey, keyCode: KeyCode, types: TypeLookup): KeyHash {
  return key.hash === 'postgresql' ? typedHash(key, types) : bytesHash(keyCode);
}

function typedHash({ parts }: PartitionKey, types: TypeLookup): KeyHash {
  const hashes = parts.map(({ type }) => extendedHashOf(types.byOid(type.oid), types));
  const whole = new Hash64();
  const part = new Hash64();
  return (key) => {
    whole.set(0, 0);
    for (let i = 0; i < hashes.length; i++) {
      const value = key[i];
      if (value === null) continue;
      const hash = hashes[i] ?? requiredHash(types.byOid(parts[i]?.type.oid ?? 0), types);
      hash(value, SEED, part);
      combine(whole, part);
    }
    return whole;
  };
}

function bytesHash(keyCode: KeyCode): KeyHash {
  const writer = new ByteWriter();
  const whole = new Hash64();
  return (key) => {
    writer.reset();
    keyCode.encodePrefix(key, key.length, writer);
    const { buffer, length } = writer;
    // FNV-1a; the remainders of what it makes of short keys are far from even, so its bits are mixed as MurmurHash3 does at the end.
    let hash = 0x811c9dc5;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (buffer[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    whole.set(0, hash ^ (hash >>> 16));
    return whole;
  };
}
