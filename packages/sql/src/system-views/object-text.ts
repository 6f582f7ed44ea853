/** Definitions of objects as SQL text, as PostgreSQL's pg_get_... functions write them. */
import type {
  ColumnDescriptor,
  ConstraintDescriptor,
  IndexDescriptor,
  IndexKeyPart,
  ObjectReader,
  PolicyCondition,
  RuleDescriptor,
  TableDescriptor,
  ViewDescriptor,
} from '@phantom/catalog';
import { installedExtensions } from '../extensions/installed.js';
import { isPhantomError } from '@phantom/base';
import { rowExpressionText } from '../expr/row-expression.js';
import type { RowExpressionRequest } from '../expr/row-expression-types.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { renamedColumn } from '../ddl/stored-expressions.js';
import type { Query } from '../text/ast.js';
import { deparseExpression } from '../text/deparse.js';
import { parseStatement } from '../text/parse.js';
import { ruleText } from '../plan/view-text/rule-text.js';
import { viewText } from '../plan/view-text/view-text.js';
import { quoteIdentifier } from '../types/reg-types.js';
import type { TypeContext } from '../types/type.js';

/** The catalog as texts need it: names, and the objects behind them. */
export interface TextCatalog extends CatalogPort {
  readonly objects: ObjectReader;
}

/** An expression over a table's columns; as it was written where it can no longer be bound. */
function textOf(
  catalog: TextCatalog,
  table: TableDescriptor,
  sql: string,
  purpose: RowExpressionRequest['purpose'],
  target?: ColumnDescriptor['type'],
): string {
  const columns = purpose === 'default' ? [] : table.columns;
  return expressionText(sql, { columns, relationName: table.name, catalog, target, purpose });
}

/** An expression as PostgreSQL writes it; as it was written where it can no longer be bound. */
export function expressionText(sql: string, request: RowExpressionRequest): string {
  try {
    return rowExpressionText(sql, request);
  } catch (error) {
    if (isPhantomError(error)) return sql;
    throw error;
  }
}

/** The default of a column, or the expression that generates it. */
export function defaultText(catalog: TextCatalog, table: TableDescriptor, column: ColumnDescriptor): string {
  const { defaultSql = '', sequenceOid } = column;
  const sequence = sequenceOid === undefined ? undefined : catalog.objects.object(sequenceOid);
  if (sequence?.kind === 'sequence' && defaultSql.startsWith('nextval(')) {
    return `nextval('${relationName(catalog, sequence).replaceAll("'", "''")}'::regclass)`;
  }
  const text = textOf(
    catalog,
    table,
    defaultSql,
    column.generated === undefined ? 'default' : 'generated',
    column.type,
  );
  // Objects are kept by their oid, and written by the name they have now.
  return text.replace(/(?:\((\d+)\)|'?(\d+)'?)::regclass/g, (whole, wrapped: string | undefined, bare: string) => {
    const oid = wrapped ?? bare;
    const relation = catalog.relationByOid(Number(oid));
    return relation === undefined ? whole : `'${relationName(catalog, relation).replaceAll("'", "''")}'::regclass`;
  });
}

export function predicateText(catalog: TextCatalog, table: TableDescriptor, sql: string): string {
  return textOf(catalog, table, sql, 'predicate');
}

/** The condition of a policy over the table's columns as they are called now. */
export function policyText(catalog: TextCatalog, table: TableDescriptor, condition: PolicyCondition): string {
  const { body } = parseStatement(condition.querySql) as Query;
  if (body.kind !== 'select' || body.where === undefined) return '';
  let sql = deparseExpression(body.where);
  const before = condition.names?.find(({ oid }) => oid === table.oid)?.columns ?? [];
  for (const column of table.columns) {
    const from = before[column.number - 1];
    if (!column.dropped && from !== undefined && from !== column.name) sql = renamedColumn(sql, from, column.name);
  }
  return textOf(catalog, table, sql, 'policy');
}

