/** `information_schema` of routines: functions and procedures of users, and their parameters. A role sees what it may execute. */
import { type RoutineDescriptor, type TypeRef, goesIn, hasPrivilege, ownsObject } from '@phantom/catalog';
import { formatType } from '../types/format-type.js';
import { type CatalogRow, informationView } from './catalog-view.js';
import { routinesOf } from './pg-objects.js';
import { routineTexts } from './routine-text.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const yesOrNo = (is: boolean): string => (is ? 'YES' : 'NO');

function* visible(source: SystemViewSource): Iterable<RoutineDescriptor> {
  for (const routine of routinesOf(source))
    if (hasPrivilege(source.objectsSeen, source.roleOid, routine, 'X')) yield routine;
}

/** What every row about a routine begins with; routines that share a name are told apart by their numbers. */
export function specificNames(source: SystemViewSource, { oid, name, schemaOid }: RoutineDescriptor): CatalogRow {
  return {
    specific_catalog: source.databaseName,
    specific_schema: source.schemaNameOf(schemaOid),
    specific_name: `${name}_${oid}`,
  };
}

interface ShownType {
  readonly dataType: string | null;
  readonly schema: string | null;
  readonly name: string | null;
}

function shownType(source: SystemViewSource, { oid }: TypeRef): ShownType {
  const type = source.types.byOid(oid);
  if (type === undefined) return { dataType: null, schema: null, name: null };
  const object = source.objectsSeen.object(oid);
  const isArray = type.kind === 'array' || (type.elementOid !== 0 && type.category === 'A');
  return {
    dataType: isArray ? 'ARRAY' : object === undefined ? formatType(type, -1) : 'USER-DEFINED',
    schema: object?.kind === 'type' ? source.schemaNameOf(object.schemaOid) : 'pg_catalog',
    name: type.name,
  };
}

export function* routineRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const routine of visible(source)) {
    const isFunction = routine.routine === 'function';
    const type = shownType(source, routine.resultType);
    const mayRead = ownsObject(source.objectsSeen, source.roleOid, routine);
    const isSql = routine.language === 'sql';
    yield {
      ...specificNames(source, routine),
      routine_catalog: source.databaseName,
      routine_schema: source.schemaNameOf(routine.schemaOid),
      routine_name: routine.name,
      routine_type: routine.routine.toUpperCase(),
      ...(isFunction
        ? {
            data_type: type.dataType,
            type_udt_catalog: source.databaseName,
            type_udt_schema: type.schema,
            type_udt_name: type.name,
            dtd_identifier: '0',
            is_null_call: yesOrNo(routine.strict),
          }
        : {}),
      routine_body: isSql ? 'SQL' : 'EXTERNAL',
      routine_definition: mayRead ? routine.source : null,
      external_language: routine.language.toUpperCase(),
      parameter_style: 'GENERAL',
      is_deterministic: yesOrNo(routine.volatility === 'immutable'),
      sql_data_access: 'MODIFIES',
      schema_level_routine: 'YES',
      max_dynamic_result_sets: 0,
      security_type: routine.securityDefiner ? 'DEFINER' : 'INVOKER',
      as_locator: 'NO',
      is_udt_dependent: 'NO',
    };
  }
}

const MODES = { in: 'IN', variadic: 'IN', out: 'OUT', table: 'OUT', inout: 'INOUT' } as const;

export function* parameterRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const routine of visible(source)) {
    const inputs = routine.parameters.filter(goesIn);
    for (const [i, parameter] of routine.parameters.entries()) {
      const type = shownType(source, parameter.type);
      yield {
        ...specificNames(source, routine),
        ordinal_position: i + 1,
        parameter_mode: MODES[parameter.mode],
        is_result: 'NO',
        as_locator: 'NO',
        parameter_name: parameter.name === '' ? null : parameter.name,
        data_type: type.dataType,
        udt_catalog: source.databaseName,
        udt_schema: type.schema,
        udt_name: type.name,
        dtd_identifier: String(i + 1),
        parameter_default: routineTexts.defaultText(source.catalog, routine, inputs.indexOf(parameter) + 1),
      };
    }
  }
}

export const INFORMATION_ROUTINE_VIEWS: readonly SystemView[] = [
  informationView('routines', routineRows),
  informationView('parameters', parameterRows),
];
