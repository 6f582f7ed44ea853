/** Statements about the session: transactions, settings, cursors, COPY, locks, notices and maintenance. */
import type { ObjectRef } from './ast-access.js';
import type { IntervalField, Name, Node, Option, QualifiedName, StringLiteral } from './ast-leaves.js';
import type { Delete, Expression, FunctionCall, Insert, Merge, Query, Update } from './ast.js';

// ------------------------------------------------------------------------------------------------- transactions

export interface TransactionModes {
  readonly isolation: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable' | undefined;
  readonly readOnly: boolean | undefined;
  readonly deferrable: boolean | undefined;
}
export interface Begin extends Node {
  readonly kind: 'begin';
  /** START TRANSACTION, whose command tag differs. */
  readonly start: boolean;
  readonly modes: TransactionModes;
}
/** COMMIT, END, ROLLBACK, ABORT. */
export interface EndTransaction extends Node {
  readonly kind: 'commit' | 'rollback';
  readonly chain: boolean;
}
export interface Savepoint extends Node {
  readonly kind: 'savepoint' | 'release' | 'rollback-to';
  readonly name: Name;
}
/** PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED. */
export interface TwoPhase extends Node {
  readonly kind: 'prepare-transaction' | 'commit-prepared' | 'rollback-prepared';
  readonly id: StringLiteral;
}
export interface SetTransaction extends Node {
  readonly kind: 'set-transaction';
  /** SET SESSION CHARACTERISTICS AS TRANSACTION. */
  readonly session: boolean;
  readonly modes: TransactionModes;
}
export interface SetConstraints extends Node {
  readonly kind: 'set-constraints';
  /** Empty: ALL. */
  readonly names: readonly QualifiedName[];
  readonly deferred: boolean;
}
export interface LockTable extends Node {
  readonly kind: 'lock-table';
  readonly tables: readonly { readonly name: QualifiedName; readonly only: boolean }[];
  /** `access exclusive` and so on. */
  readonly mode: string;
  readonly nowait: boolean;
}

// ----------------------------------------------------------------------------------------------------- settings

/**
 * A setting's new value. SET TIME ZONE, NAMES, ROLE, SESSION AUTHORIZATION, SCHEMA, CATALOG, XML OPTION and SEED come as
 * the settings `timezone`, `client_encoding`, `role`, `session_authorization`, `search_path`, `catalog`, `xmloption`
 * and `seed`; SET TRANSACTION SNAPSHOT as `transaction_snapshot`.
 */
export type SettingValue =
  | { readonly kind: 'default'; readonly position: number }
  | { readonly kind: 'current'; readonly position: number }
  | { readonly kind: 'values'; readonly values: readonly SettingItem[]; readonly position: number };
/** `interval`: SET TIME ZONE INTERVAL '...' HOUR TO MINUTE, `text` being the literal and `fields` what follows it. */
export interface SettingItem extends Node {
  readonly kind: 'string' | 'number' | 'word' | 'interval';
  readonly text: string;
  readonly fields?: readonly IntervalField[];
}
export interface SetSetting extends Node {
  readonly kind: 'set';
  readonly scope: 'session' | 'local';
  /** Lower case, with its dots: `phantom.flag_nonstandard`. */
  readonly name: string;
  readonly value: SettingValue;
}
export interface Reset extends Node {
  readonly kind: 'reset';
  /** undefined: RESET ALL. */
  readonly name: string | undefined;
}
export interface Show extends Node {
  readonly kind: 'show';
  /** undefined: SHOW ALL. */
  readonly name: string | undefined;
}
/** ALTER SYSTEM | DATABASE d | ROLE r | FUNCTION f SET ... or RESET .... */
export interface AlterSetting extends Node {
  readonly kind: 'alter-setting';
  /** undefined: ALTER SYSTEM; for ALTER ROLE ALL the name is empty. */
  readonly target: ObjectRef | undefined;
  /** ALTER ROLE r IN DATABASE d. */
  readonly inDatabase: Name | undefined;
  readonly setting: SetSetting | Reset;
}
export interface Discard extends Node {
  readonly kind: 'discard';
  readonly what: 'all' | 'plans' | 'sequences' | 'temporary';
}