/** A name as it must be written now: with its schema only where the search path does not lead to it. */
export function relationName(catalog: CatalogPort, relation: NamedInSchema): string {
  const name = quoteIdentifier(relation.name);
  if (catalog.relation({ name: relation.name })?.oid === relation.oid) return name;
  return `${quoteIdentifier(catalog.schemaName(relation.schemaOid))}.${name}`;
}

interface NamedInSchema {
  readonly oid: number;
  readonly name: string;
  readonly schemaOid: number;
}

function columnNames(table: TableDescriptor, numbers: readonly number[]): string {
  const name = (number: number): string => table.columns.find((column) => column.number === number)?.name ?? '?';
  return numbers.map((number) => quoteIdentifier(name(number))).join(', ');
}

/** The condition of a CHECK. */
export function checkText(catalog: TextCatalog, table: TableDescriptor, sql: string): string {
  return textOf(catalog, table, sql, 'check');
}

/** pg_get_constraintdef. */
export function constraintText(catalog: TextCatalog, table: TableDescriptor, constraint: ConstraintDescriptor): string {
  let text: string;
  switch (constraint.kind) {
    case 'check':
      text = `CHECK (${checkText(catalog, table, constraint.expressionSql)})`;
      if (constraint.noInherit === true) text += ' NO INHERIT';
      break;
    case 'foreign key':
      text = foreignKeyText(catalog, table, constraint);
      break;
    case 'exclusion': {
      const index = catalog.objects.object(constraint.indexOid);
      text = index?.kind === 'index' ? exclusionText(catalog, table, index) : 'EXCLUDE';
      break;
    }
    default: {
      const index = catalog.objects.object(constraint.indexOid);
      const distinct = index?.kind === 'index' && index.nullsNotDistinct ? ' NULLS NOT DISTINCT' : '';
      text = `${constraint.kind.toUpperCase()}${distinct} (${columnNames(table, constraint.columns)})`;
      if (index?.kind === 'index' && index.include.length > 0)
        text += ` INCLUDE (${columnNames(table, index.include)})`;
    }
  }
  if (constraint.deferrable) text += ' DEFERRABLE';
  if (constraint.initiallyDeferred) text += ' INITIALLY DEFERRED';
  return constraint.validated ? text : `${text} NOT VALID`;
}

function foreignKeyText(
  catalog: TextCatalog,
  table: TableDescriptor,
  constraint: Extract<ConstraintDescriptor, { kind: 'foreign key' }>,
): string {
  const referenced = catalog.objects.object(constraint.referencedTableOid);
  const target =
    referenced?.kind === 'table'
      ? `${relationName(catalog, referenced)}(${columnNames(referenced, constraint.referencedColumns)})`
      : '?';
  let text = `FOREIGN KEY (${columnNames(table, constraint.columns)}) REFERENCES ${target}`;
  if (constraint.match === 'full') text += ' MATCH FULL';
  if (constraint.onUpdate !== 'no action') text += ` ON UPDATE ${constraint.onUpdate.toUpperCase()}`;
  if (constraint.onDelete !== 'no action') text += ` ON DELETE ${constraint.onDelete.toUpperCase()}`;
  if (constraint.onDeleteColumns !== undefined) text += ` (${columnNames(table, constraint.onDeleteColumns)})`;
  return text;
}

function exclusionText(catalog: TextCatalog, table: TableDescriptor, index: IndexDescriptor): string {
  const { method, operators } = index.exclusion ?? { method: index.method, operators: [] };
  const parts = operators.map((operator, i) => `${indexPartText(catalog, table, index, i)} WITH ${operator}`);
  let text = `EXCLUDE USING ${method} (${parts.join(', ')})`;
  if (index.include.length > 0) text += ` INCLUDE (${columnNames(table, index.include)})`;
  if (index.predicateSql !== undefined) text += ` WHERE (${predicateText(catalog, table, index.predicateSql)})`;
  return text;
}

