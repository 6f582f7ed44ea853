/**
 * CREATE CAST and DROP CAST. Between two types there is one cast, be it built in or a user's; where a user has made none, values go
 * by their text, as everywhere (functions/casts.ts).
 *
 *   WITH FUNCTION      of one argument, or of two or three: the type's modifier, and whether the cast was asked for by name
 *   WITHOUT FUNCTION   the value is taken as it is: between types that are the same bytes here as in PostgreSQL
 *   WITH INOUT         by its text, like casts that nobody has made, and where they are not applied
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type CastDescriptor, NameClass, type Oid, castKeyName, isSuperuser, ownsObject } from '@phantom/catalog';
import { findTypeName, resolveTypeName } from '../expr/type-names.js';
import { isBuiltInCast } from '../functions/casts.js';
import { isPolymorphic } from '../functions/polymorphic-types.js';
import type { FunctionDefinition } from '../functions/registry.js';
import type { ObjectRef } from '../text/ast-access.js';
import type { CreateCast } from '../text/ast-schema.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType } from '../types/type.js';
import type { DdlContext, DdlExecution } from './context.js';
import type { Yielded } from '../exec/runtime.js';
import { missingObject } from './drop-unmade.js';
import { claimName, lockForChange, splitName } from './names.js';
import { executableBy } from './routines/aggregate-functions.js';
import { routineType } from './routines/routine-parameters.js';
import { dependOn } from './stored-queries.js';
import { dependOnTypes, requireTypeUsage } from './types.js';

function invalid(message: string): PhantomError {
  return new PhantomError('42P17', message);
}

export function* createCast(context: DdlContext, node: CreateCast): DdlExecution {
  const [source, target] = [node.source, node.target].map((name) =>
    typeOf(context, resolveTypeName(context.picture, name).oid),
  ) as [SqlType, SqlType];
  for (const [which, type] of [
    ['source', source],
    ['target', target],
  ] as const)
    if (type.kind === 'pseudo')
      throw new PhantomError('42809', `${which} data type ${type.displayName} is a pseudo-type`);
  if (!owns(context, source.oid) && !owns(context, target.oid))
    throw new PhantomError('42501', `must be owner of type ${source.displayName} or type ${target.displayName}`);
  for (const { oid } of [source, target]) requireTypeUsage(context, { oid, typmod: -1 });
  if (source.kind === 'domain') warn(context, 'source');
  else if (target.kind === 'domain') warn(context, 'target');
  const definition = node.function === undefined ? undefined : functionOf(context, node.function);
  if (definition !== undefined) fits(context, definition, source, target);
  else if (!node.inOut) sameRepresentation(context, source, target);
  if (source.oid === target.oid && (definition?.argumentTypes.length ?? 0) < 2)
    throw invalid('source data type and target data type are the same');
  const shown = `cast from type ${source.displayName} to type ${target.displayName}`;
  const key = { sourceOid: source.oid, targetOid: target.oid };
  const existing = yield* claimName(context, NameClass.Cast, context.databaseOid, castKeyName(key));
  if (existing !== undefined || isBuiltInCast(source.oid, target.oid))
    throw new PhantomError('42710', `${shown} already exists`);
  const oid = context.catalog.allocateOid();
  const cast: CastDescriptor = {
    kind: 'cast',
    oid,
    name: castKeyName(key),
    databaseOid: context.databaseOid,
    ...key,
    functionOid: definition?.oid ?? 0,
    method: definition === undefined ? (node.inOut ? 'inout' : 'binary') : 'function',
    context: node.context,
  };
  context.objects.put(cast);
  if (definition?.routine !== undefined) dependOn(context, oid, [{ oid: definition.oid, column: 0 }]);
  dependOnTypes(
    context,
    oid,
    [source.oid, target.oid].map((type) => ({ column: 0, type: { oid: type, typmod: -1 } })),
  );
  return undefined;
}

function typeOf({ picture }: DdlContext, oid: Oid): SqlType {
  const type = picture.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type;
}

function owns({ objects, roleOid }: DdlContext, oid: Oid): boolean {
  const type = objects.object(oid);
  return type?.kind === 'type' ? ownsObject(objects, roleOid, type) : isSuperuser(objects, roleOid);
}

function warn(context: DdlContext, which: string): void {
  context.notice('WARNING', '42809', `cast will be ignored because the ${which} data type is a domain`);
}

/** The function that the statement names; 42883 where there is none. */
function functionOf(context: DdlContext, target: ObjectRef): FunctionDefinition {
  const { schema, name } = splitName(target.name, context.picture.databaseName);
  const named = context.picture.functions.functionsNamed(name, schema);
  const { signature } = target;
  const types = signature?.parameters.map(({ type }) => (type === undefined ? 0 : routineType(context, type).oid));
  const found = named.filter(({ argumentTypes }) => types === undefined || argumentTypes.join() === types.join());
  if (types === undefined && found.length > 1) throw new PhantomError('42725', `function name "${name}" is not unique`);
  const [definition] = found;
  if (definition === undefined) {
    const shown = types?.map((oid) => context.picture.types.byOid(oid)?.displayName ?? String(oid)).join(', ');
    throw new PhantomError(
      '42883',
      shown === undefined ? `could not find a function named "${name}"` : `function ${name}(${shown}) does not exist`,
    );
  }
  executableBy(context, definition);
  return definition;
}

