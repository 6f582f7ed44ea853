/**
 * Descriptors: what the catalog knows of each object, as plain immutable JSON. They are stored as they stand here (one key
 * per object in the system space), cached as one immutable snapshot per catalog version, and shared by every session.
 * Never change one in place: DDL makes a new one.
 *
 * Every object has an oid: unique over the whole store, never used twice, below 2^32. Built-in types, functions and
 * operators have PostgreSQL's oids, all below FIRST_USER_OID.
 */

import type { ColumnAdvice } from './column-advice.js';
import type { ExtensionDescriptor } from './extension-descriptors.js';
import type { DocumentIndexDescriptor, ExclusionOperators, IndexKeyPart } from './index-descriptors.js';
import type { CastDescriptor, OperatorDescriptor } from './operator-descriptors.js';
import type { PartitionBound, PartitionKey } from './partition-descriptors.js';
import type { RuleDescriptor } from './rule-descriptor.js';
import type { StoredQuery } from './stored-query.js';
import type { Oid, TypeRef } from './type-ref.js';

export type { DocumentIndexDescriptor, ExclusionOperators, IndexKeyPart } from './index-descriptors.js';
export type { RuleDescriptor } from './rule-descriptor.js';
export type { StoredName, StoredQuery } from './stored-query.js';
export type { Oid, TypeRef } from './type-ref.js';

/** PostgreSQL's boundary between built-in and user objects. */
export const FIRST_USER_OID = 16384;

export interface DatabaseDescriptor {
  readonly kind: 'database';
  readonly oid: Oid;
  readonly name: string;
  readonly ownerOid: Oid;
  readonly acl?: readonly AclItem[];
  /** Sessions at once; undefined is any number. */
  readonly connectionLimit?: number;
  readonly allowsConnections?: boolean;
  readonly isTemplate?: boolean;
  /** Defaults of settings for its sessions (ALTER DATABASE ... SET). */
  readonly settings?: Readonly<Record<string, string>>;
  readonly comment?: string;
}

/**
 * How long a relation's content lasts: for good, or as long as its session. That of an unlogged one may be lost in a crash: it is
 * as durable here as any other, so that is a promise not asked for.
 */
export type Persistence = 'permanent' | 'unlogged' | 'temporary';