/** A constraint of a domain, as pg_get_constraintdef writes it. */
export function domainCheckText(catalog: TextCatalog, base: ColumnDescriptor['type'], sql: string): string {
  const value = { number: 1, name: 'value', type: base, notNull: false, dropped: false, sinceVersion: 1 };
  const text = expressionText(sql, {
    columns: [value],
    relationName: undefined,
    catalog,
    purpose: 'check',
    target: undefined,
  });
  // What is tested is a word of SQL's here, not a name.
  const words = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\bvalue\b/g, (part) => (part === 'value' ? 'VALUE' : part));
  return `CHECK (${words})`;
}

/** One key of an index, without its order. */
export function indexPartText(
  catalog: TextCatalog,
  table: TableDescriptor,
  index: IndexDescriptor,
  part: number,
): string {
  const key = index.parts[part];
  if (key === undefined) {
    const number = index.include[part - index.parts.length];
    return number === undefined ? '' : columnNames(table, [number]);
  }
  if (key.column !== undefined) return columnNames(table, [key.column]);
  const text = textOf(catalog, table, key.expressionSql ?? '', 'index');
  return CALL.test(text) ? text : `(${text})`;
}

/** A call of a function, whose name may have its schema before it. */
const CALL = /^(?:(?:\w+|"(?:[^"]|"")+")\.)?(?:\w+|"(?:[^"]|"")+")\(.*\)$/s;

/** A path of a collection's documents as CREATE INDEX takes it. */
function documentPathText({ columns }: TableDescriptor, path: string): string {
  const column = columns.find(({ field, dropped }) => !dropped && field?.name === path);
  if (column !== undefined) return quoteIdentifier(column.name);
  return `((doc ${path
    .split('.')
    .map((step) => `-> '${step.replaceAll("'", "''")}'`)
    .join(' ')}))`;
}

/** The operator class where it is not the type's own, with its schema where the search path does not lead to that. */
function operatorClassText(catalog: TextCatalog, { databaseOid }: IndexDescriptor, part: IndexKeyPart): string {
  const { operatorClass: name } = part;
  if (name === 'jsonb_path_ops') return ` ${name}`;
  const extension = installedExtensions(catalog.objects, databaseOid).find(({ operatorClasses }) =>
    operatorClasses.some((one) => one.name === name),
  );
  if (extension === undefined) return '';
  const schema = catalog.schemaName(extension.descriptor.schemaOid);
  return catalog.searchPath.includes(schema) ? ` ${name}` : ` ${quoteIdentifier(schema)}.${name}`;
}

/** pg_get_indexdef. */
export function indexText(catalog: TextCatalog, index: IndexDescriptor): string {
  const table = catalog.objects.object(index.tableOid);
  if (table?.kind !== 'table') return '';
  const keys = index.parts.map((part, i) => {
    const order = part.descending ? ' DESC' : '';
    const nulls = part.nullsFirst === part.descending ? '' : part.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
    const named = operatorClassText(catalog, index, part);
    return indexPartText(catalog, table, index, i) + named + order + nulls;
  });
  for (const { path, descending } of index.document?.parts ?? [])
    keys.push(documentPathText(table, path) + (descending ? ' DESC' : ''));
  const schema = quoteIdentifier(catalog.schemaName(table.schemaOid));
  // Those of the partitions are told one by one.
  const only = table.partitioned === undefined ? '' : 'ONLY ';
  let text = `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${only}${schema}.${quoteIdentifier(table.name)}`;
  text += ` USING ${index.exclusion?.method ?? index.method} (${keys.join(', ')})`;
  if (index.include.length > 0) text += ` INCLUDE (${columnNames(table, index.include)})`;
  const showsNulls = index.document === undefined || (index.unique && !index.document.sparse);
  if (index.nullsNotDistinct && showsNulls) text += ' NULLS NOT DISTINCT';
  const options = Object.entries(index.options ?? {}).map(([name, value]) => `${name}=${optionValue(value)}`);
  if (options.length > 0) text += ` WITH (${options.join(', ')})`;
  if (index.predicateSql !== undefined) text += ` WHERE ${predicateText(catalog, table, index.predicateSql)}`;
  return text;
}

/** The value of a storage parameter: a word as it is, anything else as a string. */
function optionValue(value: string): string {
  return quoteIdentifier(value) === value ? value : `'${value.replaceAll("'", "''")}'`;
}

