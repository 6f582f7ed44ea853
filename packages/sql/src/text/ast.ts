/**
 * The syntax tree of SQL: names, types, expressions, queries and data modification (PostgreSQL 15's dialect and ISO SQL).
 * Definitions of the schema are in `ast-schema.ts`, roles and rights in `ast-access.ts`, session commands in
 * `ast-session.ts`, and the union of all statements, with those that hold other statements, in `ast-statements.ts`.
 *
 * Nodes are plain immutable objects told apart by a literal `kind`. Rules that hold for each of them:
 *  1. `position` is a 0-based offset in UTF-16 units. It points where PostgreSQL points when it blames the node: at the
 *     operator of an infix or postfix expression, else at the first token.
 *  2. Every field is always there; what was not written is `undefined` or an empty list, so one kind has one shape.
 *  3. Names are folded (unquoted ones to lower case), cut to 63 bytes and otherwise as written; nothing is resolved.
 *  4. Flat in the text is flat in the tree where chains may be long: AND, OR and set operations hold lists.
 *  5. Spelling variants that mean the same give the same node (`TABLE t` is `SELECT * FROM t`, `!=` is `<>`), except
 *     where the name of an output column depends on the spelling.
 *
 * Expressions and queries are mutually recursive, hence one file; its leaves (names, types, literals) are in
 * `ast-leaves.ts`, the nodes of SQL/JSON in `ast-json.ts`, of SQL/XML in `ast-xml.ts`.
 */
import type * as Json from './ast-json.js';
import type {
  Corresponding,
  BitStringLiteral,
  BooleanLiteral,
  ColumnRef,
  CurrentOf,
  CurrentValue,
  DefaultMarker,
  FieldDefinition,
  InsertedValue,
  IntoClause,
  JoinUsing,
  LockingClause,
  Name,
  Node,
  NormalForm,
  NullLiteral,
  NumberLiteral,
  OperatorName,
  Option,
  Parameter,
  QualifiedName,
  SearchClause,
  Star,
  StringLiteral,
  TableAlias,
  TargetTable,
  TypeName,
} from './ast-leaves.js';
import type * as Xml from './ast-xml.js';

// ---------------------------------------------------------------------------------------------------- expressions
export type Expression =
  | NullLiteral
  | BooleanLiteral
  | NumberLiteral
  | StringLiteral
  | BitStringLiteral
  | Parameter
  | ColumnRef
  | Star
  | FieldSelection
  | Subscripted
  | UnaryExpression
  | BinaryExpression
  | LogicalExpression
  | NotExpression
  | IsTest
  | DistinctTest
  | BetweenTest
  | InTest
  | LikeTest
  | Quantified
  | SubqueryExpression
  | ArrayConstructor
  | RowConstructor
  | CastExpression
  | CollateExpression
  | AtTimeZone
  | CaseExpression
  | Conditional
  | FunctionCall
  | SpecialFunction
  | Grouping
  | CurrentValue
  | DefaultMarker
  | InsertedValue
  | CurrentOf
  | OverlapsTest
  | PeriodTest
  | JsonExpression
  | XmlFunction;
/** `(x).field`, `f(x).field`, `a[1].field`; `field` is undefined for `(x).*`. */
export interface FieldSelection extends Node {
  readonly kind: 'field';
  readonly base: Expression;
  readonly field: Name | undefined;
}
/** `a[1][2:3]`: all consecutive subscripts in one node. */
export interface Subscripted extends Node {
  readonly kind: 'subscript';
  readonly base: Expression;
  readonly subscripts: readonly Subscript[];
}
export type Subscript =
  | { readonly kind: 'index'; readonly index: Expression }
  | { readonly kind: 'slice'; readonly lower: Expression | undefined; readonly upper: Expression | undefined };
