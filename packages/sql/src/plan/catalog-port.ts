/**
 * What binding and planning ask of the catalog: names by search path, types, functions, indexes, statistics. A port, so
 * that the binder can be tested with a table in memory, and so that a plan never holds on to a session.
 *
 * One CatalogPort is one immutable picture of the catalog as a session sees it (its database, role and search path). It
 * answers from memory: nothing here waits.
 *
 * Invariants:
 *   1. A plan made from a picture stays right as long as `version` is the same, or else as long as every object in the
 *      plan's `dependencies` has the same schema version and every name resolves alike (sessions may simply replan).
 *   2. `version` differs whenever any answer differs, the search path and the role's temporary objects included.
 */
import type {
  IndexDescriptor,
  Oid,
  PolicyDescriptor,
  RelationDescriptor,
  RuleDescriptor,
  TableDescriptor,
  TableProvider,
  TypeRef,
  ViewDescriptor,
} from '@phantom/catalog';
import type { KeyRange, RangeEstimate } from '@phantom/kv';
import type { EvaluationContext, FunctionRegistry } from '../functions/registry.js';
import type { Way } from './physical/ways.js';
import type { StoredGroup } from './statistics/stored-statistics.js';
import type { ColumnIndex } from '../storage/columnar/column-index.js';
import type { SqlType, TypeLookup, Value } from '../types/type.js';

/** A relation computed on demand: a view of `pg_catalog` or `information_schema`. */
export interface VirtualRelation {
  readonly kind: 'virtual';
  readonly oid: Oid;
  readonly name: string;
  readonly schemaOid: Oid;
  readonly columns: readonly { readonly name: string; readonly type: TypeRef }[];
  /** It is for superusers alone. */
  readonly restricted?: true;
  /** A guess for the planner. */
  readonly rowsEstimate: number;
  /** The rows, values by column position. Called once for each scan. */
  rows(context: EvaluationContext): Iterable<readonly Value[]>;
}

/** Everything that may stand in FROM under a name. */
export type NamedRelation = RelationDescriptor | VirtualRelation;

/** A name as it was written: parts are folded already; `catalog` only when three parts were given. */
export interface QualifiedName {
  readonly catalog?: string;
  readonly schema?: string;
  readonly name: string;
}

/** What is known of one column's values. Fractions are of all rows. */
export interface ColumnStatistics {
  /** Distinct non-null values. */
  readonly distinctCount: number;
  readonly nullFraction: number;
  readonly averageBytes: number;
  readonly mostCommon?: readonly { readonly value: Value; readonly fraction: number }[];
  /** Bounds of equally full buckets of the values not in `mostCommon`, in the order of the type. */
  readonly histogram?: readonly Value[];
  /** Correlation of the column's order with the row's key order, -1 to 1. */
  readonly correlation?: number;
}

/** Sizes for the cost model. Cheap: asked several times for each table of a statement. */
export interface StatisticsPort {
  /** Rows of the table, estimated. */
  rowCount(table: TableDescriptor): number;
  /** Bytes that a whole scan reads, estimated. */
  tableBytes(table: TableDescriptor): number;
  column(table: TableDescriptor, columnNumber: number): ColumnStatistics | undefined;
  /** What is known of columns together. */
  groups(table: TableDescriptor): readonly StoredGroup[];
  /** Rows that a column index of the table has not taken in yet, estimated. */
  markedRows(index: ColumnIndex): number;
  /** Keys and bytes in a range of a space: KvEngine.estimate. */
  range(range: KeyRange): RangeEstimate;
}

/** PostgreSQL's privileges on relations. */
export type RelationPrivilege =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'truncate'
  | 'references'
  | 'trigger'
  /** Of a routine that a statement calls. */
  | 'execute'
  /** Of the schema that a relation was named with. */
  | 'usage';

/** A right that whoever executes the plan must have; checked at the start of each execution, since plans are shared. */
export interface RequiredPrivilege {
  readonly relationOid: Oid;
  readonly relationName: string;
  readonly privilege: RelationPrivilege;
  /** Columns it is needed for; undefined: the whole relation (or any column, for `select count(*)`). */
  readonly columns: readonly number[] | undefined;
  /** The owner of the view through which the relation is reached; undefined: the role that executes. */
  readonly asRoleOid: Oid | undefined;
}

export interface CatalogPort {
  /** See invariant 2. */
  readonly version: number;
  /** The same but for statistics. */
  readonly schemaVersion: number;
  /** Number of the last change of any statistics, and of those of one table. */
  readonly statisticsVersion: number;
  statisticsVersionOf(oid: Oid): number;
  readonly databaseName: string;
  /** Effective search path, `pg_catalog` where it is searched. */
  readonly searchPath: readonly string[];
  /** Name of the schema of the session's temporary objects, once it has one. */
  readonly temporarySchemaName?: string | undefined;
  readonly temporarySchemaOid?: Oid | undefined;
  readonly types: TypeLookup;
  readonly functions: FunctionRegistry;
  readonly statistics: StatisticsPort;
  /** Ways of execution that the session has switched off. */
  readonly switchedOff: ReadonlySet<Way>;
  /** Estimated cost of an aggregation from which on it is done in parts. */
  readonly parallelSetupCost: number;
  /** What is written has been looked after elsewhere (session_replication_role): triggers of `origin` and foreign keys are not fired. */
  readonly isReplica: boolean;
  /** A relation by name, along the search path when the schema is not given. Undefined: there is none (42P01 is the binder's). */
  relation(name: QualifiedName): NamedRelation | undefined;
  relationByOid(oid: Oid): NamedRelation | undefined;
  /** Names of the tables, views and sequences of a schema; of those that the search path leads to where none is given. */
  relationNames(schema?: string): Iterable<string>;
  schemaExists(name: string): boolean;
  schemaName(oid: Oid): string;
  /** Of a schema of the database; undefined when there is none. */
  schemaOid(name: string): Oid | undefined;
  /** The model that keeps collections; undefined where there is none. */
  readonly provider: TableProvider | undefined;
  /** Indexes in state `valid`, the primary key's among them. */
  indexesOf(table: TableDescriptor): readonly IndexDescriptor[];
  /** The partitions of a partitioned table, in no order. */
  partitionsOf(table: TableDescriptor): readonly TableDescriptor[];
  /**
   * The policies of a table that hold for a role (undefined: the session's); undefined when row-level security keeps nothing
   * from it. 42501 when it does and the session has `row_security` off.
   */
  policiesFor(table: TableDescriptor, roleOid: Oid | undefined): readonly PolicyDescriptor[] | undefined;
  /** The rules of a table or view that are not switched off, in the order of their names. */
  rulesOf(relation: TableDescriptor | ViewDescriptor): readonly RuleDescriptor[];
  /** Equal for sessions that get the same answers from `policiesFor`. */
  readonly securityKey: string;
  /** A type by name as written in SQL (`int4`, `my_enum`; not `integer`, which the parser maps), along the search path. */
  typeNamed(name: QualifiedName): SqlType | undefined;
  /** Fields of a composite type, a table's row type included; undefined when the type is none. */
  compositeFields(oid: Oid): readonly { readonly name: string; readonly type: TypeRef }[] | undefined;
  /** The relation whose rows are of the composite type; undefined for any other type. */
  relationOfRows(oid: Oid): Oid | undefined;
  /** The same picture with another search path: bodies of views are bound with the one at their creation. */
  withSearchPath(path: readonly string[]): CatalogPort;
}
