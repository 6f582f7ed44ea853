/**
 * Inheritance trees, as PostgreSQL 15 has them (its chapter on inheritance is the specification).
 *
 * A table that others inherit from has rows of its own, and each heir is a table like any other, with a space, keys and indexes of its
 * own. It has the columns of the tables above it by name, in any order, and more; TableDescriptor.parentOids and heirOids are the two
 * ends of each bond. A table may have several parents, and so be reached in several ways: it counts once.
 *
 *   FROM p, UPDATE p, DELETE FROM p    the tree: p and all below it
 *   FROM ONLY p, INSERT INTO p         the table alone
 *
 * A statement that means the tree has a descriptor of it in the place of the table's (treeOf). It looks like the table, but says
 * nothing of it that does not hold for all its members: it has no keys, no indexes, no space to read. Rights and row-level security are
 * those of the table that was named.
 *
 *   SELECT   planner   a scan becomes an append of the members' scans (plan/physical/partition-scan.ts)
 *   writes   writer    TreeWriter finds the member that a row lies in by its key's space, and hands it to that one's writer
 *
 * Invariants:
 *   1. A tree's descriptor holds as long as its members' do (isCurrentTree); it is made anew no more often than it need be, since writers
 *      that are kept go by the object. Sessions with temporary heirs have trees of their own.
 *   2. It is made of a picture of the catalog and never stored.
 *   3. Whatever changes the heirs of a table puts a new descriptor of it, and with it comes another picture (ddl/inheritance/bonds.ts).
 */
import type { ObjectDescriptor, Oid, TableDescriptor } from '@phantom/catalog';

/** A table with all that inherit from it, as one that has no rows of its own. */
interface TableTree extends TableDescriptor {
  /** The table itself, then those that inherit from it, level by level. */
  readonly members: readonly TableDescriptor[];
}

/** Where descriptors are found: a picture of the catalog, or the catalog itself. */
interface TableSource {
  relationByOid(oid: Oid): { readonly kind: string } | undefined;
  /** Schema of the session's own temporary tables: it does not see those of others. */
  readonly temporarySchemaOid?: Oid | undefined;
}

const trees = new WeakMap<TableDescriptor, TableTree>();

/** The table with those that inherit from it; itself where there are none. */
export function treeOf(table: TableDescriptor, source: TableSource): TableDescriptor {
  if (table.heirOids === undefined || membersOf(table) !== undefined) return table;
  const members = membersBelow(table, source);
  if (members.length === 1) return table;
  const known = trees.get(table);
  if (known !== undefined && isSame(known.members, members)) return known;
  const tree: TableTree = {
    ...table,
    columns: table.columns.map((column) => ({
      ...column,
      notNull: column.notNull && members.every(({ columns }) => isNotNull(columns, column.name)),
    })),
    constraints: [],
    indexOids: [],
    keyColumns: [],
    members,
  };
  trees.set(table, tree);
  return tree;
}

/** True while a tree is what its table and those below it are now. */
export function isCurrentTree(tree: TableDescriptor, table: TableDescriptor, source: TableSource): boolean {
  return isSame(membersOf(tree) ?? [tree], membersBelow(table, source));
}

/** The tables that a tree's rows lie in, the named one first; undefined for a table by itself. */
export function membersOf(table: TableDescriptor): readonly TableDescriptor[] | undefined {
  return 'members' in table ? (table as TableTree).members : undefined;
}

/** The named table of a tree; any other as it is. */
export function rootOf(table: TableDescriptor): TableDescriptor {
  return membersOf(table)?.[0] ?? table;
}

/** True where rows lie in other tables than the descriptor's own space: in partitions, or in the members of a tree. */
export function isDivided(table: TableDescriptor): boolean {
  return table.partitioned !== undefined || membersOf(table) !== undefined;
}

/** The tables that inherit from a table directly, in the order of their numbers. */
export function heirsOf(
  { heirOids = [] }: TableDescriptor,
  objects: { object(oid: Oid): ObjectDescriptor | undefined },
): TableDescriptor[] {
  return heirOids
    .toSorted((a, b) => a - b)
    .map((oid) => objects.object(oid))
    .filter((heir): heir is TableDescriptor => heir?.kind === 'table');
}

/** The tables that a table inherits from, or is a part of, and those that they inherit from, or are parts of. */
export function parentOidsOf(
  table: TableDescriptor,
  objects: { object(oid: Oid): ObjectDescriptor | undefined },
): ReadonlySet<Oid> {
  const found = new Set(parentsNamed(table));
  for (const oid of found) {
    const parent = objects.object(oid);
    if (parent?.kind === 'table') for (const above of parentsNamed(parent)) found.add(above);
  }
  return found;
}

function parentsNamed({ parentOids = [], partition }: TableDescriptor): readonly Oid[] {
  return partition === undefined ? parentOids : [partition.parentOid];
}

/** The tables below a table, level by level, each once. */
export function heirsBelow(
  table: TableDescriptor,
  objects: { object(oid: Oid): ObjectDescriptor | undefined },
  isSeen: (heir: TableDescriptor) => boolean = () => true,
): TableDescriptor[] {
  const found = new Map<Oid, TableDescriptor>([[table.oid, table]]);
  // A map is walked in the order in which it grows.
  for (const next of found.values()) {
    for (const heir of heirsOf(next, objects)) if (!found.has(heir.oid) && isSeen(heir)) found.set(heir.oid, heir);
  }
  found.delete(table.oid);
  return [...found.values()];
}

function membersBelow(root: TableDescriptor, source: TableSource): TableDescriptor[] {
  const object = (oid: Oid): ObjectDescriptor | undefined => {
    const relation = source.relationByOid(oid);
    return relation?.kind === 'table' ? (relation as TableDescriptor) : undefined;
  };
  const isSeen = ({ persistence, schemaOid }: TableDescriptor): boolean =>
    persistence !== 'temporary' || schemaOid === source.temporarySchemaOid;
  return [root, ...heirsBelow(root, { object }, isSeen)];
}

function isNotNull(columns: TableDescriptor['columns'], name: string): boolean {
  return columns.some((column) => !column.dropped && column.name === name && column.notNull);
}

function isSame(a: readonly TableDescriptor[], b: readonly TableDescriptor[]): boolean {
  return a.length === b.length && a.every((table, i) => table === b[i]);
}
