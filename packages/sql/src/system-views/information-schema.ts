/**
 * `information_schema`: what ISO lets a user know of tables, columns, constraints, sequences and views. A role sees what it owns
 * or has some right on. PostgreSQL's columns, all of them.
 */
import {
  type ConstraintDescriptor,
  type RelationDescriptor,
  type SequenceDescriptor,
  type TableDescriptor,
  type TypeRef,
  hasColumnPrivilege,
  hasPrivilege,
} from '@phantom/catalog';
import { formatType } from '../types/format-type.js';
import { countsOctets, lengthOf } from '../types/text-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type CatalogRow, informationView } from './catalog-view.js';
import { constraintText, defaultText, viewDefinitionText } from './object-text.js';
import { listedSystemViews, relationsOf, schemasOf, typesOf } from './pg-objects.js';
import { systemType } from './row-types.js';
import { type SystemView, type SystemViewSource, isSystemTable } from './system-view.js';
import { writableColumns } from './updatable-views.js';

export const yesOrNo = (is: boolean): string => (is ? 'YES' : 'NO');

/** Relations on which the role has any right. Materialized views are not of the standard, and not shown. */
export function* visible(source: SystemViewSource): Iterable<Exclude<RelationDescriptor, { kind: 'index' }>> {
  const { objectsSeen, roleOid } = source;
  for (const relation of relationsOf(source)) {
    if (relation.kind === 'index' || (relation.kind === 'table' && relation.materialized !== undefined)) continue;
    const letters = relation.kind === 'sequence' ? 'rwU' : 'rawdDxt';
    const any = [...letters].some((letter) => hasPrivilege(objectsSeen, roleOid, relation, letter));
    const anyColumn =
      relation.kind === 'table' &&
      [...'rawx'].some((letter) => hasColumnPrivilege(objectsSeen, roleOid, relation, letter, []));
    if (any || anyColumn) yield relation;
  }
}

function* visibleTables(source: SystemViewSource): Iterable<TableDescriptor> {
  for (const relation of visible(source)) if (relation.kind === 'table') yield relation;
}

/** What every row about a table begins with. */
export function tableNames(source: SystemViewSource, relation: RelationDescriptor): Record<string, Value> {
  return {
    table_catalog: source.databaseName,
    table_schema: source.schemaNameOf(relation.schemaOid),
    table_name: relation.name,
  };
}

function* schemaRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, ownerOid } of schemasOf(source))
    yield { catalog_name: source.databaseName, schema_name: name, schema_owner: source.roleNameOf(ownerOid) };
}

function* tableRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind === 'sequence') continue;
    const temporary = relation.kind === 'table' && relation.persistence === 'temporary';
    yield {
      ...tableNames(source, relation),
      table_type: relation.kind === 'view' ? 'VIEW' : temporary ? 'LOCAL TEMPORARY' : 'BASE TABLE',
      is_insertable_into: yesOrNo(relation.kind === 'table' || writableColumns(source, relation) !== undefined),
      is_typed: 'NO',
    };
  }
  for (const view of listedSystemViews(source)) {
    yield {
      table_catalog: source.databaseName,
      table_schema: source.schemaNameOf(view.schemaOid),
      table_name: view.name,
      table_type: isSystemTable(view) ? 'BASE TABLE' : 'VIEW',
      is_insertable_into: 'NO',
      is_typed: 'NO',
    };
  }
}

/** How the type of a column is described: the ISO columns about it. */
export function typeColumns(source: SystemViewSource, declared: TypeRef): Record<string, Value> {
  const type = source.types.byOid(declared.oid);
  let under = type;
  let { typmod } = declared;
  while (under?.kind === 'domain') {
    under = source.types.byOid(under.baseOid);
    typmod = -1;
  }
  const isUser = (oid: number): boolean => source.objectsSeen.object(oid) !== undefined;
  const schemaOf = (oid: number): string => {
    const object = systemType(oid) ?? source.objectsSeen.object(oid);
    return object?.kind === 'type' ? source.schemaNameOf(object.schemaOid) : 'pg_catalog';
  };
  const domain = type?.kind === 'domain' ? type : undefined;
  const dataType =
    under === undefined
      ? null
      : under.kind === 'array'
        ? 'ARRAY'
        : isUser(under.oid)
          ? 'USER-DEFINED'
          : formatType(under, -1);
  return {
    data_type: dataType,
    ...sizes(under?.oid ?? 0, typmod),
    udt_catalog: source.databaseName,
    udt_schema: under?.kind === 'array' ? schemaOf(under.elementOid) : schemaOf(under?.oid ?? 0),
    udt_name: under?.name ?? null,
    ...(domain === undefined
      ? {}
      : { domain_catalog: source.databaseName, domain_schema: schemaOf(domain.oid), domain_name: domain.name }),
  };
}

