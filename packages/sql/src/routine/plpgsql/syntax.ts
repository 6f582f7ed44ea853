/**
 * The syntax tree of a body in PL/pgSQL. Expressions and statements of SQL inside are read by the parser of SQL from their
 * piece of the text; what is here is what stands around them.
 *
 * Trees are made once for each routine and shared by all sessions: plans hang on the SQL inside.
 */
import type { TypeName } from '../../text/ast-leaves.js';
import type { Statement } from '../../text/ast-statements.js';
import type * as Ast from '../../text/ast.js';

/** Names joined by dots, folded: `x`, `label.x`, `record.field`. */
export type NamePath = readonly string[];

/** A place in the body: offset in UTF-16 units. */
interface Placed {
  readonly at: number;
}

/** A piece of SQL, and what in it may be variables. */
export interface Fragment extends Placed {
  readonly text: string;
  /** Every path of names in it, once. */
  readonly paths: readonly NamePath[];
  /** It mentions $1, $2, ... */
  readonly usesNumbers: boolean;
}

/** An expression; `expression` is undefined for one that goes on with FROM and the like, and is a query. */
export interface ExpressionFragment extends Fragment {
  readonly expression: Ast.Expression | undefined;
  readonly query: Statement;
  /** The text of `query`. */
  readonly queryText: string;
  /** No query stands in it, so that it can be computed at once. */
  readonly isPlain: boolean;
}

/** A whole statement. */
export interface StatementFragment extends Fragment {
  readonly kind: 'statement';
  readonly node: Statement;
}

/** A variable, or a field of one, that is given a value. */
export interface TargetNode extends Placed {
  readonly path: NamePath;
}

/** INTO: one record, or variables one by one. */
export interface IntoNode {
  readonly strict: boolean;
  readonly targets: readonly TargetNode[];
}

export interface VariableDeclaration extends Placed {
  readonly kind: 'variable';
  readonly name: string;
  readonly line: number;
  readonly constant: boolean;
  readonly type: DeclaredType;
  readonly notNull: boolean;
  readonly initial: ExpressionFragment | undefined;
}

export type DeclaredType =
  | { readonly kind: 'type'; readonly name: TypeName; readonly at: number }
  /** `variable%TYPE` or `table.column%TYPE`. */
  | { readonly kind: 'same-as'; readonly path: NamePath; readonly at: number }
  | { readonly kind: 'row-of'; readonly path: NamePath; readonly at: number };

export interface AliasDeclaration extends Placed {
  readonly kind: 'alias';
  readonly name: string;
  /** A name path, or `$1`. */
  readonly target: NamePath;
}

export interface CursorDeclaration extends Placed {
  readonly kind: 'cursor';
  readonly name: string;
  readonly line: number;
  readonly scroll: boolean | undefined;
  readonly parameters: readonly { readonly at: number; readonly name: string; readonly type: DeclaredType }[];
  readonly query: StatementFragment;
}

export type Declaration = VariableDeclaration | AliasDeclaration | CursorDeclaration;

export interface HandlerNode extends Placed {
  readonly conditions: readonly ConditionNode[];
  readonly body: readonly Node[];
}

/** A condition by its name, or SQLSTATE '...'. */
export interface ConditionNode extends Placed {
  readonly kind: 'name' | 'state';
  readonly text: string;
}

interface Base extends Placed {
  readonly line: number;
}

export interface BlockNode extends Base {
  readonly kind: 'block';
  readonly label: string | undefined;
  readonly declarations: readonly Declaration[];
  readonly body: readonly Node[];
  readonly handlers: readonly HandlerNode[];
}

export interface AssignNode extends Base {
  readonly kind: 'assign';
  readonly target: TargetNode;
  /** For a part of a variable (`x[1]`, `x.f[2]`): UPDATE's way of saying the same. */
  readonly part: Ast.TargetColumn | undefined;
  readonly value: ExpressionFragment;
}

export interface IfNode extends Base {
  readonly kind: 'if';
  readonly branches: readonly { readonly condition: ExpressionFragment; readonly body: readonly Node[] }[];
  readonly otherwise: readonly Node[] | undefined;
}

export interface CaseNode extends Base {
  readonly kind: 'case';
  /** What it is about, and the record by whose name the conditions know it, in the field CASE_FIELD. */
  readonly operand: { readonly value: ExpressionFragment; readonly variable: string } | undefined;
  readonly branches: readonly { readonly condition: ExpressionFragment; readonly body: readonly Node[] }[];
  readonly otherwise: readonly Node[] | undefined;
}

interface LoopBase extends Base {
  readonly label: string | undefined;
  readonly body: readonly Node[];
}

export interface LoopNode extends LoopBase {
  readonly kind: 'loop';
}

export interface WhileNode extends LoopBase {
  readonly kind: 'while';
  readonly condition: ExpressionFragment;
}

export interface ForIntegerNode extends LoopBase {
  readonly kind: 'for-integer';
  readonly variable: string;
  readonly reverse: boolean;
  readonly lower: ExpressionFragment;
  readonly upper: ExpressionFragment;
  readonly step: ExpressionFragment | undefined;
}

