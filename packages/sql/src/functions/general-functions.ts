/** Functions about values of any type, enums, sizes and encodings. */
import { ByteWriter, PhantomError } from '@phantom/base';
import { Decimal, SqlArray } from '@phantom/codec';
import { randomUUID } from 'node:crypto';
import { formatType } from '../types/format-type.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType, Value } from '../types/type.js';
import { type Implementation, type Implementations, type ScalarCode, contextual, scalar } from './implementation.js';
import { type Int8, int8 } from './integers.js';
import type { CallTypes, EvaluationContext } from './registry.js';

function argumentType(context: EvaluationContext, types: CallTypes): SqlType {
  const oid = types.arguments[0]?.oid ?? TypeOid.unknown;
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type;
}

// ---------------------------------------------------------------------------------------------------------------- enums

/** Some labels of the enum that the (perhaps null) first argument has for its type: one, or an array of them. */
function overLabels(
  choose: (labels: readonly string[], ...values: (string | null)[]) => string | readonly string[],
): ScalarCode {
  return scalar(
    (...given: unknown[]) => {
      const types = given.pop() as CallTypes;
      const context = given.pop() as EvaluationContext;
      const type = argumentType(context, types);
      const labels = type.enumLabels ?? [];
      if (labels.length === 0) throw new PhantomError('55000', `enum ${type.displayName} contains no values`);
      const chosen = choose(labels, ...(given as (string | null)[]));
      const valueOf = (label: string): Value => type.input(label, -1, context);
      return typeof chosen === 'string' ? valueOf(chosen) : SqlArray.of(type.oid, chosen.map(valueOf));
    },
    { context: true, types: true },
  );
}

/** Labels from one to another; null stands for the first or the last. */
function labelRange(labels: readonly string[], from: string | null, to: string | null): readonly string[] {
  const start = from === null ? 0 : labels.indexOf(from);
  const end = to === null ? labels.length : labels.indexOf(to) + 1;
  return labels.slice(start, end);
}

// ---------------------------------------------------------------------------------------------------------------- sizes

interface SizeUnit {
  readonly name: string;
  /** Sizes below it are shown in this unit. */
  readonly limit: bigint;
  /** The number counts halves, so that the last step can round. */
  readonly halves: boolean;
  readonly bits: number;
}

const SIZE_UNITS: readonly SizeUnit[] = [
  { name: 'bytes', limit: 10n * 1024n, halves: false, bits: 0 },
  ...['kB', 'MB', 'GB', 'TB', 'PB'].map((name, i) => ({
    name,
    limit: 20n * 1024n - 1n,
    halves: true,
    bits: 10 * (i + 1),
  })),
];

/** `size` is the whole part; a numeric below the first limit keeps its decimals in `shown`. */
function prettySize(size: bigint, shown: string): string {
  let rest = size;
  for (const [i, unit] of SIZE_UNITS.entries()) {
    const next = SIZE_UNITS[i + 1];
    if (next === undefined || (rest < 0n ? -rest : rest) < unit.limit) {
      if (!unit.halves) return `${shown} ${unit.name}`;
      return `${(rest + (rest < 0n ? -1n : 1n)) / 2n} ${unit.name}`;
    }
    rest /= 1n << BigInt(next.bits - unit.bits - (next.halves ? 1 : 0) + (unit.halves ? 1 : 0));
  }
  return shown;
}

function prettyDecimal(size: Decimal): string {
  if (!size.isFinite()) return `${size.toString()} bytes`;
  return prettySize(BigInt(size.trunc(0).unscaled), size.toString());
}

/** The plain limit of a numeric is on its value, decimals included; they never make it reach a whole limit. */
function sizeInBytes(text: string): Int8 {
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$/s.exec(text);
  if (match === null) throw new PhantomError('22023', `invalid size: "${text}"`);
  const number = Decimal.fromString(match[1] as string);
  const name = match[2] as string;
  const unit = name === '' ? SIZE_UNITS[0] : SIZE_UNITS.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (unit === undefined) {
    throw new PhantomError('22023', `invalid size: "${text}"`, {
      detail: `Invalid size unit: "${name}".`,
      hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
    });
  }
  return int8(
    BigInt(
      number
        .mul(Decimal.of(1n << BigInt(unit.bits)))
        .round(0)
        .toInteger(),
    ),
  );
}

/** Bytes of a value as PostgreSQL would hold it in memory: fixed width, or four bytes of length and the content. */
function columnSize(value: Value, context: EvaluationContext, types: CallTypes): number {
  const type = argumentType(context, types);
  if (type.length > 0) return type.length;
  const writer = new ByteWriter();
  type.send(value, writer, context);
  return writer.length + (type.length === -1 ? 4 : 1);
}

// ------------------------------------------------------------------------------------------------------------ encodings

