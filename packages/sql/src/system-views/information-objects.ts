/**
 * `information_schema` of which types, columns and routines are used where, and of collations. A role sees what its own objects
 * use, and the element types of all that other views describe to it.
 */
import {
  type ColumnDescriptor,
  type RoutineDescriptor,
  type TypeRef,
  type ViewColumn,
  isSuperuser,
  ownsObject,
} from '@phantom/catalog';
import { bindRowExpression } from '../expr/row-expression.js';
import { type CatalogRow, emptyInformationViews, informationView } from './catalog-view.js';
import { localeCollations } from './collations.js';
import { parameterRows, routineRows, specificNames } from './information-routines.js';
import { columnRows, domainRows, tableNames, typeColumns, visible } from './information-schema.js';
import { attributeRows, viewNames } from './information-usage.js';
import { ClassOid } from './oids.js';
import { dependencyRows } from './pg-dependencies.js';
import { relationsOf, routinesOf, tablesOf, typesOf } from './pg-objects.js';
import { triggersOf } from './pg-triggers.js';
import type { SystemView, SystemViewSource } from './system-view.js';

type OwnedObject = Parameters<typeof ownsObject>[2];

/** Number of the column at a place; columns of views have those of their places. */
function numberOf(column: ColumnDescriptor | ViewColumn, at: number): number {
  return 'number' in column ? column.number : at + 1;
}

function isOwned({ objectsSeen, roleOid }: SystemViewSource, object: OwnedObject): boolean {
  return ownsObject(objectsSeen, roleOid, object);
}

/** Columns of tables and views that are there. */
function* columnsOf(source: SystemViewSource): Iterable<{
  readonly names: CatalogRow;
  readonly name: string;
  readonly type: TypeRef;
}> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table' && relation.kind !== 'view') continue;
    const names = tableNames(source, relation);
    for (const column of relation.columns) {
      if ('dropped' in column && column.dropped) continue;
      yield { names, name: column.name, type: column.type };
    }
  }
}

/** True for the owner of a type; a superuser owns those that are built in. */
function mayUse(source: SystemViewSource, typeOid: number): boolean {
  const object = source.objectsSeen.object(typeOid);
  return object?.kind === 'type' ? isOwned(source, object) : isSuperuser(source.objectsSeen, source.roleOid);
}

function* columnDomainRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { names, name, type } of columnsOf(source)) {
    const domain = source.objectsSeen.object(type.oid);
    if (domain?.kind !== 'type' || domain.definition.kind !== 'domain' || !isOwned(source, domain)) continue;
    yield {
      ...names,
      column_name: name,
      domain_catalog: source.databaseName,
      domain_schema: source.schemaNameOf(domain.schemaOid),
      domain_name: domain.name,
    };
  }
}

/** The names of a type, or of the one under a domain. */
function udtNames(source: SystemViewSource, type: TypeRef): CatalogRow {
  const { udt_catalog, udt_schema, udt_name } = typeColumns(source, type);
  return { udt_catalog, udt_schema, udt_name };
}

function baseOf(source: SystemViewSource, oid: number): number {
  const type = source.types.byOid(oid);
  return type?.kind === 'domain' ? baseOf(source, type.baseOid) : oid;
}

function* columnTypeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { names, name, type } of columnsOf(source))
    if (mayUse(source, baseOf(source, type.oid))) yield { ...names, column_name: name, ...udtNames(source, type) };
}

function* domainTypeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, schemaOid, definition } of typesOf(source)) {
    if (definition.kind !== 'domain' || !mayUse(source, baseOf(source, definition.base.oid))) continue;
    yield {
      ...udtNames(source, definition.base),
      domain_catalog: source.databaseName,
      domain_schema: source.schemaNameOf(schemaOid),
      domain_name: name,
    };
  }
}

/** Generated columns, with the columns that their expressions read. */
function* columnColumnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of tablesOf(source)) {
    if (!isOwned(source, table)) continue;
    const { columns } = table;
    for (const { name, generated, defaultSql, dropped } of columns) {
      if (generated === undefined || defaultSql === undefined || dropped) continue;
      const { catalog } = source;
      const request = { columns, relationName: undefined, catalog, target: undefined, purpose: 'generated' } as const;
      for (const number of bindRowExpression(defaultSql, request).columns) {
        const read = columns.find((column) => column.number === number);
        yield { ...tableNames(source, table), column_name: read?.name ?? null, dependent_column: name };
      }
    }
  }
}

