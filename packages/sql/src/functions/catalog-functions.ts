/** Functions about the catalog: definitions as text, comments, sizes, visibility. Rights are in privilege-functions.ts. */
import {
  type ConstraintDescriptor,
  type ObjectDescriptor,
  type Oid,
  type RelationDescriptor,
  type RoutineDescriptor,
  type TableDescriptor,
  policiesFor,
} from '@phantom/catalog';
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { spaceRange } from '@phantom/kv';
import { EXTENSIONS } from '../ddl/extensions.js';
import { defaultPrivileges } from '../system-views/acl-text.js';
import type { statisticsColumnsText, statisticsText } from '../system-views/pg-statistics.js';
import type { triggerText } from '../system-views/trigger-text.js';
import type { RoutineTexts } from '../system-views/routine-text.js';
import type { ObjectTexts, TextCatalog } from '../system-views/object-text.js';
import { derivedFrom } from '../system-views/oids.js';
import { COLUMN_NAMES, NOT_BARE_LABELS, RESERVED, TYPE_OR_FUNCTION, UNRESERVED } from '../text/keywords.js';
import { aclName, aclParts } from '../types/acl-item-type.js';
import { formatType } from '../types/format-type.js';
import { quoteIdentifier, regclassNamed } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type Implementations, contextual, setOf } from './implementation.js';
import { int8 } from './integers.js';
import { describeObject } from './object-descriptions.js';
import type { EvaluationContext } from './registry.js';

/** The session's picture of the catalog as these functions ask it. */
interface FunctionCatalog extends TextCatalog {
  roleName(oid: Oid): string | undefined;
  roleOid(name: string): Oid | undefined;
  /** Handed in: to write an expression takes the binder, which knows these functions. */
  readonly texts: ObjectTexts;
  readonly routineTexts: RoutineTexts;
  readonly triggerText: typeof triggerText;
  readonly statisticsText: typeof statisticsText;
  readonly statisticsColumnsText: typeof statisticsColumnsText;
}

/** The classes of keywords as pg_get_keywords tells of them. */
const KEYWORDS = [
  { words: UNRESERVED, code: 'U', description: 'unreserved' },
  { words: COLUMN_NAMES, code: 'C', description: 'unreserved (cannot be function or type name)' },
  { words: TYPE_OR_FUNCTION, code: 'T', description: 'reserved (can be function or type name)' },
  { words: RESERVED, code: 'R', description: 'reserved' },
];

function keywordRow(word: string, { code, description }: { code: string; description: string }): Value[] {
  const isBare = !NOT_BARE_LABELS.has(word);
  return [word, code, isBare, description, isBare ? 'can be bare label' : 'requires AS'];
}

/** One row for each right of an aclitem: who has granted it, who has it (0: everybody), its name, whether it may be handed on. */
function explodedRights(item: string, context: EvaluationContext): Value[][] {
  const { grantee, grantor, rights } = aclParts(item);
  const roleOid = (name: string): number => (name === '' ? 0 : (catalogOf(context).roleOid(name) ?? 0));
  return rights.map(({ name, isGrantable }) => [roleOid(grantor), roleOid(grantee), name, isGrantable]);
}

function catalogOf(context: EvaluationContext): FunctionCatalog {
  return context.catalog as FunctionCatalog;
}

function objectOf(oid: Oid, context: EvaluationContext): ObjectDescriptor | undefined {
  return catalogOf(context).objects.object(oid);
}

/** Whether policies keep something of the table from the current role. */
function isRowSecurityActive(oid: Oid, context: EvaluationContext): boolean {
  const catalog = catalogOf(context);
  const table = catalog.objects.object(oid);
  const role = catalog.roleOid(context.currentUser);
  return table?.kind === 'table' && role !== undefined && policiesFor(catalog.objects, table, role) !== undefined;
}

function* constraintsOf(context: EvaluationContext): Iterable<[TableDescriptor, ConstraintDescriptor]> {
  for (const object of catalogOf(context).objects.objects())
    if (object.kind === 'table') for (const constraint of object.constraints) yield [object, constraint];
}

