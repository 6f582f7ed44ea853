/**
 * Polymorphic arguments and results: anyelement and its kin must all be one type; the anycompatible family takes the common
 * type. After check_generic_type_consistency and enforce_generic_type_consistency of parse_coerce.c.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { TypeOid } from '../types/type-oids.js';
import type { RangeTraits } from '../types/range-algebra.js';
import type { SqlType, TypeLookup } from '../types/type.js';

type CommonType = (types: readonly Oid[]) => Oid | undefined;

/** What the arguments decide. */
interface Binding {
  element: Oid | undefined;
  array: Oid | undefined;
  range: Oid | undefined;
  multirange: Oid | undefined;
  compatible: Oid | undefined;
  compatibleRange: Oid | undefined;
}

const ELEMENT_LIKE: ReadonlySet<Oid> = new Set<Oid>([TypeOid.anyElement, TypeOid.anyNonArray, TypeOid.anyEnum]);
const COMPATIBLE_LIKE: ReadonlySet<Oid> = new Set<Oid>([TypeOid.anyCompatible, TypeOid.anyCompatibleNonArray]);

function base(types: TypeLookup, oid: Oid): Oid {
  const type = types.byOid(oid);
  return type === undefined || type.kind !== 'domain' ? oid : base(types, type.baseOid);
}

function isArray(type: SqlType | undefined): boolean {
  return type !== undefined && (type.kind === 'array' || (type.elementOid !== 0 && type.category === 'A'));
}

function arrayElement(types: TypeLookup, oid: Oid): Oid | undefined {
  const type = types.byOid(base(types, oid));
  return isArray(type) ? type?.elementOid : undefined;
}

/** The range type that a type is, or whose multirange type it is. */
function rangeTraits(types: TypeLookup, oid: Oid, kind: 'range' | 'multirange'): RangeTraits | undefined {
  const type = types.byOid(base(types, oid));
  return type?.kind === kind ? type.range : undefined;
}

/** Notes a range or multirange argument and what its ranges consist of; a string says what does not fit. */
function bindRange(types: TypeLookup, binding: Binding, want: Oid, have: Oid): string | undefined {
  const multi = want === TypeOid.anyMultirange;
  const traits = rangeTraits(types, have, multi ? 'multirange' : 'range');
  const declared = multi ? 'anymultirange' : 'anyrange';
  if (traits === undefined) {
    return `argument declared ${declared} is not a ${multi ? 'multirange' : 'range'} type but type ${nameOf(types, have)}`;
  }
  if (binding.range !== undefined && binding.range !== traits.rangeOid) {
    return `arguments declared "${declared}" are not all alike`;
  }
  binding.range = traits.rangeOid;
  binding.multirange = traits.multirangeOid;
  return undefined;
}

/** The same for the anycompatible family, whose ranges say which common type theirs must be. */
function bindCompatibleRange(types: TypeLookup, binding: Binding, want: Oid, have: Oid): Oid | string {
  const multi = want === TypeOid.anyCompatibleMultirange;
  const traits = rangeTraits(types, have, multi ? 'multirange' : 'range');
  if (traits === undefined || (binding.compatibleRange !== undefined && binding.compatibleRange !== traits.rangeOid)) {
    return 'arguments declared "anycompatiblerange" are not all alike';
  }
  binding.compatibleRange = traits.rangeOid;
  return traits.subtype.oid;
}

/** Finds the binding; a string says what does not fit. */
function bind(
  types: TypeLookup,
  declared: readonly Oid[],
  actual: readonly Oid[],
  commonType: CommonType,
): Binding | string {
  const binding: Binding = {
    element: undefined,
    array: undefined,
    range: undefined,
    multirange: undefined,
    compatible: undefined,
    compatibleRange: undefined,
  };
  const compatibles: Oid[] = [];
  let elementIsArrayFree = false;
  let elementIsEnum = false;
  let compatibleIsArrayFree = false;
  for (let i = 0; i < actual.length; i++) {
    const want = declared[i] as Oid;
    const have = actual[i] as Oid;
    if (want === TypeOid.anyNonArray) elementIsArrayFree = true;
    if (want === TypeOid.anyEnum) elementIsEnum = true;
    if (want === TypeOid.anyCompatibleNonArray) compatibleIsArrayFree = true;
    if (have === TypeOid.unknown) continue;
    if (ELEMENT_LIKE.has(want)) {
      if (binding.element !== undefined && binding.element !== have) {
        return 'arguments declared "anyelement" are not all alike';
      }
      binding.element = have;
    } else if (want === TypeOid.anyArray) {
      const array = base(types, have);
      if (binding.array !== undefined && binding.array !== array)
        return 'arguments declared "anyarray" are not all alike';
      binding.array = array;
    } else if (COMPATIBLE_LIKE.has(want)) {
      compatibles.push(have);
    } else if (want === TypeOid.anyCompatibleArray) {
      const element = arrayElement(types, have);
      if (element === undefined)
        return `argument declared anycompatiblearray is not an array but type ${nameOf(types, have)}`;
      compatibles.push(element);
    } else if (want === TypeOid.anyRange || want === TypeOid.anyMultirange) {
      const fault = bindRange(types, binding, want, have);
      if (fault !== undefined) return fault;
    } else if (want === TypeOid.anyCompatibleRange || want === TypeOid.anyCompatibleMultirange) {
      const subtype = bindCompatibleRange(types, binding, want, have);
      if (typeof subtype === 'string') return subtype;
      compatibles.push(subtype);
    }
  }
  if (binding.array !== undefined) {
    const element = binding.array === TypeOid.anyArray ? undefined : arrayElement(types, binding.array);
    if (binding.array !== TypeOid.anyArray && element === undefined) {
      return `argument declared anyarray is not an array but type ${nameOf(types, binding.array)}`;
    }
    if (binding.element === undefined) binding.element = element;
    else if (element !== undefined && binding.element !== element) {
      return 'argument declared anyarray is not consistent with argument declared anyelement';
    }
  }
  if (binding.range !== undefined) {
    const subtype = types.byOid(binding.range)?.range?.subtype.oid;
    if (binding.element === undefined) binding.element = subtype;
    else if (binding.element !== subtype) {
      return 'argument declared anyrange is not consistent with argument declared anyelement';
    }
  }
  if (binding.element !== undefined) {
    const type = types.byOid(base(types, binding.element));
    if (elementIsArrayFree && isArray(type))
      return `type matched to anynonarray is an array type: ${nameOf(types, binding.element)}`;
    if (elementIsEnum && type?.kind !== 'enum')
      return `type matched to anyenum is not an enum type: ${nameOf(types, binding.element)}`;
  }
  if (compatibles.length > 0) {
    binding.compatible = commonType(compatibles);
    if (binding.compatible === undefined) return 'arguments of anycompatible family cannot be cast to a common type';
    if (compatibleIsArrayFree && isArray(types.byOid(binding.compatible))) {
      return `type matched to anycompatiblenonarray is an array type: ${nameOf(types, binding.compatible)}`;
    }
    const range = binding.compatibleRange === undefined ? undefined : types.byOid(binding.compatibleRange);
    if (range !== undefined && range.range?.subtype.oid !== binding.compatible) {
      return `anycompatiblerange type ${range.displayName} does not match anycompatible type ${nameOf(types, binding.compatible)}`;
    }
  }
  return binding;
}