/** Columns that UPDATE OF names. */
function* triggeredColumnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const trigger of triggersOf(source)) {
    const relation = source.objectsSeen.object(trigger.tableOid);
    if ((relation?.kind !== 'table' && relation?.kind !== 'view') || !isOwned(source, relation)) continue;
    const schema = source.schemaNameOf(relation.schemaOid);
    for (const number of trigger.columns) {
      const column = relation.columns.find((one, i) => numberOf(one, i) === number);
      yield {
        trigger_catalog: source.databaseName,
        trigger_schema: schema,
        trigger_name: trigger.name,
        event_object_catalog: source.databaseName,
        event_object_schema: schema,
        event_object_table: relation.name,
        event_object_column: column?.name ?? null,
      };
    }
  }
}

/** What has a type: the object, and its number within it. */
function* typedThings(source: SystemViewSource): Iterable<CatalogRow> {
  const named = (row: CatalogRow, schema: string, name: string, type: string): CatalogRow => ({
    object_catalog: source.databaseName,
    object_schema: row[schema],
    object_name: row[name],
    object_type: type,
    dtd_identifier: row['dtd_identifier'],
  });
  for (const row of attributeRows(source)) yield named(row, 'udt_schema', 'udt_name', 'USER-DEFINED TYPE');
  for (const row of columnRows(source)) yield named(row, 'table_schema', 'table_name', 'TABLE');
  for (const row of domainRows(source)) yield named(row, 'domain_schema', 'domain_name', 'DOMAIN');
  for (const row of [...parameterRows(source), ...routineRows(source)])
    yield named(row, 'specific_schema', 'specific_name', 'ROUTINE');
}

/** Arrays among what has a type, described by their elements. */
function* elementRows(source: SystemViewSource): Iterable<CatalogRow> {
  const describe = (schemaOid: number, name: string, kind: string, number: number, oid: number): CatalogRow[] => {
    const type = source.types.byOid(baseOf(source, oid));
    if (type?.kind !== 'array') return [];
    const { data_type, udt_catalog, udt_schema, udt_name } = typeColumns(source, { oid: type.elementOid, typmod: -1 });
    return [
      {
        object_catalog: source.databaseName,
        object_schema: source.schemaNameOf(schemaOid),
        object_name: name,
        object_type: kind,
        collection_type_identifier: String(number),
        data_type,
        udt_catalog,
        udt_schema,
        udt_name,
        dtd_identifier: `a${number}`,
      },
    ];
  };
  for (const relation of visible(source)) {
    if (relation.kind === 'sequence') continue;
    for (const [i, column] of relation.columns.entries()) {
      if ('dropped' in column && column.dropped) continue;
      yield* describe(relation.schemaOid, relation.name, 'TABLE', numberOf(column, i), column.type.oid);
    }
  }
  for (const { definition, schemaOid, name } of typesOf(source)) {
    if (definition.kind === 'domain') yield* describe(schemaOid, name, 'DOMAIN', 1, definition.base.oid);
    if (definition.kind !== 'composite' || definition.relationOid !== undefined) continue;
    for (const [i, { type }] of definition.fields.entries())
      yield* describe(schemaOid, name, 'USER-DEFINED TYPE', i + 1, type.oid);
  }
  for (const routine of routinesOf(source)) {
    const specific = String(specificNames(source, routine)['specific_name']);
    yield* describe(routine.schemaOid, specific, 'ROUTINE', 0, routine.resultType.oid);
    for (const [i, { type }] of routine.parameters.entries())
      yield* describe(routine.schemaOid, specific, 'ROUTINE', i + 1, type.oid);
  }
}

/** Routines that views call. */
function* viewRoutineRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const view of relationsOf(source)) {
    if (view.kind !== 'view') continue;
    const { view_catalog: table_catalog, view_schema: table_schema, view_name: table_name } = viewNames(source, view);
    for (const routine of usedRoutines(source, view.oid))
      yield { table_catalog, table_schema, table_name, ...specificNames(source, routine) };
  }
}

/** Routines of the role's own that an object needs. */
function* usedRoutines(source: SystemViewSource, oid: number): Iterable<RoutineDescriptor> {
  const seen = new Set<number>();
  for (const { referencedOid } of source.objectsSeen.dependenciesOf(oid)) {
    const used = source.objectsSeen.object(referencedOid);
    if (used?.kind !== 'routine' || seen.has(referencedOid) || !isOwned(source, used)) continue;
    seen.add(referencedOid);
    yield used;
  }
}