function constraintDefinition(oid: Oid, context: EvaluationContext): string | null {
  for (const [table, constraint] of constraintsOf(context))
    if (constraint.oid === oid) return catalogOf(context).texts.constraintText(catalogOf(context), table, constraint);
  for (const object of catalogOf(context).objects.objects()) {
    if (object.kind !== 'type' || object.definition.kind !== 'domain') continue;
    const { base, checks } = object.definition;
    const check = checks.find((candidate) => candidate.oid === oid);
    if (check === undefined) continue;
    const text = catalogOf(context).texts.domainCheckText(catalogOf(context), base, check.expressionSql);
    return check.validated === false ? `${text} NOT VALID` : text;
  }
  return null;
}

function indexDefinition(oid: Oid, column: number, context: EvaluationContext): string | null {
  const index = objectOf(oid, context);
  if (index?.kind !== 'index') return null;
  if (column === 0) return catalogOf(context).texts.indexText(catalogOf(context), index);
  const table = objectOf(index.tableOid, context);
  return table?.kind === 'table'
    ? catalogOf(context).texts.indexPartText(catalogOf(context), table, index, column - 1)
    : null;
}

/** The second argument asks for fewer parentheses, or names the width to which lines are filled, which asks for them too. */
function viewDefinition(oid: Oid, asked: unknown, context: EvaluationContext): string | null {
  const relation = objectOf(oid, context);
  if (relation?.kind !== 'view' && (relation?.kind !== 'table' || relation.materialized === undefined)) return null;
  const pretty = asked === true || typeof asked === 'number';
  return catalogOf(context).texts.viewDefinitionText(catalogOf(context), relation, pretty, context);
}

/** Of the rules that views are; there are no others. */
function ruleDefinition(oid: Oid, pretty: boolean, context: EvaluationContext): string | null {
  const catalog = catalogOf(context);
  const rule = objectOf(oid, context);
  if (rule?.kind === 'rule') return catalog.texts.ruleDefinitionText(catalog, rule, pretty, context);
  const view = objectOf(derivedFrom(oid), context);
  const isView = view?.kind === 'view' || (view?.kind === 'table' && view.materialized !== undefined);
  return isView ? catalog.texts.returnRuleText(catalog, view, pretty, context) : null;
}

function comment(oid: Oid, context: EvaluationContext): string | null {
  const object = objectOf(oid, context);
  if (object !== undefined) return object.comment ?? null;
  for (const [, constraint] of constraintsOf(context)) if (constraint.oid === oid) return constraint.comment ?? null;
  return EXTENSIONS.find((extension) => extension.oid === oid)?.description ?? null;
}

function columnComment(oid: Oid, number: number, context: EvaluationContext): string | null {
  const relation = objectOf(oid, context) ?? objectOf(derivedFrom(oid), context);
  if (relation?.kind === 'view') return relation.columns[number - 1]?.comment ?? null;
  if (relation?.kind === 'type' && relation.definition.kind === 'composite')
    return relation.definition.fields[number - 1]?.comment ?? null;
  if (relation?.kind !== 'table') return null;
  return relation.columns.find((column) => column.number === number)?.comment ?? null;
}

/** Bytes of a relation's own space, estimated. */
function bytesOf(relation: RelationDescriptor | undefined, context: EvaluationContext): number {
  if (relation?.kind !== 'table' && relation?.kind !== 'index') return 0;
  return catalogOf(context).statistics.range(spaceRange(relation.space)).bytes;
}

function relationOf(oid: Oid, context: EvaluationContext): RelationDescriptor | undefined {
  const object = objectOf(oid, context);
  const isRelation =
    object?.kind === 'table' || object?.kind === 'index' || object?.kind === 'view' || object?.kind === 'sequence';
  return isRelation ? object : undefined;
}

function size(oid: Oid, context: EvaluationContext, parts: 'own' | 'indexes' | 'all'): number | null {
  const relation = relationOf(oid, context);
  if (relation === undefined) return catalogOf(context).relationByOid(oid) === undefined ? null : 0;
  let bytes = parts === 'indexes' ? 0 : bytesOf(relation, context);
  if (relation.kind === 'table' && parts !== 'own') {
    for (const indexOid of relation.indexOids) {
      const index = relationOf(indexOid, context);
      // The primary key's index is the table itself.
      if (index?.kind === 'index' && index.space !== relation.space) bytes += bytesOf(index, context);
    }
  }
  return Math.round(bytes);
}

