/**
 * SQL types at run time. A type is known by PostgreSQL's oid; its values are plain JavaScript values in ONE canonical form
 * per type, so that generated code, hash tables and codecs never ask twice:
 *
 *   bool                    boolean
 *   int2 int4 oid           number (integer)
 *   int8                    number while Number.isSafeInteger, else bigint (never a bigint that would fit a safe integer)
 *   float4 float8           number (float4 rounded by Math.fround)
 *   numeric                 Decimal (@phantom/codec), including NaN, Infinity, -Infinity
 *   text varchar bpchar name "char"   string (well-formed UTF-16; bpchar blank-padded to its length)
 *   bytea                   Uint8Array (never written to after creation)
 *   date                    number, days since 2000-01-01; +-Infinity
 *   timestamp timestamptz   microseconds since 2000-01-01 (UTC) in the form of int8; +-Infinity
 *   time                    number, microseconds since midnight
 *   timetz                  TimeTz { micros, offsetSeconds } (seconds WEST of Greenwich as PostgreSQL stores them)
 *   interval                Interval { months, days, micros } (@phantom/codec), micros in the form of int8
 *   uuid                    string, lower case, canonical
 *   json                    Json { text }  (as given)
 *   jsonb                   Jsonb (@phantom/codec's document value; SQL NULL is not JSON null)
 *   arrays                  SqlArray { elementOid, dimensions, lowerBounds, items } (flat items, row-major)
 *   enum                    string (the label); ordering by the catalog's order
 *   composite, record       SqlRecord { typeOid, fields, shape } (shape: names and types of the fields)
 *   xml                     string, as given, its declaration included (xml/declaration.ts)
 *   tsvector, tsquery       string, their canonical texts (search/vector.ts, search/query.ts)
 *   ranges, multiranges     SqlRange, SqlMultirange (canonical, as types/range-algebra.ts makes them)
 *   point, box, path, ...   Uint8Array, the bytes of PostgreSQL's binary format (types/geometric-values.ts)
 *   SQL NULL                null, in every type; undefined never occurs
 */
import type { Oid } from '@phantom/catalog';
import type { ByteWriter } from '@phantom/base';
import type { StorageType } from '@phantom/codec';
import type { RangeTraits } from './range-algebra.js';

/** A value of some SQL type in canonical form; `null` is SQL NULL. */
export type Value = unknown;

/** What text conversion depends on besides the value. */
export interface TypeContext {
  /** IANA zone name. */
  readonly timeZone: string;
  readonly dateStyle: 'ISO' | 'SQL' | 'Postgres' | 'German';
  readonly dateOrder: 'YMD' | 'DMY' | 'MDY';
  readonly intervalStyle: 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601';
  readonly byteaOutput: 'hex' | 'escape';
  /** What the text of an xml has to be. */
  readonly xmlOption: 'document' | 'content';
  readonly extraFloatDigits: number;
  /** Transaction start in microseconds since 2000: now(), current_date, 'now'::timestamp. */
  readonly transactionMicros: number;
  /** Resolves types by oid, user-defined ones included. */
  readonly types: TypeLookup;
  /** Tells the client something beside the result; absent where nobody would hear it. */
  notice?(severity: 'NOTICE', code: string, message: string, detail?: string): void;
}

export interface TypeLookup {
  byOid(oid: Oid): SqlType | undefined;
}

export type TypeKind =
  | 'base'
  | 'array'
  | 'enum'
  | 'domain'
  | 'distinct'
  | 'composite'
  | 'pseudo'
  | 'range'
  | 'multirange';

export interface SqlType {
  readonly oid: Oid;
  /** pg_type.typname, e.g. `int4`, `_int4`. */
  readonly name: string;
  /** What format_type shows, e.g. `integer`, `character varying`. */
  readonly displayName: string;
  readonly kind: TypeKind;
  /** pg_type.typcategory and typispreferred: decide implicit casts. */
  readonly category: string;
  readonly preferred: boolean;
  /** pg_type.typlen: -1 variable. */
  readonly length: number;
  /** Element type of an array type, else 0; array type of this one, else 0. */
  readonly elementOid: Oid;
  readonly arrayOid: Oid;
  /** Base type of a domain or a distinct type, else 0. */
  readonly baseOid: Oid;
  /** Modifier of that base type, -1 for none; undefined where there is no base. */
  readonly baseTypmod?: number;
  /** The collation that a domain gives its values; undefined: that of its base type. */
  readonly collation?: string;
  /** A domain's own default. */
  readonly defaultSql?: string;
  /**
   * A domain's NOT NULL and CHECKs, those of domains under it included: 23502 and 23514, which name `shownName`, the domain
   * itself when it is not given. Absent where there are none.
   */
  constrain?(value: Value, context: TypeContext, shownName?: string): Value;
  /** Labels of an enum in their order. */
  readonly enumLabels?: readonly string[];
  /** Of a range type and its multirange type: their subtype, and each other. */
  readonly range?: RangeTraits;
  /** How @phantom/codec stores it, in rows and keys. */
  readonly storage: StorageType;
  /** Text to value; 22P02 and kin on bad text; applies the typmod (with its errors, e.g. 22001). */
  input(text: string, typmod: number, context: TypeContext): Value;
  /** Value (never null) to text. */
  output(value: Value, context: TypeContext): string;
  /** PostgreSQL's binary format to value, and back. */
  receive(bytes: Uint8Array, start: number, end: number, typmod: number, context: TypeContext): Value;
  send(value: Value, writer: ByteWriter, context: TypeContext): void;
  /** Total order of non-null values as ORDER BY has it; undefined where the type has none (json, point). */
  readonly compare: ((a: Value, b: Value) => number) | undefined;
  /**
   * A primitive (string, number, bigint, boolean) that is the same exactly for values that are equal in SQL: the key of hash
   * joins, GROUP BY and DISTINCT. Identity for types whose canonical form is such a primitive.
   */
  readonly hashKey: ((value: Value) => string | number | bigint | boolean) | undefined;
  /** Applies a typmod to a value of this type: explicit casts truncate (varchar), assignment raises 22001. */
  coerceTypmod?(value: Value, typmod: number, explicit: boolean): Value;
  /** typmodin: `varchar(10)` -> 14; throws 22023 on bad modifiers. */
  parseTypmod?(modifiers: readonly (number | string)[]): number;
  /** typmodout: 14 -> `(10)`. */
  formatTypmod?(typmod: number): string;
  /** Keys of its storage have another order than its values: it cannot stand in an ordered index. */
  readonly keyless?: true;
}