const CHARACTER_OCTETS_MAX = 1_073_741_824;
const BINARY_DIGITS: Readonly<Record<number, number>> = {
  [TypeOid.int2]: 16,
  [TypeOid.int4]: 32,
  [TypeOid.int8]: 64,
  [TypeOid.float4]: 24,
  [TypeOid.float8]: 53,
};
const WITH_FRACTION = new Set<number>([
  TypeOid.time,
  TypeOid.timetz,
  TypeOid.timestamp,
  TypeOid.timestamptz,
  TypeOid.interval,
]);

function sizes(oid: number, typmod: number): Record<string, Value> {
  if (oid === TypeOid.varchar || oid === TypeOid.bpchar || oid === TypeOid.text) {
    const length = oid === TypeOid.text || typmod < 4 ? null : lengthOf(typmod);
    return {
      character_maximum_length: length,
      character_octet_length: length === null ? CHARACTER_OCTETS_MAX : length * (countsOctets(typmod) ? 1 : 4),
    };
  }
  if (oid === TypeOid.bit || oid === TypeOid.varbit) return { character_maximum_length: typmod < 0 ? null : typmod };
  const digits = BINARY_DIGITS[oid];
  if (digits !== undefined) {
    const isFloat = oid === TypeOid.float4 || oid === TypeOid.float8;
    return { numeric_precision: digits, numeric_precision_radix: 2, ...(isFloat ? {} : { numeric_scale: 0 }) };
  }
  if (oid === TypeOid.numeric) {
    if (typmod < 4) return { numeric_precision_radix: 10 };
    const modifier = typmod - 4;
    return {
      numeric_precision: modifier >>> 16,
      numeric_precision_radix: 10,
      numeric_scale: ((modifier & 0x7ff) << 21) >> 21,
    };
  }
  if (oid === TypeOid.date) return { datetime_precision: 0 };
  if (!WITH_FRACTION.has(oid)) return {};
  const precision = oid === TypeOid.interval ? typmod & 0xffff : typmod;
  return { datetime_precision: typmod < 0 || precision === 0xffff ? 6 : precision };
}

/** A domain that is NOT NULL lets no column of it hold one. */
function isOfNotNullDomain({ objectsSeen }: SystemViewSource, typeOid: number): boolean {
  const type = objectsSeen.object(typeOid);
  return type?.kind === 'type' && type.definition.kind === 'domain' && type.definition.notNull;
}

export function* columnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind === 'table') {
      for (const column of relation.columns) {
        if (column.dropped) continue;
        const text = column.defaultSql === undefined ? null : defaultText(source.catalog, relation, column);
        const generated = column.generated !== undefined;
        yield {
          ...tableNames(source, relation),
          ...columnBasics(source, column.name, column.number, column.type),
          column_default: generated || column.identity !== undefined ? null : text,
          is_nullable: yesOrNo(!column.notNull && !isOfNotNullDomain(source, column.type.oid)),
          ...identityColumns(source, column.identity, column.sequenceOid),
          is_generated: generated ? 'ALWAYS' : 'NEVER',
          generation_expression: generated ? text : null,
          is_updatable: 'YES',
        };
      }
    } else if (relation.kind === 'view') {
      const writable = writableColumns(source, relation);
      for (const [i, column] of relation.columns.entries()) {
        yield {
          ...tableNames(source, relation),
          ...columnBasics(source, column.name, i + 1, column.type),
          is_nullable: yesOrNo(!isOfNotNullDomain(source, column.type.oid)),
          ...identityColumns(source, undefined, undefined),
          is_generated: 'NEVER',
          is_updatable: yesOrNo(writable?.has(column.name) === true),
        };
      }
    }
  }
  for (const view of listedSystemViews(source)) {
    for (const [i, [name, oid]] of view.columns.entries()) {
      yield {
        table_catalog: source.databaseName,
        table_schema: source.schemaNameOf(view.schemaOid),
        table_name: view.name,
        ...columnBasics(source, name, i + 1, { oid, typmod: -1 }),
        is_nullable: 'YES',
        ...identityColumns(source, undefined, undefined),
        is_generated: 'NEVER',
        is_updatable: 'NO',
      };
    }
  }
}

function columnBasics(source: SystemViewSource, name: string, number: number, type: TypeRef): Record<string, Value> {
  return {
    column_name: name,
    ordinal_position: number,
    ...typeColumns(source, type),
    dtd_identifier: String(number),
    is_self_referencing: 'NO',
  };
}

