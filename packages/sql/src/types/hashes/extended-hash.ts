/**
 * The hash of a value as the type's extended hash function of PostgreSQL 15 gives it (the second support function of the type's default
 * hash operator class). Values that are equal have one hash, in all integer types and in both float types alike; a text has that of its
 * UTF-8 bytes, without the blanks that fill up a char(n), and an enum's label that of its oid (pg_enum.oid), which another
 * directory gives otherwise. Types that are not here have no such class: json, money, bits and the geometric ones.
 */
import { PhantomError } from '@phantom/base';
import type {
  Decimal,
  DocumentValue,
  Interval,
  Jsonb,
  SqlArray,
  SqlMultirange,
  SqlRange,
  SqlRecord,
  TimeTz,
} from '@phantom/codec';
import { asDecimal, isNumber, textOf } from '../json-order.js';
import { decodeLsn } from '../lsn-type.js';
import { addressBits, decodeNetwork } from '../network-types.js';
import { base10000 } from '../numeric-type.js';
import { trimPadding } from '../text-types.js';
import { TypeOid } from '../type-oids.js';
import type { SqlType, TypeLookup, Value } from '../type.js';
import { Hash64, addPart, hashBytes, hashWord, rotateHalves } from './hash64.js';

/** Hash of a value that is not null. */
export type ExtendedHash = (value: Value, seed: Hash64, into: Hash64) => void;

/** Texts up to this many units are encoded where the last one was; longer ones get memory of their own. */
const KEPT_UNITS_MAX = 4096;
const kept = Buffer.alloc(KEPT_UNITS_MAX * 3);

function hashText(text: string, seed: Hash64, into: Hash64): void {
  const { length } = text;
  if (length > KEPT_UNITS_MAX) {
    const bytes = Buffer.from(text);
    return hashBytes(bytes, 0, bytes.length, seed, into);
  }
  let at = 0;
  for (; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) break;
    kept[at] = code;
  }
  hashBytes(kept, 0, at === length ? length : kept.write(text), seed, into);
}

/** Infinite times are the ends of 64 bits. */
function hashInt8(value: number | bigint, seed: Hash64, into: Hash64): void {
  let high: number;
  let low: number;
  if (typeof value === 'bigint') {
    high = Number(BigInt.asIntN(32, value >> 32n));
    low = Number(BigInt.asIntN(32, value));
  } else if (Number.isFinite(value)) {
    high = Math.floor(value / 0x100000000);
    low = value - high * 0x100000000;
  } else {
    high = value > 0 ? 0x7fffffff : -0x80000000;
    low = value > 0 ? -1 : 0;
  }
  // Numbers that fit 32 bits have the hash that those of 32 bits have.
  hashWord(low ^ (high >= 0 ? high : ~high), seed, into);
}

function hashDate(days: number, seed: Hash64, into: Hash64): void {
  hashWord(Number.isFinite(days) ? days : days > 0 ? 0x7fffffff : -0x80000000, seed, into);
}

const double = new DataView(new ArrayBuffer(8));
const doubleBytes = new Uint8Array(double.buffer);

function hashFloat(value: number, seed: Hash64, into: Hash64): void {
  if (value === 0) return into.set(seed.high, seed.low);
  if (Number.isNaN(value)) double.setBigUint64(0, 0x7ff8000000000000n, true);
  else double.setFloat64(0, value, true);
  hashBytes(doubleBytes, 0, 8, seed, into);
}

function hashDecimal(value: Decimal, seed: Hash64, into: Hash64): void {
  if (!value.isFinite()) return into.set(seed.high, seed.low);
  const { digits, weight } = base10000(value);
  if (digits.length === 0) return into.set((seed.high - (seed.low === 0 ? 1 : 0)) | 0, (seed.low - 1) | 0);
  const bytes = new Uint8Array(digits.length * 2);
  digits.forEach((digit, i) => {
    bytes[2 * i] = digit;
    bytes[2 * i + 1] = digit >> 8;
  });
  hashBytes(bytes, 0, bytes.length, seed, into);
  into.set(into.high ^ (weight >> 31), into.low ^ weight);
}

function hashHex(digits: string, seed: Hash64, into: Hash64): void {
  const bytes = Buffer.from(digits, 'hex');
  hashBytes(bytes, 0, bytes.length, seed, into);
}

/** Family, length of the mask, address. */
function hashNetwork(value: string, seed: Hash64, into: Hash64): void {
  const { family, bits, address } = decodeNetwork(value);
  const hex = (part: number | bigint, digits: number): string => part.toString(16).padStart(digits, '0');
  hashHex(hex(family === 4 ? 2 : 3, 2) + hex(bits, 2) + hex(address, addressBits(family) / 4), seed, into);
}