function fits(context: DdlContext, definition: FunctionDefinition, source: SqlType, target: SqlType): void {
  const { argumentTypes, resultType, routine } = definition;
  const [first, second, third] = argumentTypes;
  if (argumentTypes.length < 1 || argumentTypes.length > 3)
    throw invalid('cast function must take one to three arguments');
  if (!isAlike(context, source.oid, first as Oid))
    throw invalid('argument of cast function must match or be binary-coercible from source data type');
  if (second !== undefined && second !== TypeOid.int4)
    throw invalid('second argument of cast function must be type integer');
  if (third !== undefined && third !== TypeOid.bool)
    throw invalid('third argument of cast function must be type boolean');
  if (!isAlike(context, resultType, target.oid))
    throw invalid('return data type of cast function must match or be binary-coercible to target data type');
  if (routine?.routine === 'procedure' || definition.kind !== 'scalar') {
    const isPlain = definition.kind === 'scalar' || routine?.routine === 'procedure';
    throw invalid(
      definition.kind === 'set' && !isPlain
        ? 'cast function must not return a set'
        : 'cast function must be a normal function',
    );
  }
}

/** True where values of one type are values of the other as they are. */
function isAlike({ picture }: DdlContext, from: Oid, to: Oid): boolean {
  if (from === to || isPolymorphic(to)) return true;
  if (picture.types.byOid(to)?.kind === 'domain') return false;
  const cast = picture.functions.findCast(from, to, 'implicit');
  return cast !== undefined && cast.call === undefined;
}

/** WITHOUT FUNCTION; 42501 but for superusers, 42P17 for types that PostgreSQL refuses, 0A000 for those that are other bytes here. */
function sameRepresentation(context: DdlContext, source: SqlType, target: SqlType): void {
  if (!isSuperuser(context.objects, context.roleOid))
    throw new PhantomError('42501', 'must be superuser to create a cast WITHOUT FUNCTION');
  if (source.length !== target.length) throw invalid('source and target data types are not physically compatible');
  for (const { kind } of [source, target]) {
    if (kind === 'composite') throw invalid('composite data types are not binary-compatible');
    if (kind === 'enum') throw invalid('enum data types are not binary-compatible');
    if (kind === 'array') throw invalid('array data types are not binary-compatible');
    if (kind === 'domain') throw invalid('domain data types must not be marked binary-compatible');
  }
  if (source.storage.kind !== target.storage.kind)
    throw unsupportedError(`a cast WITHOUT FUNCTION from ${source.displayName} to ${target.displayName}`, {
      hint: 'Values of the two types are stored in different forms here: make the cast WITH INOUT or WITH FUNCTION.',
    });
}

/** The user's cast that a reference means; undefined when there is none. */
export function findCastNamed(context: DdlContext, target: ObjectRef): CastDescriptor | undefined {
  const [sourceOid, targetOid] = target.types.map((type) => findTypeName(context.picture, type)?.oid);
  if (sourceOid === undefined || targetOid === undefined) return undefined;
  const oid = context.objects.oidByName(NameClass.Cast, context.databaseOid, castKeyName({ sourceOid, targetOid }));
  const cast = oid === undefined ? undefined : context.objects.object(oid);
  return cast?.kind === 'cast' ? cast : undefined;
}

/** 42501 unless the role owns one of the cast's types. */
export function requireCastOwner(context: DdlContext, { sourceOid, targetOid }: CastDescriptor): void {
  if (owns(context, sourceOid) || owns(context, targetOid)) return;
  const [source, target] = [typeOf(context, sourceOid), typeOf(context, targetOid)];
  throw new PhantomError('42501', `must be owner of type ${source.displayName} or type ${target.displayName}`);
}

/** The cast that a reference means, where the role owns one of its types. 42704 where there is none. */
export function* ownCast(context: DdlContext, target: ObjectRef): Generator<Yielded, CastDescriptor, void> {
  const cast = findCastNamed(context, target);
  if (cast === undefined) throw missingObject(context, 'cast', false, target);
  requireCastOwner(context, cast);
  return (yield* lockForChange(context, cast)) ?? cast;
}