function identityColumns(
  source: SystemViewSource,
  identity: 'always' | 'by default' | undefined,
  sequenceOid: number | undefined,
): Record<string, Value> {
  const sequence =
    identity === undefined || sequenceOid === undefined ? undefined : source.objectsSeen.object(sequenceOid);
  if (identity === undefined || sequence?.kind !== 'sequence') return { is_identity: 'NO', identity_cycle: 'NO' };
  return {
    is_identity: 'YES',
    identity_generation: identity.toUpperCase(),
    identity_start: sequence.start,
    identity_increment: sequence.increment,
    identity_maximum: sequence.maximum,
    identity_minimum: sequence.minimum,
    identity_cycle: yesOrNo(sequence.cycle),
  };
}

function constraintNames(source: SystemViewSource, table: TableDescriptor, name: string): Record<string, Value> {
  return {
    constraint_catalog: source.databaseName,
    constraint_schema: source.schemaNameOf(table.schemaOid),
    constraint_name: name,
  };
}

function* constraintRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      if (constraint.kind === 'exclusion') continue;
      yield {
        ...constraintNames(source, table, constraint.name),
        ...tableNames(source, table),
        constraint_type: constraint.kind.toUpperCase(),
        is_deferrable: yesOrNo(constraint.deferrable),
        initially_deferred: yesOrNo(constraint.initiallyDeferred),
        enforced: 'YES',
        ...(constraint.kind === 'unique' ? { nulls_distinct: yesOrNo(!isNullsNotDistinct(source, constraint)) } : {}),
      };
    }
    for (const { number } of notNullColumns(table)) {
      yield {
        ...constraintNames(source, table, notNullName(table, number)),
        ...tableNames(source, table),
        constraint_type: 'CHECK',
        is_deferrable: 'NO',
        initially_deferred: 'NO',
        enforced: 'YES',
      };
    }
  }
}

function isNullsNotDistinct(source: SystemViewSource, constraint: ConstraintDescriptor): boolean {
  const index = 'indexOid' in constraint ? source.objectsSeen.object(constraint.indexOid) : undefined;
  return index?.kind === 'index' && index.nullsNotDistinct;
}

function notNullColumns(table: TableDescriptor): TableDescriptor['columns'] {
  return table.columns.filter((column) => column.notNull && !column.dropped);
}

/** NOT NULL has no name of its own in PostgreSQL 15; this is the one its view makes up. */
function notNullName(table: TableDescriptor, number: number): string {
  return `${table.schemaOid}_${table.oid}_${number}_not_null`;
}

/** Columns of keys, in the order of the key. */
function* keyColumnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      if (constraint.kind === 'check' || constraint.kind === 'exclusion') continue;
      for (const [i, number] of constraint.columns.entries()) {
        yield {
          ...constraintNames(source, table, constraint.name),
          ...tableNames(source, table),
          column_name: columnName(table, number),
          ordinal_position: i + 1,
          position_in_unique_constraint:
            constraint.kind === 'foreign key' ? positionInUnique(source, constraint, i) : null,
        };
      }
    }
  }
}

function columnName(table: TableDescriptor, number: number): string | null {
  return table.columns.find((column) => column.number === number)?.name ?? null;
}

type ForeignKey = Extract<ConstraintDescriptor, { kind: 'foreign key' }>;

function referencedConstraint(
  source: SystemViewSource,
  constraint: ForeignKey,
): { readonly table: TableDescriptor; readonly unique: ConstraintDescriptor | undefined } | undefined {
  const table = source.objectsSeen.object(constraint.referencedTableOid);
  if (table?.kind !== 'table') return undefined;
  const unique = table.constraints.find(
    (candidate) => 'indexOid' in candidate && candidate.indexOid === constraint.referencedIndexOid,
  );
  return { table, unique };
}

function positionInUnique(source: SystemViewSource, constraint: ForeignKey, at: number): number | null {
  const columns = referencedConstraint(source, constraint)?.unique?.columns;
  const place = columns?.indexOf(constraint.referencedColumns[at] as number) ?? -1;
  return place < 0 ? null : place + 1;
}

/** Which columns a constraint is about; of a foreign key, those it refers to. */
function* constraintColumnRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      const referenced = constraint.kind === 'foreign key' ? referencedConstraint(source, constraint)?.table : table;
      if (referenced === undefined) continue;
      const columns = constraint.kind === 'foreign key' ? constraint.referencedColumns : constraint.columns;
      for (const number of columns) {
        yield {
          ...tableNames(source, referenced),
          column_name: columnName(referenced, number),
          ...constraintNames(source, table, constraint.name),
        };
      }
    }
  }
}

function* constraintTableRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      if (constraint.kind === 'check') continue;
      const referenced = constraint.kind === 'foreign key' ? referencedConstraint(source, constraint)?.table : table;
      if (referenced !== undefined)
        yield { ...tableNames(source, referenced), ...constraintNames(source, table, constraint.name) };
    }
  }
}

function* referentialRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      if (constraint.kind !== 'foreign key') continue;
      const referenced = referencedConstraint(source, constraint);
      const unique = referenced?.unique;
      yield {
        ...constraintNames(source, table, constraint.name),
        ...(referenced === undefined || unique === undefined
          ? {}
          : {
              unique_constraint_catalog: source.databaseName,
              unique_constraint_schema: source.schemaNameOf(referenced.table.schemaOid),
              unique_constraint_name: unique.name,
            }),
        match_option: constraint.match === 'full' ? 'FULL' : 'NONE',
        update_rule: constraint.onUpdate.toUpperCase(),
        delete_rule: constraint.onDelete.toUpperCase(),
      };
    }
  }
}

function* checkRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const table of visibleTables(source)) {
    for (const constraint of table.constraints) {
      if (constraint.kind !== 'check') continue;
      const text = constraintText(source.catalog, table, constraint);
      const clause = text.slice('CHECK '.length, text.lastIndexOf(')') + 1);
      yield { ...constraintNames(source, table, constraint.name), check_clause: clause };
    }
    for (const { name, number } of notNullColumns(table))
      yield { ...constraintNames(source, table, notNullName(table, number)), check_clause: `${name} IS NOT NULL` };
  }
}

function* viewRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind !== 'view') continue;
    const isUpdatable = yesOrNo(writableColumns(source, relation) !== undefined);
    yield {
      ...tableNames(source, relation),
      view_definition: viewDefinitionText(source.catalog, relation, false, source.formats),
      check_option: relation.checkOption?.toUpperCase() ?? 'NONE',
      is_updatable: isUpdatable,
      is_insertable_into: isUpdatable,
      is_trigger_updatable: yesOrNo(relation.insteadOf?.includes('update') === true),
      is_trigger_deletable: yesOrNo(relation.insteadOf?.includes('delete') === true),
      is_trigger_insertable_into: yesOrNo(relation.insteadOf?.includes('insert') === true),
    };
  }
}

/** The sequence of an identity column belongs to that, and is not shown. */
export function isOfIdentity(source: SystemViewSource, { ownedBy }: SequenceDescriptor): boolean {
  const owner = ownedBy === undefined ? undefined : source.objectsSeen.object(ownedBy.tableOid);
  if (owner?.kind !== 'table') return false;
  return owner.columns.some(({ identity, number }) => number === ownedBy?.column && identity !== undefined);
}

function* sequenceRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of visible(source)) {
    if (relation.kind !== 'sequence') continue;
    if (isOfIdentity(source, relation)) continue;
    const type = source.types.byOid(relation.typeOid);
    yield {
      sequence_catalog: source.databaseName,
      sequence_schema: source.schemaNameOf(relation.schemaOid),
      sequence_name: relation.name,
      data_type: type === undefined ? null : formatType(type, -1),
      numeric_precision: BINARY_DIGITS[relation.typeOid] ?? null,
      numeric_precision_radix: 2,
      numeric_scale: 0,
      start_value: relation.start,
      minimum_value: relation.minimum,
      maximum_value: relation.maximum,
      increment: relation.increment,
      cycle_option: yesOrNo(relation.cycle),
    };
  }
}

export function* domainRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const type of typesOf(source)) {
    const { definition } = type;
    if (definition.kind !== 'domain') continue;
    yield {
      ...typeColumns(source, definition.base),
      domain_catalog: source.databaseName,
      domain_schema: source.schemaNameOf(type.schemaOid),
      domain_name: type.name,
      domain_default: definition.defaultSql ?? null,
      dtd_identifier: '1',
    };
  }
}

export const INFORMATION_SCHEMA_VIEWS: readonly SystemView[] = [
  informationView('schemata', schemaRows),
  informationView('tables', tableRows),
  informationView('columns', columnRows),
  informationView('table_constraints', constraintRows),
  informationView('key_column_usage', keyColumnRows),
  informationView('constraint_column_usage', constraintColumnRows),
  informationView('constraint_table_usage', constraintTableRows),
  informationView('referential_constraints', referentialRows),
  informationView('check_constraints', checkRows),
  informationView('views', viewRows),
  informationView('sequences', sequenceRows),
  informationView('domains', domainRows),
  informationView('information_schema_catalog_name', (source) => [{ catalog_name: source.databaseName }]),
];