function hashTimeTz({ micros, offsetSeconds }: TimeTz, seed: Hash64, into: Hash64): void {
  hashInt8(micros, seed, into);
  const { high, low } = into;
  hashWord(offsetSeconds, seed, into);
  into.set(into.high ^ high, into.low ^ low);
}

function hashInterval(value: Interval, seed: Hash64, into: Hash64): void {
  const span = value.span();
  hashInt8(typeof span === 'bigint' ? BigInt.asIntN(64, span) : span, seed, into);
}

const IS_ARRAY = 0x40000000;
const IS_OBJECT = 0x20000000;

function hashJsonb(value: Jsonb, seed: Hash64, into: Hash64): void {
  const root = value.value();
  if ((Array.isArray(root) && root.length === 0) || (root instanceof Map && root.size === 0))
    return into.set(seed.high, seed.low);
  into.set(0, 0);
  // A scalar at the top is kept as an array of one.
  if (!Array.isArray(root) && !(root instanceof Map)) mark(into, IS_ARRAY);
  hashNode(root, seed, into, new Hash64());
}

function mark(into: Hash64, flag: number): void {
  into.set(into.high ^ flag, into.low ^ flag);
}

function hashNode(node: DocumentValue, seed: Hash64, into: Hash64, part: Hash64): void {
  if (Array.isArray(node)) {
    mark(into, IS_ARRAY);
    for (const item of node) hashNode(item, seed, into, part);
  } else if (node instanceof Map) {
    mark(into, IS_OBJECT);
    for (const [key, field] of node) {
      hashNode(key, seed, into, part);
      hashNode(field, seed, into, part);
    }
  } else {
    hashScalar(node, seed, part);
    rotateHalves(into);
    into.set(into.high ^ part.high, into.low ^ part.low);
  }
}

function hashScalar(node: DocumentValue, seed: Hash64, part: Hash64): void {
  if (node === null) part.set((seed.high + (seed.low === -1 ? 1 : 0)) | 0, (seed.low + 1) | 0);
  else if (isNumber(node)) hashDecimal(asDecimal(node), seed, part);
  else if (typeof node !== 'boolean') hashText(textOf(node), seed, part);
  else if (seed.high === 0 && seed.low === 0) part.set(0, node ? 2 : 4);
  else hashWord(Number(node), seed, part);
}

function hashRange(range: SqlRange, bound: ExtendedHash, seed: Hash64, into: Hash64): void {
  const { empty, lower, upper, lowerInclusive, upperInclusive } = range;
  const flags = empty
    ? 1
    : (lowerInclusive ? 2 : 0) | (upperInclusive ? 4 : 0) | (lower === null ? 8 : 0) | (upper === null ? 16 : 0);
  const ends = [lower, upper].map((value) => {
    const hash = new Hash64();
    if (!empty && value !== null) bound(value, seed, hash);
    return hash;
  }) as [Hash64, Hash64];
  hashWord(flags, seed, into);
  into.set(into.high ^ ends[0].high, into.low ^ ends[0].low);
  rotateHalves(into);
  into.set(into.high ^ ends[1].high, into.low ^ ends[1].low);
}

function hashOfArrays(items: ExtendedHash): ExtendedHash {
  return (value, seed, into) => {
    const part = new Hash64();
    const whole = new Hash64(0, 1);
    for (const item of (value as SqlArray).items) {
      part.set(0, 0);
      if (item !== null) items(item, seed, part);
      addPart(whole, part);
    }
    into.set(whole.high, whole.low);
  };
}

function hashOfRanges(bound: ExtendedHash): ExtendedHash {
  return (value, seed, into) => hashRange(value as SqlRange, bound, seed, into);
}

function hashOfMultiranges(bound: ExtendedHash): ExtendedHash {
  return (value, seed, into) => {
    const part = new Hash64();
    const whole = new Hash64(0, 1);
    for (const range of (value as SqlMultirange).ranges) {
      hashRange(range, bound, seed, part);
      addPart(whole, part);
    }
    into.set(whole.high, whole.low);
  };
}

function hashOfRecords(types: TypeLookup): ExtendedHash {
  return (value, seed, into) => {
    const { fields, shape } = value as SqlRecord;
    const part = new Hash64();
    const whole = new Hash64();
    fields.forEach((field, i) => {
      part.set(0, 0);
      if (field !== null) requiredHash(types.byOid(shape.types[i] as number), types)(field, seed, part);
      addPart(whole, part);
    });
    into.set(whole.high, whole.low);
  };
}

/** Its one byte is a number with a sign. */
function hashChar(value: string, seed: Hash64, into: Hash64): void {
  hashWord(value === '' ? 0 : (value.charCodeAt(0) << 24) >> 24, seed, into);
}

