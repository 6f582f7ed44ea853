/**
 * The logical plan: relational algebra as the binder makes it and the rules rewrite it. A node says what rows come out,
 * never how. Each node lists the ids of its output columns; a node passes an input's column on by listing the same id.
 *
 *   text -> AST -> binder -> [ this ] -> rules -> [ this ] -> physical planner -> PhysicalNode -> code
 *
 * Invariants:
 *   1. `columns` of a node holds each id once, in the order in which a result would show them.
 *   2. An expression in a node uses columns of its inputs, or free ones: columns of an enclosing query (correlation) or of
 *      the left side of a lateral join. Free columns are bound by whoever runs the subplan.
 *   3. No two nodes make the same column id. (Pruning may drop ids; nothing duplicates a subtree.)
 */
import type { Oid, TableDescriptor, TypeRef } from '@phantom/catalog';
import type { AggregateFunction, SetFunction, WindowFunction } from '../../functions/registry.js';
import type { ColumnId, Expression, SortKey } from '../../expr/expression.js';
import type { VirtualRelation } from '../catalog-port.js';

export interface ScanColumn {
  readonly id: ColumnId;
  /** ColumnDescriptor.number. */
  readonly number: number;
}

/** All rows of a table that pass `filter`. */
export interface Scan {
  readonly kind: 'scan';
  readonly table: TableDescriptor;
  readonly alias: string;
  readonly scanColumns: readonly ScanColumn[];
  /** Column that holds the row's RowReference; DML and locking ask for it. */
  readonly rowReference: ColumnId | undefined;
  /** Filled in by predicate pushdown. */
  readonly filter: readonly Expression[];
  readonly columns: readonly ColumnId[];
}

export interface VirtualScan {
  readonly kind: 'virtual-scan';
  readonly relation: VirtualRelation;
  readonly alias: string;
  /** Positions in the relation of the columns, in step with `columns`. */
  readonly positions: readonly number[];
  readonly columns: readonly ColumnId[];
}

/** Rows written out; one empty row is what a SELECT without FROM reads. */
export interface Values {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
  readonly columns: readonly ColumnId[];
}

/** A set-returning call with its output columns. A scalar function is a set of one. */
export interface SetCall {
  readonly function: SetFunction;
  readonly arguments: readonly Expression[];
  readonly variadicFrom: number | undefined;
  readonly variadicElement: number | undefined;
  readonly resultType: TypeRef;
  /** The column definition list of a call whose result is `record`. */
  readonly recordColumns: readonly { readonly name: string; readonly type: TypeRef }[] | undefined;
  readonly columns: readonly ColumnId[];
  /** The function yields arrays of column values. */
  readonly composite: boolean;
}

/** A function call in FROM that returns no set: one row. */
export interface ScalarItem {
  readonly expression: Expression;
  readonly columns: readonly ColumnId[];
  /** The value is a record, spread over the columns. */
  readonly composite: boolean;
}

/** Functions in FROM, side by side, the shorter ones padded with nulls. */
export interface FunctionScan {
  readonly kind: 'function-scan';
  readonly calls: readonly (SetCall | ScalarItem)[];
  readonly ordinality: ColumnId | undefined;
  readonly alias: string;
  readonly columns: readonly ColumnId[];
}

export interface Filter {
  readonly kind: 'filter';
  readonly input: LogicalNode;
  readonly conditions: readonly Expression[];
  /** Of row-level security: what could tell of rows that it hides stays above it. */
  readonly isBarrier?: true;
  readonly columns: readonly ColumnId[];
}

/** Computes `items`; every other output column is one of the input's. */
export interface Project {
  readonly kind: 'project';
  readonly input: LogicalNode;
  readonly items: readonly { readonly column: ColumnId; readonly expression: Expression }[];
  readonly columns: readonly ColumnId[];
}

/** Set-returning functions of a select list: one row for each round, the shorter ones padded with nulls. */
export interface ProjectSet {
  readonly kind: 'project-set';
  readonly input: LogicalNode;
  readonly calls: readonly SetCall[];
  readonly columns: readonly ColumnId[];
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';

export interface Join {
  readonly kind: 'join';
  readonly join: JoinKind;
  readonly left: LogicalNode;
  readonly right: LogicalNode;
  readonly conditions: readonly Expression[];
  /** The right side uses columns of the left. */
  readonly lateral: boolean;
  /** NOT IN's: a null on either side makes the condition unknown, and unknown drops the row. */
  readonly nullAware: boolean;
  readonly columns: readonly ColumnId[];
}

export interface AggregateCall {
  readonly column: ColumnId;
  readonly function: AggregateFunction;
  readonly arguments: readonly Expression[];
  readonly argumentTypes: readonly TypeRef[];
  readonly directArguments: readonly Expression[];
  readonly variadicFrom: number | undefined;
  readonly variadicElement: number | undefined;
  readonly distinct: boolean;
  /** ORDER BY of the call, or WITHIN GROUP's. */
  readonly orderBy: readonly SortKey[];
  readonly filter: Expression | undefined;
  readonly type: TypeRef;
}

/** GROUPING(a, b): a bit for each key that the row's grouping set lacks. */
export interface GroupingCall {
  readonly column: ColumnId;
  /** Positions in `keys`. */
  readonly keys: readonly number[];
}

export interface Aggregate {
  readonly kind: 'aggregate';
  readonly input: LogicalNode;
  readonly keys: readonly { readonly column: ColumnId; readonly expression: Expression }[];
  /** Each set lists positions in `keys`; undefined: one set of all keys. */
  readonly sets: readonly (readonly number[])[] | undefined;
  readonly calls: readonly AggregateCall[];
  readonly groupings: readonly GroupingCall[];
  readonly columns: readonly ColumnId[];
}

export interface FrameBound {
  readonly kind: 'unbounded-preceding' | 'preceding' | 'current-row' | 'following' | 'unbounded-following';
  readonly offset: Expression | undefined;
}

export interface Frame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
  readonly exclude: 'no-others' | 'current-row' | 'group' | 'ties';
  /** For RANGE with an offset: what the current row sets as limit. Undefined where the bound has no offset. */
  readonly startLimit: RangeLimit | undefined;
  readonly endLimit: RangeLimit | undefined;
}

