/** Keys and bounds of partitions as PostgreSQL writes them. */
import type { ObjectReader, PartitionBound, PartitionDatum, PartitionKey, TableDescriptor } from '@phantom/catalog';
import { rowExpressionText } from '../expr/row-expression.js';
import { storageContext } from './statistics/stored-statistics.js';
import { quoteIdentifier } from '../types/reg-types.js';
import type { TypeContext } from '../types/type.js';
import type { CatalogPort } from './catalog-port.js';

/** What messages call the parts of a key. */
export function partitionKeyNames({ columns }: TableDescriptor, { parts }: PartitionKey): string[] {
  return parts.map(({ column, expressionSql }) =>
    column === undefined ? (expressionSql ?? '') : (columns.find(({ number }) => number === column)?.name ?? ''),
  );
}

/** `RANGE (a, lower(b))`, as pg_get_partkeydef has it. */
export function partitionKeyText(table: TableDescriptor, key: PartitionKey, catalog: CatalogPort): string {
  return `${key.strategy.toUpperCase()} (${keyTexts(table, key, catalog).join(', ')})`;
}

function keyTexts(table: TableDescriptor, key: PartitionKey, catalog: CatalogPort): string[] {
  return key.parts.map(({ column, expressionSql, operatorClass }) => {
    const suffix = operatorClass === undefined ? '' : ` ${operatorClass}`;
    if (expressionSql === undefined)
      return quoteIdentifier(table.columns.find(({ number }) => number === column)?.name ?? '') + suffix;
    const { columns, name: relationName } = table;
    const text = rowExpressionText(expressionSql, {
      columns,
      relationName,
      catalog,
      target: undefined,
      purpose: 'index',
    });
    return (/^[\w".]+\(.*\)$/s.test(text) ? text : `(${text})`) + suffix;
  });
}

/** `FOR VALUES FROM (1) TO (10)`, or `DEFAULT`. */
export function partitionBoundText(
  bound: PartitionBound,
  { parts }: PartitionKey,
  catalog: CatalogPort,
  context: TypeContext,
): string {
  const literal = (text: string, place: number): string => {
    const oid = parts[place]?.type.oid ?? 0;
    const type = catalog.types.byOid(oid);
    const shown = type === undefined ? text : type.output(type.input(text, -1, storageContext(catalog.types)), context);
    if (oid === BOOL_OID) return shown === 't' ? 'true' : 'false';
    return NUMBERS.has(oid) && !shown.startsWith('N') && !shown.includes('I') && !shown.startsWith('-')
      ? shown
      : `'${shown.replaceAll("'", "''")}'`;
  };
  const datum = (value: PartitionDatum, i: number): string =>
    typeof value === 'string' ? value.toUpperCase() : literal(value.value, i);
  switch (bound.kind) {
    case 'default':
      return 'DEFAULT';
    case 'list':
      return `FOR VALUES IN (${bound.values.map((value) => (value === null ? 'NULL' : literal(value, 0))).join(', ')})`;
    case 'range':
      return `FOR VALUES FROM (${bound.from.map(datum).join(', ')}) TO (${bound.to.map(datum).join(', ')})`;
    default:
      return `FOR VALUES WITH (modulus ${bound.modulus}, remainder ${bound.remainder})`;
  }
}

const BOOL_OID = 16;
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** What the bound of a partition asks of its rows, and those of the tables above it, as a condition. */
export function partitionConstraintText(
  table: TableDescriptor,
  catalog: CatalogPort & { readonly objects: ObjectReader },
  context: TypeContext,
): string | null {
  const parent = catalog.objects.object(table.partition?.parentOid ?? 0);
  const bound = table.partition?.bound;
  if (bound === undefined || parent?.kind !== 'table' || parent.partitioned === undefined) return null;
  const own = new ConstraintText(parent, parent.partitioned, catalog, context).of(bound, table);
  const above = partitionConstraintText(parent, catalog, context);
  const conditions = [...(above === null ? [] : [above]), ...(own === undefined ? [] : [own])];
  const all = conditions.map((text) => (/^\(\(.*\)\)$/s.test(text) ? text.slice(1, -1) : text));
  return conditions.length < 2 ? (conditions[0] ?? null) : `(${all.join(' AND ')})`;
}

/** Bounds of one table's partitions as conditions over its columns. */
class ConstraintText {
  private readonly key: PartitionKey;
  private readonly names: readonly string[];
  private readonly parent: TableDescriptor;
  private readonly catalog: CatalogPort;
  private readonly context: TypeContext;

  constructor(parent: TableDescriptor, key: PartitionKey, catalog: CatalogPort, context: TypeContext) {
    this.parent = parent;
    this.key = key;
    this.catalog = catalog;
    this.context = context;
    this.names = keyTexts(parent, key, catalog);
  }

  /** Undefined for what takes every row. */
  of(bound: PartitionBound, table: TableDescriptor): string | undefined {
    switch (bound.kind) {
      case 'list':
        return this.list(bound.values);
      case 'range':
        return this.range(bound, true);
      case 'hash': {
        const { modulus, remainder } = bound;
        return `satisfies_hash_partition('${this.parent.oid}'::oid, ${modulus}, ${remainder}, ${this.names.join(', ')})`;
      }
      default:
        return this.others(table);
    }
  }

  private list(values: readonly (string | null)[]): string {
    const [name] = this.names;
    const some = values.filter((value) => value !== null).map((value) => this.literal(value, 0));
    const equals = some.length === 1 ? `(${name} = ${some[0]})` : `(${name} = ANY (ARRAY[${some.join(', ')}]))`;
    if (some.length === values.length) return `((${name} IS NOT NULL) AND ${equals})`;
    return some.length === 0 ? `(${name} IS NULL)` : `((${name} IS NULL) OR ${equals})`;
  }

  private range({ from, to }: PartitionBound & { readonly kind: 'range' }, asksNull: boolean): string {
    const nulls = asksNull ? this.names.map((name) => `(${name} IS NOT NULL)`) : [];
    let same = 0;
    const isSame = (i: number): boolean => {
      const [low, high] = [from[i], to[i]];
      return typeof low === 'object' && typeof high === 'object' && low.value === high.value;
    };
    while (same < from.length && isSame(same)) same++;
    const equal = from.slice(0, same).map((datum, i) => `(${this.names[i]} = ${this.datum(datum, i)})`);
    const edges = [this.edge(from, same, '>', '>='), this.edge(to, same, '<', '<')].filter(
      (edge) => edge !== undefined,
    );
    const all = [...nulls, ...equal, ...edges];
    return all.length === 1 ? (all[0] as string) : `(${all.join(' AND ')})`;
  }

  /** One end of a range, column by column: the first that differs decides. */
  private edge(data: readonly PartitionDatum[], from: number, outer: string, last: string): string | undefined {
    const arms: string[] = [];
    for (let i = from; i < data.length; i++) {
      const datum = data[i] as PartitionDatum;
      if (typeof datum === 'string') {
        if ((datum === 'maxvalue') !== (outer === '<')) break;
        if (i === from) return undefined;
        // Every value of the column will do: what comes before it decides.
        const equal = this.equalities(data, from, i);
        arms[arms.length - 1] =
          equal.length === 1
            ? (equal[0] as string).replace(' = ', ` ${outer}= `)
            : conjunction([...equal.slice(0, -1), (equal.at(-1) as string).replace(' = ', ` ${outer}= `)]);
        break;
      }
      const isLast = i === data.length - 1;
      const test = `(${this.names[i]} ${isLast ? last : outer} ${this.datum(datum, i)})`;
      arms.push(conjunction([...this.equalities(data, from, i), test]));
    }
    return arms.length === 1 ? arms[0] : `(${arms.join(' OR ')})`;
  }

  private equalities(data: readonly PartitionDatum[], from: number, to: number): string[] {
    return data.slice(from, to).map((datum, i) => `(${this.names[from + i]} = ${this.datum(datum, from + i)})`);
  }

  /** What no other partition takes. */
  private others(table: TableDescriptor): string | undefined {
    const bounds = this.catalog
      .partitionsOf(this.parent)
      .filter(({ oid }) => oid !== table.oid)
      .map(({ partition }) => partition?.bound);
    if (bounds.length === 0) return undefined;
    if (this.key.strategy === 'list')
      return `(NOT ${this.list(bounds.flatMap((bound) => (bound?.kind === 'list' ? bound.values : [])))})`;
    const ranges = bounds.flatMap((bound) => (bound?.kind === 'range' ? [this.range(bound, false)] : []));
    const nulls = this.names.map((name) => `(${name} IS NOT NULL)`);
    return `(NOT (${[...nulls, ranges.length === 1 ? ranges[0] : `(${ranges.join(' OR ')})`].join(' AND ')}))`;
  }

  private datum(datum: PartitionDatum, place: number): string {
    return typeof datum === 'string' ? datum : this.literal(datum.value, place);
  }

  private literal(text: string, place: number): string {
    const { oid } = this.key.parts[place]?.type ?? { oid: 0 };
    const type = this.catalog.types.byOid(oid);
    if (type === undefined) return text;
    const shown = type.output(type.input(text, -1, storageContext(this.catalog.types)), this.context);
    if (oid === BOOL_OID) return shown === 't' ? 'true' : 'false';
    if (oid === INT4_OID && !shown.startsWith('-')) return shown;
    return `'${shown.replaceAll("'", "''")}'::${type.displayName}`;
  }
}

function conjunction(conditions: readonly string[]): string {
  return conditions.length === 1 ? (conditions[0] as string) : `(${conditions.join(' AND ')})`;
}

const INT4_OID = 23;
