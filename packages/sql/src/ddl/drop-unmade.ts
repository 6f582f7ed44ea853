/**
 * DROP of what nobody can make here (operators, casts, triggers, rules, extensions and the like) or nobody has made: routines. What is
 * built in is required by the system; everything else does not exist, which IF EXISTS takes without an error.
 */
import { PhantomError } from '@phantom/base';
import { isBuiltInCast } from '../functions/casts.js';
import { findTypeName, resolveTypeName } from '../expr/type-names.js';
import type { ObjectRef, RoutineSignature } from '../text/ast-access.js';
import type { TypeName } from '../text/ast-leaves.js';
import type { Drop } from '../text/ast-schema.js';
import { formatType } from '../types/format-type.js';
import type { DdlContext } from './context.js';
import { LANGUAGE_OIDS } from '../system-views/oids.js';
import { extensionNamed } from './extensions.js';
import { findRelation } from './names.js';

const ACCESS_METHODS: ReadonlySet<string> = new Set(['btree', 'hash', 'gist', 'gin', 'spgist', 'brin']);

/** Drops nothing: raises what is missing, or says so. */
export function dropUnmade(context: DdlContext, node: Drop): void {
  for (const target of node.objects) {
    if (node.object === 'operator class' || node.object === 'operator family') checkMethod(target);
    const error = missingObject(context, node.object, node.ifExists, target);
    if (!node.ifExists || error.code === '2BP01' || error.code === '42725') throw error;
    context.notice('NOTICE', '00000', `${error.message}, skipping`);
  }
}

/** 42704 for an access method that there is not: IF EXISTS does not speak of that. */
function checkMethod({ on }: ObjectRef): void {
  const method = on?.[0]?.text ?? '';
  if (!ACCESS_METHODS.has(method)) throw new PhantomError('42704', `access method "${method}" does not exist`);
}

function missingLanguage(name: string): PhantomError {
  if (LANGUAGE_OIDS[name] === undefined) return new PhantomError('42704', `language "${name}" does not exist`);
  if (extensionNamed(name) === undefined)
    return new PhantomError('2BP01', `cannot drop language ${name} because it is required by the database system`);
  return new PhantomError('2BP01', `cannot drop language ${name} because extension ${name} requires it`, {
    hint: `You can drop extension ${name} instead.`,
  });
}

/** What to say of a reference to something that nobody has made. */
export function missingObject(
  context: DdlContext,
  object: ObjectRef['object'],
  ifExists: boolean,
  target: ObjectRef,
): PhantomError {
  const name = target.name.map((part) => part.text).join('.');
  const schema = target.name.length > 1 ? target.name.at(-2)?.text : undefined;
  if (schema !== undefined && !context.picture.schemaExists(schema))
    return new PhantomError('3F000', `schema "${schema}" does not exist`);
  const unknownType = [...target.types, ...argumentTypes(target.signature)].find(
    (type) => findTypeName(context.picture, type) === undefined,
  );
  if (unknownType !== undefined) {
    const shown = unknownType.name.map((part) => part.text).join('.');
    return new PhantomError('42704', `type "${shown}" does not exist`);
  }
  switch (object) {
    case 'function':
    case 'procedure':
    case 'routine':
    case 'aggregate':
      return missingRoutine(context, object, name, target.signature);
    case 'operator':
      return missingOperator(context, ifExists, name, target.signature);
    case 'cast': {
      const [source, result] = target.types.map((type) => typeText(context, type));
      const [from, to] = target.types.map((type) => resolveTypeName(context.picture, type).oid);
      if (isBuiltInCast(from as number, to as number)) return required(`cast from ${source} to ${result}`);
      return new PhantomError('42704', `cast from type ${source} to type ${result} does not exist`);
    }
    case 'trigger':
    case 'rule':
      return missingOnTable(context, object, name, target);
    case 'collation':
      return new PhantomError('42704', `collation "${name}" for encoding "UTF8" does not exist`);
    case 'operator class':
    case 'operator family': {
      const method = target.on?.at(-1)?.text ?? '';
      return new PhantomError('42704', `${object} "${name}" does not exist for access method "${method}"`);
    }
    case 'statistics':
      return new PhantomError('42704', `statistics object "${name}" does not exist`);
    case 'extension':
      if (extensionNamed(name) !== undefined)
        return new PhantomError('2BP01', `cannot drop extension ${name} because it is required by the database system`);
      return new PhantomError('42704', `extension "${name}" does not exist`);
    case 'language':
      return missingLanguage(name);
    default:
      return new PhantomError('42704', `${object} "${name}" does not exist`);
  }
}

