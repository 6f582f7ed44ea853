/**
 * Partitioned tables, as PostgreSQL 15 has them (its chapter on table partitioning is the specification).
 *
 * The partitioned table is a relation without rows: TableDescriptor.partitioned says by which key its rows are told apart, and its
 * indexes and keys are descriptions only, each made again on every partition. A partition is a table like any other, with an engine,
 * a key and indexes of its own; TableDescriptor.partition names its parent and its bound. Columns correspond by name.
 *
 *   SELECT   planner     a scan becomes an append of the partitions' scans (plan/physical/partition-scan.ts). What conditions say of
 *                        the key leaves out partitions: by constants in the plan, by parameters when the append starts
 *   writes   writer      PartitionedWriter finds the partition of a row and hands it to that one's writer; a row whose key changes
 *                        is removed from one partition and inserted into another
 *   checks   RowWriter   asks of every row that its table's bound takes it (PartitionCheck), whichever way it came
 *
 * Keys and bounds are compared as the bytes of an index over the key (codec's keycode), nulls last:
 *
 *   range    [FROM, TO) as bytes; a column's MINVALUE ends the bytes before it, its MAXVALUE ends them behind all that begin with them.
 *            A key with a null lies in no range
 *   list     the bytes of each value, null among them
 *   hash     a hash of the values, by modulus and remainder (key-hash.ts)
 *   default  what is in no other
 *
 * Invariants:
 *   1. Partitions of a table do not overlap: whoever adds one holds the table's lock, which writers share.
 *   2. Whatever changes the set of partitions puts a new descriptor of the partitioned table: plans and writers made for the old one
 *      are made anew.
 */
import { ByteWriter, assert, compareKeys } from '@phantom/base';
import { type KeyCode, keyCode, keyPrefixEnd } from '@phantom/codec';
import type {
  ObjectReader,
  PartitionBound,
  PartitionDatum,
  PartitionKey,
  PartitionKeyPart,
  TableDescriptor,
} from '@phantom/catalog';
import type { EvaluationContext } from '../../functions/registry.js';
import type { CatalogPort } from '../../plan/catalog-port.js';
import { storageContext } from '../../plan/statistics/stored-statistics.js';
import { bindRowExpression } from '../../expr/row-expression.js';
import type { Value } from '../../types/type.js';
import { storageOf } from '../physical-table.js';
import { BoundRowExpression } from '../bound-row-expression.js';
import type { Hash64 } from '../../types/hashes/hash64.js';
import { type KeyHash, keyHashOf } from './key-hash.js';

/** The partitions of a table, in no order. */
export function partitionsOf({ oid }: TableDescriptor, objects: ObjectReader): TableDescriptor[] {
  const partitions: TableDescriptor[] = [];
  for (const { dependentOid } of objects.dependentsOf(oid)) {
    const table = objects.object(dependentOid);
    if (table?.kind === 'table' && table.partition?.parentOid === oid && !partitions.includes(table))
      partitions.push(table);
  }
  return partitions;
}

/** The tables that have the rows of a table: itself, or the partitions in it that are not partitioned in turn. */
export function holdersOf(table: TableDescriptor, objects: ObjectReader): TableDescriptor[] {
  if (table.partitioned === undefined) return [table];
  return partitionsOf(table, objects).flatMap((partition) => holdersOf(partition, objects));
}

/** The partitioned tables that a table is a part of, the nearest first. */
export function ancestorsOf(table: TableDescriptor, objects: ObjectReader): TableDescriptor[] {
  const above = objects.object(table.partition?.parentOid ?? 0);
  return above?.kind === 'table' ? [above, ...ancestorsOf(above, objects)] : [];
}

/** Keys from `lower` on and before `upper`; undefined: to the end. */
export interface KeyStretch {
  readonly lower: Uint8Array;
  readonly upper: Uint8Array | undefined;
}

/** A partition and the keys that it takes. */
export interface Partition {
  readonly table: TableDescriptor;
  readonly bound: PartitionBound;
  /** Of a range: its keys; of a list: each of its values; else nothing. */
  readonly stretches: readonly KeyStretch[];
}

/** What is known of the keys that are looked for. */
export interface KeySearch {
  /** They lie in these stretches. */
  readonly stretches: readonly KeyStretch[];
  /** Each stretch is one key. */
  readonly areKeys: boolean;
  /** None of them holds a null. */
  readonly areWhole: boolean;
  /** The keys as values, where each stretch is one; some of them may hold a null, and are not among the stretches. */
  readonly keys?: readonly (readonly Value[])[];
}

const EMPTY = new Uint8Array(0);

