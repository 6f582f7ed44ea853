/**
 * Name scopes: what columns and tables an expression may speak of, level by level, after PostgreSQL's namespace items.
 *
 * One Scope is one query level. Its range items are the tables of FROM; a join hides the unqualified columns of its sides
 * behind an item of its own (merged USING columns first) but leaves their qualified names. Enclosing levels are parents:
 * a name found there makes the query correlated.
 */
import type { TableDescriptor, TypeRef } from '@phantom/catalog';
import type { ColumnId, Expression, SortKey } from './expression.js';
import type { BindContext } from './context.js';
import type {
  AggregateCall,
  Frame,
  GroupingCall,
  LockTarget,
  LogicalNode,
  RowLock,
  SetCall,
  WindowCall,
} from '../plan/logical/logical.js';
import type { TableExpression } from '../text/ast.js';

export interface ScopeColumn {
  readonly name: string;
  readonly expression: Expression;
  readonly type: TypeRef;
  /** A system column: to read it, one must be allowed to read all of the table. */
  readonly ofTable?: true;
}

/** A named thing in FROM. */
export interface RangeItem {
  /** Name by which columns are qualified; undefined for a join without alias. */
  readonly name: string | undefined;
  /** Schema, for `schema.table.column`. Undefined where an alias hides it. */
  readonly schema: string | undefined;
  readonly columns: readonly ScopeColumn[];
  /** Fields of a whole row, where a stored query knows other columns than there are now. */
  readonly rowColumns?: readonly ScopeColumn[] | undefined;
  /** Its name may qualify columns. */
  readonly relationVisible: boolean;
  /** Its columns may be named alone. */
  readonly columnsVisible: boolean;
  /** Here for the sake of a hint alone: LATERAL would make it usable. */
  readonly lateralOnly: boolean;
  /** Of the rows of a rule: what stands beside it in FROM may speak of it without LATERAL. */
  readonly isOfRule?: true;
  /** A lateral reference that the join's type forbids. */
  readonly lateralForbidden: boolean;
  /** Composite type of a whole row; 0 for a plain record. */
  readonly rowTypeOid: number;
  /** The item as a whole is its one column: a function in FROM whose result is no row. */
  readonly scalarRow: boolean;
  /** System columns and the like: found by name, never by `*`. */
  readonly hidden: readonly ScopeColumn[];
  /** The table behind, for functional dependencies on its primary key; undefined for other things. */
  readonly table: TableDescriptor | undefined;
  /** Column that is never null in a row of the item: null where an outer join has padded it. */
  readonly marker: ColumnId | undefined;
  /** Column that holds the row's RowReference, for FOR UPDATE and DML. */
  readonly rowReference: ColumnId | undefined;
  /** Called with each column that is used, for privileges; with -1 for a system column. */
  readonly onUse: ((columnIndex: number) => void) | undefined;
}

/** What the action of a rule goes over: the rows of the statement that it stands for or beside, and their names. */
export interface RuleRows {
  readonly plan: LogicalNode;
  /** `old` and `new`. */
  readonly items: readonly RangeItem[];
}

/** What stands for the rows of a rule in FROM. No query can name it: a name never holds this character. */
export const RULE_ROWS_NAME = '\u0000rule';

/** FOR UPDATE and kin of a query level. */
export interface RangeLocks {
  /** How the rows of an item of FROM are to be locked; undefined when they are not. */
  of(node: TableExpression): RowLock | undefined;
  /** What is locked of the items that are bound. */
  readonly targets: LockTarget[];
}

/** Where an expression stands, in PostgreSQL's words for its messages. */
export type Clause =
  | 'SELECT'
  | 'WHERE'
  | 'JOIN conditions'
  | 'GROUP BY'
  | 'HAVING'
  | 'ORDER BY'
  | 'DISTINCT ON'
  | 'LIMIT'
  | 'OFFSET'
  | 'VALUES'
  | 'FROM'
  | 'UPDATE'
  | 'INSERT'
  | 'RETURNING'
  | 'WINDOW'
  | 'FILTER'
  | 'MERGE WHEN'
  | 'ON CONFLICT'
  | 'check constraints'
  | 'DEFAULT expressions'
  | 'column generation expressions'
  | 'index expressions'
  | 'index predicates'
  | 'policy expressions'
  | 'CALL arguments'
  | 'trigger WHEN conditions'
  | 'transform expressions';

/** A window call before windows are put together: its own specification with it. */
export interface PendingWindowCall {
  readonly call: WindowCall;
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
}

/** A WINDOW clause entry or an inline one, bound. */
export interface BoundWindow {
  readonly partition: readonly Expression[];
  readonly order: readonly SortKey[];
  readonly frame: Frame | undefined;
}

/** A WITH query that can be named in FROM. */
export interface CteBinding {
  readonly id: number;
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly column: ColumnId; readonly type: TypeRef }[];
  /** The query is being bound right now: only a recursive reference may use it. */
  readonly working: boolean;
  /** Columns of the working table that no name reaches (SEARCH and CYCLE keep their own there). */
  readonly hidden?: readonly { readonly name: string; readonly column: ColumnId; readonly type: TypeRef }[];
  /** Tells the ids under which a scan reads the hidden columns. */
  onScan?(columns: readonly ColumnId[]): void;
  /** Counts references. */
  onUse(): void;
}

export class Scope {
  readonly parent: Scope | undefined;
  readonly context: BindContext;
  items: RangeItem[] = [];
  clause: Clause = 'SELECT';
  /** Undefined when nothing of this level is locked. */
  locks: RangeLocks | undefined = undefined;
  readonly ctes = new Map<string, CteBinding>();
  /** Aggregates found at this level; undefined where there can be none (VALUES, DML). */
  aggregates: AggregateCall[] = [];
  groupings: { readonly call: GroupingCall; readonly keys: readonly Expression[] }[] = [];
  windowCalls: PendingWindowCall[] = [];
  setCalls: SetCall[] = [];
  readonly windows = new Map<string, BoundWindow>();
  /** Inside the arguments of an aggregate of this level: they may not hold another. */
  insideAggregate = false;
  insideWindow = false;
  /** The first column used outside of aggregates and where, for messages; see bind-group.ts. */
  readonly positions = new Map<Expression, number>();
  /** Where aggregates and set-returning functions of this level were called, by the column that stands for them. */
  readonly callPositions = new Map<ColumnId, number>();

  constructor(context: BindContext, parent: Scope | undefined) {
    this.context = context;
    this.parent = parent;
  }

  /** The WITH query of that name, inner levels first. */
  cte(name: string): CteBinding | undefined {
    return this.ctes.get(name) ?? this.parent?.cte(name);
  }

  /** True when the column belongs to a range item of this level. */
  owns(column: ColumnId): boolean {
    for (const item of this.items) {
      for (const scopeColumn of item.columns) {
        if (scopeColumn.expression.kind === 'column' && scopeColumn.expression.column === column) return true;
      }
      for (const scopeColumn of item.hidden) {
        if (scopeColumn.expression.kind === 'column' && scopeColumn.expression.column === column) return true;
      }
    }
    return false;
  }
}
