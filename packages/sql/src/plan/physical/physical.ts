/**
 * The physical plan: what is done and in what way, with estimates. exec/compile turns it into code; explain.ts prints it.
 * Columns are the logical plan's; a node may hand on fewer.
 */
import type { IndexDescriptor, IndexRanges, TableDescriptor } from '@phantom/catalog';
import type { ColumnId, ComparisonRole, Expression, SortKey } from '../../expr/expression.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import type { VirtualRelation } from '../catalog-port.js';
import type {
  AggregateCall,
  Delete,
  GroupingCall,
  Insert,
  LockRows,
  Merge,
  ScalarItem,
  ScanColumn,
  SetCall,
  Update,
  WindowCall,
} from '../logical/logical.js';

export interface Estimate {
  /** Rows that come out of one run. */
  readonly rows: number;
  /** Work until the first and until the last row, in visits of a row. */
  readonly startup: number;
  readonly total: number;
}

interface Base {
  readonly columns: readonly ColumnId[];
  readonly estimate: Estimate;
}

export interface RangeBound {
  readonly value: Expression;
  readonly inclusive: boolean;
}

/**
 * A range of keys: values for the first key columns, then bounds on the next one. The expressions use no column of the
 * table itself. A null among them makes the range empty.
 */
export interface KeyRangePlan {
  readonly equal: readonly Expression[];
  /** An array of values for the key column after the equal ones: one range for each of them. */
  readonly any: Expression | undefined;
  readonly lower: RangeBound | undefined;
  readonly upper: RangeBound | undefined;
  /** Of an inverted index, in the place of all of the above: rows that have the terms of an operand. */
  readonly terms?: TermsPlan;
  /** Of a collection's index, in the place of all of the above but `equal`, which counts for the order alone. */
  readonly documents?: DocumentsPlan;
  /** In the place of all of the above: the ranges of several indexes, and each row once. The conditions stay filters. */
  readonly union?: readonly UnionBranch[];
  /** Only entries of rows that these ranges of other indexes have too, or nearly: their conditions stay filters. */
  readonly among?: readonly IndexRange[];
  /** The values are those of the key from its second column on: the range is read below each value that the first one has. */
  readonly skipsFirst?: true;
  /** The conditions that the range stands for, for EXPLAIN. */
  readonly conditions: readonly Expression[];
}

/** One of the ranges of a union: of an index, or of the table's own key. */
export interface UnionBranch {
  readonly index: IndexDescriptor | undefined;
  readonly range: KeyRangePlan;
}

/** One of the ranges of an intersection. */
export interface IndexRange {
  readonly index: IndexDescriptor;
  readonly range: KeyRangePlan;
}

/** What is looked for in an inverted index. Rows that are found may fail the condition still: it stays a filter. */
export interface TermsPlan {
  /** Place of the column among the index's parts. */
  readonly place: number;
  /** The operator that the column stands on the left of. */
  readonly operator: string;
  readonly operand: Expression;
}

/** What is looked for in an index over paths of documents. Rows that are found may fail the conditions still: they stay filters. */
export interface DocumentsPlan {
  readonly operands: readonly Expression[];
  /** Whatever the operands, there is one range, and no document has two entries in it. */
  readonly single: boolean;
  /** Where the rows are for values of the operands; null when there can be none. */
  entries(values: readonly Value[]): IndexRanges | null;
}

/** Reads a table by its primary order or through an index. */
export interface TableScan extends Base {
  readonly kind: 'table-scan';
  readonly table: TableDescriptor;
  readonly alias: string;
  readonly scanColumns: readonly ScanColumn[];
  readonly rowReference: ColumnId | undefined;
  /** Undefined: the table itself, by its key. */
  readonly index: IndexDescriptor | undefined;
  /** The entries of the index hold every column: no row is fetched. */
  readonly indexOnly: boolean;
  readonly range: KeyRangePlan | undefined;
  /** The range holds at most one row: read by key, not by cursor. */
  readonly unique: boolean;
  readonly backward: boolean;
  readonly filter: readonly Expression[];
  /** It reads the partition of its run alone (Gather). */
  readonly partitioned?: true;
}

