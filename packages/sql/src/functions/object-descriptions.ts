/**
 * pg_describe_object: what an object is called, by the catalog that lists it and its number there. psql's \dx+ lists the members of an
 * extension by it. Types, functions, operators, casts, operator classes, relations with their columns, schemas and extensions have
 * descriptions; objects of other catalogs are refused.
 */
import { unsupportedError } from '@phantom/base';
import type { ObjectReader, Oid, RelationDescriptor } from '@phantom/catalog';
import { EXTENSIONS } from '../ddl/extensions.js';
import { type InstalledOperatorClass, installedExtensions } from '../extensions/installed.js';
import { ClassOid } from '../system-views/oids.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { EvaluationContext, FunctionRegistry } from './registry.js';

/** The session's picture of the catalog as descriptions ask it. */
interface DescribedCatalog {
  readonly objects: ObjectReader;
  readonly databaseOid: Oid;
  readonly functions: FunctionRegistry;
  schemaName(oid: Oid): string;
}

/** The description; null where there is no such object. 0A000 for a catalog whose objects have none. */
export function describeObject(classOid: Oid, oid: Oid, column: number, context: EvaluationContext): string | null {
  const catalog = context.catalog as DescribedCatalog;
  const object = catalog.objects.object(oid);
  const shown = (typeOid: Oid): string => context.types.byOid(typeOid)?.output(oid, context) ?? String(oid);
  switch (classOid) {
    case ClassOid.type: {
      const type = context.types.byOid(oid);
      return type === undefined ? null : `type ${type.displayName}`;
    }
    case ClassOid.procedure:
      return catalog.functions.functionByOid(oid) === undefined ? null : `function ${shown(TypeOid.regprocedure)}`;
    case ClassOid.operator:
      return catalog.functions.operatorByOid(oid) === undefined ? null : `operator ${shown(TypeOid.regoperator)}`;
    case ClassOid.cast:
      return castText(oid, context);
    case ClassOid.operatorClass:
    case ClassOid.operatorFamily: {
      const found = addedClass(oid, catalog);
      const word = classOid === ClassOid.operatorClass ? 'class' : 'family';
      return found === undefined ? null : `operator ${word} ${found.name} for access method ${found.method}`;
    }
    case ClassOid.namespace: {
      const name = catalog.schemaName(oid);
      return name === '' ? null : `schema ${quoteIdentifier(name)}`;
    }
    case ClassOid.extension: {
      const name = object?.kind === 'extension' ? object.name : EXTENSIONS.find((one) => one.oid === oid)?.name;
      return name === undefined ? null : `extension ${quoteIdentifier(name)}`;
    }
    case ClassOid.relation: {
      if (
        object?.kind !== 'table' &&
        object?.kind !== 'view' &&
        object?.kind !== 'sequence' &&
        object?.kind !== 'index'
      )
        return null;
      const relation = `${wordOfRelation(object)} ${shown(TypeOid.regclass)}`;
      if (column === 0) return relation;
      const name = columnName(object, column);
      return name === undefined ? null : `column ${quoteIdentifier(name)} of ${relation}`;
    }
    default:
      throw unsupportedError(`the description of an object of catalog ${classOid}`);
  }
}

function wordOfRelation(relation: RelationDescriptor): string {
  return relation.kind === 'table' && relation.materialized !== undefined ? 'materialized view' : relation.kind;
}

function columnName(relation: RelationDescriptor, number: number): string | undefined {
  if (relation.kind === 'view') return relation.columns[number - 1]?.name;
  return relation.kind === 'table'
    ? relation.columns.find((column) => column.number === number && !column.dropped)?.name
    : undefined;
}

/** Casts of users and of extensions; those that are built in have no numbers that anything refers to. */
function castText(oid: Oid, context: EvaluationContext): string | null {
  const { objects, databaseOid } = context.catalog as DescribedCatalog;
  const object = objects.object(oid);
  const added = installedExtensions(objects, databaseOid)
    .flatMap(({ casts }) => casts)
    .find((cast) => cast.oid === oid);
  const [source, target] =
    object?.kind === 'cast' ? [object.sourceOid, object.targetOid] : [added?.source ?? 0, added?.target ?? 0];
  const names = [source, target].map((typeOid) => context.types.byOid(typeOid)?.displayName);
  return names.includes(undefined) ? null : `cast from ${names[0]} to ${names[1]}`;
}

function addedClass(oid: Oid, { objects, databaseOid }: DescribedCatalog): InstalledOperatorClass | undefined {
  return installedExtensions(objects, databaseOid)
    .flatMap(({ operatorClasses }) => operatorClasses)
    .find((one) => one.oid === oid);
}