/** Routines that checks of tables call. */
function* checkRoutineRows(source: SystemViewSource): Iterable<CatalogRow> {
  const byConstraint = new Map<number, number[]>();
  for (const { classid, refclassid, objid, refobjid } of dependencyRows(source)) {
    if (classid !== ClassOid.constraint || refclassid !== ClassOid.procedure) continue;
    byConstraint.set(Number(objid), [...(byConstraint.get(Number(objid)) ?? []), Number(refobjid)]);
  }
  for (const table of tablesOf(source)) {
    for (const { oid, name } of table.constraints) {
      for (const routineOid of byConstraint.get(oid) ?? []) {
        const routine = source.objectsSeen.object(routineOid);
        if (routine?.kind !== 'routine' || !isOwned(source, routine)) continue;
        yield {
          constraint_catalog: source.databaseName,
          constraint_schema: source.schemaNameOf(table.schemaOid),
          constraint_name: name,
          ...specificNames(source, routine),
        };
      }
    }
  }
}

/** What bodies in standard SQL use: those of all other routines are known when they run. `kind` is of what is used. */
function routineUses(kind: 'column' | 'routine' | 'sequence' | 'table'): (source: SystemViewSource) => CatalogRow[] {
  return (source) => [...routinesOf(source)].flatMap((routine) => usesOf(source, routine, kind));
}

function usesOf(
  source: SystemViewSource,
  routine: RoutineDescriptor,
  kind: 'column' | 'routine' | 'sequence' | 'table',
): CatalogRow[] {
  const rows: CatalogRow[] = [];
  const user = {
    ...specificNames(source, routine),
    routine_catalog: source.databaseName,
    routine_schema: source.schemaNameOf(routine.schemaOid),
    routine_name: routine.name,
  };
  for (const { referencedOid, referencedColumn } of source.objectsSeen.dependenciesOf(routine.oid)) {
    const used = source.objectsSeen.object(referencedOid);
    if (used === undefined || !('ownerOid' in used) || used.kind === 'database' || !isOwned(source, used)) continue;
    if (kind === 'routine' && used.kind === 'routine') {
      const { specific_catalog, specific_schema, specific_name } = specificNames(source, used);
      rows.push({
        ...user,
        routine_catalog: specific_catalog,
        routine_schema: specific_schema,
        routine_name: specific_name,
      });
    } else if (kind === 'sequence' && used.kind === 'sequence') {
      const { table_catalog, table_schema, table_name } = tableNames(source, used);
      rows.push({ ...user, sequence_catalog: table_catalog, sequence_schema: table_schema, sequence_name: table_name });
    } else if (used.kind === 'table' || used.kind === 'view') {
      const column = used.columns.find((one, i) => numberOf(one, i) === referencedColumn);
      if (kind === 'table' && referencedColumn === 0) rows.push({ ...user, ...tableNames(source, used) });
      if (kind === 'column' && column !== undefined)
        rows.push({ ...user, ...tableNames(source, used), column_name: column.name });
    }
  }
  return rows;
}

function* collationRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const collation_name of ['default', 'C', 'POSIX', ...localeCollations(source).keys()]) {
    yield {
      collation_catalog: source.databaseName,
      collation_schema: 'pg_catalog',
      collation_name,
      pad_attribute: 'NO PAD',
      character_set_name: 'UTF8',
    };
  }
}

export const INFORMATION_OBJECT_VIEWS: readonly SystemView[] = [
  informationView('column_domain_usage', columnDomainRows),
  informationView('column_udt_usage', columnTypeRows),
  informationView('domain_udt_usage', domainTypeRows),
  informationView('column_column_usage', columnColumnRows),
  informationView('triggered_update_columns', triggeredColumnRows),
  informationView('data_type_privileges', typedThings),
  informationView('element_types', elementRows),
  informationView('view_routine_usage', viewRoutineRows),
  informationView('check_constraint_routine_usage', checkRoutineRows),
  informationView('routine_column_usage', routineUses('column')),
  informationView('routine_routine_usage', routineUses('routine')),
  informationView('routine_sequence_usage', routineUses('sequence')),
  informationView('routine_table_usage', routineUses('table')),
  informationView('collations', collationRows),
  informationView('collation_character_set_applicability', collationRows),
  ...emptyInformationViews(
    '_pg_foreign_data_wrappers',
    '_pg_foreign_servers',
    '_pg_foreign_table_columns',
    '_pg_foreign_tables',
    '_pg_user_mappings',
    'column_options',
    'foreign_data_wrapper_options',
    'foreign_data_wrappers',
    'foreign_server_options',
    'foreign_servers',
    'foreign_table_options',
    'foreign_tables',
    'transforms',
    'user_mapping_options',
    'user_mappings',
  ),
];