/** The partitions of a table by their bounds: made once for a picture of the catalog. */
export class Partitioning {
  readonly table: TableDescriptor;
  readonly key: PartitionKey;
  readonly keyCode: KeyCode;
  /** In the order of their bounds, the default partition last. */
  readonly partitions: readonly Partition[];
  readonly default: Partition | undefined;
  /** Of hash partitions; undefined for all else. */
  readonly hash: KeyHash | undefined;
  private readonly byValue = new Map<string, Partition>();
  /** Hash partitions by remainder, for each modulus. */
  private readonly byRemainder = new Map<number, Map<number, Partition>>();
  private readonly ranges: readonly Partition[];
  private readonly expressions: readonly (BoundRowExpression | undefined)[];
  private readonly positions: readonly number[];
  private readonly values: Value[] = [];
  private readonly writer = new ByteWriter();

  constructor(table: TableDescriptor, catalog: CatalogPort) {
    assert(table.partitioned !== undefined, 'only a partitioned table has partitions');
    this.table = table;
    this.key = table.partitioned;
    const { parts, strategy } = this.key;
    this.keyCode = keyCode(
      parts.map(({ type }) => ({
        storage: storageOf(type, catalog.types),
        descending: false,
        nullable: true,
        nullsFirst: false,
      })),
    );
    this.positions = parts.map(({ column }) => table.columns.findIndex(({ number }) => number === column));
    this.expressions = parts.map(({ expressionSql }) =>
      expressionSql === undefined ? undefined : boundPart(expressionSql, table, catalog),
    );
    const partitions = catalog.partitionsOf(table).map((partition) => this.partition(partition, catalog));
    this.partitions = partitions.sort(byBound);
    this.default = partitions.find(({ bound }) => bound.kind === 'default');
    this.ranges = strategy === 'range' ? partitions.filter(({ bound }) => bound.kind === 'range') : [];
    this.hash = strategy === 'hash' ? keyHashOf(this.key, this.keyCode, catalog.types) : undefined;
    for (const partition of partitions) this.addRemainder(partition);
    if (strategy === 'list') {
      for (const partition of partitions)
        for (const { lower } of partition.stretches) this.byValue.set(textOf(lower, lower.length), partition);
    }
  }

  /** Positions of the columns that the key reads. */
  get readPositions(): readonly number[] {
    return [
      ...this.positions.filter((position) => position >= 0),
      ...this.expressions.flatMap((expression) => expression?.positions ?? []),
    ];
  }

  /** The key of a row, good until the next call. */
  keyOf(row: readonly Value[], context: EvaluationContext): readonly Value[] {
    const { values, positions, expressions } = this;
    for (let i = 0; i < positions.length; i++) {
      const expression = expressions[i];
      values[i] = expression === undefined ? row[positions[i] as number] : expression.evaluate(row, context);
    }
    return values;
  }

  /** The partition that takes a key; undefined when none does. */
  partitionOf(key: readonly Value[]): Partition | undefined {
    const { writer, keyCode: code, hash } = this;
    if (hash !== undefined) return this.ofHash(hash(key));
    writer.reset();
    code.encodePrefix(key, key.length, writer);
    if (this.key.strategy === 'list') return this.byValue.get(textOf(writer.buffer, writer.length)) ?? this.default;
    return (key.includes(null) ? undefined : this.rangeOf(writer.view())) ?? this.default;
  }

