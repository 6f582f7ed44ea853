/** What all descriptors are written with: numbers of objects, and types with their modifiers. */
export type Oid = number;

/** A type with its modifier: varchar(10) is { oid: 1043, typmod: 14 } as in PostgreSQL; -1 is "none". */
export interface TypeRef {
  readonly oid: Oid;
  readonly typmod: number;
  /** Collation by name; undefined is the binary default. */
  readonly collation?: string;
  /** Of an expression: COLLATE gave it, so it counts for more than a column's. Never stored. */
  readonly explicitCollation?: true;
  /** Of an expression: its parts have this collation too, so it has none that could be used. Never stored. */
  readonly otherCollation?: string;
}