const { char, int2, int4, oid, xid, cid, int8, time, timestamp, timestamptz, float4, float8, text, varchar, name } =
  TypeOid;
const { regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary } = TypeOid;
const { regnamespace, regrole, regcollation, inet, cidr, macaddr, macaddr8 } = TypeOid;
const WORDS = [int2, int4, oid, xid, cid, regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig];

/** Entries for several types that have one hash function. */
function all<V>(
  oids: readonly number[],
  hash: (value: V, seed: Hash64, into: Hash64) => void,
): [number, ExtendedHash][] {
  return oids.map((each) => [each, hash as ExtendedHash]);
}

const HASHES: ReadonlyMap<number, ExtendedHash> = new Map([
  ...all([...WORDS, regdictionary, regnamespace, regrole, regcollation], hashWord),
  ...all([int8, time, timestamp, timestamptz], hashInt8),
  ...all([float4, float8], hashFloat),
  ...all([text, varchar, name], hashText),
  ...all([inet, cidr], hashNetwork),
  ...all([macaddr, macaddr8], hashHex),
  ...all([char], hashChar),
  ...all([TypeOid.bool], (value: boolean, seed, into) => hashWord(Number(value), seed, into)),
  ...all([TypeOid.bpchar], (value: string, seed, into) => hashText(trimPadding(value), seed, into)),
  ...all([TypeOid.bytea], (value: Uint8Array, seed, into) => hashBytes(value, 0, value.length, seed, into)),
  ...all([TypeOid.uuid], (value: string, seed, into) => hashHex(value.replaceAll('-', ''), seed, into)),
  ...all([TypeOid.pgLsn], (value: string, seed, into) => hashInt8(decodeLsn(value), seed, into)),
  ...all([TypeOid.numeric], hashDecimal),
  ...all([TypeOid.date], hashDate),
  ...all([TypeOid.timetz], hashTimeTz),
  ...all([TypeOid.interval], hashInterval),
  ...all([TypeOid.jsonb], hashJsonb),
]);

/** By oid, for one picture of the types: another one may have other labels and fields. */
const made = new WeakMap<TypeLookup, Map<number, ExtendedHash>>();

/** The hash function of a type; undefined where it has no default hash operator class. A composite type has one whatever its fields. */
export function extendedHashOf(type: SqlType | undefined, types: TypeLookup): ExtendedHash | undefined {
  if (type === undefined) return undefined;
  let hashes = made.get(types);
  if (hashes === undefined) made.set(types, (hashes = new Map()));
  let hash = hashes.get(type.oid);
  if (hash === undefined) {
    hash = makeHash(type, types);
    if (hash !== undefined) hashes.set(type.oid, hash);
  }
  return hash;
}

/** The hash function of a type; 42883 where it has none. */
export function requiredHash(type: SqlType | undefined, types: TypeLookup): ExtendedHash {
  const hash = extendedHashOf(type, types);
  if (hash !== undefined) return hash;
  throw new PhantomError('42883', `could not identify an extended hash function for type ${type?.displayName ?? ''}`);
}

function makeHash(type: SqlType, types: TypeLookup): ExtendedHash | undefined {
  if (type.baseOid !== 0) return extendedHashOf(types.byOid(type.baseOid), types);
  switch (type.kind) {
    case 'array':
      // Vectors have hash functions of their own, which are not here.
      if (type.oid === TypeOid.oidVector || type.oid === TypeOid.int2Vector) return undefined;
      return hashOfElements(types.byOid(type.elementOid), types);
    case 'enum': {
      const { labels } = type.storage;
      if (labels === undefined) return undefined;
      return (value, seed, into) => hashWord(labels.idOf(value as string), seed, into);
    }
    case 'composite':
      return hashOfRecords(types);
    case 'range':
      return hashOfBounds(type, types, hashOfRanges);
    case 'multirange':
      return hashOfBounds(type, types, hashOfMultiranges);
    default:
      if (type.oid === TypeOid.record) return hashOfRecords(types);
      if (type.storage.fold !== undefined) {
        const { fold } = type.storage;
        return (value, seed, into) => hashText(fold(value as string), seed, into);
      }
      return HASHES.get(type.oid);
  }
}

function hashOfElements(element: SqlType | undefined, types: TypeLookup): ExtendedHash | undefined {
  const items = extendedHashOf(element, types);
  return items === undefined ? undefined : hashOfArrays(items);
}

function hashOfBounds(
  type: SqlType,
  types: TypeLookup,
  over: (bound: ExtendedHash) => ExtendedHash,
): ExtendedHash | undefined {
  const bound = extendedHashOf(type.range?.subtype, types);
  return bound === undefined ? undefined : over(bound);
}
