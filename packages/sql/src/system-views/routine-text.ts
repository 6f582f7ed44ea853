/** Definitions of routines as SQL text: what pg_get_functiondef and its kin write. */
import { type RoutineDescriptor, type RoutineParameter, goesIn } from '@phantom/catalog';
import { DEFAULT_OPTIONS, SET_ROWS_DEFAULT } from '../ddl/routines/routine-options.js';
import { isPolymorphic } from '../functions/polymorphic-types.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { formatType } from '../types/format-type.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { expressionText } from './object-text.js';

const MODE_WORDS: Readonly<Record<RoutineParameter['mode'], string>> = {
  in: '',
  out: 'OUT ',
  inout: 'INOUT ',
  variadic: 'VARIADIC ',
  table: '',
};

function typeText({ types }: CatalogPort, oid: number): string {
  const type = types.byOid(oid);
  return type === undefined ? '???' : formatType(type, -1);
}

function defaultOf(catalog: CatalogPort, { defaultSql = '', type }: RoutineParameter): string {
  const target = isPolymorphic(type.oid) ? undefined : type;
  return expressionText(defaultSql, { columns: [], relationName: undefined, catalog, target, purpose: 'default' });
}

function parameterText(catalog: CatalogPort, parameter: RoutineParameter, mode: string, withDefault = false): string {
  const { name, type, defaultSql } = parameter;
  const text = `${mode}${name === '' ? '' : `${quoteIdentifier(name)} `}${typeText(catalog, type.oid)}`;
  return withDefault && defaultSql !== undefined ? `${text} DEFAULT ${defaultOf(catalog, parameter)}` : text;
}

/** What stands between the parentheses of CREATE; defaults are no part of what tells routines apart. */
function argumentsText(catalog: CatalogPort, routine: RoutineDescriptor, withDefaults: boolean): string {
  // A procedure is told by all of its parameters, so each says which way it goes.
  const modeOf = ({ mode }: RoutineParameter): string =>
    mode === 'in' && routine.routine === 'procedure' ? 'IN ' : MODE_WORDS[mode];
  return routine.parameters
    .filter(({ mode }) => mode !== 'table')
    .map((parameter) => parameterText(catalog, parameter, modeOf(parameter), withDefaults))
    .join(', ');
}

/** What stands behind RETURNS; null for a procedure. */
function resultText(catalog: CatalogPort, routine: RoutineDescriptor): string | null {
  if (routine.routine === 'procedure') return null;
  const columns = routine.parameters.filter(({ mode }) => mode === 'table');
  if (columns.length > 0) return `TABLE(${columns.map((column) => parameterText(catalog, column, '')).join(', ')})`;
  return `${routine.returnsSet ? 'SETOF ' : ''}${typeText(catalog, routine.resultType.oid)}`;
}

/** A body in SQL as it is shown; null for one that is a string. */
function sqlBodyText({ body }: RoutineDescriptor): string | null {
  if (body === undefined) return null;
  const [first] = body.statements;
  if (body.kind === 'return') return `RETURN ${(first?.querySql ?? '').replace(/^SELECT /i, '')}`;
  return `BEGIN ATOMIC\n${body.statements.map(({ querySql }) => ` ${querySql};\n`).join('')}END`;
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A dollar quote that does not occur in the text. */
function dollarQuoted(text: string, word: string): string {
  let tag = word;
  while (text.includes(`$${tag}`)) tag += 'x';
  return `$${tag}$${text}$${tag}$`;
}

/** The whole CREATE OR REPLACE statement. */
function definitionText(catalog: CatalogPort, routine: RoutineDescriptor): string {
  const isFunction = routine.routine === 'function';
  const name = `${quoteIdentifier(catalog.schemaName(routine.schemaOid))}.${quoteIdentifier(routine.name)}`;
  const lines = [
    `CREATE OR REPLACE ${routine.routine.toUpperCase()} ${name}(${argumentsText(catalog, routine, true)})`,
  ];
  if (isFunction) lines.push(` RETURNS ${resultText(catalog, routine)}`);
  lines.push(` LANGUAGE ${quoteIdentifier(routine.language)}`);
  const words: string[] = [];
  if (routine.volatility !== DEFAULT_OPTIONS.volatility) words.push(routine.volatility.toUpperCase());
  if (routine.parallel !== DEFAULT_OPTIONS.parallel) words.push(`PARALLEL ${routine.parallel.toUpperCase()}`);
  if (routine.strict) words.push('STRICT');
  if (routine.securityDefiner) words.push('SECURITY DEFINER');
  if (routine.leakproof) words.push('LEAKPROOF');
  if (routine.cost !== DEFAULT_OPTIONS.cost) words.push(`COST ${routine.cost}`);
  if (routine.rows !== 0 && routine.rows !== SET_ROWS_DEFAULT) words.push(`ROWS ${routine.rows}`);
  if (words.length > 0) lines.push(` ${words.join(' ')}`);
  for (const [setting, value] of Object.entries(routine.settings ?? {}))
    lines.push(` SET ${setting} TO ${listed(setting) ? value : quoteLiteral(value)}`);
  const body = sqlBodyText(routine) ?? `AS ${dollarQuoted(routine.source, routine.routine)}`;
  return `${lines.join('\n')}\n${body}\n`;
}

/** Settings whose values are lists of names. */
function listed(setting: string): boolean {
  return setting === 'search_path';
}

/** The default of a parameter, by its place among those that go in; null where there is none. */
function defaultText(catalog: CatalogPort, routine: RoutineDescriptor, place: number): string | null {
  const parameter = routine.parameters.filter(goesIn)[place - 1];
  return parameter?.defaultSql === undefined ? null : defaultOf(catalog, parameter);
}

/** All of it as one value. */
export const routineTexts = { argumentsText, resultText, sqlBodyText, definitionText, defaultText };
export type RoutineTexts = typeof routineTexts;