function databaseSize(databaseOid: Oid | undefined, context: EvaluationContext): number | null {
  if (databaseOid === undefined) return null;
  let bytes = 0;
  for (const object of catalogOf(context).objects.objects()) {
    if (object.kind === 'table' && object.databaseOid === databaseOid) bytes += size(object.oid, context, 'all') ?? 0;
  }
  return bytes;
}

function databaseNamed(name: string, context: EvaluationContext): Oid | undefined {
  for (const object of catalogOf(context).objects.objects())
    if (object.kind === 'database' && object.name === name) return object.oid;
  return undefined;
}

function serialSequence(tableName: string, columnName: string, context: EvaluationContext): string | null {
  const table = objectOf(regclassNamed(tableName, context), context);
  const column = table?.kind === 'table' ? table.columns.find(({ name }) => name === columnName) : undefined;
  const sequence = column?.sequenceOid === undefined ? undefined : objectOf(column.sequenceOid, context);
  if (sequence?.kind !== 'sequence') return null;
  return `${quoteIdentifier(catalogOf(context).schemaName(sequence.schemaOid))}.${quoteIdentifier(sequence.name)}`;
}

function relationVisible(oid: Oid, context: EvaluationContext): boolean | null {
  const catalog = catalogOf(context);
  const relation = catalog.relationByOid(oid);
  if (relation !== undefined) return catalog.relation({ name: relation.name })?.oid === oid;
  const composite = derivedFrom(oid);
  return composite === 0 ? null : typeVisible(composite, context);
}

function typeVisible(oid: Oid, context: EvaluationContext): boolean | null {
  const type = context.types.byOid(oid);
  if (type !== undefined)
    return catalogOf(context).typeNamed({ name: type.name })?.oid === oid || objectOf(oid, context) === undefined;
  // The type of a table's rows is where the table is.
  for (const object of catalogOf(context).objects.objects())
    if ((object.kind === 'table' || object.kind === 'view') && object.rowTypeOid === oid)
      return relationVisible(object.oid, context);
  return null;
}

/** What a user has defined. */
function routineOf(oid: Oid, context: EvaluationContext): RoutineDescriptor | undefined {
  const object = objectOf(oid, context);
  return object?.kind === 'routine' ? object : undefined;
}

function functionVisible(oid: Oid, context: EvaluationContext): boolean | null {
  const { functions } = catalogOf(context);
  const definition = functions.functionByOid(oid);
  if (definition === undefined) return null;
  const types = definition.argumentTypes.join();
  const found = functions.functionsNamed(definition.name).find((other) => other.argumentTypes.join() === types);
  return found?.oid === oid;
}

function argumentTypes(oid: Oid, withDefaults: boolean, context: EvaluationContext): string | null {
  const routine = routineOf(oid, context);
  if (routine !== undefined)
    return catalogOf(context).routineTexts.argumentsText(catalogOf(context), routine, withDefaults);
  const definition = catalogOf(context).functions.functionByOid(oid);
  if (definition === undefined) return null;
  return definition.argumentTypes
    .map((typeOid, i) => {
      const type = context.types.byOid(typeOid);
      const name = definition.argumentNames?.[i];
      const variadic = definition.variadic !== undefined && i === definition.argumentTypes.length - 1;
      const shown = type === undefined ? '???' : formatType(type, -1);
      return `${variadic ? 'VARIADIC ' : ''}${name === undefined || name === '' ? '' : `${quoteIdentifier(name)} `}${shown}`;
    })
    .join(', ');
}

function resultType(oid: Oid, context: EvaluationContext): string | null {
  const routine = routineOf(oid, context);
  if (routine !== undefined) return catalogOf(context).routineTexts.resultText(catalogOf(context), routine);
  const definition = catalogOf(context).functions.functionByOid(oid);
  if (definition === undefined) return null;
  const type = context.types.byOid(definition.resultType);
  return `${definition.kind === 'set' ? 'SETOF ' : ''}${type === undefined ? '???' : formatType(type, -1)}`;
}

