/**
 * Leaves of the syntax tree: names, types, literals and what else holds no expression. The rules of all nodes are in
 * `ast.ts`.
 */
/** An identifier. `quoted` matters where an unquoted word has a meaning of its own (`public`, `"char"`). */
export interface Name {
  readonly text: string;
  readonly position: number;
  readonly quoted: boolean;
}
/** Outermost first: `database.schema.table`, `schema.function`, `table.column`. Never empty. */
export type QualifiedName = readonly Name[];
/**
 * A type as written. `system` marks a type spelled by SQL keywords: `name` then holds one element, PostgreSQL's catalog
 * name (`integer` is int4, `double precision` float8, `char(3)` bpchar, `timestamp with time zone` timestamptz, `bit`
 * bit; ISO's `binary`, `varbinary`, `blob` and `clob` keep these names).
 */
export interface TypeName {
  readonly kind: 'type-name';
  readonly name: QualifiedName;
  readonly system: boolean;
  /**
   * `numeric(10, 2)`. `char` and `bit` without a length have the modifier 1. ISO's `char(8 octets)` has the word
   * `octets` as second one; characters are what is counted otherwise.
   */
  readonly modifiers: readonly TypeModifier[];
  /** `interval year to month`: fields, largest first; empty when none were written. */
  readonly intervalFields: readonly IntervalField[];
  /** One entry for each dimension, undefined where no bound was written. */
  readonly arrayBounds: readonly (number | undefined)[];
  readonly setOf: boolean;
  /** `table.column%type`: `name` is the column. */
  readonly columnType: boolean;
  readonly position: number;
}
/** A constant in the parentheses of a type: a number (perhaps with a minus sign), a string or a bare word. */
export interface TypeModifier extends Node {
  readonly kind: 'number' | 'string' | 'word';
  readonly text: string;
}
export type IntervalField = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';
/** Where a part stands in the text, in UTF-16 units: `text.slice(start, end)`. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}
/** What every node that can be blamed has. */
export interface Node {
  readonly position: number;
}
export interface NullLiteral extends Node {
  readonly kind: 'null';
}
export interface BooleanLiteral extends Node {
  readonly kind: 'boolean';
  readonly value: boolean;
}
/** `text` is decimal whatever was written: 0x1F gives 31, 1_000 gives 1000. `integer`: digits only. Never signed. */
export interface NumberLiteral extends Node {
  readonly kind: 'number';
  readonly text: string;
  readonly integer: boolean;
}
export interface StringLiteral extends Node {
  readonly kind: 'string';
  readonly value: string;
}
/** B'0101' or X'1F'; `digits` as written, binary or hexadecimal. */
export interface BitStringLiteral extends Node {
  readonly kind: 'bit-string';
  readonly base: 'binary' | 'hexadecimal';
  readonly digits: string;
}
/** `$1` has the index 1. */
export interface Parameter extends Node {
  readonly kind: 'parameter';
  readonly index: number;
}
/** `column`, `table.column`, `schema.table.column`, and whatever follows by dots (fields of a composite column). */
export interface ColumnRef extends Node {
  readonly kind: 'column';
  readonly names: QualifiedName;
}
/** `*` (no qualifier) and `schema.table.*`: in select lists, RETURNING, rows and arguments only. */
export interface Star extends Node {
  readonly kind: 'star';
  readonly qualifier: readonly Name[];
}
/** `+`, `schema.@@` by OPERATOR(schema.@@). `schema` is empty for a bare operator. `!=` reads `<>`. */
export interface OperatorName extends Node {
  readonly schema: readonly Name[];
  readonly symbol: string;
}
export type NormalForm = 'nfc' | 'nfd' | 'nfkc' | 'nfkd';
/** CURRENT_DATE and its kin: functions called without parentheses. */
export interface CurrentValue extends Node {
  readonly kind: 'current';
  readonly function:
    | 'current_date'
    | 'current_time'
    | 'current_timestamp'
    | 'localtime'
    | 'localtimestamp'
    | 'current_user'
    | 'current_role'
    | 'session_user'
    | 'system_user'
    | 'user'
    | 'current_catalog'
    | 'current_path'
    | 'current_schema';
  readonly precision: number | undefined;
}
/** DEFAULT in VALUES, in SET and as an INSERT value. */
export interface DefaultMarker extends Node {
  readonly kind: 'default';
}
/** MySQL's `VALUES(column)` inside ON DUPLICATE KEY UPDATE. */
export interface InsertedValue extends Node {
  readonly kind: 'inserted-value';
  readonly column: QualifiedName;
}
/** WHERE CURRENT OF cursor; stands alone as the whole condition. */
export interface CurrentOf extends Node {
  readonly kind: 'current-of';
  readonly cursor: Name;
}
export interface SearchClause extends Node {
  readonly order: 'breadth' | 'depth';
  readonly by: readonly Name[];
  readonly set: Name;
}
/** SELECT ... INTO table. In routines the names are variables. */
export interface IntoClause extends Node {
  readonly persistence: 'permanent' | 'temporary' | 'unlogged';
  readonly table: QualifiedName;
}
export interface LockingClause extends Node {
  readonly strength: 'update' | 'no-key-update' | 'share' | 'key-share';
  readonly of: readonly QualifiedName[];
  readonly wait: 'block' | 'nowait' | 'skip-locked';
}
export interface TableAlias {
  readonly name: Name;
  readonly columns: readonly Name[];
}
/** A named and typed field: of a column definition list or a composite type. */
export interface FieldDefinition extends Node {
  readonly name: Name;
  readonly type: TypeName;
  readonly collation: QualifiedName | undefined;
}
export interface JoinUsing extends Node {
  readonly columns: readonly Name[];
  readonly alias: Name | undefined;
}
/** The table that a statement changes, with its alias. */
export interface TargetTable extends Node {
  readonly name: QualifiedName;
  readonly only: boolean;
  readonly alias: Name | undefined;
}
/** `name = value` in WITH (...) and other option lists; `namespace` of `toast.autovacuum_enabled`. */
export interface Option extends Node {
  readonly namespace: Name | undefined;
  readonly name: Name;
  readonly value: OptionValue | undefined;
}
export type OptionValue =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | { readonly kind: 'word'; readonly name: QualifiedName; readonly position: number }
  | { readonly kind: 'type'; readonly type: TypeName; readonly position: number }
  | { readonly kind: 'operator'; readonly operator: OperatorName; readonly position: number }
  | { readonly kind: 'default' | 'none' | 'star'; readonly position: number }
  | { readonly kind: 'list'; readonly values: readonly OptionValue[]; readonly position: number };

/** CORRESPONDING: columns are matched by name instead of by place; those of `by`, or all that both sides have where that is empty. */
export interface Corresponding extends Node {
  readonly by: readonly Name[];
}
