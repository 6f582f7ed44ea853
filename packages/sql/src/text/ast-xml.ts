/**
 * Nodes of SQL/XML (ISO 9075-14): functions with a syntax of their own, and XMLTABLE. As in `ast-json.ts` a type parameter
 * keeps this file apart from `ast.ts`, which fills it in and whose names are the ones to use. `IS DOCUMENT` is a test of
 * `ast.ts`; functions that are called like any other (xmlcomment, xmlagg, xpath, ...) are calls.
 */
import type { Name, Node, TableAlias, TypeName } from './ast-leaves.js';

/** `value [AS name]`, of XMLFOREST and XMLATTRIBUTES. */
export interface XmlNamedValue<E> extends Node {
  readonly value: E;
  readonly name: Name | undefined;
}
export interface XmlFunction<E> extends Node {
  readonly kind: 'xml-function';
  readonly function: 'concat' | 'element' | 'exists' | 'forest' | 'parse' | 'pi' | 'root' | 'serialize';
  /** Of XMLELEMENT and XMLPI. */
  readonly name: Name | undefined;
  /** XMLATTRIBUTES of XMLELEMENT, or the elements of XMLFOREST. */
  readonly named: readonly XmlNamedValue<E>[];
  /** The other operands; XMLROOT has its value and, where there is one, its version; XMLEXISTS its path and its value. */
  readonly arguments: readonly E[];
  /** DOCUMENT or CONTENT of XMLPARSE and XMLSERIALIZE. */
  readonly form: 'document' | 'content' | undefined;
  /** PRESERVE WHITESPACE of XMLPARSE. Values keep their text, so that it says nothing but what is so anyway. */
  readonly preserve: boolean;
  /** Of XMLSERIALIZE. */
  readonly type: TypeName | undefined;
  /** Of XMLROOT; undefined where it was not written. */
  readonly standalone: 'yes' | 'no' | 'no value' | undefined;
}
export interface XmlTable<E> extends Node {
  readonly kind: 'xml-table';
  readonly namespaces: readonly XmlNamespace<E>[];
  readonly rowPath: E;
  readonly document: E;
  readonly columns: readonly XmlTableColumn<E>[];
  readonly lateral: boolean;
  readonly alias: TableAlias | undefined;
}
/** `uri AS name`, or `DEFAULT uri` without a name. */
export interface XmlNamespace<E> extends Node {
  readonly uri: E;
  readonly name: Name | undefined;
}
export interface XmlTableColumn<E> extends Node {
  readonly name: Name;
  /** undefined: FOR ORDINALITY. */
  readonly type: TypeName | undefined;
  readonly path: E | undefined;
  readonly otherwise: E | undefined;
  /** undefined where neither NOT NULL nor NULL was written. */
  readonly notNull: boolean | undefined;
}