/** Reads all rows of a table from a column index, in no order. */
export interface ColumnScan extends Base {
  readonly kind: 'column-scan';
  readonly table: TableDescriptor;
  readonly alias: string;
  readonly scanColumns: readonly ScanColumn[];
  readonly index: IndexDescriptor;
  readonly filter: readonly Expression[];
  /** Conditions of the filter by which whole segments are passed over. */
  readonly zones: readonly ZoneCondition[];
  /** As of a TableScan. */
  readonly partitioned?: true;
}

/** A comparison of a column with a value that does not depend on the scan. */
export interface ZoneCondition {
  readonly column: number;
  readonly role: ComparisonRole;
  readonly value: Expression;
  readonly condition: Expression;
}

export interface VirtualScan extends Base {
  readonly kind: 'virtual-scan';
  readonly relation: VirtualRelation;
  readonly alias: string;
  readonly positions: readonly number[];
}

export interface ValuesScan extends Base {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
}

export interface FunctionScan extends Base {
  readonly kind: 'function-scan';
  readonly calls: readonly (SetCall | ScalarItem)[];
  readonly ordinality: ColumnId | undefined;
  readonly alias: string;
}

export interface Filter extends Base {
  readonly kind: 'filter';
  readonly input: PhysicalNode;
  readonly conditions: readonly Expression[];
}

export interface Project extends Base {
  readonly kind: 'project';
  readonly input: PhysicalNode;
  readonly items: readonly { readonly column: ColumnId; readonly expression: Expression }[];
}

export interface ProjectSet extends Base {
  readonly kind: 'project-set';
  readonly input: PhysicalNode;
  readonly calls: readonly SetCall[];
}

export type PhysicalJoinKind = 'inner' | 'left' | 'full' | 'semi' | 'anti';

/** Builds a table of the right side's rows by key, then looks up each left row. */
export interface HashJoin extends Base {
  readonly kind: 'hash-join';
  readonly join: PhysicalJoinKind;
  readonly left: PhysicalNode;
  readonly right: PhysicalNode;
  /** Pairs of expressions over left and right that are equal, with what compares them. */
  readonly keys: readonly { readonly left: Expression; readonly right: Expression; readonly condition: Expression }[];
  readonly residual: readonly Expression[];
  readonly nullAware: boolean;
}

/** For each left row, runs over the right side: its rows kept in memory, or a scan whose range uses the left row's columns. */
export interface NestedLoopJoin extends Base {
  readonly kind: 'nested-loop';
  readonly join: PhysicalJoinKind;
  readonly left: PhysicalNode;
  readonly right: PhysicalNode;
  readonly conditions: readonly Expression[];
  /**
   * `buffer`: the right side runs once; `lookup`: it is a scan by key; `merge`: such a scan, and the left rows come in the order of
   * its keys; `lateral`: it runs anew for each left row.
   */
  readonly inner: 'buffer' | 'lookup' | 'merge' | 'lateral';
  readonly nullAware: boolean;
}

export interface AggregateNode extends Base {
  readonly kind: 'aggregate';
  readonly input: PhysicalNode;
  /** Rows of a group come one after another: no table of groups is kept. */
  readonly sorted: boolean;
  readonly keys: readonly { readonly column: ColumnId; readonly expression: Expression }[];
  readonly sets: readonly (readonly number[])[] | undefined;
  readonly calls: readonly AggregateCall[];
  readonly groupings: readonly GroupingCall[];
  /** `partial`: over the rows of a partition; `final`: over what the partitions gave. Undefined: over all rows at once. */
  readonly phase?: 'partial' | 'final';
}

/**
 * Runs its input once for each partition of what that scans, in this thread and in others, and hands the rows on in the order of
 * the partitions.
 */
