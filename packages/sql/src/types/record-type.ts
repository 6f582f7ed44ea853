/** Row values: the anonymous type `record` and composite types. Text form `(1,"a b",)`: an empty place is null. */
import { type ByteWriter, PhantomError } from '@phantom/base';
import { type RecordShape, SqlRecord, type StorageType, StorageKind } from '@phantom/codec';
import { builtinType } from './base-type.js';
import { invalidBinary } from './sql-errors.js';
import { byPieces } from './text-pieces.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext, TypeLookup, Value } from './type.js';
import { getI32, getU32, putI32 } from './wire.js';

const NEEDS_QUOTES = /^$|["\\(), \t\n\r\f\v]/;

function typeOf(oid: number, types: TypeLookup): SqlType {
  const type = types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type;
}

/** The record as a literal. */
export function formatRecord(record: SqlRecord, context: TypeContext): string {
  const parts = record.fields.map((field, i) => {
    if (field === null) return '';
    const text = typeOf(record.shape.types[i] as number, context.types).output(field, context);
    return NEEDS_QUOTES.test(text) ? `"${byPieces(text, (piece) => piece.replace(/["\\]/g, '$&$&'))}"` : text;
  });
  return `(${parts.join(',')})`;
}

function malformed(text: string, detail: string): PhantomError {
  return new PhantomError('22P02', `malformed record literal: "${text}"`, { detail });
}

/** Texts of the fields of a record literal; null where there is none. */
function splitRecord(text: string): (string | null)[] {
  let at = 0;
  const skipSpace = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  skipSpace();
  if (text[at] !== '(') throw malformed(text, 'Missing left parenthesis.');
  at++;
  const fields: (string | null)[] = [];
  for (;;) {
    let value = '';
    let present = false;
    let quoted = false;
    for (;;) {
      const character = text[at];
      if (character === undefined) throw malformed(text, 'Unexpected end of input.');
      if (!quoted && (character === ',' || character === ')')) break;
      at++;
      present = true;
      if (character === '\\') {
        if (at >= text.length) throw malformed(text, 'Unexpected end of input.');
        value += text[at++] as string;
      } else if (character === '"') {
        if (quoted && text[at] === '"') {
          value += '"';
          at++;
        } else {
          quoted = !quoted;
        }
      } else {
        value += character;
      }
    }
    fields.push(present ? value : null);
    const end = text[at++];
    if (end === ')') break;
  }
  skipSpace();
  if (at < text.length) throw malformed(text, 'Junk after right parenthesis.');
  return fields;
}

function receiveRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  typeOid: number,
  shape: RecordShape,
  context: TypeContext,
): SqlRecord {
  const count = getI32(bytes, start, end);
  if (count !== shape.types.length) {
    throw new PhantomError('42804', `wrong number of columns: ${count}, expected ${shape.types.length}`);
  }
  let at = start + 4;
  const fields: Value[] = [];
  for (let i = 0; i < count; i++) {
    const oid = getU32(bytes, at, end);
    if (oid !== shape.types[i]) throw new PhantomError('42804', `wrong data type: ${oid}, expected ${shape.types[i]}`);
    const size = getI32(bytes, at + 4, end);
    at += 8;
    if (size === -1) {
      fields.push(null);
      continue;
    }
    if (size < 0 || size > end - at) throw invalidBinary('insufficient data left in message');
    fields.push(typeOf(oid, context.types).receive(bytes, at, at + size, shape.typmods[i] ?? -1, context));
    at += size;
  }
  return new SqlRecord(typeOid, fields, shape);
}

function sendRecord(record: SqlRecord, writer: ByteWriter, context: TypeContext): void {
  putI32(writer, record.fields.length);
  record.fields.forEach((field, i) => {
    const oid = record.shape.types[i] as number;
    putI32(writer, oid);
    if (field === null) {
      putI32(writer, -1);
      return;
    }
    putI32(writer, 0);
    const from = writer.length;
    typeOf(oid, context.types).send(field, writer, context);
    const end = writer.length;
    writer.length = from - 4;
    putI32(writer, end - from);
    writer.length = end;
  });
}