export interface ForQueryNode extends LoopBase {
  readonly kind: 'for-query';
  readonly targets: readonly TargetNode[];
  readonly query: StatementFragment | DynamicNode;
}

export interface ForCursorNode extends LoopBase {
  readonly kind: 'for-cursor';
  readonly variable: string;
  readonly cursor: TargetNode;
  readonly arguments: readonly CursorArgument[];
}

export interface ForEachNode extends LoopBase {
  readonly kind: 'for-each';
  readonly targets: readonly TargetNode[];
  readonly slice: number;
  readonly array: ExpressionFragment;
}

export interface ExitNode extends Base {
  readonly kind: 'exit';
  readonly continues: boolean;
  readonly label: string | undefined;
  readonly when: ExpressionFragment | undefined;
}

export interface ReturnNode extends Base {
  readonly kind: 'return';
  readonly value: ExpressionFragment | undefined;
}

export interface ReturnNextNode extends Base {
  readonly kind: 'return-next';
  readonly value: ExpressionFragment | undefined;
}

/** A text that is read when the statement runs, with values for $1, $2, ... */
export interface DynamicNode {
  readonly kind: 'dynamic';
  readonly text: ExpressionFragment;
  readonly using: readonly ExpressionFragment[];
}

export interface ReturnQueryNode extends Base {
  readonly kind: 'return-query';
  readonly query: StatementFragment | DynamicNode;
}

export type RaiseLevel = 'debug' | 'log' | 'info' | 'notice' | 'warning' | 'exception';

export interface RaiseNode extends Base {
  readonly kind: 'raise';
  readonly level: RaiseLevel;
  readonly condition: ConditionNode | undefined;
  readonly format: string | undefined;
  readonly arguments: readonly ExpressionFragment[];
  readonly options: readonly { readonly name: string; readonly value: ExpressionFragment; readonly at: number }[];
}

export interface AssertNode extends Base {
  readonly kind: 'assert';
  readonly condition: ExpressionFragment;
  readonly message: ExpressionFragment | undefined;
}

export interface SqlNode extends Base {
  readonly kind: 'sql';
  readonly statement: StatementFragment;
  readonly into: IntoNode | undefined;
}

export interface PerformNode extends Base {
  readonly kind: 'perform';
  readonly statement: StatementFragment;
}

export interface CallNode extends Base {
  readonly kind: 'call';
  readonly statement: StatementFragment;
}

export interface ExecuteNode extends Base {
  readonly kind: 'execute';
  readonly dynamic: DynamicNode;
  readonly into: IntoNode | undefined;
}

export interface DiagnosticsNode extends Base {
  readonly kind: 'diagnostics';
  readonly stacked: boolean;
  readonly items: readonly { readonly target: TargetNode; readonly item: string }[];
}

export interface CursorArgument extends Placed {
  readonly name: string | undefined;
  readonly value: ExpressionFragment;
}

export interface OpenNode extends Base {
  readonly kind: 'open';
  readonly cursor: TargetNode;
  readonly scroll: boolean | undefined;
  /** Undefined for a cursor whose query was declared. */
  readonly query: StatementFragment | DynamicNode | undefined;
  readonly arguments: readonly CursorArgument[];
  /** Where the arguments stand, or would. */
  readonly argumentsAt: number;
}

export type FetchDirection = 'forward' | 'backward' | 'absolute' | 'relative';

export interface FetchNode extends Base {
  readonly kind: 'fetch';
  readonly moves: boolean;
  readonly direction: FetchDirection;
  /** Undefined: one. */
  readonly count: ExpressionFragment | number | 'all';
  readonly cursor: TargetNode;
  readonly into: readonly TargetNode[];
}

export interface CloseNode extends Base {
  readonly kind: 'close';
  readonly cursor: TargetNode;
}

/** COMMIT and ROLLBACK of a procedure. */
export interface EndTransactionNode extends Base {
  readonly kind: 'commit' | 'rollback';
  readonly chain: boolean;
}

export interface NullNode extends Base {
  readonly kind: 'null';
}

export type Node =
  | BlockNode
  | AssignNode
  | IfNode
  | CaseNode
  | LoopNode
  | WhileNode
  | ForIntegerNode
  | ForQueryNode
  | ForCursorNode
  | ForEachNode
  | ExitNode
  | ReturnNode
  | ReturnNextNode
  | ReturnQueryNode
  | RaiseNode
  | AssertNode
  | SqlNode
  | PerformNode
  | CallNode
  | ExecuteNode
  | DiagnosticsNode
  | OpenNode
  | FetchNode
  | CloseNode
  | EndTransactionNode
  | NullNode;

/** The one field of the record that holds the operand of CASE. */
export const CASE_FIELD = 'value';

export type VariableConflict = 'neither' | 'variables' | 'columns';

export interface BodyNode {
  readonly block: BlockNode;
  /** Something in it may end the transaction: loops read all of their rows first. */
  readonly endsTransactions: boolean;
  /** What #variable_conflict says; undefined: the setting. */
  readonly conflict: VariableConflict | undefined;
  /** What #print_strict_params says; undefined: the setting. */
  readonly printsStrictParameters: boolean | undefined;
}
