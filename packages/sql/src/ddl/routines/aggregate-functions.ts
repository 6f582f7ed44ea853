/** Functions that an aggregate, an operator or a cast is made of: found for types, which they must take as they are. */
import { PhantomError } from '@phantom/base';
import { type Oid, hasPrivilege } from '@phantom/catalog';
import { COMMON_FAMILY, SIMPLE_FAMILY } from '../../functions/polymorphic-types.js';
import type { FunctionDefinition, ScalarFunction } from '../../functions/registry.js';
import { TypeOid } from '../../types/type-oids.js';
import type { DdlContext } from '../context.js';

export interface CheckedFunction {
  readonly definition: ScalarFunction;
  readonly resultOid: Oid;
}

/** Types that take the place of those that a call decides: of no other parameter, so that only such parameters take them. */
const ELEMENT = TypeOid.pgLsn;

/**
 * The function of the name that takes arguments of the types without changing them; they may be polymorphic. 42883 when there is
 * none, 42804 when it does not fit.
 */
export function checkedFunction(
  context: DdlContext,
  { schema, name }: { readonly schema: string | undefined; readonly name: string },
  types: readonly Oid[],
): CheckedFunction {
  const { functions } = context.picture;
  const given = types.map((oid) => standIn(context, oid));
  const plain = functions.resolveFunction(name, given, { schema });
  // What an aggregate collects, it hands on as the array that it is.
  const found = plain === 'undefined' ? functions.resolveFunction(name, given, { schema, variadicArray: true }) : plain;
  const shown = `${name}(${types.map((oid) => context.picture.types.byOid(oid)?.displayName ?? oid).join(', ')})`;
  if (found === 'undefined') throw new PhantomError('42883', `function ${shown} does not exist`);
  if (found === 'ambiguous') throw new PhantomError('42725', `function ${shown} is not unique`);
  const { definition, argumentTypes, resultType } = found;
  if (!keepsFamilies(types, definition.argumentTypes))
    throw new PhantomError('42883', `function ${shown} does not exist`);
  if (definition.kind === 'set') throw new PhantomError('42804', `function ${shown} returns a set`);
  if (definition.kind !== 'scalar' || definition.routine?.routine === 'procedure')
    throw new PhantomError('42883', `function ${shown} does not exist`);
  const converts = given.some((oid, i) => {
    const wanted = argumentTypes[i] as Oid;
    if (wanted === oid || wanted === TypeOid.any) return false;
    return functions.findCast(oid, wanted, 'implicit')?.call !== undefined;
  });
  if (converts) throw new PhantomError('42804', `function ${shown} requires run-time type coercion`);
  return { definition, resultOid: declaredAgain(context, resultType, types) };
}

/** Parameters that take types which a call decides are of the same family as those. */
function keepsFamilies(given: readonly Oid[], declared: readonly Oid[]): boolean {
  return given.every((oid, i) => {
    const family = [SIMPLE_FAMILY, COMMON_FAMILY].find((types) => types.has(oid));
    const wanted = declared[i] as Oid;
    return family === undefined || wanted === TypeOid.any || family.has(wanted);
  });
}

/** 42501 where the role may not call the function. */
export function executableBy({ objects, roleOid }: DdlContext, { routine, name }: FunctionDefinition): void {
  if (routine === undefined || hasPrivilege(objects, roleOid, routine, 'X')) return;
  throw new PhantomError('42501', `permission denied for function ${name}`);
}

function standIn({ picture }: DdlContext, oid: Oid): Oid {
  switch (oid) {
    case TypeOid.anyElement:
    case TypeOid.anyNonArray:
    case TypeOid.anyCompatible:
    case TypeOid.anyCompatibleNonArray:
      return ELEMENT;
    case TypeOid.anyArray:
    case TypeOid.anyCompatibleArray:
      return picture.types.byOid(ELEMENT)?.arrayOid ?? oid;
    default:
      return oid;
  }
}

/** A result that is the stand-in for a type that a call decides, as that type. */
function declaredAgain(context: DdlContext, oid: Oid, types: readonly Oid[]): Oid {
  if (types.includes(oid)) return oid;
  const family = types.some((type) => SIMPLE_FAMILY.has(type)) ? SIMPLE_FAMILY : COMMON_FAMILY;
  for (const polymorphic of family.keys()) if (standIn(context, polymorphic) === oid) return polymorphic;
  return oid;
}
