/** The types of one call of a routine: what goes in, and what its body is to give. */
import { type RoutineDescriptor, type TypeRef, goesIn } from '@phantom/catalog';
import type { CallTypes } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { WantedResult } from '../plan/routine-binding.js';
import { formatType } from '../types/format-type.js';
import { TypeOid } from '../types/type-oids.js';
import { typeRef } from '../types/type-refs.js';
import { calledParameters, columnName, resultParameters } from './routine-function.js';
import { isPolymorphic } from '../functions/polymorphic-types.js';
import type { RoutineSignature } from './routine-language.js';

/** Two calls with the same key have the same signature. */
export function signatureKey(routine: RoutineDescriptor, types: CallTypes): string {
  const isFixed = !routine.parameters.some(({ type }) => isPolymorphic(type.oid));
  const columns = types.columns ?? [];
  if (isFixed && columns.length === 0) return '';
  const given = isFixed ? [] : types.arguments.map(({ oid }) => oid);
  return `${given.join(',')}:${types.result.oid}:${columns.map(({ name, type }) => `${name} ${type.oid} ${type.typmod}`).join(',')}`;
}

export function signatureOf(routine: RoutineDescriptor, types: CallTypes, catalog: CatalogPort): RoutineSignature {
  const called = calledParameters(routine);
  const parameterTypes: TypeRef[] = [];
  called.forEach((parameter, i) => {
    if (!goesIn(parameter)) return;
    const given = types.arguments[i];
    if (!isPolymorphic(parameter.type.oid) || given === undefined) parameterTypes.push(typeRef(parameter.type.oid));
    else
      parameterTypes.push(isCollected(parameter.mode, given, catalog) ? arrayOf(given, catalog) : typeRef(given.oid));
  });
  return { routine, parameterTypes, wanted: wantedOf(routine, types, catalog) };
}

/** True when the argument is one of those that a VARIADIC parameter collects, and no array of them. */
function isCollected(mode: string, given: TypeRef, catalog: CatalogPort): boolean {
  return mode === 'variadic' && (catalog.types.byOid(given.oid)?.elementOid ?? 0) === 0;
}

function arrayOf(element: TypeRef, catalog: CatalogPort): TypeRef {
  return typeRef(catalog.types.byOid(element.oid)?.arrayOid ?? TypeOid.anyArray);
}

function wantedOf(routine: RoutineDescriptor, types: CallTypes, catalog: CatalogPort): WantedResult | undefined {
  const declared = routine.resultType;
  if (declared.oid === TypeOid.void) return undefined;
  const type = typeRef(isPolymorphic(declared.oid) ? types.result.oid : declared.oid);
  const outputs = resultParameters(routine);
  const isRow = outputs.length > 1 || (outputs.length === 1 && routine.routine === 'procedure');
  const ownColumns = isRow
    ? outputs.map((parameter, i) => ({ name: columnName(parameter.name, i), type: parameter.type }))
    : catalog.compositeFields(type.oid);
  const shown = catalog.types.byOid(type.oid);
  return {
    type,
    shown: shown === undefined ? String(type.oid) : formatType(shown, -1),
    columns: types.columns ?? ownColumns,
    firstOnly: !routine.returnsSet,
    mayBeWhole: routine.routine !== 'procedure',
  };
}