/** A prefix operator. `-1` is a unary minus over 1; the binder folds it. */
export interface UnaryExpression extends Node {
  readonly kind: 'unary';
  readonly operator: OperatorName;
  readonly operand: Expression;
}
/** Any infix operator, comparisons included: its sides may be rows (RowConstructor). */
export interface BinaryExpression extends Node {
  readonly kind: 'binary';
  readonly operator: OperatorName;
  readonly left: Expression;
  readonly right: Expression;
}
/** AND or OR with two or more operands, in the order of the text. */
export interface LogicalExpression extends Node {
  readonly kind: 'logical';
  readonly operator: 'and' | 'or';
  readonly operands: readonly Expression[];
}
export interface NotExpression extends Node {
  readonly kind: 'not';
  readonly operand: Expression;
}
/** IS [NOT] NULL, TRUE, FALSE, UNKNOWN, DOCUMENT, [form] NORMALIZED; ISNULL and NOTNULL too. */
export interface IsTest extends Node {
  readonly kind: 'is';
  readonly operand: Expression;
  readonly test: 'null' | 'true' | 'false' | 'unknown' | 'document' | 'normalized';
  readonly form: NormalForm | undefined;
  readonly negated: boolean;
}
export interface DistinctTest extends Node {
  readonly kind: 'is-distinct';
  readonly left: Expression;
  readonly right: Expression;
  readonly negated: boolean;
}
export interface BetweenTest extends Node {
  readonly kind: 'between';
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly symmetric: boolean;
  readonly negated: boolean;
}
export interface InTest extends Node {
  readonly kind: 'in';
  readonly operand: Expression;
  readonly candidates: readonly Expression[] | Query;
  readonly negated: boolean;
}
export interface LikeTest extends Node {
  readonly kind: 'like';
  readonly operator: 'like' | 'ilike' | 'similar';
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly escape: Expression | undefined;
  readonly negated: boolean;
}
/** `x = ANY (...)`, `x LIKE ALL (...)`; SOME reads ANY. `source` is a subquery or an array expression. */
export interface Quantified extends Node {
  readonly kind: 'quantified';
  readonly left: Expression;
  /** LIKE and ILIKE come as their operators `~~`, `~~*`, `!~~` and `!~~*`. */
  readonly operator: OperatorName;
  readonly quantifier: 'any' | 'all';
  readonly source: Expression | Query;
}
/** EXISTS (query), ISO's UNIQUE (query), a scalar `(query)`, and ARRAY(query). */
export interface SubqueryExpression extends Node {
  readonly kind: 'exists' | 'unique' | 'subquery' | 'array-subquery';
  readonly query: Query;
}
/** `ARRAY[...]`; an element of a nested `ARRAY[[1,2],[3,4]]` is again an ArrayConstructor, with `bare` set. */
export interface ArrayConstructor extends Node {
  readonly kind: 'array';
  readonly elements: readonly Expression[];
  readonly bare: boolean;
}
/** `ROW(...)` when `explicit`, else `(a, b)`. */
export interface RowConstructor extends Node {
  readonly kind: 'row';
  readonly fields: readonly Expression[];
  readonly explicit: boolean;
}
/** CAST(x AS t), `x::t` and `t 'literal'`. `spelling` decides how an unknown literal is read and the column's name. */
export interface CastExpression extends Node {
  readonly kind: 'cast';
  readonly operand: Expression;
  readonly type: TypeName;
  readonly spelling: 'cast' | 'colons' | 'literal';
}
export interface CollateExpression extends Node {
  readonly kind: 'collate';
  readonly operand: Expression;
  readonly collation: QualifiedName;
}
/** `zone` is undefined for AT LOCAL. */
export interface AtTimeZone extends Node {
  readonly kind: 'at-time-zone';
  readonly operand: Expression;
  readonly zone: Expression | undefined;
}
export interface CaseExpression extends Node {
  readonly kind: 'case';
  /** Set in `CASE x WHEN ...`. */
  readonly operand: Expression | undefined;
  readonly branches: readonly CaseBranch[];
  readonly otherwise: Expression | undefined;
}
export interface CaseBranch extends Node {
  readonly when: Expression;
  readonly result: Expression;
}
export interface Conditional extends Node {
  readonly kind: 'conditional';
  readonly function: 'coalesce' | 'nullif' | 'greatest' | 'least';
  readonly arguments: readonly Expression[];
}
/** An ordinary function, aggregate or window function call. `count(*)` has `star` and no arguments. */
export interface FunctionCall extends Node {
  readonly kind: 'call';
  readonly name: QualifiedName;
  readonly arguments: readonly CallArgument[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: readonly SortItem[];
  /** WITHIN GROUP (ORDER BY ...) of ordered-set and hypothetical-set aggregates. */
  readonly withinGroup: readonly SortItem[];
  readonly filter: Expression | undefined;
  readonly nulls: 'respect' | 'ignore' | undefined;
  /** NTH_VALUE(...) FROM FIRST | LAST. */
  readonly from: 'first' | 'last' | undefined;
  /** LISTAGG(... ON OVERFLOW ...). */
  readonly onOverflow: OverflowClause | undefined;
  /** A Name is `OVER window_name`. */
  readonly over: WindowSpecification | Name | undefined;
}
export interface CallArgument extends Node {
  readonly name: Name | undefined;
  readonly value: Expression;
  readonly variadic: boolean;
}
export interface OverflowClause {
  readonly action: 'error' | 'truncate';
  readonly filler: Expression | undefined;
  readonly withCount: boolean;
}
/**
 * Calls with a syntax of their own; `arguments` are in the order of PostgreSQL's plain functions, and what was not written at the end is
 * left out: extract(field as a string, source), position(string, substring), substring(string, from, for), substring-similar(string,
 * pattern, escape), overlay(string, new, from, for), btrim, ltrim and rtrim(string, characters), normalize(string, form as a string),
 * collation-for(value). ISO's USING OCTETS comes as the function over the bytes of its texts (`convert_to`).
 */
export interface SpecialFunction extends Node {
  readonly kind: 'special';
  readonly function:
    | 'extract'
    | 'position'
    | 'substring'
    | 'substring-similar'
    | 'overlay'
    | 'btrim'
    | 'ltrim'
    | 'rtrim'
    | 'normalize'
    | 'collation-for';
  readonly arguments: readonly Expression[];
}
export interface Grouping extends Node {
  readonly kind: 'grouping';
  readonly arguments: readonly Expression[];
}
/** `(a, b) OVERLAPS (c, d)`. */
export interface OverlapsTest extends Node {
  readonly kind: 'overlaps';
  readonly left: RowConstructor;
  readonly right: RowConstructor;
}
/** ISO's period predicates (T502). A side is `PERIOD (start, end)`, a named period or, for `contains`, a point in time. */
export interface PeriodTest extends Node {
  readonly kind: 'period';
  readonly predicate:
    | 'overlaps'
    | 'equals'
    | 'contains'
    | 'precedes'
    | 'succeeds'
    | 'immediately-precedes'
    | 'immediately-succeeds';
  readonly left: Period | Expression;
  readonly right: Period | Expression;
}
export interface Period extends Node {
  readonly kind: 'period-value';
  readonly start: Expression;
  readonly end: Expression;
}
// -------------------------------------------------------------------------------------------- SQL/JSON, SQL/XML
export type JsonExpression = IsJsonTest | JsonConstructor | JsonAggregate | JsonQueryFunction;
export type XmlFunction = Xml.XmlFunction<Expression>;
export type XmlTable = Xml.XmlTable<Expression>;
export type IsJsonTest = Json.IsJsonTest<Expression>;
export type JsonConstructor = Json.JsonConstructor<Expression, Query>;
export type JsonAggregate = Json.JsonAggregate<Expression, SortItem, WindowSpecification>;
export type JsonQueryFunction = Json.JsonQueryFunction<Expression>;
export type JsonTable = Json.JsonTable<Expression>;
export type JsonTableColumn = Json.JsonTableColumn<Expression>;
export type JsonValueExpression = Json.JsonValueExpression<Expression>;
export type JsonBehavior = Json.JsonBehavior<Expression>;

// ------------------------------------------------------------------------------------------------------ queries
/** A query with the clauses that may follow any body. A parenthesised query with clauses of its own is a body. */
export interface Query extends Node {
  readonly kind: 'query';
  readonly with: WithClause | undefined;
  readonly body: QueryBody;
  readonly orderBy: readonly SortItem[];
  /** LIMIT n, FETCH FIRST n ROWS; undefined for none and for LIMIT ALL. */
  readonly limit: LimitClause | undefined;
  readonly offset: Expression | undefined;
  readonly locking: readonly LockingClause[];
}
export type QueryBody = Select | Values | SetOperation | Query;
export interface LimitClause extends Node {
  readonly count: Expression;
  readonly withTies: boolean;
  readonly percent: boolean;
}
export interface WithClause extends Node {
  readonly recursive: boolean;
  readonly tables: readonly CommonTable[];
}
export interface CommonTable extends Node {
  readonly name: Name;
  readonly columns: readonly Name[];
  readonly materialized: boolean | undefined;
  readonly statement: Query | Insert | Update | Delete | Merge;
  readonly search: SearchClause | undefined;
  readonly cycle: CycleClause | undefined;
}
export interface CycleClause extends Node {
  readonly columns: readonly Name[];
  readonly set: Name;
  readonly to: Expression | undefined;
  readonly default: Expression | undefined;
  readonly using: Name;
}
export interface Select extends Node {
  readonly kind: 'select';
  /** `on` is empty for plain DISTINCT. */
  readonly distinct: { readonly on: readonly Expression[] } | undefined;
  /** May be empty: PostgreSQL allows `SELECT FROM t`. */
  readonly items: readonly SelectItem[];
  readonly into: IntoClause | undefined;
  /** Comma-separated. */
  readonly from: readonly TableExpression[];
  readonly where: Expression | undefined;
  readonly groupBy: GroupBy | undefined;
  readonly having: Expression | undefined;
  readonly windows: readonly WindowDefinition[];
}
export interface SelectItem extends Node {
  readonly value: Expression;
  readonly alias: Name | undefined;
  /** ISO's `t.* AS (a, b)`: a name for each column; empty otherwise. */
  readonly columnAliases: readonly Name[];
}
export interface GroupBy extends Node {
  readonly distinct: boolean;
  readonly elements: readonly GroupingElement[];
}
export type GroupingElement =
  | { readonly kind: 'expression'; readonly value: Expression }
  | { readonly kind: 'empty'; readonly position: number }
  | {
      readonly kind: 'rollup' | 'cube' | 'sets';
      readonly elements: readonly GroupingElement[];
      readonly position: number;
    };
export interface Values extends Node {
  readonly kind: 'values';
  readonly rows: readonly ValuesRow[];
}
export interface ValuesRow extends Node {
  readonly values: readonly Expression[];
}
/** Evaluated from left to right; INTERSECT, which binds tighter, is a SetOperation inside. */
export interface SetOperation extends Node {
  readonly kind: 'set-operation';
  readonly first: QueryBody;
  readonly rest: readonly SetBranch[];
}
export interface SetBranch extends Node {
  readonly operator: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly corresponding: Corresponding | undefined;
  readonly body: QueryBody;
}
export interface SortItem extends Node {
  readonly value: Expression;
  readonly direction: 'asc' | 'desc' | undefined;
  readonly using: OperatorName | undefined;
  readonly nulls: 'first' | 'last' | undefined;
}
export interface WindowDefinition {
  readonly name: Name;
  readonly window: WindowSpecification;
}
export interface WindowSpecification extends Node {
  readonly kind: 'window';
  readonly base: Name | undefined;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
  readonly frame: WindowFrame | undefined;
}
export interface WindowFrame extends Node {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound | undefined;
  readonly exclude: 'current-row' | 'group' | 'ties' | 'no-others' | undefined;
}
export interface FrameBound extends Node {
  readonly kind: 'unbounded-preceding' | 'preceding' | 'current-row' | 'following' | 'unbounded-following';
  readonly offset: Expression | undefined;
}
export type TableExpression = TableRef | DerivedTable | FunctionTable | JsonTable | XmlTable | Join | ChangedTable;
export interface TableRef extends Node {
  readonly kind: 'table';
  readonly name: QualifiedName;
  readonly only: boolean;
  readonly alias: TableAlias | undefined;
  readonly sample: TableSample | undefined;
  readonly systemTime: SystemTime | undefined;
}
export interface TableSample extends Node {
  readonly method: QualifiedName;
  readonly arguments: readonly Expression[];
  readonly repeatable: Expression | undefined;
}
/** ISO's FOR SYSTEM_TIME; `to` is undefined for `as-of`. */
export interface SystemTime extends Node {
  readonly kind: 'as-of' | 'from-to' | 'between';
  readonly from: Expression;
  readonly to: Expression | undefined;
}
export interface DerivedTable extends Node {
  readonly kind: 'derived';
  readonly query: Query;
  readonly lateral: boolean;
  readonly alias: TableAlias | undefined;
}
/** `f(x) [WITH ORDINALITY]` has one function, ROWS FROM (...) one or more. */
export interface FunctionTable extends Node {
  readonly kind: 'function-table';
  readonly rowsFrom: boolean;
  readonly functions: readonly TableFunction[];
  readonly ordinality: boolean;
  readonly lateral: boolean;
  readonly alias: TableAlias | undefined;
  /** `AS t(a int, b text)`: the column definition list of a function returning record. */
  readonly definitions: readonly FieldDefinition[];
}
export interface TableFunction extends Node {
  readonly call: Expression;
  readonly definitions: readonly FieldDefinition[];
}
export interface Join extends Node {
  readonly kind: 'join';
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross';
  readonly natural: boolean;
  readonly left: TableExpression;
  readonly right: TableExpression;
  readonly on: Expression | undefined;
  readonly using: JoinUsing | undefined;
  /** `(a JOIN b ON ...) AS alias` hides the tables inside. */
  readonly alias: TableAlias | undefined;
}
/** ISO's FINAL | NEW | OLD TABLE (insert, update, delete or merge), T495. */
export interface ChangedTable extends Node {
  readonly kind: 'changed-table';
  readonly which: 'final' | 'new' | 'old';
  readonly statement: Insert | Update | Delete | Merge;
  readonly alias: TableAlias | undefined;
}
// -------------------------------------------------------------------------------------------- data modification
/** A column to be set, perhaps in part: `c`, `c.field`, `c[1]`. */
export interface TargetColumn extends Node {
  readonly name: Name;
  readonly path: readonly (Name | Subscript)[];
}
export interface Insert extends Node {
  readonly kind: 'insert';
  readonly with: WithClause | undefined;
  readonly table: TargetTable;
  /** Empty: all columns in order. */
  readonly columns: readonly TargetColumn[];
  readonly overriding: 'system' | 'user' | undefined;
  /** undefined: DEFAULT VALUES. */
  readonly source: Query | undefined;
  readonly onConflict: OnConflict | undefined;
  readonly onDuplicateKey: OnDuplicateKey | undefined;
  readonly returning: Returning | undefined;
}
export interface OnConflict extends Node {
  /** undefined: any unique constraint (DO NOTHING only). */
  readonly target: ConflictTarget | undefined;
  readonly action: 'nothing' | 'update';
  readonly assignments: readonly Assignment[];
  readonly where: Expression | undefined;
}
export type ConflictTarget =
  | { readonly kind: 'constraint'; readonly name: Name; readonly position: number }
  | {
      readonly kind: 'columns';
      readonly elements: readonly IndexElement[];
      readonly where: Expression | undefined;
      readonly position: number;
    };
/** A key of an index or of an ON CONFLICT target. A plain column is a ColumnRef of one name. */
export interface IndexElement extends Node {
  readonly value: Expression;
  readonly collation: QualifiedName | undefined;
  readonly operatorClass: QualifiedName | undefined;
  readonly operatorClassOptions: readonly Option[];
  readonly direction: 'asc' | 'desc' | undefined;
  readonly nulls: 'first' | 'last' | undefined;
}
/** MySQL's ON DUPLICATE KEY UPDATE with its row alias (`VALUES (...) AS new(a, b)`). */
export interface OnDuplicateKey extends Node {
  readonly rowAlias: TableAlias | undefined;
  readonly assignments: readonly Assignment[];
}
/** `c = x`: one target. `(a, b) = (x, y)`, `= ROW(...)`, `= (subquery)`: `multiple`, and `value` is a row or a subquery. */
export interface Assignment extends Node {
  readonly targets: readonly TargetColumn[];
  readonly multiple: boolean;
  readonly value: Expression;
}
/** RETURNING [WITH (OLD AS o, NEW AS n)] items. */
export interface Returning extends Node {
  readonly oldAlias: Name | undefined;
  readonly newAlias: Name | undefined;
  readonly items: readonly SelectItem[];
}
export interface Update extends Node {
  readonly kind: 'update';
  readonly with: WithClause | undefined;
  readonly table: TargetTable;
  readonly portion: PortionOf | undefined;
  readonly assignments: readonly Assignment[];
  readonly from: readonly TableExpression[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
}
export interface Delete extends Node {
  readonly kind: 'delete';
  readonly with: WithClause | undefined;
  readonly table: TargetTable;
  readonly portion: PortionOf | undefined;
  readonly using: readonly TableExpression[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
}
/** ISO's FOR PORTION OF period FROM a TO b. */
export interface PortionOf extends Node {
  readonly period: Name;
  readonly from: Expression;
  readonly to: Expression;
}
export interface Merge extends Node {
  readonly kind: 'merge';
  readonly with: WithClause | undefined;
  readonly target: TargetTable;
  readonly source: TableExpression;
  readonly on: Expression;
  readonly branches: readonly MergeBranch[];
  readonly returning: Returning | undefined;
}
export interface MergeBranch extends Node {
  readonly match: 'matched' | 'not-matched' | 'not-matched-by-source';
  readonly condition: Expression | undefined;
  readonly action: MergeAction;
}
export type MergeAction =
  | { readonly kind: 'nothing' | 'delete'; readonly position: number }
  | { readonly kind: 'update'; readonly assignments: readonly Assignment[]; readonly position: number }
  | {
      readonly kind: 'insert';
      readonly columns: readonly TargetColumn[];
      readonly overriding: 'system' | 'user' | undefined;
      /** undefined: DEFAULT VALUES. */
      readonly values: readonly Expression[] | undefined;
      readonly position: number;
    };
