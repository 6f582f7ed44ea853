/** Operators and casts of users, as statements of a database are bound with them: found once for a picture of its catalog. */
import type { CastDescriptor, ObjectReader, Oid, OperatorDescriptor } from '@phantom/catalog';
import type { FunctionDefinition, OperatorDefinition, UserCast } from '../functions/registry.js';

type FindFunction = (oid: Oid) => FunctionDefinition | undefined;

const NO_OPERATORS: ReadonlyMap<string, readonly OperatorDefinition[]> = new Map();
const NO_CASTS: ReadonlyMap<string, UserCast> = new Map();

/** The operator as calls are resolved to it; undefined for a shell. */
export function operatorOf(operator: OperatorDescriptor, functionByOid: FindFunction): OperatorDefinition | undefined {
  const definition = operator.functionOid === 0 ? undefined : functionByOid(operator.functionOid);
  if (definition?.kind !== 'scalar') return undefined;
  return {
    oid: operator.oid,
    name: operator.name,
    leftType: operator.leftTypeOid,
    rightType: operator.rightTypeOid,
    resultType: operator.resultTypeOid,
    function: definition,
    schemaOid: operator.schemaOid,
  };
}

/** By symbol. */
export function userOperators(
  objects: ObjectReader,
  databaseOid: Oid,
  functionByOid: FindFunction,
): ReadonlyMap<string, readonly OperatorDefinition[]> {
  const all = objects.operators();
  if (all.length === 0) return NO_OPERATORS;
  const byName = new Map<string, OperatorDefinition[]>();
  for (const operator of all) {
    const definition = operator.databaseOid === databaseOid ? operatorOf(operator, functionByOid) : undefined;
    if (definition === undefined) continue;
    const named = byName.get(operator.name);
    if (named === undefined) byName.set(operator.name, [definition]);
    else named.push(definition);
  }
  return byName;
}

/** By `source target`. */
export function userCasts(
  objects: ObjectReader,
  databaseOid: Oid,
  functionByOid: FindFunction,
): ReadonlyMap<string, UserCast> {
  const all = objects.casts();
  if (all.length === 0) return NO_CASTS;
  const casts = new Map<string, UserCast>();
  for (const cast of all) {
    if (cast.databaseOid === databaseOid) casts.set(`${cast.sourceOid} ${cast.targetOid}`, castOf(cast, functionByOid));
  }
  return casts;
}

function castOf({ functionOid, method, context }: CastDescriptor, functionByOid: FindFunction): UserCast {
  const definition = functionOid === 0 ? undefined : functionByOid(functionOid);
  return { method, context, function: definition?.kind === 'scalar' ? definition : undefined };
}
