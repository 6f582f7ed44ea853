/**
 * Definitions of the schema: tables, indexes, views, sequences, types, domains, databases, and what alters and drops
 * them. Definitions that hold whole statements (CREATE SCHEMA, routines, rules) are in `ast-statements.ts`.
 */
import type { DefinitionList, ObjectKind, ObjectRef, RoleSpecification, RoutineSignature } from './ast-access.js';
import type {
  FieldDefinition,
  Name,
  Node,
  NumberLiteral,
  Option,
  QualifiedName,
  StringLiteral,
  TextSpan,
  TypeName,
} from './ast-leaves.js';
import type { Expression, IndexElement, Query } from './ast.js';

export type Persistence = 'permanent' | 'temporary' | 'unlogged';

// ------------------------------------------------------------------------------------------------------- tables

export interface CreateTable extends Node {
  readonly kind: 'create-table';
  readonly name: QualifiedName;
  readonly persistence: Persistence;
  readonly ifNotExists: boolean;
  readonly elements: readonly TableElement[];
  /** `OF type`: a typed table. */
  readonly ofType: QualifiedName | undefined;
  readonly inherits: readonly QualifiedName[];
  readonly partitionOf: PartitionOf | undefined;
  readonly partitionBy: PartitionBy | undefined;
  /** USING method. */
  readonly accessMethod: Name | undefined;
  /** WITH (...): storage options, `engine` among them; WITHOUT OIDS is nothing. */
  readonly options: readonly Option[];
  readonly onCommit: 'preserve' | 'delete' | 'drop' | undefined;
  readonly tablespace: Name | undefined;
  /** ISO's WITH SYSTEM VERSIONING. */
  readonly systemVersioning: boolean;
}
export type TableElement = ColumnDefinition | TableConstraint | LikeClause | PeriodDefinition;
export interface ColumnDefinition extends Node {
  readonly kind: 'column-definition';
  readonly name: Name;
  /** undefined in a typed table or partition (`c WITH OPTIONS ...`). */
  readonly type: TypeName | undefined;
  readonly collation: QualifiedName | undefined;
  readonly storage: Name | undefined;
  readonly compression: Name | undefined;
  readonly constraints: readonly ColumnConstraint[];
}
/** Constraints of a column in the order of the text, with the name given by CONSTRAINT. */
export type ColumnConstraint = Node & { readonly name: Name | undefined } & (
    | { readonly kind: 'null' }
    | { readonly kind: 'not-null' }
    | { readonly kind: 'default'; readonly value: Expression }
    | {
        readonly kind: 'check';
        readonly condition: Expression;
        readonly noInherit: boolean;
        readonly enforced: boolean;
      }
    | ({ readonly kind: 'unique' | 'primary-key' } & IndexParameters & Deferral)
    | ({ readonly kind: 'references' } & References & Deferral)
    | { readonly kind: 'identity'; readonly always: boolean; readonly options: readonly SequenceOption[] }
    | { readonly kind: 'generated'; readonly value: Expression; readonly stored: boolean }
    | { readonly kind: 'row-start' }
    | { readonly kind: 'row-end' }
  );
/** Constraints of a table. */
export type TableConstraint = Node & { readonly name: Name | undefined } & (
    | {
        readonly kind: 'check';
        readonly condition: Expression;
        readonly noInherit: boolean;
        readonly notValid: boolean;
        readonly enforced: boolean;
      }
    | ({
        readonly kind: 'unique' | 'primary-key';
        readonly columns: readonly Name[];
        readonly withoutOverlaps: Name | undefined;
      } & IndexParameters &
        Deferral)
    /** UNIQUE | PRIMARY KEY USING INDEX name, in ALTER TABLE. */
    | ({ readonly kind: 'using-index'; readonly primaryKey: boolean; readonly index: Name } & Deferral)
    | ({ readonly kind: 'foreign-key'; readonly columns: readonly Name[]; readonly notValid: boolean } & References &
        Deferral)
    | ({
        readonly kind: 'exclude';
        readonly method: Name | undefined;
        readonly elements: readonly ExcludeElement[];
        readonly where: Expression | undefined;
      } & IndexParameters &
        Deferral)
  );