export interface Gather extends Base {
  readonly kind: 'gather';
  readonly input: PhysicalNode;
  /** The scan below, whose rows are divided. */
  readonly scan: TableScan | ColumnScan;
  readonly partitionsMax: number;
}

export interface WindowNode extends Base {
  readonly kind: 'window';
  readonly input: PhysicalNode;
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  readonly calls: readonly WindowCall[];
}

export interface Sort extends Base {
  readonly kind: 'sort';
  readonly input: PhysicalNode;
  readonly keys: readonly SortKey[];
  /** Only so many rows are wanted (LIMIT plus OFFSET): evaluated at the start. */
  readonly top: { readonly count: Expression; readonly offset: Expression | undefined } | undefined;
}

export interface Limit extends Base {
  readonly kind: 'limit';
  readonly input: PhysicalNode;
  readonly count: Expression | undefined;
  readonly offset: Expression | undefined;
  readonly ties: readonly SortKey[] | undefined;
}

export interface Distinct extends Base {
  readonly kind: 'distinct';
  readonly input: PhysicalNode;
  /** Set: the input is sorted so that equal ones meet, and the first of each run passes. */
  readonly on: readonly Expression[] | undefined;
}

/** The places of the inputs that may have rows, by what is known when the append starts. */
export type AppendPruning = (parameters: readonly Value[], evaluation: EvaluationContext) => ReadonlySet<number>;

export interface Append extends Base {
  readonly kind: 'append';
  readonly inputs: readonly PhysicalNode[];
  readonly inputColumns: readonly (readonly ColumnId[])[];
  /** Of partitions: which of them are read. */
  readonly pruning?: AppendPruning | undefined;
}

/** INTERSECT and EXCEPT, with ALL or without. */
export interface SetOperationNode extends Base {
  readonly kind: 'set-operation';
  readonly operation: 'intersect' | 'except';
  readonly all: boolean;
  readonly inputs: readonly [PhysicalNode, PhysicalNode];
  readonly inputColumns: readonly (readonly ColumnId[])[];
}

export interface CommonTablePlan {
  readonly id: number;
  readonly name: string;
  readonly plan: PhysicalNode;
  readonly recursive:
    | {
        readonly step: PhysicalNode;
        readonly distinct: boolean;
        readonly columns: readonly ColumnId[];
        readonly stepColumns: readonly ColumnId[];
      }
    | undefined;
  readonly columns: readonly ColumnId[];
  readonly writes: boolean;
}

export interface WithNode extends Base {
  readonly kind: 'with';
  readonly tables: readonly CommonTablePlan[];
  readonly input: PhysicalNode;
}

export interface CteScan extends Base {
  readonly kind: 'cte-scan';
  readonly cte: number;
  readonly name: string;
  readonly working: boolean;
  /** Positions in the common table's columns, in step with `columns`. */
  readonly positions: readonly number[];
}

export interface LockRowsNode extends Base {
  readonly kind: 'lock-rows';
  readonly input: PhysicalNode;
  readonly targets: LockRows['targets'];
}

export interface InsertNode extends Base, Omit<Insert, 'input' | 'columns'> {
  readonly input: PhysicalNode;
}

export interface UpdateNode extends Base, Omit<Update, 'input' | 'columns'> {
  readonly input: PhysicalNode;
}

export interface DeleteNode extends Base, Omit<Delete, 'input' | 'columns'> {
  readonly input: PhysicalNode;
}

export interface MergeNode extends Base, Omit<Merge, 'input' | 'columns'> {
  readonly input: PhysicalNode;
}

export type PhysicalNode =
  | TableScan
  | ColumnScan
  | VirtualScan
  | ValuesScan
  | FunctionScan
  | Filter
  | Project
  | ProjectSet
  | HashJoin
  | NestedLoopJoin
  | AggregateNode
  | Gather
  | WindowNode
  | Sort
  | Limit
  | Distinct
  | Append
  | SetOperationNode
  | WithNode
  | CteScan
  | LockRowsNode
  | InsertNode
  | UpdateNode
  | DeleteNode
  | MergeNode;