  private ofHash(hash: Hash64): Partition | undefined {
    for (const [modulus, partitions] of this.byRemainder) {
      const found = partitions.get(hash.remainder(modulus));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private addRemainder(partition: Partition): void {
    const { bound } = partition;
    if (bound.kind !== 'hash') return;
    let partitions = this.byRemainder.get(bound.modulus);
    if (partitions === undefined) this.byRemainder.set(bound.modulus, (partitions = new Map()));
    partitions.set(bound.remainder, partition);
  }

  /** The partition whose range has a key. */
  private rangeOf(key: Uint8Array): Partition | undefined {
    const { ranges } = this;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { upper } = (ranges[middle] as Partition).stretches[0] as KeyStretch;
      if (upper === undefined || compareKeys(key, upper) < 0) high = middle;
      else low = middle + 1;
    }
    const found = ranges[low];
    return found !== undefined && compareKeys(key, (found.stretches[0] as KeyStretch).lower) >= 0 ? found : undefined;
  }

  /** The partitions that may have one of the keys that are looked for. */
  partitionsFor(search: KeySearch): readonly Partition[] {
    const { hash } = this;
    if (hash !== undefined) {
      if (search.stretches.length === 0) return [];
      if (search.keys === undefined) return this.partitions;
      const found = new Set(search.keys.map((key) => this.ofHash(hash(key))));
      return this.partitions.filter((partition) => found.has(partition));
    }
    return this.partitions.filter((partition) => {
      if (partition.bound.kind === 'default') return search.stretches.some((stretch) => this.mayLeave(stretch, search));
      return partition.stretches.some((own) => search.stretches.some((stretch) => overlaps(own, stretch)));
    });
  }

  /** Whether keys of a stretch may lie in no partition but the default one. */
  private mayLeave(stretch: KeyStretch, { areKeys, areWhole }: KeySearch): boolean {
    if (this.key.strategy === 'list') return !areKeys || !this.byValue.has(textOf(stretch.lower, stretch.lower.length));
    if (!areWhole) return true;
    let covered = stretch.lower;
    for (const { stretches } of this.ranges) {
      const { lower, upper } = stretches[0] as KeyStretch;
      if (compareKeys(lower, covered) > 0) return true;
      if (upper === undefined) return false;
      if (compareKeys(upper, covered) > 0) covered = upper;
      if (stretch.upper !== undefined && compareKeys(covered, stretch.upper) >= 0) return false;
    }
    return true;
  }

  /** The partition, not the default one, that has keys in common with a bound. */
  overlapping(bound: PartitionBound, catalog: CatalogPort): Partition | undefined {
    if (bound.kind === 'default') return this.default;
    if (bound.kind === 'hash')
      return this.partitions.find(({ bound: other }) => other.kind === 'hash' && hashesMeet(bound, other));
    const stretches = this.stretchesOf(bound, catalog);
    return this.partitions.find((partition) =>
      partition.stretches.some((own) => stretches.some((stretch) => overlaps(own, stretch))),
    );
  }

  /** The keys of a list or range bound. */
  stretchesOf(bound: PartitionBound, catalog: CatalogPort): readonly KeyStretch[] {
    if (bound.kind === 'list') {
      return bound.values.map((text) => {
        const lower = this.bytesOf([valueOf(text, this.key.parts[0] as PartitionKeyPart, catalog)]);
        return { lower, upper: keyPrefixEnd(lower) };
      });
    }
    if (bound.kind !== 'range') return [];
    return [{ lower: this.edge(bound.from, catalog) ?? EMPTY, upper: this.edge(bound.to, catalog) }];
  }

  /** The bytes where a range begins or ends; undefined behind everything. */
  private edge(data: readonly PartitionDatum[], catalog: CatalogPort): Uint8Array | undefined {
    const values: Value[] = [];
    for (let i = 0; i < data.length; i++) {
      const datum = data[i] as PartitionDatum;
      if (datum === 'minvalue') return this.bytesOf(values);
      if (datum === 'maxvalue') return keyPrefixEnd(this.bytesOf(values));
      values.push(valueOf(datum.value, this.key.parts[i] as PartitionKeyPart, catalog));
    }
    return this.bytesOf(values);
  }

  private bytesOf(values: readonly Value[]): Uint8Array {
    this.writer.reset();
    this.keyCode.encodePrefix(values, values.length, this.writer);
    return this.writer.view().slice();
  }

  private partition(table: TableDescriptor, catalog: CatalogPort): Partition {
    const bound = table.partition?.bound;
    assert(bound !== undefined, 'a partition has a bound');
    return { table, bound, stretches: this.stretchesOf(bound, catalog) };
  }
}

/** The value of a bound's text. */
export function valueOf(text: string | null, { type }: PartitionKeyPart, { types }: CatalogPort): Value {
  if (text === null) return null;
  const found = types.byOid(type.oid);
  assert(found !== undefined, 'a partition key has a type that is known');
  return found.input(text, type.typmod, storageContext(types));
}

function boundPart(sql: string, table: TableDescriptor, catalog: CatalogPort): BoundRowExpression {
  const { columns, name: relationName } = table;
  return new BoundRowExpression(
    bindRowExpression(sql, { columns, relationName, catalog, target: undefined, purpose: 'index' }),
    table,
  );
}

/** Bytes as a key of maps. */
function textOf(bytes: Uint8Array, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1');
}

function overlaps(a: KeyStretch, b: KeyStretch): boolean {
  return (
    (b.upper === undefined || compareKeys(a.lower, b.upper) < 0) &&
    (a.upper === undefined || compareKeys(b.lower, a.upper) < 0)
  );
}

type HashBound = PartitionBound & { readonly kind: 'hash' };

function hashesMeet(a: HashBound, b: HashBound): boolean {
  const least = Math.min(a.modulus, b.modulus);
  return a.remainder % least === b.remainder % least;
}

function byBound(a: Partition, b: Partition): number {
  if (a.bound.kind === 'default' || b.bound.kind === 'default')
    return Number(a.bound.kind === 'default') - Number(b.bound.kind === 'default');
  if (a.bound.kind === 'hash' && b.bound.kind === 'hash')
    return a.bound.modulus - b.bound.modulus || a.bound.remainder - b.bound.remainder;
  return compareKeys(firstOf(a), firstOf(b));
}

/** The least key of a partition. */
function firstOf({ stretches }: Partition): Uint8Array {
  return stretches.reduce(
    (least, { lower }) => (compareKeys(lower, least) < 0 ? lower : least),
    stretches[0]?.lower ?? EMPTY,
  );
}

const cache = new WeakMap<CatalogPort, Map<TableDescriptor, Partitioning>>();

/** The partitions of a table for a picture of the catalog. */
export function partitioning(table: TableDescriptor, catalog: CatalogPort): Partitioning {
  let tables = cache.get(catalog);
  if (tables === undefined) cache.set(catalog, (tables = new Map()));
  let found = tables.get(table);
  if (found === undefined) tables.set(table, (found = new Partitioning(table, catalog)));
  return found;
}