export interface ExcludeElement {
  readonly element: IndexElement;
  readonly operator: { readonly schema: readonly Name[]; readonly symbol: string };
}
export interface IndexParameters {
  /** UNIQUE NULLS NOT DISTINCT. */
  readonly nullsDistinct: boolean;
  readonly include: readonly Name[];
  readonly options: readonly Option[];
  readonly tablespace: Name | undefined;
}
export interface Deferral {
  readonly deferrable: boolean;
  readonly initiallyDeferred: boolean;
}
export interface References {
  readonly table: QualifiedName;
  /** Empty: the primary key. */
  readonly foreignColumns: readonly Name[];
  readonly match: 'simple' | 'full' | 'partial';
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** ON DELETE SET NULL (columns); empty: all. */
  readonly onDeleteColumns: readonly Name[];
  readonly enforced: boolean;
}
export type ReferentialAction = 'no-action' | 'restrict' | 'cascade' | 'set-null' | 'set-default';
export interface LikeClause extends Node {
  readonly kind: 'like';
  readonly table: QualifiedName;
  /** In the order of the text. */
  readonly options: readonly { readonly include: boolean; readonly what: LikeOption }[];
}
export type LikeOption =
  | 'all'
  | 'comments'
  | 'compression'
  | 'constraints'
  | 'defaults'
  | 'generated'
  | 'identity'
  | 'indexes'
  | 'statistics'
  | 'storage';
/** PERIOD FOR name (start, end); ISO. */
export interface PeriodDefinition extends Node {
  readonly kind: 'period';
  readonly name: Name;
  readonly start: Name;
  readonly end: Name;
}
export interface PartitionBy extends Node {
  readonly strategy: Name;
  readonly elements: readonly IndexElement[];
}
export interface PartitionOf extends Node {
  readonly parent: QualifiedName;
  readonly bound: PartitionBound;
}
export type PartitionBound = Node &
  (
    | { readonly kind: 'default' }
    | { readonly kind: 'in'; readonly values: readonly Expression[] }
    | { readonly kind: 'range'; readonly from: readonly Expression[]; readonly to: readonly Expression[] }
    | { readonly kind: 'hash'; readonly options: readonly Option[] }
  );

/** CREATE TABLE AS, CREATE MATERIALIZED VIEW; the source may be EXECUTE of a prepared statement. */
export interface CreateTableAs extends Node {
  readonly kind: 'create-table-as';
  readonly materializedView: boolean;
  readonly name: QualifiedName;
  readonly columns: readonly Name[];
  readonly persistence: Persistence;
  readonly ifNotExists: boolean;
  readonly accessMethod: Name | undefined;
  readonly options: readonly Option[];
  readonly onCommit: 'preserve' | 'delete' | 'drop' | undefined;
  readonly tablespace: Name | undefined;
  readonly source: Query | ExecutePrepared;
  readonly sourceSpan: TextSpan;
  readonly withData: boolean;
}
export interface ExecutePrepared extends Node {
  readonly kind: 'execute';
  readonly name: Name;
  readonly arguments: readonly Expression[];
}