/** The ordering value of a row, and the limit it sets (that value plus or minus the offset), in one comparable type. */
export interface RangeLimit {
  readonly value: Expression;
  readonly limit: Expression;
}

export interface WindowCall {
  readonly column: ColumnId;
  /** A window function or an aggregate over a frame. */
  readonly function: WindowFunction | AggregateFunction;
  readonly arguments: readonly Expression[];
  readonly argumentTypes: readonly TypeRef[];
  readonly variadicFrom: number | undefined;
  readonly variadicElement: number | undefined;
  readonly filter: Expression | undefined;
  readonly frame: Frame;
  readonly ignoreNulls: boolean;
  readonly fromLast: boolean;
  readonly type: TypeRef;
}

/** Window functions that share one partitioning and ordering. */
export interface Window {
  readonly kind: 'window';
  readonly input: LogicalNode;
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  readonly calls: readonly WindowCall[];
  readonly columns: readonly ColumnId[];
}

export interface Sort {
  readonly kind: 'sort';
  readonly input: LogicalNode;
  readonly keys: readonly SortKey[];
  readonly columns: readonly ColumnId[];
}

export interface Limit {
  readonly kind: 'limit';
  readonly input: LogicalNode;
  readonly count: Expression | undefined;
  readonly offset: Expression | undefined;
  /** WITH TIES compares these keys; the input is sorted by them. */
  readonly ties: readonly SortKey[] | undefined;
  readonly columns: readonly ColumnId[];
}

/** DISTINCT over all columns, or the first row of each group of equal `on` (the input is sorted so that they meet). */
export interface Distinct {
  readonly kind: 'distinct';
  readonly input: LogicalNode;
  readonly on: readonly Expression[] | undefined;
  readonly columns: readonly ColumnId[];
}

export interface SetOperation {
  readonly kind: 'set-operation';
  readonly operation: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly inputs: readonly LogicalNode[];
  /** For each input, its columns in the order of `columns`. */
  readonly inputColumns: readonly (readonly ColumnId[])[];
  readonly columns: readonly ColumnId[];
}

/** One WITH query: evaluated once, read by any number of CteScans. */
export interface CommonTable {
  readonly id: number;
  readonly name: string;
  readonly plan: LogicalNode;
  /** Present when it is recursive: the working table starts from `plan`, then `step` runs until it gives no rows. */
  readonly recursive:
    | {
        readonly step: LogicalNode;
        readonly distinct: boolean;
        /** The table's columns as `plan` gives them and, in step with them, as `step` does. */
        readonly columns: readonly ColumnId[];
        readonly stepColumns: readonly ColumnId[];
      }
    | undefined;
  /** Output columns of `plan`, in order. */
  readonly columns: readonly ColumnId[];
  /** It modifies data: runs to its end even when nobody reads it. */
  readonly writes: boolean;
  /** MATERIALIZED or NOT MATERIALIZED as written; undefined leaves it to the planner. */
  readonly materialized: boolean | undefined;
}

export interface With {
  readonly kind: 'with';
  readonly tables: readonly CommonTable[];
  readonly input: LogicalNode;
  readonly columns: readonly ColumnId[];
}

/** Reads a WITH query; `working` reads the working table of a recursion from inside its step. */
export interface CteScan {
  readonly kind: 'cte-scan';
  readonly cte: number;
  readonly name: string;
  readonly working: boolean;
  /** Columns of the CTE that are read, in step with `columns`. */
  readonly sources: readonly ColumnId[];
  readonly columns: readonly ColumnId[];
}

/** How rows are locked: FOR UPDATE and kin. */
export interface RowLock {
  readonly strength: 'update' | 'no-key-update' | 'share' | 'key-share';
  readonly wait: 'block' | 'nowait' | 'skip-locked';
}

