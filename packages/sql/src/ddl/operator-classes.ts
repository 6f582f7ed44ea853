/** Operator classes: what an index can be over. In a tree they say in which order, in an inverted index what is looked for. */
import { PhantomError } from '@phantom/base';
import type { IndexKeyPart, Oid } from '@phantom/catalog';
import { hasKey } from '@phantom/codec';
import { installedExtensions } from '../extensions/installed.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import { extendedHashOf } from '../types/hashes/extended-hash.js';
import { TypeOid } from '../types/type-oids.js';
import type { DdlContext } from './context.js';

/** Operator classes of PostgreSQL whose order is the one an index has here, by the oids of their types. */
const OPERATOR_CLASSES: Readonly<Record<string, readonly number[]>> = {
  int2_ops: [21],
  int4_ops: [23],
  int8_ops: [20],
  oid_ops: [26],
  bool_ops: [16],
  char_ops: [18],
  name_ops: [19],
  text_ops: [25, 1043],
  varchar_ops: [25, 1043],
  text_pattern_ops: [25, 1043],
  varchar_pattern_ops: [25, 1043],
  bpchar_ops: [1042],
  bpchar_pattern_ops: [1042],
  bytea_ops: [17],
  float4_ops: [700],
  float8_ops: [701],
  numeric_ops: [1700],
  date_ops: [1082],
  time_ops: [1083],
  timetz_ops: [1266],
  timestamp_ops: [1114],
  timestamptz_ops: [1184],
  interval_ops: [1186],
  uuid_ops: [2950],
  jsonb_ops: [3802],
};

/** 42704 and 42804 unless the part's type is one that the operator class is for. */
export function checkOperatorClass(
  context: DdlContext,
  part: Pick<IndexKeyPart, 'type'>,
  written: QualifiedName,
): void {
  const name = written.at(-1)?.text as string;
  const type = context.picture.types.byOid(part.type.oid);
  const base = type?.kind === 'domain' ? type.baseOid : part.type.oid;
  const generic = { enum_ops: 'enum', array_ops: 'array', record_ops: 'composite' }[name];
  const types = OPERATOR_CLASSES[name] ?? addedTypes(context, name, 'btree');
  if (types === undefined && generic === undefined)
    throw new PhantomError('42704', `operator class "${name}" does not exist for access method "btree"`);
  if (types?.includes(base) === true || (generic !== undefined && generic === type?.kind)) return;
  throw new PhantomError('42804', `operator class "${name}" does not accept data type ${type?.displayName}`);
}

/** The types that an operator class of an extension is for; undefined where there is none of the name. */
function addedTypes({ objects, databaseOid }: DdlContext, wanted: string, of: string): readonly number[] | undefined {
  const types = installedExtensions(objects, databaseOid).flatMap(({ operatorClasses }) =>
    operatorClasses.flatMap(({ name, method, typeOid }) => (name === wanted && method === of ? [typeOid] : [])),
  );
  return types.length === 0 ? undefined : types;
}

/** 42704 unless values of the part's type have an order. */
export function checkOrdered(context: DdlContext, part: Pick<IndexKeyPart, 'type'>): void {
  const type = context.picture.types.byOid(part.type.oid);
  if (type?.compare === undefined || type.keyless === true || !hasKey(type.storage))
    throw noDefaultClass(context, part.type.oid, 'btree');
}

/** 42704 unless values of the part's type can be kept in an exclusion constraint's index, in whatever order. */
export function checkKept(context: DdlContext, part: Pick<IndexKeyPart, 'type'>, method: string): void {
  const type = context.picture.types.byOid(part.type.oid);
  const needsOrder = method === 'btree' || method === 'hash';
  if (type === undefined || !hasKey(type.storage) || (needsOrder && type.compare === undefined))
    throw noDefaultClass(context, part.type.oid, method);
}

/** 42704 for a type whose values have no hash. */
export function checkHashed({ picture: { types } }: DdlContext, { type }: Pick<IndexKeyPart, 'type'>): void {
  const found = types.byOid(type.oid);
  if (extendedHashOf(found, types) !== undefined) return;
  const message = `data type ${found?.displayName ?? type.oid} has no default operator class for access method "hash"`;
  throw new PhantomError('42704', message, {
    hint: 'You must specify a hash operator class or define a default hash operator class for the data type.',
  });
}

/** The operator class of a part of an inverted index: the one written, else the type's own. 42704, 42804. */
export function invertedClass(
  context: DdlContext,
  typeOid: Oid,
  written: QualifiedName | undefined,
): NonNullable<IndexKeyPart['operatorClass']> {
  const type = context.picture.types.byOid(typeOid);
  const element = context.picture.types.byOid(type?.elementOid ?? 0);
  const isArray =
    element !== undefined && element.compare !== undefined && element.keyless !== true && hasKey(element.storage);
  const name = written?.at(-1)?.text;
  if (name === undefined) {
    if (typeOid === TypeOid.jsonb) return 'jsonb_ops';
    if (typeOid === TypeOid.tsvector) return 'tsvector_ops';
    if (isArray) return 'array_ops';
    throw noDefaultClass(context, typeOid, 'gin');
  }
  if (name === 'gin_trgm_ops' && addedTypes(context, name, 'gin') !== undefined) {
    const base = type?.kind === 'domain' ? type.baseOid : typeOid;
    if (base === TypeOid.text || base === TypeOid.varchar) return name;
    throw new PhantomError('42804', `operator class "${name}" does not accept data type ${type?.displayName}`);
  }
  if (name !== 'array_ops' && name !== 'jsonb_ops' && name !== 'jsonb_path_ops' && name !== 'tsvector_ops')
    throw new PhantomError('42704', `operator class "${name}" does not exist for access method "gin"`);
  const wanted = name === 'tsvector_ops' ? TypeOid.tsvector : TypeOid.jsonb;
  if (name === 'array_ops' ? !isArray : typeOid !== wanted)
    throw new PhantomError('42804', `operator class "${name}" does not accept data type ${type?.displayName}`);
  return name;
}

function noDefaultClass(context: DdlContext, typeOid: Oid, method: string): PhantomError {
  const name = context.picture.types.byOid(typeOid)?.displayName ?? typeOid;
  return new PhantomError('42704', `data type ${name} has no default operator class for access method "${method}"`, {
    hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
  });
}