/** ALTER TABLE and the ALTERs of other relations that share its actions. */
export interface AlterTable extends Node {
  readonly kind: 'alter-table';
  readonly object: 'table' | 'view' | 'materialized view' | 'index' | 'sequence' | 'foreign table' | 'type';
  readonly name: QualifiedName;
  readonly only: boolean;
  readonly ifExists: boolean;
  readonly actions: readonly AlterTableAction[];
}
export type AlterTableAction = Node &
  (
    | {
        readonly kind: 'add-column';
        readonly ifNotExists: boolean;
        readonly column: ColumnDefinition;
        readonly cascade: boolean;
      }
    | { readonly kind: 'drop-column'; readonly name: Name; readonly ifExists: boolean; readonly cascade: boolean }
    | { readonly kind: 'set-default'; readonly column: Name; readonly value: Expression }
    | { readonly kind: 'drop-default' | 'set-not-null' | 'drop-not-null'; readonly column: Name }
    | {
        readonly kind: 'alter-type';
        readonly column: Name;
        readonly type: TypeName;
        readonly collation: QualifiedName | undefined;
        readonly using: Expression | undefined;
        readonly cascade: boolean;
      }
    | {
        readonly kind: 'add-identity';
        readonly column: Name;
        readonly always: boolean;
        readonly options: readonly SequenceOption[];
      }
    | {
        readonly kind: 'set-identity';
        readonly column: Name;
        readonly always: boolean | undefined;
        readonly options: readonly SequenceOption[];
      }
    | { readonly kind: 'drop-identity' | 'drop-expression'; readonly column: Name; readonly ifExists: boolean }
    | { readonly kind: 'set-expression'; readonly column: Name; readonly value: Expression }
    /** `column` is a number in ALTER INDEX. */
    | { readonly kind: 'set-statistics'; readonly column: Name | number; readonly value: number }
    | { readonly kind: 'set-storage' | 'set-compression'; readonly column: Name; readonly value: Name }
    | {
        readonly kind: 'set-column-options' | 'reset-column-options';
        readonly column: Name;
        readonly options: readonly Option[];
      }
    | { readonly kind: 'add-constraint'; readonly constraint: TableConstraint }
    | { readonly kind: 'alter-constraint'; readonly name: Name; readonly deferral: Deferral }
    | { readonly kind: 'validate-constraint'; readonly name: Name }
    | { readonly kind: 'drop-constraint'; readonly name: Name; readonly ifExists: boolean; readonly cascade: boolean }
    | { readonly kind: 'set-options' | 'reset-options'; readonly options: readonly Option[] }
    | { readonly kind: 'set-logged' | 'set-unlogged' | 'set-without-cluster' | 'set-without-oids' | 'not-of' }
    | { readonly kind: 'cluster-on' | 'set-tablespace' | 'set-access-method'; readonly name: Name }
    | { readonly kind: 'inherit' | 'no-inherit' | 'of' | 'attach-index-partition'; readonly table: QualifiedName }
    | { readonly kind: 'attach-partition'; readonly table: QualifiedName; readonly bound: PartitionBound }
    | {
        readonly kind: 'detach-partition';
        readonly table: QualifiedName;
        readonly mode: 'now' | 'concurrently' | 'finalize';
      }
    | { readonly kind: 'owner'; readonly owner: RoleSpecification }
    /** ENABLE | DISABLE TRIGGER | RULE; `name` is undefined for ALL and USER, which `which` tells. */
    | {
        readonly kind: 'enable-trigger' | 'disable-trigger' | 'enable-rule' | 'disable-rule';
        readonly name: Name | undefined;
        readonly which: 'all' | 'user' | 'named';
        readonly firing: 'origin' | 'always' | 'replica';
      }
    | { readonly kind: 'row-security'; readonly mode: 'enable' | 'disable' | 'force' | 'no-force' }
    | {
        readonly kind: 'replica-identity';
        readonly mode: 'nothing' | 'full' | 'default' | 'index';
        readonly index: Name | undefined;
      }
    | { readonly kind: 'add-period'; readonly period: PeriodDefinition }
    | { readonly kind: 'drop-period'; readonly name: Name }
    | { readonly kind: 'add-system-versioning' | 'drop-system-versioning' }
    | { readonly kind: 'add-attribute'; readonly attribute: FieldDefinition; readonly cascade: boolean }
    | { readonly kind: 'drop-attribute'; readonly name: Name; readonly ifExists: boolean; readonly cascade: boolean }
  );

// ------------------------------------------------------------------------------------------------ indexes, views

export interface CreateIndex extends Node {
  readonly kind: 'create-index';
  readonly unique: boolean;
  readonly concurrently: boolean;
  readonly ifNotExists: boolean;
  readonly name: Name | undefined;
  readonly table: QualifiedName;
  readonly only: boolean;
  readonly method: Name | undefined;
  readonly elements: readonly IndexElement[];
  readonly include: readonly Name[];
  readonly nullsDistinct: boolean;
  readonly options: readonly Option[];
  readonly tablespace: Name | undefined;
  readonly where: Expression | undefined;
}
export interface CreateView extends Node {
  readonly kind: 'create-view';
  readonly orReplace: boolean;
  readonly persistence: Persistence;
  readonly recursive: boolean;
  readonly name: QualifiedName;
  readonly columns: readonly Name[];
  readonly options: readonly Option[];
  readonly query: Query;
  readonly querySpan: TextSpan;
  readonly checkOption: 'local' | 'cascaded' | undefined;
}
export interface RefreshMaterializedView extends Node {
  readonly kind: 'refresh-materialized-view';
  readonly name: QualifiedName;
  readonly concurrently: boolean;
  readonly withData: boolean;
}

// --------------------------------------------------------------------------------------- sequences, types, domains

export type SequenceOption = Node &
  (
    | { readonly kind: 'as'; readonly type: TypeName }
    /** Signed integers as text. */
    | { readonly kind: 'increment' | 'start' | 'cache'; readonly value: string }
    /** undefined: NO MINVALUE, NO MAXVALUE. */
    | { readonly kind: 'min' | 'max'; readonly value: string | undefined }
    /** undefined: RESTART alone. */
    | { readonly kind: 'restart'; readonly value: string | undefined }
    | { readonly kind: 'cycle'; readonly value: boolean }
    /** undefined: OWNED BY NONE. */
    | { readonly kind: 'owned-by'; readonly column: QualifiedName | undefined }
    | { readonly kind: 'sequence-name'; readonly name: QualifiedName }
  );
