/** Names in stored queries: of types, of relations and their columns as they are called today, and values as literals. */
import type { TypeRef } from '@phantom/catalog';
import type { BindContext } from '../../expr/context.js';
import type { Expression as Bound } from '../../expr/expression.js';
import type { RangeItem, Scope } from '../../expr/scope.js';
import { equalExpressions } from '../../expr/walk.js';
import type { Name, QualifiedName } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { formatType } from '../../types/format-type.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import { TypeOid } from '../../types/type-oids.js';
import type { TypeContext } from '../../types/type.js';
import type { CatalogPort } from '../catalog-port.js';
import type { JoinNames } from './join-names.js';
import type { QueryWitness } from './query-witness.js';

export interface LayoutOptions {
  readonly context: BindContext;
  /** Of the session that asks: what its search path leads to. */
  readonly catalog: CatalogPort;
  readonly witness: QueryWitness;
  readonly pretty: boolean;
  /** Of the session that asks: dates are written as it shows them. */
  readonly types: TypeContext;
  /** The name of a relation as it must be written now. */
  relationName(oid: number): string | undefined;
}

/** A relation that a name in FROM means. */
export interface NamedInFrom {
  readonly oid: number;
  readonly name: string;
  /** Its columns by number, as they were called when the query was stored. */
  readonly before: readonly string[];
  /** The same as they are called today; empty for one that is gone. */
  readonly now: readonly string[];
}

export abstract class NameLayout {
  protected readonly options: LayoutOptions;
  /** Depth of the query at hand. */
  protected indent = 0;
  /** Names by which the parts of FROM are known. */
  protected readonly tableNames = new Map<object, string>();
  /** How many columns with a table's name were written. */
  protected columnsWritten = 0;
  /** Names of columns among the joins of a FROM, by each join of it. */
  protected readonly joinNames = new Map<Ast.Join, JoinNames>();
  /** Names that the columns of a table, by number, are given in FROM. */
  protected readonly columnAliases = new Map<Ast.TableRef, readonly string[]>();

  constructor(options: LayoutOptions) {
    this.options = options;
  }

  protected name(name: Name): string {
    return quoteIdentifier(name.text);
  }

  protected typeText(type: TypeRef): string {
    const found = this.options.catalog.types.byOid(type.oid);
    // By their usual names these have a length of one, which would cut the value off.
    if (type.typmod < 0 && type.oid === TypeOid.bpchar) return 'bpchar';
    if (type.typmod < 0 && type.oid === TypeOid.bit) return '"bit"';
    return found === undefined ? String(type.oid) : formatType(found, type.typmod);
  }

  protected outputOf(text: string, type: TypeRef): string {
    const found = this.options.context.catalog.types.byOid(type.oid);
    if (found === undefined) return text;
    // The modifier of an interval says how its text is read; others would change the value, and are written behind it.
    const typmod = type.oid === TypeOid.interval ? type.typmod : -1;
    return found.output(found.input(text, typmod, this.options.types), this.options.types);
  }

  /** The table's name and the column's, under which an expression is known; undefined for one that has no table. */
  protected columnText(expression: Bound, scope: Scope | undefined): string | undefined {
    for (let level = scope; level !== undefined; level = level.parent) {
      for (const item of level.items) {
        if (item.name === undefined || !item.relationVisible) continue;
        const at = item.columns.findIndex((column) => equalExpressions(column.expression, expression));
        if (at >= 0) this.columnsWritten++;
        if (at >= 0) return `${this.itemName(item)}.${quoteIdentifier(this.columnName(item, at))}`;
        const hidden = item.hidden.find((column) => equalExpressions(column.expression, expression));
        if (hidden !== undefined) return `${this.itemName(item)}.${quoteIdentifier(hidden.name)}`;
      }
    }
    return undefined;
  }

  /** The name of a value that a USING has merged of two columns; undefined for any other. */
  protected mergedText(expression: Bound, scope: Scope | undefined): string | undefined {
    for (let level = scope; level !== undefined; level = level.parent) {
      for (const item of level.items) {
        const node = item.name === undefined ? (this.options.witness.nodeOf(item) as Ast.Join | undefined) : undefined;
        const column = node && item.columns.find((one) => equalExpressions(one.expression, expression));
        if (node === undefined || column === undefined) continue;
        return quoteIdentifier(this.joinNames.get(node)?.usingName(node, column.name) ?? column.name);
      }
    }
    return undefined;
  }

  /** The name of the column itself, as an output column that is written alone has it. */
  protected plainColumnName(expression: Bound, scope: Scope): string | undefined {
    const text = this.columnText(expression, scope);
    return text === undefined ? undefined : /(?:"(?:[^"]|"")*"|[^.]*)$/.exec(text)?.[0];
  }

  /** What a part of FROM is called here. */
  protected itemName(item: RangeItem): string {
    const node = this.options.witness.nodeOf(item);
    return quoteIdentifier((node === undefined ? undefined : this.tableNames.get(node)) ?? item.name ?? '');
  }

  /** The relation that a name in FROM means; undefined for a WITH query. */
  protected relationOf(node: Ast.TableRef): NamedInFrom | undefined {
    return this.relationNamed(node.name);
  }

  protected relationNamed(written: QualifiedName): NamedInFrom | undefined {
    const { context } = this.options;
    const stored = context.storedNames?.get(written.map((name) => name.text).join('.'));
    const relation = stored === undefined ? undefined : context.catalog.relationByOid(stored.oid);
    if (stored === undefined || relation === undefined) return undefined;
    const now: string[] = [];
    if (relation.kind === 'table') {
      for (const column of relation.columns) now[column.number - 1] = column.dropped ? '' : column.name;
    } else if (relation.kind === 'view' || relation.kind === 'virtual') {
      for (const column of relation.columns) now.push(column.name);
    }
    return { oid: stored.oid, name: relation.name, before: stored.columns, now };
  }

  /** What a column of a range item is called: as the table calls it today, unless the query gives it a name. */
  protected columnName(item: RangeItem, at: number): string {
    const name = item.columns[at]?.name ?? '';
    const node = this.options.witness.nodeOf(item) as Ast.TableExpression | undefined;
    if (node?.kind !== 'table' || (node.alias?.columns.length ?? 0) > at) return name;
    const relation = this.relationOf(node);
    const place = relation?.before.indexOf(name) ?? -1;
    return this.columnAliases.get(node)?.[place] ?? relation?.now[place] ?? name;
  }
}