function nameOf(types: TypeLookup, oid: Oid): string {
  return types.byOid(oid)?.displayName ?? String(oid);
}

/** True when the actual types fit the declared polymorphic ones. */
export function isConsistent(
  types: TypeLookup,
  declared: readonly Oid[],
  actual: readonly Oid[],
  commonType: CommonType,
): boolean {
  return typeof bind(types, declared, actual, commonType) !== 'string';
}

function arrayOf(types: TypeLookup, element: Oid): Oid {
  const array = types.byOid(element)?.arrayOid ?? 0;
  if (array === 0) throw new PhantomError('42704', `could not find array type for data type ${nameOf(types, element)}`);
  return array;
}

/** The family whose members are bound together; as a result, one of them needs an argument of another. */
const ANY_FAMILY: ReadonlySet<Oid> = new Set<Oid>([
  ...ELEMENT_LIKE,
  TypeOid.anyArray,
  TypeOid.anyRange,
  TypeOid.anyMultirange,
]);

/** Declared types and result with polymorphism resolved; 42804 when the arguments leave it open. */
export function resolvePolymorphic(
  types: TypeLookup,
  declared: readonly Oid[],
  actual: readonly Oid[],
  result: Oid,
  commonType: CommonType,
): { readonly arguments: readonly Oid[]; readonly result: Oid } {
  const binding = bind(types, declared, actual, commonType);
  if (typeof binding === 'string') throw new PhantomError('42804', binding);
  if (binding.compatible === undefined) binding.compatible = TypeOid.text;
  const resolve = (oid: Oid, given: Oid | undefined): Oid => {
    if (oid === TypeOid.any) return given ?? oid;
    if (ELEMENT_LIKE.has(oid) || oid === TypeOid.anyArray) {
      if (binding.element === undefined) {
        if (binding.array === TypeOid.anyArray) return oid === TypeOid.anyArray ? oid : TypeOid.anyElement;
        throw new PhantomError('42804', 'could not determine polymorphic type because input has type unknown');
      }
      if (oid === TypeOid.anyArray)
        return given !== undefined && given === binding.array ? given : arrayOf(types, binding.element);
      return binding.element;
    }
    if (oid === TypeOid.anyRange || oid === TypeOid.anyMultirange) {
      const found = oid === TypeOid.anyRange ? binding.range : binding.multirange;
      if (found !== undefined) return found;
      throw new PhantomError(
        '42804',
        `could not determine polymorphic type ${nameOf(types, oid)} because input has type unknown`,
      );
    }
    if (oid === TypeOid.anyCompatibleRange || oid === TypeOid.anyCompatibleMultirange) {
      const traits = binding.compatibleRange === undefined ? undefined : types.byOid(binding.compatibleRange)?.range;
      if (traits !== undefined) return oid === TypeOid.anyCompatibleRange ? traits.rangeOid : traits.multirangeOid;
      throw new PhantomError(
        '42804',
        `could not determine polymorphic type ${nameOf(types, oid)} because input has type unknown`,
      );
    }
    if (COMPATIBLE_LIKE.has(oid)) return binding.compatible as Oid;
    if (oid === TypeOid.anyCompatibleArray) return arrayOf(types, binding.compatible as Oid);
    return oid;
  };
  // Without a polymorphic argument a polymorphic result stays as it is declared (array_in and its like).
  const open = ANY_FAMILY.has(result) && !declared.some((oid) => ANY_FAMILY.has(oid));
  return {
    arguments: declared.map((oid, i) => resolve(oid, actual[i])),
    result: open ? result : resolve(result, undefined),
  };
}