export interface CreateSequence extends Node {
  readonly kind: 'create-sequence';
  readonly name: QualifiedName;
  readonly persistence: Persistence;
  readonly ifNotExists: boolean;
  readonly options: readonly SequenceOption[];
}
export interface AlterSequence extends Node {
  readonly kind: 'alter-sequence';
  readonly name: QualifiedName;
  readonly ifExists: boolean;
  readonly options: readonly SequenceOption[];
}
/** CREATE TYPE in its forms; `distinct` is ISO's CREATE TYPE name AS type [FINAL]. */
export interface CreateType extends Node {
  readonly kind: 'create-type';
  readonly name: QualifiedName;
  readonly form: 'shell' | 'enum' | 'composite' | 'range' | 'base' | 'distinct';
  readonly labels: readonly StringLiteral[];
  readonly attributes: readonly FieldDefinition[];
  /** `range` and `base`. */
  readonly definition: DefinitionList;
  /** `distinct`. */
  readonly source: TypeName | undefined;
}
export interface AlterEnum extends Node {
  readonly kind: 'alter-enum';
  readonly name: QualifiedName;
  readonly action:
    | {
        readonly kind: 'add';
        readonly label: StringLiteral;
        readonly ifNotExists: boolean;
        readonly place: 'before' | 'after' | undefined;
        readonly neighbour: StringLiteral | undefined;
      }
    | { readonly kind: 'rename'; readonly from: StringLiteral; readonly to: StringLiteral };
}
export interface CreateDomain extends Node {
  readonly kind: 'create-domain';
  readonly name: QualifiedName;
  readonly type: TypeName;
  readonly collation: QualifiedName | undefined;
  readonly constraints: readonly ColumnConstraint[];
}
export interface AlterDomain extends Node {
  readonly kind: 'alter-domain';
  readonly name: QualifiedName;
  readonly action: Node &
    (
      | { readonly kind: 'set-default'; readonly value: Expression }
      | { readonly kind: 'drop-default' | 'set-not-null' | 'drop-not-null' }
      | { readonly kind: 'add-constraint'; readonly constraint: TableConstraint }
      | { readonly kind: 'drop-constraint'; readonly name: Name; readonly ifExists: boolean; readonly cascade: boolean }
      | { readonly kind: 'validate-constraint'; readonly name: Name }
    );
}

// ------------------------------------------------------------------------------------------- databases and others

/** Options of CREATE and ALTER DATABASE by name (`owner`, `template`, `encoding`, ...). */
export interface CreateDatabase extends Node {
  readonly kind: 'create-database' | 'alter-database';
  readonly name: Name;
  readonly options: readonly Option[];
}
export interface DropDatabase extends Node {
  readonly kind: 'drop-database';
  readonly name: Name;
  readonly ifExists: boolean;
  readonly force: boolean;
}
/** CREATE COLLECTION name (SCHEMA '...', ...): documents; the text is dispatched to the registered model. */
export interface CreateCollection extends Node {
  readonly kind: 'create-collection';
  readonly name: QualifiedName;
  readonly ifNotExists: boolean;
  readonly schema: StringLiteral | undefined;
  readonly options: readonly Option[];
}
/** ALTER COLLECTION name (SCHEMA '...' | SCHEMA NULL, ...). */
export interface AlterCollection extends Node {
  readonly kind: 'alter-collection';
  readonly name: QualifiedName;
  /** `none`: SCHEMA NULL; undefined: nothing is said of it. */
  readonly schema: StringLiteral | 'none' | undefined;
  readonly options: readonly Option[];
}
export interface CreateExtension extends Node {
  readonly kind: 'create-extension';
  readonly name: Name;
  readonly ifNotExists: boolean;
  readonly options: readonly Option[];
}
/**
 * CREATE AGGREGATE, OPERATOR, COLLATION and TEXT SEARCH ...: a name and a list of options. `from` is the source of
 * CREATE COLLATION ... FROM.
 */
