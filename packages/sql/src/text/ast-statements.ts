/** The union of all statements, and those that hold other statements. */
import type {
  AlterDefaultPrivileges,
  AlterGroup,
  AlterRole,
  CreatePolicy,
  CreateRole,
  Grant,
  GrantRole,
  ObjectRef,
  OwnedBy,
  ResultColumn,
  RoleSpecification,
  RoutineParameter,
} from './ast-access.js';
import type { Name, Node, Option, QualifiedName, TextSpan, TypeName } from './ast-leaves.js';
import type {
  AlterDefinition,
  AlterDepends,
  AlterDomain,
  AlterEnum,
  AlterObjectSchema,
  AlterOwner,
  AlterSequence,
  AlterStatistics,
  AlterTable,
  Comment,
  CreateCast,
  AlterCollection,
  CreateCollection,
  CreateDatabase,
  CreateDefinition,
  CreateDomain,
  CreateExtension,
  CreateIndex,
  CreateSequence,
  CreateStatistics,
  CreateTable,
  CreateTableAs,
  CreateType,
  CreateView,
  Deferral,
  Drop,
  DropDatabase,
  ExecutePrepared,
  RefreshMaterializedView,
  Rename,
  RoutineOption,
  Truncate,
} from './ast-schema.js';
import type {
  AlterSetting,
  Begin,
  Call,
  Backup,
  Checkpoint,
  CloseCursor,
  Cluster,
  Copy,
  Deallocate,
  DeclareCursor,
  Discard,
  DoBlock,
  EndTransaction,
  Fetch,
  Load,
  LockTable,
  Notify,
  Reindex,
  Reset,
  Savepoint,
  SetConstraints,
  SetSetting,
  SetTransaction,
  Show,
  TwoPhase,
  Vacuum,
} from './ast-session.js';
import type { Delete, Expression, Insert, Merge, Query, Update } from './ast.js';

export type Statement =
  | Query
  | Insert
  | Update
  | Delete
  | Merge
  | Copy
  | CreateTable
  | CreateTableAs
  | CreateIndex
  | CreateView
  | CreateSequence
  | CreateSchema
  | CreateType
  | CreateDomain
  | CreateDatabase
  | AlterCollection
  | CreateCollection
  | CreateExtension
  | CreateDefinition
  | CreateCast
  | CreateStatistics
  | CreateRoutine
  | CreateTrigger
  | CreateRule
  | CreatePolicy
  | CreateRole
  | AlterTable
  | AlterSequence
  | AlterEnum
  | AlterDomain
  | AlterStatistics
  | AlterRoutine
  | AlterRole
  | AlterGroup
  | AlterSetting
  | AlterDefaultPrivileges
  | AlterOwner
  | AlterObjectSchema
  | AlterDepends
  | AlterDefinition
  | Rename
  | Drop
  | DropDatabase
  | OwnedBy
  | Comment
  | Truncate
  | RefreshMaterializedView
  | Grant
  | GrantRole
  | Begin
  | EndTransaction
  | Savepoint
  | TwoPhase
  | SetTransaction
  | SetConstraints
  | LockTable
  | SetSetting
  | Reset
  | Show
  | Discard
  | Prepare
  | ExecutePrepared
  | Deallocate
  | DeclareCursor
  | Fetch
  | CloseCursor
  | Call
  | DoBlock
  | Explain
  | Vacuum
  | Reindex
  | Cluster
  | Backup
  | Checkpoint
  | Notify
  | Load
  | Unsupported;

/** A statement of a script, and where it stands: offsets in UTF-16 units, the semicolon not included. */
export interface ParsedStatement {
  readonly node: Statement;
  readonly start: number;
  readonly end: number;
}

/**
 * A statement that PostgreSQL has and this project does not, known by its first words (`CREATE FOREIGN DATA WRAPPER`).
 * Its clauses are not parsed. Whoever executes it raises 0A000 with this name.
 */