/** Order of two records of like shape: field by field, null greatest. Fields without an order raise 42883. */
export function compareRecords(a: SqlRecord, b: SqlRecord, types: TypeLookup): number {
  const count = Math.min(a.fields.length, b.fields.length);
  for (let i = 0; i < count; i++) {
    const x = a.fields[i];
    const y = b.fields[i];
    const type = typeOf(a.shape.types[i] as number, types);
    if (a.shape.types[i] !== b.shape.types[i]) {
      const other = typeOf(b.shape.types[i] as number, types);
      throw new PhantomError(
        '42804',
        `cannot compare dissimilar column types ${type.displayName} and ${other.displayName} at record column ${i + 1}`,
      );
    }
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
      continue;
    }
    if (type.compare === undefined) {
      throw new PhantomError('42883', `could not identify a comparison function for type ${type.displayName}`);
    }
    const order = type.compare(x, y);
    if (order !== 0) return order;
  }
  if (a.fields.length !== b.fields.length) {
    throw new PhantomError('42804', 'cannot compare record types with different numbers of columns');
  }
  return 0;
}

/** A string that is the same exactly for records that are equal. */
export function recordKey(record: SqlRecord, types: TypeLookup): string {
  let key = '';
  record.fields.forEach((field, i) => {
    if (field === null) {
      key += 'n';
      return;
    }
    const type = typeOf(record.shape.types[i] as number, types);
    if (type.hashKey === undefined) {
      throw new PhantomError('42883', `could not identify a hash function for type ${type.displayName}`);
    }
    const text = String(type.hashKey(field));
    key += `${text.length}:${text}`;
  });
  return key;
}

/** The type `record`: shape and all come with each value. `types` finds the types of the fields. */
export function recordType(types: TypeLookup): SqlType {
  return builtinType<SqlRecord>(TypeOid.record, {
    storage: { kind: StorageKind.Record },
    input: () => {
      throw new PhantomError('0A000', 'input of anonymous composite types is not supported');
    },
    output: formatRecord,
    receive: () => {
      throw new PhantomError('0A000', 'input of anonymous composite types is not supported');
    },
    send: sendRecord,
    compare: (a, b) => compareRecords(a, b, types),
    hashKey: (value) => recordKey(value, types),
  });
}

/** What a composite type consists of. */
export interface CompositeFacts {
  readonly oid: number;
  readonly name: string;
  readonly arrayOid: number;
  readonly shape: RecordShape;
}

/** A named composite type. */
export function compositeType(facts: CompositeFacts, types: TypeLookup): SqlType {
  const { shape } = facts;
  const storage: StorageType = {
    kind: StorageKind.Record,
    record: { typeOid: facts.oid, ...shape, fields: shape.types.map((oid) => typeOf(oid, types).storage) },
  };
  return {
    oid: facts.oid,
    name: facts.name,
    displayName: facts.name,
    kind: 'composite',
    category: 'C',
    preferred: false,
    length: -1,
    elementOid: 0,
    arrayOid: facts.arrayOid,
    baseOid: 0,
    storage,
    input: (text, _typmod, context) => {
      const texts = splitRecord(text);
      if (shape.types.length === 0 && texts.length === 1 && texts[0] === null) texts.pop();
      if (texts.length < shape.types.length) throw malformed(text, 'Too few columns.');
      if (texts.length > shape.types.length) throw malformed(text, 'Too many columns.');
      const fields = texts.map((field, i) =>
        field === null ? null : typeOf(shape.types[i] as number, types).input(field, shape.typmods[i] ?? -1, context),
      );
      return new SqlRecord(facts.oid, fields, shape);
    },
    output: (value, context) => formatRecord(value as SqlRecord, context),
    receive: (bytes, start, end, _typmod, context) => receiveRecord(bytes, start, end, facts.oid, shape, context),
    send: (value, writer, context) => sendRecord(value as SqlRecord, writer, context),
    compare: (a, b) => compareRecords(a as SqlRecord, b as SqlRecord, types),
    hashKey: (value) => recordKey(value as SqlRecord, types),
  };
}