export interface RoleDescriptor {
  readonly kind: 'role';
  readonly oid: Oid;
  readonly name: string;
  readonly superuser: boolean;
  readonly login: boolean;
  readonly createDatabase: boolean;
  readonly createRole: boolean;
  readonly inherit: boolean;
  readonly bypassRowSecurity: boolean;
  /** SCRAM-SHA-256 verifier in PostgreSQL's form; never the password. */
  readonly passwordVerifier?: string;
  readonly connectionLimit?: number;
  readonly validUntil?: string;
  readonly replication?: boolean;
  /** Roles this one is a member of. */
  readonly memberOf: readonly { readonly roleOid: Oid; readonly admin: boolean; readonly grantorOid?: Oid }[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings in one database alone, by its oid. */
  readonly databaseSettings?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Rights that objects it creates begin with (ALTER DEFAULT PRIVILEGES). */
  readonly defaultPrivileges?: readonly DefaultPrivileges[];
  readonly comment?: string;
}

/** What new objects of a kind begin with, in one database and perhaps in one schema of it alone. */
export interface DefaultPrivileges {
  readonly databaseOid: Oid;
  /** 0: every schema; the list then stands in the place of the kind's own, else it is added to it. */
  readonly schemaOid: Oid;
  readonly object: 'table' | 'sequence' | 'function' | 'type' | 'schema';
  readonly acl: readonly AclItem[];
}

/** One grant: to a role (0 is PUBLIC), letters as in PostgreSQL's aclitem, upper case `grantable` letters separately. */
export interface AclItem {
  readonly granteeOid: Oid;
  readonly grantorOid: Oid;
  readonly privileges: string;
  readonly grantable: string;
}

interface SchemaObject {
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
  /** Undefined: the type's default rights. */
  readonly acl?: readonly AclItem[];
  /** The extension that it is a member of, and comes and goes with. */
  readonly extensionOid?: Oid;
  readonly comment?: string;
}

export interface SchemaDescriptor {
  readonly kind: 'schema';
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  readonly ownerOid: Oid;
  readonly acl?: readonly AclItem[];
  readonly comment?: string;
}

/** A field at the top of a collection's documents. */
export interface DocumentField {
  readonly name: string;
  /** Of a timestamp: documents hold it as text in ISO 8601, not as a date. */
  readonly asText?: true;
}

export interface ColumnDescriptor extends ColumnAdvice {
  /** 1-based, never reused; order of columns is order of numbers. */
  readonly number: number;
  readonly name: string;
  readonly type: TypeRef;
  readonly notNull: boolean;
  readonly dropped: boolean;
  /** SQL text of the default, bound anew at use; for `generated`, of the generation expression. */
  readonly defaultSql?: string;
  readonly generated?: 'stored';
  readonly identity?: 'always' | 'by default';
  /** Sequence behind an identity or serial column. */
  readonly sequenceOid?: Oid;
  /** For rows written before the column was added: the constant default of that moment as text, or null. */
  readonly missingText?: string | null;
  /** Row layout version from which rows carry the column. */
  readonly sinceVersion: number;
  /** There when the column shows a field of a collection's documents; rows do not hold it. */
  readonly field?: DocumentField;
  /** How many of the tables that this one inherits from have the column; absent: none. */
  readonly inheritCount?: number;
  /** It was never defined here: it goes when no table above has it any more. */
  readonly isLocal?: false;
  readonly acl?: readonly AclItem[];
  readonly comment?: string;
}

export type ForeignKeyAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

interface ConstraintBase {
  readonly oid: Oid;
  readonly name: string;
  readonly deferrable: boolean;
  readonly initiallyDeferred: boolean;
  readonly validated: boolean;
  readonly comment?: string;
  /** Of a partition: the partitioned table's constraint that it goes with. */
  readonly parentOid?: Oid;
}

export type ConstraintDescriptor =
  | (ConstraintBase & {
      readonly kind: 'primary key' | 'unique';
      readonly columns: readonly number[];
      readonly indexOid: Oid;
    })
  | (ConstraintBase & {
      readonly kind: 'exclusion';
      /** Columns that are parts of its index by themselves. */
      readonly columns: readonly number[];
      readonly indexOid: Oid;
    })
  | (ConstraintBase & {
      readonly kind: 'check';
      readonly expressionSql: string;
      readonly columns: readonly number[];
      /** NO INHERIT: it is not that of the tables that inherit from this one. */
      readonly noInherit?: boolean;
      /** How many of the tables that this one inherits from have the constraint; absent: none. */
      readonly inheritCount?: number;
      /** It was never defined here: it goes when no table above has it any more. */
      readonly isLocal?: false;
    })
  | (ConstraintBase & {
      readonly kind: 'foreign key';
      readonly columns: readonly number[];
      readonly referencedTableOid: Oid;
      readonly referencedColumns: readonly number[];
      /** Unique index of the referenced table that the key stands on. */
      readonly referencedIndexOid: Oid;
      readonly onDelete: ForeignKeyAction;
      readonly onUpdate: ForeignKeyAction;
      /** Columns of `on delete set null (columns)`; undefined is all. */
      readonly onDeleteColumns?: readonly number[];
      readonly match: 'simple' | 'full';
    });

/**
 * An index is a space of its own: key = index key parts, then (unless unique, not deferrable, and no part is null) the row's primary key;
 * value = the primary key where the key does not end in it, then the INCLUDE columns. The primary key's index IS the table: its `space` is the table's.
 */
export interface IndexDescriptor extends SchemaObject {
  readonly kind: 'index';
  readonly tableOid: Oid;
  readonly space: number;
  /** `document`: of a collection, kept and read by the document model alone. `column`: columns by themselves, for scans of many rows. */
  readonly method: 'btree' | 'gin' | 'hash' | 'document' | 'column';
  readonly unique: boolean;
  readonly primary: boolean;
  readonly nullsNotDistinct: boolean;
  /**
   * Of a deferrable key: rows with equal parts may stand beside each other until the statement or the transaction ends, so
   * every entry's key ends with its row's.
   */
  readonly deferrable?: true;
  readonly parts: readonly IndexKeyPart[];
  /** Columns that are no part of the key, kept for reads that need no row. */
  readonly include: readonly number[];
  /** Of an exclusion constraint: two rows must not have parts of which every pair is true for its operator. */
  readonly exclusion?: ExclusionOperators;
  /** The entries hold the included columns. Absent in indexes of releases that only remembered them. */
  readonly storesIncluded?: true;
  readonly predicateSql?: string;
  /** What an index of method `document` is over; it has no parts of its own. */
  readonly document?: DocumentIndexDescriptor;
  /** Storage parameters as written (`fillfactor`): kept and shown, of no effect on how an index is stored here. */
  readonly options?: Readonly<Record<string, string>>;
  /** CLUSTER ON and REPLICA IDENTITY USING INDEX have named it: kept and shown, of no effect here. */
  readonly clustered?: true;
  readonly replicaIdentity?: true;
  /** `building`: written by every writer, not read by the planner yet. */
  readonly state: 'building' | 'valid';
  /** Of a partition's index: the index of the partitioned table that it was made for, and goes with. */
  readonly parentOid?: Oid;
}

/** What makes a table a collection: columns `_id` and `doc`, written through the document model alone. */
export interface CollectionDescriptor {
  /** JSON Schema that documents satisfy. */
  readonly schema?: unknown;
  /** `moderate` leaves documents alone that broke the schema before. Default `strict`. */
  readonly validationLevel?: 'strict' | 'moderate';
  /** Default `error`. */
  readonly validationAction?: 'error' | 'warn';
  /** What the schema says of fields that refer to documents, of this collection or of others. */
  readonly references?: readonly DocumentReference[];
  /** And of those that refer to rows of tables. */
  readonly rowReferences?: readonly RowReference[];
  /** Made because another collection refers to it: whoever writes to it first says what it is. */
  readonly implied?: true;
}

/** A field whose values are `_id`s of documents. */
export interface DocumentReference {
  /** Dotted; through an array each of its elements refers. */
  readonly path: string;
  readonly collectionOid: Oid;
  readonly onDelete: DocumentReferenceAction;
}

/** A unique column of a table. */
export interface RowKey {
  readonly tableOid: Oid;
  readonly column: number;
  /** The unique index that keeps it so. */
  readonly indexOid: Oid;
}

/** A field whose values are those of a table's unique column. */
export interface RowReference extends RowKey {
  /** Dotted; through an array each of its elements refers. */
  readonly path: string;
  readonly onDelete: DocumentReferenceAction;
  readonly onUpdate: DocumentReferenceAction;
}

export type DocumentReferenceAction = 'restrict' | 'cascade' | 'set null';

export interface TableDescriptor extends SchemaObject {
  readonly kind: 'table';
  readonly persistence: Persistence;
  readonly engine: 'btree' | 'lsm' | 'memory';
  /** Space that holds the rows: key = primary key (keycode) or hidden row number; value = row bytes (codec). */
  readonly space: number;
  /** Version of the row layout that writers use now. */
  readonly layoutVersion: number;
  readonly columns: readonly ColumnDescriptor[];
  readonly constraints: readonly ConstraintDescriptor[];
  readonly indexOids: readonly Oid[];
  /** Columns whose keycode is the row's key, in key order; empty: a hidden row number. Fixed at creation or by a rewrite. */
  readonly keyColumns: readonly number[];
  /** Raised by every change: what plans and writing transactions check. */
  readonly schemaVersion: number;
  /** There when the table is a collection of documents. */
  readonly collection?: CollectionDescriptor;
  readonly onCommit?: 'preserve rows' | 'delete rows' | 'drop';
  /** Storage parameters as written (`fillfactor`): kept and shown, of no effect on how rows are stored here. */
  readonly options?: Readonly<Record<string, string>>;
  /** REPLICA IDENTITY, where it is neither the default nor an index: kept and shown, for nothing is replicated. */
  readonly replicaIdentity?: 'full' | 'nothing';
  /** Present once ALTER TABLE ... ROW LEVEL SECURITY or CREATE POLICY has named the table. */
  readonly rowSecurity?: RowSecurity;
  /** Triggers that rows of the table may fire. */
  readonly triggerOids?: readonly Oid[];
  /** Set by DISABLE TRIGGER ALL: writing its rows looks after no foreign key, its own or of those that refer to it. */
  readonly foreignKeysOff?: true;
  /** Rules that rewrite statements which name the table; absent: none. */
  readonly ruleOids?: readonly Oid[];
  /** Set for a partitioned table: its rows lie in its partitions, and its own space and those of its indexes stay empty. */
  readonly partitioned?: PartitionKey;
  /** Set for a partition: the table that it is a part of, and which part. */
  readonly partition?: { readonly parentOid: Oid; readonly bound: PartitionBound };
  /** The tables that it inherits from, in the order in which they were named. */
  readonly parentOids?: readonly Oid[];
  /** The tables that inherit from it: its rows are read and changed with theirs, where nobody says ONLY. */
  readonly heirOids?: readonly Oid[];
  /** Set for a materialized view: the query its rows come from. */
  readonly materialized?: StoredQuery & { readonly populated: boolean };
  readonly rowTypeOid: Oid;
}

/** Whether a table's policies count, and which there are. */
export interface RowSecurity {
  readonly enabled: boolean;
  /** They hold for the owner too. */
  readonly forced: boolean;
  readonly policyOids: readonly Oid[];
}

/** Which rows of a table some roles see and may write. */
export interface PolicyDescriptor {
  readonly kind: 'policy';
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  readonly tableOid: Oid;
  /** One permissive policy must let a row through; every restrictive one must. */
  readonly permissive: boolean;
  readonly command: 'all' | 'select' | 'insert' | 'update' | 'delete';
  /** Roles it speaks of; PUBLIC_ROLE is everybody. */
  readonly roleOids: readonly Oid[];
  /** Of rows that are there; undefined lets all through. */
  readonly using?: PolicyCondition;
  /** Of rows that are written; undefined: as `using`. */
  readonly check?: PolicyCondition;
  readonly comment?: string;
}

/** `SELECT FROM table WHERE condition`, and the columns of tables that it stands on (0: the table). */
export interface PolicyCondition extends StoredQuery {
  readonly uses: readonly { readonly oid: Oid; readonly column: number }[];
}

export interface ViewDescriptor extends SchemaObject, StoredQuery {
  readonly kind: 'view';
  readonly columns: readonly ViewColumn[];
  readonly checkOption?: 'local' | 'cascaded';
  /** Triggers that stand for writing to it, and what they stand for. */
  readonly triggerOids?: readonly Oid[];
  readonly insteadOf?: readonly TriggerEvent[];
  /** Rules besides the one that makes it a view; absent: none. */
  readonly ruleOids?: readonly Oid[];
  /** WITH (security_barrier, security_invoker): as written. */
  readonly options?: Readonly<Record<string, string>>;
  readonly rowTypeOid: Oid;
}

export interface ViewColumn {
  readonly name: string;
  readonly type: TypeRef;
  /** ALTER VIEW ... SET DEFAULT: for inserts through the view. */
  readonly defaultSql?: string;
  readonly acl?: readonly AclItem[];
  readonly comment?: string;
}

export interface SequenceDescriptor extends SchemaObject {
  readonly kind: 'sequence';
  readonly typeOid: Oid;
  /** 64-bit numbers as decimal text: JSON has no bigint. */
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cycle: boolean;
  readonly cache: number;
  readonly ownedBy?: { readonly tableOid: Oid; readonly column: number };
  readonly persistence: Persistence;
  /** Where its position is kept, and the value it begins with there; under its own oid and from `start` when left out. */
  readonly origin?: SequenceOrigin;
}

/** A place for a sequence's position. A restart takes a new one, so that it comes and goes with its transaction. */
export interface SequenceOrigin {
  /** Given to nothing else, so that what an abandoned restart left there is met by nobody. */
  readonly stateOid: Oid;
  readonly first: string;
}

/** A CHECK of a domain, over the name `value`. */
export interface DomainCheck {
  readonly oid: Oid;
  readonly name: string;
  readonly expressionSql: string;
  readonly validated?: boolean;
  readonly comment?: string;
}

export interface TypeDescriptor extends SchemaObject {
  readonly kind: 'type';
  readonly arrayOid: Oid;
  readonly definition:
    | {
        readonly kind: 'enum';
        readonly labels: readonly { readonly oid: Oid; readonly label: string; readonly order: number }[];
      }
    | {
        readonly kind: 'domain';
        readonly base: TypeRef;
        readonly notNull: boolean;
        readonly defaultSql?: string;
        readonly checks: readonly DomainCheck[];
      }
    | {
        readonly kind: 'composite';
        readonly fields: readonly { readonly name: string; readonly type: TypeRef; readonly comment?: string }[];
        readonly relationOid?: Oid;
      }
    /** A type of its own with the values of a predefined one. */
    | { readonly kind: 'distinct'; readonly base: TypeRef }
    | { readonly kind: 'range'; readonly subtype: TypeRef; readonly multirangeOid: Oid }
    /** Made with its range type, and gone with it. */
    | { readonly kind: 'multirange'; readonly rangeOid: Oid }
    /** What an extension brings along: its values are those of the type that the release knows by the symbol. */
    | { readonly kind: 'base'; readonly symbol: string }
    /** A name alone. */
    | { readonly kind: 'shell' };
}

/** Of a function's or procedure's parameter: `table` is a column of RETURNS TABLE. */
export type ParameterMode = 'in' | 'out' | 'inout' | 'variadic' | 'table';

export interface RoutineParameter {
  /** Empty where it has none. */
  readonly name: string;
  readonly mode: ParameterMode;
  /** Of a VARIADIC one the array. */
  readonly type: TypeRef;
  readonly defaultSql?: string;
}

/** How an aggregate goes from row to row: functions by their numbers, and its state. */
export interface AggregateSteps {
  /** Takes the state and the arguments, gives the next state. */
  readonly stepOid: Oid;
  /** Makes the result of the state; undefined: the state is the result. */
  readonly finalOid?: Oid;
  /** The final function gets a null for each argument behind the state, which tells it their types. */
  readonly finalHasArguments: boolean;
  readonly stateType: TypeRef;
  /** The state that it begins with, as text; undefined: null. */
  readonly initialText?: string;
}

export interface AggregateDefinition extends AggregateSteps {
  /** Makes one state of two. */
  readonly combineOid?: Oid;
  /** For frames of windows that move. */
  readonly moving?: AggregateSteps & { readonly inverseOid: Oid };
}

/**
 * A function, a procedure or an aggregate. Routines of one name differ in the types of what goes in; together these are its name among the
 * catalog's keys (routineKeyName).
 */
export interface RoutineDescriptor extends SchemaObject {
  readonly kind: 'routine';
  readonly routine: 'function' | 'procedure' | 'aggregate';
  readonly language: string;
  readonly parameters: readonly RoutineParameter[];
  /** Of one row of the result; `record` where the parameters that go out are its columns. */
  readonly resultType: TypeRef;
  readonly returnsSet: boolean;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** A null argument makes the result null without a call. */
  readonly strict: boolean;
  /** It runs with the rights of its owner. */
  readonly securityDefiner: boolean;
  readonly leakproof: boolean;
  readonly parallel: 'safe' | 'restricted' | 'unsafe';
  /** Estimates, for the planner: of one call in row visits, and of the rows that a set has. */
  readonly cost: number;
  readonly rows: number;
  /** Settings that hold while it runs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** search_path at creation: names in `body` and in defaults are bound with it. */
  readonly searchPath: readonly string[];
  /** The body as it was quoted; empty where it was written in SQL. */
  readonly source: string;
  /** Of an aggregate, which has no body. */
  readonly aggregate?: AggregateDefinition;
  /** A body written in SQL: RETURN, or the statements of BEGIN ATOMIC. */
  readonly body?: { readonly kind: 'return' | 'atomic'; readonly statements: readonly StoredQuery[] };
}

export type TriggerEvent = 'insert' | 'update' | 'delete' | 'truncate';

/** What is done when rows of a table, or of a view, are written. */
export interface TriggerDescriptor {
  readonly kind: 'trigger';
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  /** The table or view. */
  readonly tableOid: Oid;
  readonly timing: 'before' | 'after' | 'instead of';
  readonly level: 'row' | 'statement';
  readonly events: readonly TriggerEvent[];
  /** UPDATE OF: only statements that set one of these columns; empty for any. */
  readonly columns: readonly number[];
  /** Over the rows `old` and `new`. */
  readonly whenSql?: string;
  /** Names under which the rows before and after are known as relations (transition tables). */
  readonly oldTable?: string;
  readonly newTable?: string;
  /** The function that it calls; 0 where `action` says what is done. */
  readonly functionOid: Oid;
  readonly arguments: readonly string[];
  /** Statements in SQL, and what they call the old and the new row. */
  readonly action?: {
    readonly statements: readonly StoredQuery[];
    readonly oldRow: string;
    readonly newRow: string;
  };
  /** `disabled` never fires; `replica` only where rows are replicated, which is never here. */
  readonly firing: 'origin' | 'always' | 'replica' | 'disabled';
  /** Of a constraint trigger: when it fires. */
  readonly constraint?: { readonly deferrable: boolean; readonly initiallyDeferred: boolean };
  /** Of a partition: the trigger of the partitioned table that it was made for, and goes with. */
  readonly parentOid?: Oid;
  readonly comment?: string;
}

/** What ANALYZE finds of columns of a table together (CREATE STATISTICS). */
export interface StatisticsDescriptor extends SchemaObject {
  readonly kind: 'statistics';
  readonly tableOid: Oid;
  /** Two or more, in the order of their numbers. */
  readonly columns: readonly number[];
  readonly gathers: readonly StatisticsKind[];
  /** How large a sample ANALYZE is to take for it, in buckets; 0: it gathers nothing; absent: as the columns' own. */
  readonly target?: number;
}

/** How many combinations of values there are; how far values follow from others. */
export type StatisticsKind = 'ndistinct' | 'dependencies';

export type RelationDescriptor = TableDescriptor | ViewDescriptor | SequenceDescriptor | IndexDescriptor;

export type ObjectDescriptor =
  | DatabaseDescriptor
  | RoleDescriptor
  | SchemaDescriptor
  | RelationDescriptor
  | TypeDescriptor
  | PolicyDescriptor
  | RoutineDescriptor
  | TriggerDescriptor
  | RuleDescriptor
  | StatisticsDescriptor
  | ExtensionDescriptor
  | OperatorDescriptor
  | CastDescriptor;

/** `dependent` cannot live without `referenced`; `automatic` goes with it silently, `normal` asks for CASCADE. */
export interface Dependency {
  readonly dependentOid: Oid;
  /** Column of the dependent, 0 for the whole object. */
  readonly dependentColumn: number;
  readonly referencedOid: Oid;
  readonly referencedColumn: number;
  readonly strength: 'normal' | 'automatic';
}
