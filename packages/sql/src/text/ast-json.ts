/**
 * Nodes of SQL/JSON (ISO SQL:2016 and :2023). They hold expressions and queries, which in turn hold them; the type
 * parameters keep this file apart from `ast.ts`, which fills them in and whose names are the ones to use.
 */
import type { Name, Node, TableAlias, TypeName } from './ast-leaves.js';

export interface IsJsonTest<E> extends Node {
  readonly kind: 'is-json';
  readonly operand: E;
  readonly type: 'value' | 'object' | 'array' | 'scalar';
  readonly uniqueKeys: boolean;
  readonly negated: boolean;
}
/** `expression FORMAT JSON [ENCODING name]`. */
export interface JsonValueExpression<E> extends Node {
  readonly value: E;
  readonly formatJson: boolean;
  readonly encoding: Name | undefined;
}
export interface JsonReturning {
  readonly type: TypeName;
  readonly formatJson: boolean;
  readonly encoding: Name | undefined;
}
export interface JsonMember<E> {
  readonly key: E;
  readonly value: JsonValueExpression<E>;
}
/** JSON_OBJECT, JSON_ARRAY (of values or of a query), JSON(x), JSON_SCALAR(x), JSON_SERIALIZE(x). */
export interface JsonConstructor<E, Q> extends Node {
  readonly kind: 'json-constructor';
  readonly function: 'object' | 'array' | 'array-query' | 'json' | 'scalar' | 'serialize';
  readonly members: readonly JsonMember<E>[];
  readonly elements: readonly JsonValueExpression<E>[];
  readonly query: Q | undefined;
  readonly nulls: 'null' | 'absent' | undefined;
  readonly uniqueKeys: boolean;
  readonly returning: JsonReturning | undefined;
}
export interface JsonAggregate<E, Sort, Window> extends Node {
  readonly kind: 'json-aggregate';
  readonly function: 'object' | 'array';
  readonly key: E | undefined;
  readonly value: JsonValueExpression<E>;
  readonly orderBy: readonly Sort[];
  readonly nulls: 'null' | 'absent' | undefined;
  readonly uniqueKeys: boolean;
  readonly returning: JsonReturning | undefined;
  readonly filter: E | undefined;
  readonly over: Window | Name | undefined;
}
export interface JsonPassing<E> {
  readonly value: JsonValueExpression<E>;
  readonly name: Name;
}
export interface JsonBehavior<E> extends Node {
  readonly action:
    | 'error'
    | 'null'
    | 'true'
    | 'false'
    | 'unknown'
    | 'empty'
    | 'empty-array'
    | 'empty-object'
    | 'default';
  readonly value: E | undefined;
}
export type JsonWrapper = 'without' | 'conditional' | 'unconditional';
export interface JsonQueryFunction<E> extends Node {
  readonly kind: 'json-query-function';
  readonly function: 'exists' | 'value' | 'query';
  readonly context: JsonValueExpression<E>;
  readonly path: E;
  readonly passing: readonly JsonPassing<E>[];
  readonly returning: JsonReturning | undefined;
  readonly wrapper: JsonWrapper | undefined;
  readonly quotes: 'keep' | 'omit' | undefined;
  readonly onEmpty: JsonBehavior<E> | undefined;
  readonly onError: JsonBehavior<E> | undefined;
}
export interface JsonTable<E> extends Node {
  readonly kind: 'json-table';
  readonly context: JsonValueExpression<E>;
  readonly path: E;
  readonly pathName: Name | undefined;
  readonly passing: readonly JsonPassing<E>[];
  readonly columns: readonly JsonTableColumn<E>[];
  readonly onError: JsonBehavior<E> | undefined;
  readonly lateral: boolean;
  readonly alias: TableAlias | undefined;
}
export interface JsonTableColumn<E> extends Node {
  readonly kind: 'ordinality' | 'value' | 'exists' | 'nested';
  readonly name: Name | undefined;
  readonly type: TypeName | undefined;
  readonly formatJson: boolean;
  readonly path: string | undefined;
  readonly wrapper: JsonWrapper | undefined;
  readonly quotes: 'keep' | 'omit' | undefined;
  readonly onEmpty: JsonBehavior<E> | undefined;
  readonly onError: JsonBehavior<E> | undefined;
  /** Columns of NESTED PATH. */
  readonly columns: readonly JsonTableColumn<E>[];
}