/** PostgreSQL's encodings by number, each with the bytes of its longest character. */
const ENCODINGS = (
  'SQL_ASCII:1 EUC_JP:3 EUC_CN:3 EUC_KR:3 EUC_TW:4 EUC_JIS_2004:3 UTF8:4 MULE_INTERNAL:4 LATIN1:1 LATIN2:1 LATIN3:1 ' +
  'LATIN4:1 LATIN5:1 LATIN6:1 LATIN7:1 LATIN8:1 LATIN9:1 LATIN10:1 WIN1256:1 WIN1258:1 WIN866:1 WIN874:1 KOI8R:1 ' +
  'WIN1251:1 WIN1252:1 ISO_8859_5:1 ISO_8859_6:1 ISO_8859_7:1 ISO_8859_8:1 WIN1250:1 WIN1253:1 WIN1254:1 WIN1255:1 ' +
  'WIN1257:1 KOI8U:1 SJIS:2 BIG5:2 GBK:2 UHC:2 GB18030:4 JOHAB:3 SHIFT_JIS_2004:2'
)
  .split(' ')
  .map((entry) => {
    const [name, longest] = entry.split(':') as [string, string];
    return { name, longest: Number(longest) };
  });

/** Names are compared without regard to case and signs: utf-8 is UTF8. */
function encodingNumber(name: string): number {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const wanted = plain === 'unicode' ? 'utf8' : plain;
  return ENCODINGS.findIndex((encoding) => encoding.name.toLowerCase().replace(/_/g, '') === wanted);
}

/** Types whose texts have a collation, each with the quoted name of its own. */
function collationFor(_value: Value, context: EvaluationContext, types: CallTypes): Value {
  const type = argumentType(context, types);
  const named = types.arguments[0]?.collation;
  if (named !== undefined) return `"${named}"`;
  if (type.category === 'S' || type.oid === TypeOid.unknown) return type.oid === TypeOid.name ? '"C"' : '"default"';
  throw new PhantomError('42804', `collations are not supported by type ${type.displayName}`);
}

// ---------------------------------------------------------------------------------------------------------- binary form

/** Functions that give a value's binary format, by the types that have each. */
const SENDERS: Readonly<Record<string, number>> = {
  boolsend: TypeOid.bool,
  byteasend: TypeOid.bytea,
  charsend: TypeOid.char,
  namesend: TypeOid.name,
  int8send: TypeOid.int8,
  int2send: TypeOid.int2,
  int4send: TypeOid.int4,
  textsend: TypeOid.text,
  oidsend: TypeOid.oid,
  json_send: TypeOid.json,
  jsonb_send: TypeOid.jsonb,
  float4send: TypeOid.float4,
  float8send: TypeOid.float8,
  bpcharsend: TypeOid.bpchar,
  varcharsend: TypeOid.varchar,
  date_send: TypeOid.date,
  time_send: TypeOid.time,
  timestamp_send: TypeOid.timestamp,
  timestamptz_send: TypeOid.timestamptz,
  interval_send: TypeOid.interval,
  timetz_send: TypeOid.timetz,
  numeric_send: TypeOid.numeric,
  uuid_send: TypeOid.uuid,
};

function senders(): Record<string, Implementation> {
  const table: Record<string, Implementation> = {};
  for (const [name, oid] of Object.entries(SENDERS)) {
    table[name] = contextual((value: Value, context: EvaluationContext) => {
      const writer = new ByteWriter();
      context.types.byOid(oid)?.send(value, writer, context);
      return writer.buffer.slice(0, writer.length);
    });
  }
  return table;
}

function countNulls(wanted: boolean): Implementation {
  return (...values: Value[]) => values.filter((value) => (value === null) === wanted).length;
}

export const generalFunctions: Implementations = {
  pg_num_nulls: countNulls(true),
  pg_num_nonnulls: countNulls(false),
  booland_statefunc: (a: boolean, b: boolean) => a && b,
  boolor_statefunc: (a: boolean, b: boolean) => a || b,
  gen_random_uuid: () => randomUUID(),
  enum_first: overLabels((labels) => labels[0] as string),
  enum_last: overLabels((labels) => labels.at(-1) as string),
  enum_range_all: overLabels((labels) => labels),
  enum_range_bounds: overLabels((labels, from, to) => labelRange(labels, from ?? null, to ?? null)),
  pg_size_pretty: (size: Int8) => prettySize(BigInt(size), String(size)),
  pg_size_pretty_numeric: prettyDecimal,
  pg_size_bytes: sizeInBytes,
  pg_column_size: scalar(columnSize, { context: true, types: true }),
  PG_encoding_to_char: (encoding: number) => ENCODINGS[encoding]?.name ?? '',
  PG_char_to_encoding: encodingNumber,
  pg_encoding_max_length_sql: (encoding: number) => ENCODINGS[encoding]?.longest ?? null,
  pg_collation_for: scalar(collationFor, { context: true, types: true }),
  oidvectortypes: contextual((oids: SqlArray, context: EvaluationContext) =>
    (oids.items as number[])
      .map((oid) => {
        const type = context.types.byOid(oid);
        return type === undefined ? '???' : formatType(type, -1);
      })
      .join(', '),
  ),
  ...senders(),
};