function argumentTypes(signature: RoutineSignature | undefined): TypeName[] {
  return (signature?.parameters ?? []).flatMap(({ type }) => (type === undefined ? [] : [type]));
}

function typeText(context: DdlContext, name: TypeName): string {
  const { oid, typmod } = resolveTypeName(context.picture, name);
  const type = context.picture.types.byOid(oid);
  return type === undefined ? String(oid) : formatType(type, typmod);
}

function missingRoutine(
  context: DdlContext,
  object: string,
  name: string,
  signature: RoutineSignature | undefined,
): PhantomError {
  const named = context.picture.functions
    .functionsNamed(name.replace(/^pg_catalog\./, ''))
    .filter(({ routine }) => routine === undefined);
  if (signature === undefined) {
    if (named.length > 1) {
      return new PhantomError('42725', `${object} name "${name}" is not unique`, {
        hint: `Specify the argument list to select the ${object} unambiguously.`,
      });
    }
    return named.length === 1
      ? required(`${object} ${name}`)
      : new PhantomError('42883', `could not find a ${object} named "${name}"`);
  }
  const types = argumentTypes(signature);
  const shown = `${name}(${signature.star ? '*' : types.map((type) => typeText(context, type)).join(', ')})`;
  const oids = types.map((type) => resolveTypeName(context.picture, type).oid);
  const exists = named.some(
    ({ argumentTypes: own }) => own.length === oids.length && own.every((oid, i) => oid === oids[i]),
  );
  return exists
    ? required(`${object === 'aggregate' ? 'function' : object} ${shown}`)
    : new PhantomError('42883', `${object} ${shown} does not exist`);
}

function missingOperator(
  context: DdlContext,
  ifExists: boolean,
  name: string,
  signature: RoutineSignature | undefined,
): PhantomError {
  const sides = (signature?.parameters ?? []).map(({ type }) => (type === undefined ? '' : typeText(context, type)));
  const oids = (signature?.parameters ?? []).map(({ type }) =>
    type === undefined ? 0 : resolveTypeName(context.picture, type).oid,
  );
  const shown = [sides[0] ?? '', name, sides[1] ?? ''].filter((part) => part !== '').join(' ');
  const exists = context.picture.functions
    .operatorsNamed(name)
    .some((operator) => operator.leftType === oids[0] && operator.rightType === oids[1]);
  if (exists) return required(`operator ${name}(${sides.join(',')})`);
  return new PhantomError('42883', ifExists ? `operator ${name} does not exist` : `operator does not exist: ${shown}`);
}

function missingOnTable(context: DdlContext, object: string, name: string, target: ObjectRef): PhantomError {
  const table = target.on ?? [];
  const shown = table.map((part) => part.text).join('.');
  if (findRelation(context, table) === undefined)
    return new PhantomError('42P01', `relation "${shown}" does not exist`);
  const noun = object === 'rule' ? 'relation' : 'table';
  return new PhantomError('42704', `${object} "${name}" for ${noun} "${table.at(-1)?.text}" does not exist`);
}

function required(what: string): PhantomError {
  return new PhantomError('2BP01', `cannot drop ${what} because it is required by the database system`);
}
