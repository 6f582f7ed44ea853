/**
 * Schemas: what documents of a collection must be, as JSON Schema (draft 2020-12, or 7 if `$schema` says so), checked by ajv. A schema sees a document as JSON
 * would show it (a date as its ISO text, an object id as its digits, 64-bit integers and decimals as numbers, binary as base64);
 * `bsonType` asks for the type itself: objectId, date, long, decimal, binData, uuid and MongoDB's other names.
 *
 *   level    strict: every write.  moderate: a document that broke the schema before may go on breaking it
 *   action   error: 23514.  warn: written all the same, and logged
 *
 * An error names each fault: path in the document, keyword of the schema, value found. A validator is compiled once per schema.
 * Where generating code is forbidden ajv cannot compile; a collection with a schema is 0A000 there.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { CollectionDescriptor } from '@phantom/catalog';
import { Decimal, ObjectId, Uuid, codeGenerationAllowed } from '@phantom/codec';
import { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import { badArgument } from './errors.js';
import { type PlainObject, isObject, typeName } from './order.js';
import { setField } from './path.js';
import { BoundedPattern } from './patterns/bounded-pattern.js';
import { refuseUnsound } from './schema-limits.js';

/** What is wrong at one place of a document. */
export interface SchemaFault {
  /** Dotted path, empty for the document itself. */
  readonly path: string;
  readonly keyword: string;
  readonly message: string;
  readonly value: unknown;
}

/** The faults of a document; none when it satisfies the schema. */
export type Validator = (document: PlainObject) => readonly SchemaFault[];

const FAULTS_MAX = 20;
/** Validators kept, newest last. */
const VALIDATORS_MAX = 256;

const validators = new Map<string, Validator>();
/** Those of descriptors, which are immutable: their schemas need not be written out to be looked up. */
const ofCollections = new WeakMap<CollectionDescriptor, Validator>();

/** What validators search for patterns with. */
function boundedRegExp(pattern: string, flags: string): BoundedPattern {
  return new BoundedPattern(new RegExp(pattern, flags));
}
/** Code that stands beside validators would call this; there is none. */
boundedRegExp.code = 'boundedRegExp';

const OPTIONS: Options = {
  allErrors: true,
  strict: false,
  verbose: true,
  validateFormats: false,
  code: { regExp: boundedRegExp },
  logger: false,
  // `constructor` is missing unless the document has it.
  ownProperties: true,
};
/** What `$schema` says of a schema of draft 7; all others are of draft 2020-12. */
const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/;

/** Compiles a schema, or gives the one compiled before. 22023 for what is no schema. */
export function schemaValidator(schema: unknown): Validator {
  const text = JSON.stringify(schema);
  let validator = validators.get(text);
  if (validator === undefined) {
    validator = compileSchema(schema);
    if (validators.size >= VALIDATORS_MAX) validators.delete(validators.keys().next().value as string);
    validators.set(text, validator);
  }
  return validator;
}

/** The same of a collection, which is asked for with each write. */
function validatorOf(definition: CollectionDescriptor): Validator {
  let validator = ofCollections.get(definition);
  if (validator === undefined) {
    validator = schemaValidator(definition.schema);
    ofCollections.set(definition, validator);
  }
  return validator;
}

function compileSchema(schema: unknown): Validator {
  if (!isObject(schema) && typeof schema !== 'boolean') throw badArgument('a schema must be an object');
  if (!codeGenerationAllowed()) throw unsupportedError('schemas where generating code is forbidden');
  let root: PlainObject = {};
  const isDraft7 = DRAFT_7.test(draftOf(schema));
  refuseUnsound(schema, isDraft7);
  const ajv = isDraft7 ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  ajv.addKeyword({ keyword: 'x-ref', schemaType: 'object' });
  ajv.addKeyword({
    keyword: 'bsonType',
    schemaType: ['string', 'array'],
    validate: (types: string | string[], _data: unknown, _parent: unknown, context?: { instancePath: string }) => {
      const value = pointed(root, context?.instancePath ?? '');
      const name = value instanceof Uuid ? 'uuid' : typeName(value);
      const wanted = Array.isArray(types) ? types : [types];
      return (
        wanted.includes(name) || (wanted.includes('number') && ['int', 'long', 'double', 'decimal'].includes(name))
      );
    },
  });
  let validate: ValidateFunction;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    throw new PhantomError('22023', `invalid schema: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  return (document) => {
    root = document;
    if (isSatisfied(validate, asJson(document))) return [];
    return (validate.errors ?? []).slice(0, FAULTS_MAX).map((error) => faultOf(error, document));
  };
}

/** 54001 for a schema that refers to itself without an end. */
function isSatisfied(validate: ValidateFunction, document: unknown): boolean {
  try {
    return validate(document);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PhantomError('54001', 'the references of a schema are nested too deep', { cause });
  }
}

function draftOf(schema: unknown): string {
  const draft = isObject(schema) ? schema['$schema'] : undefined;
  return typeof draft === 'string' ? draft : '';
}

function faultOf({ instancePath, keyword, message = '' }: ErrorObject, document: PlainObject): SchemaFault {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  return { path, keyword, message, value: pointed(document, instancePath) };
}

/** What a JSON pointer leads to in the document itself. */
function pointed(document: PlainObject, pointer: string): unknown {
  let value: unknown = document;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = value[Number(key)] as unknown;
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** A value as JSON shows it; shares what is JSON already, which most documents are all through. */
function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return arrayAsJson(value);
  if (value instanceof Decimal) return value.toNumber();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof ObjectId || value instanceof Uuid) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return objectAsJson(value as PlainObject);
}

function arrayAsJson(items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const json = asJson(items[i]);
    if (copy === undefined && !Object.is(json, items[i])) copy = items.slice(0, i);
    copy?.push(json);
  }
  return copy ?? items;
}

function objectAsJson(fields: PlainObject): PlainObject {
  const keys = Object.keys(fields);
  let copy: PlainObject | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const json = asJson(fields[key]);
    if (copy === undefined && !Object.is(json, fields[key])) {
      copy = {};
      for (const before of keys.slice(0, i)) setField(copy, before, fields[before]);
    }
    if (copy !== undefined) setField(copy, key, json);
  }
  return copy ?? fields;
}

/** 23514 for a document that breaks the schema of its collection. */
export function schemaViolation(collection: string, id: unknown, faults: readonly SchemaFault[]): PhantomError {
  const [first] = faults;
  return new PhantomError('23514', `a document of "${collection}" breaks the schema`, {
    detail: faults
      .map(({ path, keyword, message }) => `${path === '' ? 'document' : path}: ${message} (${keyword})`)
      .join('; '),
    table: collection,
    constraint: first?.keyword,
    data: { id, faults },
  });
}

/** What a write has to do with the schema: undefined when all is well. */
export function schemaFaults(
  definition: CollectionDescriptor,
  before: PlainObject | undefined,
  after: PlainObject,
): readonly SchemaFault[] | undefined {
  if (definition.schema === undefined) return undefined;
  const validate = validatorOf(definition);
  const faults = validate(after);
  if (faults.length === 0) return undefined;
  if (definition.validationLevel === 'moderate' && before !== undefined && validate(before).length > 0)
    return undefined;
  return faults;
}
