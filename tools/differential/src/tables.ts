/**
 * Tables that generated queries read: a few columns of every kind, half of the values of some NULL. The same rows can be put
 * into tables of several shapes, between which no answer may differ.
 */
import type { Random } from '@phantom/base';
import { KINDS, type Kind, SQL_TYPES, constantOf } from './kinds.js';

/** Something of a kind that a query can name. */
export interface Column {
  readonly sql: string;
  readonly kind: Kind;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** `heap`: no key, no index, no statistics. `indexed`: indexes of all sorts and statistics. `lsm`: keyed, in the other engine. */
export type Shape = 'heap' | 'indexed' | 'lsm';

/** Rows of one table: enough for joins to match, few enough for three of them to be joined without a condition. */
const ROWS_MAX = 14;

export function makeTables(random: Random): Table[] {
  return ['t', 'u', 'v'].map((name) => {
    const kinds = random.shuffle([...KINDS]).slice(0, 3 + random.below(3));
    const columns = ['int' as const, ...kinds].map((kind, i) => ({ sql: `${name}${i}`, kind }));
    // One table in five is empty: where outer joins and aggregates differ most.
    const count = random.chance(0.2) ? 0 : 1 + random.below(ROWS_MAX);
    const rows = Array.from({ length: count }, () => columns.map(({ kind }) => constantOf(random, kind, 0.3)));
    return { name, columns, rows };
  });
}

/** Statements that make the tables in a shape. The options after CREATE TABLE are ours: PostgreSQL takes the shape `heap`. */
export function setup(tables: readonly Table[], shape: Shape): string[] {
  return tables.flatMap(({ name, columns, rows }) => {
    const own = columns.map(({ sql, kind }) => `${sql} ${SQL_TYPES[kind]}`);
    const keyed = shape === 'lsm' ? ['number integer primary key'] : [];
    const options = shape === 'lsm' ? ' with (engine = lsm)' : '';
    const statements = [`create table ${name} (${[...own, ...keyed].join(', ')})${options}`];
    rows.forEach((row, i) => {
      const values = shape === 'lsm' ? [...row, String(rows.length - i)] : row;
      statements.push(`insert into ${name} values (${values.join(', ')})`);
    });
    if (shape === 'indexed') statements.push(...indexes(name, columns), `analyze ${name}`);
    return statements;
  });
}

function indexes(name: string, columns: readonly Column[]): string[] {
  const [first, second, third] = columns.map(({ sql }) => sql);
  return [
    `create index on ${name} (${first}) include (${third}, ${second})`,
    `create index on ${name} (${second} desc, ${first})`,
    `create index on ${name} (${third} nulls first) where ${first} is not null`,
    ...columns.slice(3).map(({ sql }) => `create index on ${name} (${sql})`),
  ];
}
