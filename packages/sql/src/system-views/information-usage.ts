/** `information_schema` of what views use, and of domains and other types of users. */
import { type ViewDescriptor, hasPrivilege, ownsObject } from '@phantom/catalog';
import { type CatalogRow, informationView } from './catalog-view.js';
import { tableNames, typeColumns, visible } from './information-schema.js';
import { typesOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';

/** Views whose definitions the role may see, each with the relation or column that it uses. */
function* viewUses(source: SystemViewSource, columns: boolean): Iterable<CatalogRow> {
  for (const view of visible(source)) {
    if (view.kind !== 'view') continue;
    for (const { referencedOid, referencedColumn } of source.objectsSeen.dependenciesOf(view.oid)) {
      const used = source.objectsSeen.object(referencedOid);
      if ((used?.kind !== 'table' && used?.kind !== 'view') || columns === (referencedColumn === 0)) continue;
      if (!ownsObject(source.objectsSeen, source.roleOid, used)) continue;
      const column = used.columns.find((one, i) => ('number' in one ? one.number : i + 1) === referencedColumn);
      yield { ...viewNames(source, view), ...tableNames(source, used), column_name: column?.name ?? null };
    }
  }
}

export function viewNames(source: SystemViewSource, view: ViewDescriptor): CatalogRow {
  return {
    view_catalog: source.databaseName,
    view_schema: source.schemaNameOf(view.schemaOid),
    view_name: view.name,
  };
}

function* domainConstraintRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of typesOf(source)) {
    if (type.definition.kind !== 'domain' || !hasPrivilege(source.objectsSeen, source.roleOid, type, 'U')) continue;
    for (const check of type.definition.checks) {
      yield {
        constraint_catalog: source.databaseName,
        constraint_schema: source.schemaNameOf(type.schemaOid),
        constraint_name: check.name,
        domain_catalog: source.databaseName,
        domain_schema: source.schemaNameOf(type.schemaOid),
        domain_name: type.name,
        is_deferrable: 'NO',
        initially_deferred: 'NO',
      };
    }
  }
}

/** Composite types that are no table's row. */
function* compositeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of typesOf(source)) {
    if (type.definition.kind !== 'composite' || type.definition.relationOid !== undefined) continue;
    if (!hasPrivilege(source.objectsSeen, source.roleOid, type, 'U')) continue;
    yield {
      user_defined_type_catalog: source.databaseName,
      user_defined_type_schema: source.schemaNameOf(type.schemaOid),
      user_defined_type_name: type.name,
      user_defined_type_category: 'STRUCTURED',
      is_instantiable: 'YES',
    };
  }
}

export function* attributeRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of typesOf(source)) {
    if (type.definition.kind !== 'composite' || type.definition.relationOid !== undefined) continue;
    if (!hasPrivilege(source.objectsSeen, source.roleOid, type, 'U')) continue;
    for (const [i, field] of type.definition.fields.entries()) {
      const { udt_catalog, udt_schema, udt_name, ...described } = typeColumns(source, field.type);
      yield {
        ...described,
        udt_catalog: source.databaseName,
        udt_schema: source.schemaNameOf(type.schemaOid),
        udt_name: type.name,
        attribute_name: field.name,
        ordinal_position: i + 1,
        is_nullable: 'YES',
        attribute_udt_catalog: udt_catalog,
        attribute_udt_schema: udt_schema,
        attribute_udt_name: udt_name,
        dtd_identifier: String(i + 1),
        is_derived_reference_attribute: 'NO',
      };
    }
  }
}

export const INFORMATION_USAGE_VIEWS: readonly SystemView[] = [
  informationView('view_table_usage', (source) => viewUses(source, false)),
  informationView('view_column_usage', (source) => viewUses(source, true)),
  informationView('domain_constraints', domainConstraintRows),
  informationView('user_defined_types', compositeRows),
  informationView('attributes', attributeRows),
  informationView('character_sets', (source) => [
    {
      character_set_name: 'UTF8',
      character_repertoire: 'UCS',
      form_of_use: 'UTF8',
      default_collate_catalog: source.databaseName,
      default_collate_schema: 'pg_catalog',
      default_collate_name: 'C',
    },
  ]),
];
