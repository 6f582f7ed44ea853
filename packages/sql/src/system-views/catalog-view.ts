/**
 * Makes system views out of facts: which columns PostgreSQL's catalogs have stands in relation-facts.ts, and a view's rows are
 * objects that name only what there is to say. What a row does not name is NULL, or where PostgreSQL has no NULL the empty
 * value of the column's type.
 */
import { assert } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { informationFacts, relationFacts } from './relation-facts.js';
import { INFORMATION_SCHEMA_OID, PG_CATALOG_OID, type SystemView, type SystemViewSource } from './system-view.js';

export type CatalogRow = Readonly<Record<string, Value>>;

interface Facts {
  readonly oid: number;
  readonly columns: readonly (readonly [name: string, typeOid: number])[];
  /** What stands where a row says nothing. */
  readonly empty: readonly Value[];
}

const factsBySchema = new Map<number, ReadonlyMap<string, Facts>>();

/** Empty values of the types that columns without NULL have. */
const EMPTY: Readonly<Record<number, Value>> = { 16: false, 18: '', 19: '', 25: '' };
const NUMBERS = new Set([20, 21, 23, 24, 26, 28, 700, 701, 2205, 2206, 4089]);

function factsOf(schemaOid: number, name: string): Facts {
  let facts = factsBySchema.get(schemaOid);
  if (facts === undefined) {
    const lines = schemaOid === PG_CATALOG_OID ? relationFacts : informationFacts;
    facts = new Map(lines.trim().split('\n').map(readFacts));
    factsBySchema.set(schemaOid, facts);
  }
  const found = facts.get(name);
  assert(found !== undefined, 'every system view has facts');
  return found;
}

function readFacts(line: string): [string, Facts] {
  const [oid, name, _rowType, _arrayType, ...columns] = line.split(' ') as [string, string, string, string];
  const empty: Value[] = [];
  const described = columns.map((text: string): readonly [string, number] => {
    const [column, type] = text.split(':') as [string, string];
    const typeOid = Number.parseInt(type, 10);
    empty.push(type.endsWith('!') ? emptyValue(typeOid) : null);
    return [column, typeOid];
  });
  return [name, { oid: Number(oid), columns: described, empty }];
}

function emptyValue(typeOid: number): Value {
  return NUMBERS.has(typeOid) ? 0 : (EMPTY[typeOid] ?? null);
}

type RowSource = (source: SystemViewSource) => Iterable<CatalogRow>;

/** A relation of pg_catalog. */
export function catalogView(name: string, rows: RowSource): SystemView {
  return factView(PG_CATALOG_OID, name, rows);
}

/** A view of information_schema. */
export function informationView(name: string, rows: RowSource): SystemView {
  return factView(INFORMATION_SCHEMA_OID, name, rows);
}

function factView(schemaOid: number, name: string, rows: RowSource): SystemView {
  const { oid, columns, empty } = factsOf(schemaOid, name);
  const names = columns.map(([column]) => column);
  return {
    oid,
    schemaOid,
    name,
    columns,
    rowsEstimate: 100,
    *rows(source) {
      for (const row of rows(source))
        yield names.map((column, i) => (row[column] === undefined ? empty[i] : row[column]));
    },
  };
}

/** Relations of things that do not exist here. */
export function emptyViews(...names: readonly string[]): SystemView[] {
  return names.map((name) => catalogView(name, () => []));
}

/** The same of information_schema. */
export function emptyInformationViews(...names: readonly string[]): SystemView[] {
  return names.map((name) => informationView(name, () => []));
}

/** A vector of int2 or oid, which counts from 0. */
export function vector(typeOid: number, items: readonly Value[]): Value {
  const array = SqlArray.of(typeOid, items);
  return new SqlArray(array.elementOid, array.dimensions, [0], array.items);
}

/** Options as PostgreSQL's catalogs have them: `name=value` each; null for none. */
export function optionTexts(options: Readonly<Record<string, string>>): SqlArray | null {
  const texts = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return texts.length === 0 ? null : SqlArray.of(TypeOid.text, texts);
}