// ------------------------------------------------------------------------------------------------ cursors, calls

export interface DeclareCursor extends Node {
  readonly kind: 'declare-cursor';
  readonly name: Name;
  readonly binary: boolean;
  readonly insensitive: boolean | undefined;
  readonly scroll: boolean | undefined;
  readonly hold: boolean;
  readonly query: Query;
}
export interface Fetch extends Node {
  readonly kind: 'fetch';
  /** MOVE: no rows are sent. */
  readonly move: boolean;
  readonly direction: 'forward' | 'backward' | 'absolute' | 'relative';
  readonly count: number | 'all';
  readonly cursor: Name;
}
export interface CloseCursor extends Node {
  readonly kind: 'close';
  /** undefined: ALL. */
  readonly name: Name | undefined;
}
export interface Deallocate extends Node {
  readonly kind: 'deallocate';
  /** undefined: ALL. */
  readonly name: Name | undefined;
}
export interface Call extends Node {
  readonly kind: 'call-statement';
  readonly call: FunctionCall;
}
export interface DoBlock extends Node {
  readonly kind: 'do';
  readonly language: Name | undefined;
  readonly source: StringLiteral;
  /** Where the source stands in the text, if it stands there as it is. */
  readonly bodyAt: number | undefined;
}

// --------------------------------------------------------------------------------------------------------- copy

export interface Copy extends Node {
  readonly kind: 'copy';
  readonly direction: 'from' | 'to';
  /** One of `table` and `query` is set. */
  readonly table: QualifiedName | undefined;
  readonly columns: readonly Name[];
  readonly query: Query | Insert | Update | Delete | Merge | undefined;
  readonly where: Expression | undefined;
  readonly endpoint: 'client' | 'file' | 'program';
  /** The file's name or the command. */
  readonly path: string | undefined;
  readonly options: readonly CopyOption[];
}
/** Old and new syntax give the same: `format`, `freeze`, `delimiter`, `null`, `header`, `quote`, `escape`, ... */
export interface CopyOption extends Node {
  readonly name: string;
  /** Columns for force_quote, force_null and force_not_null; `*` for all of them; true when no value was written. */
  readonly value: string | boolean | number | '*' | readonly Name[];
}

// -------------------------------------------------------------------------------------------------- maintenance

export interface MaintenanceTarget extends Node {
  readonly name: QualifiedName;
  readonly columns: readonly Name[];
}
/** VACUUM and ANALYZE, with options in lower case from both syntaxes. */
export interface Vacuum extends Node {
  readonly kind: 'vacuum' | 'analyze';
  readonly options: readonly Option[];
  readonly tables: readonly MaintenanceTarget[];
}
export interface Reindex extends Node {
  readonly kind: 'reindex';
  readonly object: 'index' | 'table' | 'schema' | 'system' | 'database';
  readonly name: QualifiedName;
  readonly concurrently: boolean;
  readonly options: readonly Option[];
}
export interface Cluster extends Node {
  readonly kind: 'cluster';
  readonly table: QualifiedName | undefined;
  readonly index: Name | undefined;
  readonly options: readonly Option[];
}
export interface Checkpoint extends Node {
  readonly kind: 'checkpoint';
}
/** BACKUP TO 'directory'. */
export interface Backup extends Node {
  readonly kind: 'backup';
  readonly directory: StringLiteral;
}
/** LISTEN, UNLISTEN (undefined: `*`), NOTIFY. */
export interface Notify extends Node {
  readonly kind: 'listen' | 'unlisten' | 'notify';
  readonly channel: Name | undefined;
  readonly payload: StringLiteral | undefined;
}
/** LOAD 'library'. */
export interface Load extends Node {
  readonly kind: 'load';
  readonly path: StringLiteral;
}