/** pg_get_viewdef. `pretty` leaves out parentheses that change nothing. */
export function viewDefinitionText(
  catalog: TextCatalog,
  relation: ViewDescriptor | TableDescriptor,
  pretty: boolean,
  types: TypeContext,
): string {
  const stored = relation.kind === 'view' ? relation : relation.materialized;
  if (stored === undefined) return '';
  const columns: readonly { readonly name: string; readonly dropped?: boolean }[] = relation.columns;
  return viewText(stored, {
    catalog,
    columns: columns.filter((column) => column.dropped !== true).map((column) => column.name),
    pretty,
    types,
    relationName: (oid) => {
      const named = catalog.relationByOid(oid);
      return named === undefined ? undefined : relationName(catalog, named);
    },
  });
}

/** What a rule's relation is called: with its schema, unless that is spared. */
function ruledName(catalog: TextCatalog, relation: ViewDescriptor | TableDescriptor, pretty: boolean): string {
  if (pretty) return relationName(catalog, relation);
  return `${quoteIdentifier(catalog.schemaName(relation.schemaOid))}.${quoteIdentifier(relation.name)}`;
}

/** pg_get_ruledef of the rule that makes a view. */
function returnRuleText(
  catalog: TextCatalog,
  view: ViewDescriptor | TableDescriptor,
  pretty: boolean,
  types: TypeContext,
): string {
  const head = `CREATE RULE "_RETURN" AS\n    ON SELECT TO ${ruledName(catalog, view, pretty)} DO INSTEAD `;
  return head + viewDefinitionText(catalog, view, pretty, types);
}

/** pg_get_ruledef of any other. */
function ruleDefinitionText(catalog: TextCatalog, rule: RuleDescriptor, pretty: boolean, types: TypeContext): string {
  const relation = catalog.objects.object(rule.tableOid);
  if (relation?.kind !== 'table' && relation?.kind !== 'view') return '';
  return ruleText(rule, {
    relation,
    shown: ruledName(catalog, relation, pretty),
    catalog,
    pretty,
    types,
    relationName: (oid) => {
      const named = catalog.relationByOid(oid);
      return named === undefined ? undefined : relationName(catalog, named);
    },
  });
}

/** An expression as people like it: without the parentheses around all of it and around what is cast. */
function prettyText(text: string): string {
  const bare = isWrapped(text) ? text.slice(1, -1) : text;
  return bare.replace(/\(([\w."]+)\)::/g, '$1::');
}

/** True when the first parenthesis is closed by the last character. */
function isWrapped(text: string): boolean {
  if (!text.startsWith('(') || !text.endsWith(')')) return false;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === "'") quoted = !quoted;
    if (quoted) continue;
    if (character === '(') depth++;
    else if (character === ')' && --depth === 0) return i === text.length - 1;
  }
  return false;
}

/** A whole definition in that style: the expressions in it stand behind CHECK and WHERE. */
function prettyDefinition(text: string): string {
  const check = /^CHECK \((.*)\)((?: NO INHERIT)?(?: NOT VALID)?)$/s.exec(text);
  if (check !== null) return `CHECK (${prettyText(check[1] as string)})${check[2] as string}`;
  const where = text.indexOf(' WHERE (');
  const head = where < 0 ? text : text.slice(0, where);
  const plain = head.replace(/\(([\w."]+)\)::/g, '$1::');
  return where < 0 ? plain : `${plain} WHERE ${prettyText(text.slice(where + ' WHERE '.length))}`;
}

/** All of it as one value. */
export const objectTexts = {
  prettyDefinition,
  prettyText,
  constraintText,
  domainCheckText,
  indexText,
  indexPartText,
  viewDefinitionText,
  returnRuleText,
  ruleDefinitionText,
};
export type ObjectTexts = typeof objectTexts;