export interface Unsupported extends Node {
  readonly kind: 'unsupported';
  readonly feature: string;
}
/** CREATE SCHEMA [name] [AUTHORIZATION role] [elements]; `name` is undefined when the role's name is meant. */
export interface CreateSchema extends Node {
  readonly kind: 'create-schema';
  readonly name: Name | undefined;
  readonly owner: RoleSpecification | undefined;
  readonly ifNotExists: boolean;
  readonly elements: readonly Statement[];
}
export interface Prepare extends Node {
  readonly kind: 'prepare';
  readonly name: Name;
  readonly types: readonly TypeName[];
  readonly statement: Statement;
  readonly span: TextSpan;
}
export interface Explain extends Node {
  readonly kind: 'explain';
  readonly options: readonly Option[];
  readonly statement: Statement;
}

// ----------------------------------------------------------------------------------------------------- routines

export interface CreateRoutine extends Node {
  readonly kind: 'create-routine';
  readonly routine: 'function' | 'procedure';
  readonly orReplace: boolean;
  readonly name: QualifiedName;
  readonly parameters: readonly RoutineParameter[];
  readonly returns: TypeName | undefined;
  /** Columns of RETURNS TABLE (...); undefined for other results. */
  readonly returnsTable: readonly ResultColumn[] | undefined;
  /** AS 'source' is among them. */
  readonly options: readonly RoutineOption[];
  /** SET name = value of the routine. */
  readonly settings: readonly (SetSetting | Reset)[];
  /** A body in SQL; undefined when the source is a string. */
  readonly body: RoutineBody | undefined;
}
export type RoutineBody =
  | { readonly kind: 'return'; readonly value: Expression; readonly position: number }
  | {
      readonly kind: 'atomic';
      readonly statements: readonly (Statement | ReturnStatement)[];
      readonly position: number;
    };
/** RETURN inside BEGIN ATOMIC. */
export interface ReturnStatement extends Node {
  readonly kind: 'return-statement';
  readonly value: Expression;
}
export interface AlterRoutine extends Node {
  readonly kind: 'alter-routine';
  readonly target: ObjectRef;
  readonly options: readonly RoutineOption[];
  readonly settings: readonly (SetSetting | Reset)[];
}
export interface CreateTrigger extends Node {
  readonly kind: 'create-trigger';
  readonly orReplace: boolean;
  readonly constraint: boolean;
  readonly name: Name;
  readonly timing: 'before' | 'after' | 'instead-of';
  readonly events: readonly TriggerEvent[];
  readonly table: QualifiedName;
  readonly from: QualifiedName | undefined;
  readonly deferral: Deferral;
  readonly transitions: readonly TriggerTransition[];
  readonly forEach: 'row' | 'statement';
  readonly when: Expression | undefined;
  /** EXECUTE FUNCTION name(arguments); undefined when the action is given in place. */
  readonly function: QualifiedName | undefined;
  readonly arguments: readonly string[];
  /** ISO's triggered action: a statement, or BEGIN ATOMIC ... END. */
  readonly body: readonly Statement[] | undefined;
}
export interface TriggerEvent extends Node {
  readonly event: 'insert' | 'update' | 'delete' | 'truncate';
  /** UPDATE OF columns. */
  readonly columns: readonly Name[];
}
/** REFERENCING OLD | NEW [TABLE | ROW] AS name. */
export interface TriggerTransition extends Node {
  readonly which: 'old' | 'new';
  readonly table: boolean;
  readonly name: Name;
}
export interface CreateRule extends Node {
  readonly kind: 'create-rule';
  readonly orReplace: boolean;
  readonly name: Name;
  readonly event: 'select' | 'insert' | 'update' | 'delete';
  readonly table: QualifiedName;
  readonly where: Expression | undefined;
  readonly instead: boolean;
  /** Empty: NOTHING. */
  readonly actions: readonly Statement[];
}