/** A definition as it is, or as people like it. */
function styled(text: string | null, pretty: boolean, context: EvaluationContext): string | null {
  return text === null || !pretty ? text : catalogOf(context).texts.prettyDefinition(text);
}

/** When the process began, microseconds since 2000. */
export function postmasterStartMicros(context: EvaluationContext): number {
  return context.clockMicros() - Math.round(process.uptime() * 1e6);
}

export const catalogFunctions: Implementations = {
  pg_describe_object: contextual(describeObject),
  pg_get_constraintdef: contextual((oid: Oid, ...rest: [EvaluationContext] | [boolean, EvaluationContext]) => {
    const context = rest.at(-1) as EvaluationContext;
    return styled(constraintDefinition(oid, context), rest[0] === true, context);
  }),
  pg_get_indexdef: contextual((oid: Oid, ...rest: [EvaluationContext] | [number, boolean, EvaluationContext]) => {
    const context = rest.at(-1) as EvaluationContext;
    return styled(indexDefinition(oid, rest.length === 1 ? 0 : rest[0], context), rest[1] === true, context);
  }),
  pg_get_viewdef: contextual((oid: Oid, ...rest: [EvaluationContext] | [unknown, EvaluationContext]) =>
    viewDefinition(oid, rest.length > 1 ? rest[0] : false, rest.at(-1) as EvaluationContext),
  ),
  pg_get_viewdef_name: contextual((name: string, ...rest: [EvaluationContext] | [unknown, EvaluationContext]) => {
    const context = rest.at(-1) as EvaluationContext;
    return viewDefinition(regclassNamed(name, context), rest.length > 1 ? rest[0] : false, context);
  }),
  // What the catalogs hold of an expression is its text already.
  pg_get_expr: contextual((text: string, _oid: Oid, ...rest: [EvaluationContext] | [boolean, EvaluationContext]) =>
    rest[0] === true ? catalogOf(rest[1] as EvaluationContext).texts.prettyText(text) : text,
  ),
  pg_get_ruledef: contextual((oid: Oid, ...rest: [EvaluationContext] | [boolean, EvaluationContext]) =>
    ruleDefinition(oid, rest.length > 1 && rest[0] === true, rest.at(-1) as EvaluationContext),
  ),
  pg_get_triggerdef: contextual((oid: Oid, ...rest: [EvaluationContext] | [boolean, EvaluationContext]) => {
    const context = rest.at(-1) as EvaluationContext;
    const trigger = objectOf(oid, context);
    if (trigger?.kind !== 'trigger') return null;
    return catalogOf(context).triggerText(catalogOf(context), trigger, rest[0] === true);
  }),
  pg_get_statisticsobjdef: contextual((oid: Oid, context: EvaluationContext) => {
    const statistics = objectOf(oid, context);
    if (statistics?.kind !== 'statistics') return null;
    return catalogOf(context).statisticsText(catalogOf(context), statistics);
  }),
  pg_get_statisticsobjdef_columns: contextual((oid: Oid, context: EvaluationContext) => {
    const statistics = objectOf(oid, context);
    if (statistics?.kind !== 'statistics') return null;
    return catalogOf(context).statisticsColumnsText(catalogOf(context), statistics);
  }),
  pg_get_functiondef: contextual((oid: Oid, context: EvaluationContext) => {
    const routine = routineOf(oid, context);
    return routine === undefined ? null : catalogOf(context).routineTexts.definitionText(catalogOf(context), routine);
  }),
  pg_get_function_sqlbody: contextual((oid: Oid, context: EvaluationContext) => {
    const routine = routineOf(oid, context);
    return routine === undefined ? null : catalogOf(context).routineTexts.sqlBodyText(routine);
  }),
  pg_get_function_arg_default: contextual((oid: Oid, place: number, context: EvaluationContext) => {
    const routine = routineOf(oid, context);
    return routine === undefined
      ? null
      : catalogOf(context).routineTexts.defaultText(catalogOf(context), routine, place);
  }),
  pg_get_function_arguments: contextual((oid: Oid, context: EvaluationContext) => argumentTypes(oid, true, context)),
  pg_get_function_identity_arguments: contextual((oid: Oid, context: EvaluationContext) =>
    argumentTypes(oid, false, context),
  ),
  pg_get_function_result: contextual(resultType),
  pg_get_serial_sequence: contextual(serialSequence),
  pg_get_userbyid: contextual(
    (oid: Oid, context: EvaluationContext) => catalogOf(context).roleName(oid) ?? `unknown (OID=${oid})`,
  ),
  obj_description: contextual((oid: Oid, ...rest: [EvaluationContext] | [string, EvaluationContext]) => {
    const context = rest.at(-1) as EvaluationContext;
    return rest[0] === 'pg_largeobject' ? context.largeObjects.comment(oid) : comment(oid, context);
  }),
  col_description: contextual(columnComment),
  pg_table_is_visible: contextual(relationVisible),
  pg_type_is_visible: contextual(typeVisible),
  pg_function_is_visible: contextual(functionVisible),
  always_visible: () => true,
  pg_relation_size: contextual((oid: Oid, ...rest: [EvaluationContext] | [string, EvaluationContext]) =>
    size(oid, rest.at(-1) as EvaluationContext, 'own'),
  ),
  pg_table_size: contextual((oid: Oid, context: EvaluationContext) => size(oid, context, 'own')),
  pg_indexes_size: contextual((oid: Oid, context: EvaluationContext) => size(oid, context, 'indexes')),
  pg_total_relation_size: contextual((oid: Oid, context: EvaluationContext) => size(oid, context, 'all')),
  pg_database_size_name: contextual((name: string, context: EvaluationContext) =>
    databaseSize(databaseNamed(name, context), context),
  ),
  pg_database_size_oid: contextual((oid: Oid, context: EvaluationContext) => databaseSize(oid, context)),
  pg_postmaster_start_time: contextual(postmasterStartMicros),
  pg_is_in_recovery: () => false,
  pg_my_temp_schema: contextual((context: EvaluationContext) => catalogOf(context).temporarySchemaOid ?? 0),
  pg_is_other_temp_schema: () => false,
  row_security_active: contextual(isRowSecurityActive),
  row_security_active_name: contextual((name: string, context: EvaluationContext) =>
    isRowSecurityActive(regclassNamed(name, context), context),
  ),
  pg_tablespace_location: () => '',
  pg_relation_is_publishable: contextual((oid: Oid, context: EvaluationContext) => {
    const object = objectOf(oid, context);
    return object?.kind === 'table' && object.persistence === 'permanent';
  }),
  pg_sequence_parameters: setOf(
    (oid: Oid, context: EvaluationContext) => {
      const sequence = objectOf(oid, context);
      if (sequence?.kind !== 'sequence')
        throw new PhantomError('42809', `"${sequence?.name ?? oid}" is not a sequence`);
      const { start, minimum, maximum, increment, cycle, cache, typeOid } = sequence;
      return [[...[start, minimum, maximum, increment].map((text) => int8(BigInt(text))), cycle, cache, typeOid]];
    },
    { context: true },
  ),
  pg_options_to_table: setOf((options: SqlArray) =>
    options.items.map((item) => {
      const text = String(item);
      const equals = text.indexOf('=');
      return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  ),
  pg_get_keywords: setOf(() => KEYWORDS.flatMap(({ words, ...kind }) => words.map((word) => keywordRow(word, kind)))),
  aclexplode: setOf(
    (acl: SqlArray, context: EvaluationContext) => acl.items.flatMap((item) => explodedRights(String(item), context)),
    { context: true },
  ),
  acldefault_sql: contextual((kind: string, ownerOid: Oid, context: EvaluationContext): Value => {
    const owner = aclName(catalogOf(context).roleName(ownerOid) ?? String(ownerOid));
    return SqlArray.of(TypeOid.aclitem, defaultPrivileges(kind, owner));
  }),
};