/** As a query says it. */
export function lockingWords({ strength }: RowLock): string {
  return `FOR ${strength.toUpperCase().replaceAll('-', ' ')}`;
}

/** Rows to lock, by the column with their references. */
export interface LockTarget extends RowLock {
  readonly rowReference: ColumnId;
}

/** Locks the rows it passes on. */
export interface LockRows {
  readonly kind: 'lock-rows';
  readonly input: LogicalNode;
  readonly targets: readonly LockTarget[];
  readonly columns: readonly ColumnId[];
}

/** A row of a table under ids: one for each of its columns, by position (dropped ones included). */
export type RowColumns = readonly ColumnId[];

/** What a row must be: the statement is refused unless the condition over it is true. */
export interface RowCheck {
  readonly condition: Expression;
  /** 44000 by a view WITH CHECK OPTION that the row is written through; 42501 by policies, or by the restrictive one of a name. */
  readonly refused:
    | { readonly by: 'view'; readonly name: string }
    | { readonly by: 'policy'; readonly row: 'new' | 'existing' | 'target'; readonly name?: string };
}

export interface Insert {
  readonly kind: 'insert';
  readonly table: TableDescriptor;
  readonly input: LogicalNode;
  /** New value of each column by position, over the input's columns and, for generated ones, over `newRow`. */
  readonly values: readonly Expression[];
  readonly newRow: RowColumns;
  readonly conflict: InsertConflict | undefined;
  readonly checks: readonly RowCheck[];
  /** Of a partitioned table, here and below: gets the oid of the partition that was written to. */
  readonly tableOid?: ColumnId | undefined;
  readonly columns: readonly ColumnId[];
}

export interface InsertConflict {
  readonly action: 'nothing' | 'update';
  /** Unique indexes that may arbitrate; empty is any. */
  readonly arbiters: readonly Oid[];
  /** The row that is already there. */
  readonly existing: RowColumns;
  /** For update: over `existing` and `newRow` (EXCLUDED); then the row that is stored, under `stored`. */
  readonly condition: Expression | undefined;
  readonly values: readonly Expression[];
  /** Rows of subqueries that `values` take their fields from. */
  readonly rows: readonly { readonly column: ColumnId; readonly expression: Expression }[];
  readonly stored: RowColumns;
  /** Numbers of the columns that SET names. */
  readonly assigned: readonly number[];
  /** Over `existing`, before anything is done to it. */
  readonly existingChecks: readonly RowCheck[];
  /** Over `stored`. */
  readonly checks: readonly RowCheck[];
  /** MySQL counts an updated row as two and an unchanged one as none. */
  readonly countAsMySql: boolean;
}

export interface Update {
  readonly kind: 'update';
  readonly table: TableDescriptor;
  readonly input: LogicalNode;
  readonly rowReference: ColumnId;
  readonly oldRow: RowColumns;
  readonly values: readonly Expression[];
  readonly newRow: RowColumns;
  /** Numbers of the columns that SET names. */
  readonly assigned: readonly number[];
  /** A row may come more than once (a join): only its first coming counts. */
  readonly mayRepeat: boolean;
  readonly checks: readonly RowCheck[];
  readonly tableOid?: ColumnId | undefined;
  readonly columns: readonly ColumnId[];
}

export interface Delete {
  readonly kind: 'delete';
  readonly table: TableDescriptor;
  readonly input: LogicalNode;
  readonly rowReference: ColumnId;
  readonly oldRow: RowColumns;
  readonly mayRepeat: boolean;
  readonly tableOid?: ColumnId | undefined;
  readonly columns: readonly ColumnId[];
}

export interface MergeAction {
  readonly match: 'matched' | 'not-matched' | 'not-matched-by-source';
  readonly condition: Expression | undefined;
  readonly action: 'nothing' | 'delete' | 'update' | 'insert';
  readonly values: readonly Expression[];
  /** Numbers of the columns that SET names. */
  readonly assigned: readonly number[];
  /** Over the old row, before it is changed or removed. */
  readonly oldChecks: readonly RowCheck[];
  /** Over the new row. */
  readonly checks: readonly RowCheck[];
}

/** Input: target full or left joined to the source; a null row reference is "not matched", a null `sourceMark` "by source". */
export interface Merge {
  readonly kind: 'merge';
  readonly table: TableDescriptor;
  readonly input: LogicalNode;
  readonly rowReference: ColumnId;
  readonly sourceMark: ColumnId;
  readonly oldRow: RowColumns;
  readonly newRow: RowColumns;
  readonly actions: readonly MergeAction[];
  /** Text of merge_action() for RETURNING. */
  readonly actionName: ColumnId;
  readonly tableOid?: ColumnId | undefined;
  readonly columns: readonly ColumnId[];
}

export type LogicalNode =
  | Scan
  | VirtualScan
  | Values
  | FunctionScan
  | Filter
  | Project
  | ProjectSet
  | Join
  | Aggregate
  | Window
  | Sort
  | Limit
  | Distinct
  | SetOperation
  | With
  | CteScan
  | LockRows
  | Insert
  | Update
  | Delete
  | Merge;