export interface CreateDefinition extends Node {
  readonly kind: 'create-definition';
  readonly object: ObjectKind;
  readonly orReplace: boolean;
  readonly ifNotExists: boolean;
  readonly name: QualifiedName;
  readonly signature: RoutineSignature | undefined;
  readonly definition: DefinitionList;
  readonly from: QualifiedName | undefined;
}
export interface CreateCast extends Node {
  readonly kind: 'create-cast';
  readonly source: TypeName;
  readonly target: TypeName;
  /** undefined: WITHOUT FUNCTION or, with `inOut`, WITH INOUT. */
  readonly function: ObjectRef | undefined;
  readonly inOut: boolean;
  readonly context: 'explicit' | 'assignment' | 'implicit';
}
export interface CreateStatistics extends Node {
  readonly kind: 'create-statistics';
  readonly ifNotExists: boolean;
  readonly name: QualifiedName | undefined;
  readonly kinds: readonly Name[];
  readonly expressions: readonly Expression[];
  readonly from: readonly QualifiedName[];
}
export interface AlterStatistics extends Node {
  readonly kind: 'alter-statistics';
  readonly name: QualifiedName;
  readonly ifExists: boolean;
  readonly target: number;
}

/** Any DROP of named objects but databases and owned objects. */
export interface Drop extends Node {
  readonly kind: 'drop';
  readonly object: ObjectKind;
  readonly objects: readonly ObjectRef[];
  readonly ifExists: boolean;
  readonly concurrently: boolean;
  readonly cascade: boolean;
}
/** ALTER ... RENAME; `target.object` says what is renamed (a column, a constraint, an attribute's column, ...). */
export interface Rename extends Node {
  readonly kind: 'rename';
  readonly target: ObjectRef;
  /** The kind of relation of a renamed column or constraint. */
  readonly relation:
    | 'table'
    | 'view'
    | 'materialized view'
    | 'index'
    | 'sequence'
    | 'foreign table'
    | 'type'
    | 'domain'
    | undefined;
  readonly only: boolean;
  readonly ifExists: boolean;
  readonly cascade: boolean;
  readonly to: Name;
}
export interface AlterOwner extends Node {
  readonly kind: 'alter-owner';
  readonly target: ObjectRef;
  readonly ifExists: boolean;
  readonly owner: RoleSpecification;
}
export interface AlterObjectSchema extends Node {
  readonly kind: 'alter-schema';
  readonly target: ObjectRef;
  readonly ifExists: boolean;
  readonly schema: Name;
}
/** ALTER ... DEPENDS ON EXTENSION. */
export interface AlterDepends extends Node {
  readonly kind: 'alter-depends';
  readonly target: ObjectRef;
  readonly remove: boolean;
  readonly extension: Name;
}
/** ALTER OPERATOR, TYPE, COLLATION ... with options or REFRESH VERSION. */
export interface AlterDefinition extends Node {
  readonly kind: 'alter-definition';
  readonly target: ObjectRef;
  readonly options: DefinitionList;
}
export interface Comment extends Node {
  readonly kind: 'comment';
  readonly target: ObjectRef;
  /** undefined: NULL, which removes it. */
  readonly text: StringLiteral | undefined;
}
export interface Truncate extends Node {
  readonly kind: 'truncate';
  readonly tables: readonly { readonly name: QualifiedName; readonly only: boolean }[];
  readonly restartIdentity: boolean;
  readonly cascade: boolean;
}
/** Options of a routine, in the order of the text. */
export type RoutineOption = Node &
  (
    | { readonly kind: 'language'; readonly name: Name }
    | { readonly kind: 'volatility'; readonly value: 'immutable' | 'stable' | 'volatile' }
    | { readonly kind: 'strict' | 'leakproof' | 'security-definer' | 'window'; readonly value: boolean }
    | { readonly kind: 'parallel'; readonly value: Name }
    | { readonly kind: 'cost' | 'rows'; readonly value: NumberLiteral }
    | { readonly kind: 'support'; readonly function: QualifiedName }
    | { readonly kind: 'transform'; readonly types: readonly TypeName[] }
    /** ISO: CONTAINS SQL, READS SQL DATA, MODIFIES SQL DATA, NO SQL; DYNAMIC RESULT SETS n. */
    | { readonly kind: 'data-access'; readonly value: 'none' | 'contains' | 'reads' | 'modifies' }
    | { readonly kind: 'result-sets'; readonly value: NumberLiteral }
    /** AS 'source' [, 'symbol']; `bodyAt` is where the source stands in the text, if it stands there as it is. */
    | { readonly kind: 'as'; readonly sources: readonly StringLiteral[]; readonly bodyAt: number | undefined }
  );
