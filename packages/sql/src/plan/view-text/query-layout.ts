/** Queries as PostgreSQL's ruleutils.c writes them: a clause a line, a column of the select list a line. */
import { unsupportedError } from '@phantom/base';
import type { Expression } from '../../expr/expression.js';
import { RULE_ROWS_NAME, type Scope } from '../../expr/scope.js';
import { resolveTypeName } from '../../expr/type-names.js';
import type { FieldDefinition, Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import { ExpressionLayout } from './expression-layout.js';
import { functionTableText } from './function-table-text.js';
import { xmlTableLayout } from './xml-text.js';
import { JoinNames, freeName } from './join-names.js';
import { CLAUSE_INDENT, ITEM_INDENT, JOIN_INDENT, beginsLine, lineOf } from './layout.js';

/** Names of the output columns, where they are not the query's own; `hidden`: nobody sees them. */
export interface Output {
  readonly names: readonly string[] | undefined;
  readonly hidden: boolean;
  /** Strings that are items by themselves are written without a type. */
  readonly keepsStrings?: boolean;
}

/** Columns are called what the query calls them. */
export const OWN_NAMES: Output = { names: undefined, hidden: false };
const HIDDEN: Output = { names: undefined, hidden: true };

/** A part of FROM that stands for the rows of a rule, which nobody has written. */
export function isRuleRows(node: Ast.TableExpression): boolean {
  return node.kind === 'table' && node.name[0]?.text === RULE_ROWS_NAME;
}

export class QueryLayout extends ExpressionLayout {
  /** Names of the parts of FROM of the query at hand and of those around it. */
  protected usedNames: ReadonlySet<string> = new Set();

  protected subquery(query: Ast.Query): string {
    return this.nested(query, this.indent, HIDDEN);
  }

  /** A query at a depth of its own. */
  private nested(query: Ast.Query, indent: number, output: Output): string {
    const before = this.indent;
    this.indent = indent;
    const text = this.query(query, output);
    this.indent = before;
    return text;
  }

  /** A clause's word at the beginning of its line. */
  protected clause(word: string, plus: number): string {
    return lineOf(this.indent + plus - CLAUSE_INDENT, word);
  }

  query(query: Ast.Query, output: Output): string {
    const names = this.usedNames;
    if (query.body.kind === 'select') this.nameTables(query.body.from);
    const text = this.clauses(query, output);
    this.usedNames = names;
    return text;
  }

  private clauses(query: Ast.Query, output: Output): string {
    const common = query.with === undefined ? '' : this.with(query.with);
    // What is put together of other queries leaves their depth to them.
    const whole = query.body.kind === 'select' || query.body.kind === 'values';
    if (whole) this.indent += CLAUSE_INDENT;
    let text = common + this.body(query.body, output);
    if (!whole) this.indent += CLAUSE_INDENT;
    const select = query.body.kind === 'select' ? query.body : undefined;
    if (query.orderBy.length > 0) text += this.clause(' ORDER BY ', 1) + this.orderBy(query, select);
    if (query.offset !== undefined) text += this.clause(' OFFSET ', 0) + this.bare(query.offset);
    if (query.limit !== undefined) {
      const count = this.bare(query.limit.count);
      const { withTies, percent } = query.limit;
      text +=
        withTies || percent
          ? `${this.clause(' FETCH FIRST ', 0)}(${count})${percent ? ' PERCENT' : ''} ROWS ${withTies ? 'WITH TIES' : 'ONLY'}`
          : this.clause(' LIMIT ', 0) + count;
    }
    for (const locking of query.locking) {
      const named = locking.of.map((name) => this.name(name.at(-1) as Name));
      const wait = locking.wait === 'block' ? '' : ` ${locking.wait.replace('-', ' ').toUpperCase()}`;
      for (const name of named.length > 0 ? named : this.lockedTables(select?.from ?? []))
        text += `${this.clause(` FOR ${locking.strength.replaceAll('-', ' ').toUpperCase()}`, 0)} OF ${name}${wait}`;
    }
    this.indent -= CLAUSE_INDENT;
    return text;
  }

  protected with(clause: Ast.WithClause): string {
    this.indent += CLAUSE_INDENT;
    const tables = clause.tables.map((table) => this.commonTable(table)).join(', ');
    this.indent -= CLAUSE_INDENT;
    return ` WITH ${clause.recursive ? 'RECURSIVE ' : ''}${tables}${lineOf(this.indent, '')}`;
  }

  private commonTable(table: Ast.CommonTable): string {
    if (table.statement.kind !== 'query') throw unsupportedError('a data change in the definition of a view');
    const names = (list: readonly Name[]): string => list.map((name) => this.name(name)).join(', ');
    const columns = table.columns.length === 0 ? '' : `(${names(table.columns)})`;
    const hint = table.materialized === undefined ? '' : table.materialized ? 'MATERIALIZED ' : 'NOT MATERIALIZED ';
    const inside = this.nested(table.statement, this.indent, OWN_NAMES);
    let text = `${this.name(table.name)}${columns} AS ${hint}(${lineOf(this.indent, '')}${inside}${lineOf(this.indent, '')})`;
    if (table.search !== undefined) {
      const { order, by, set } = table.search;
      text += ` SEARCH ${order.toUpperCase()} FIRST BY ${names(by)} SET ${this.name(set)}`;
    }
    if (table.cycle !== undefined) {
      const { columns: keys, set, to, default: otherwise, using } = table.cycle;
      const marks =
        to === undefined || otherwise === undefined
          ? ''
          : ` TO ${this.expression(to)} DEFAULT ${this.expression(otherwise)}`;
      text += ` CYCLE ${names(keys)} SET ${this.name(set)}${marks} USING ${this.name(using)}`;
    }
    return text;
  }

  // ------------------------------------------------------------------------------------------------------- bodies

  private body(body: Ast.QueryBody, output: Output): string {
    switch (body.kind) {
      case 'select':
        return this.select(body, output);
      case 'values':
        return ` VALUES ${body.rows.map((row) => `(${row.values.map((value) => this.expression(value)).join(',')})`).join(', ')}`;
      case 'set-operation':
        return this.setOperation(body, output);
      default:
        return `(${this.nested(body, this.indent, output)})`;
    }
  }

  /** Two sides; a set operation inside of another stands in parentheses, but for more of the same on the left. */
  /** What a FOR UPDATE locks that names nothing. */
  private lockedTables(tables: readonly Ast.TableExpression[]): string[] {
    return tables.flatMap((table) => {
      if (table.kind === 'join') return this.lockedTables([table.left, table.right]);
      return table.kind === 'function-table' ? [] : [quoteIdentifier(this.tableNames.get(table) ?? '')];
    });
  }

  private setOperation(node: Ast.SetOperation, output: Output, count: number = node.rest.length): string {
    const branch = node.rest[count - 1] as Ast.SetBranch;
    const before = node.rest[count - 2];
    // Its columns are found by the names that the view's own would take the place of.
    if (branch.corresponding !== undefined) throw unsupportedError('CORRESPONDING in the definition of a view');
    const word = `${branch.operator.toUpperCase()} ${branch.all ? 'ALL ' : ''}`;
    let left: string;
    if (before === undefined) {
      left = this.operand(node.first, output, word);
    } else {
      const same = before.operator === branch.operator && before.all === branch.all;
      left = same
        ? `${this.setOperation(node, output, count - 1)}${lineOf(this.indent, word)}`
        : this.enclosed(() => this.setOperation(node, output, count - 1), word);
    }
    const right = this.operand(branch.body, { ...output, hidden: true }, '');
    // An operand in parentheses of its own lines follows the word; others begin a line.
    return right.startsWith(`(${lineOf(0, '')}`) ? `${left}${right}` : `${left}${lineOf(this.indent, '')}${right}`;
  }

  /** A set operation in parentheses of its own lines, and what follows them. */
  private enclosed(write: () => string, word: string): string {
    this.indent += CLAUSE_INDENT;
    const text = `(${lineOf(this.indent, '')}${write()}`;
    this.indent -= CLAUSE_INDENT;
    return `${text}${lineOf(this.indent, word === '' ? ')' : `) ${word}`)}`;
  }

  /** One side, and the word behind it on a line of its own. */
  private operand(body: Ast.QueryBody, output: Output, word: string): string {
    const inner = body.kind === 'query' && isBare(body) ? body.body : body;
    if (inner.kind === 'set-operation') return this.enclosed(() => this.setOperation(inner, output), word);
    const text = inner.kind === 'query' ? `(${this.nested(inner, this.indent, output)})` : this.leaf(inner, output);
    return word === '' ? text : `${text}${lineOf(this.indent, word)}`;
  }

  private leaf(body: Ast.Select | Ast.Values, output: Output): string {
    const names = this.usedNames;
    if (body.kind === 'select') this.nameTables(body.from);
    this.indent += CLAUSE_INDENT;
    const text = this.body(body, output);
    this.indent -= CLAUSE_INDENT;
    this.usedNames = names;
    return text;
  }

  private select(node: Ast.Select, output: Output): string {
    let text = ' SELECT';
    if (node.distinct !== undefined) {
      const on = node.distinct.on.map((key) => this.keyOf(key, node)).join(', ');
      text += on === '' ? ' DISTINCT' : ` DISTINCT ON (${on})`;
    }
    text += this.items(node, output) + this.from(node.from);
    if (node.where !== undefined) text += this.clause(' WHERE ', 1) + this.expression(node.where);
    if (node.groupBy !== undefined) {
      const elements = node.groupBy.elements.map((element) => this.grouping(element, node, false)).join(', ');
      text += `${this.clause(' GROUP BY ', 1)}${node.groupBy.distinct ? 'DISTINCT ' : ''}${elements}`;
    }
    if (node.having !== undefined) text += this.clause(' HAVING ', 0) + this.expression(node.having);
    const windows = node.windows.map(({ name, window }) => `${this.name(name)} AS ${this.window(window)}`);
    return windows.length === 0 ? text : `${text}${this.clause(' WINDOW ', 1)}${windows.join(', ')}`;
  }

  protected items(node: Pick<Ast.Select, 'items'>, output: Output): string {
    const texts: string[] = [];
    const selected = this.options.witness.selectedBy(node);
    if (selected === undefined) throw unsupportedError('a query that was not bound');
    let at = 0;
    for (const item of node.items) {
      const count = this.isSpread(item.value) ? this.spreadCount(node, item, selected.scope, selected.items.length) : 1;
      for (let i = 0; i < count; i++) {
        const { name, expression } = selected.items[at] as (typeof selected.items)[number];
        const spread = this.isSpread(item.value);
        const plain = spread || item.value.kind === 'column';
        const isBare = output.keepsStrings === true && item.value.kind === 'string';
        const text = spread
          ? this.spreadText(expression, name, selected.scope)
          : isBare
            ? `'${(item.value as Ast.Expression & { kind: 'string' }).value.replaceAll("'", "''")}'`
            : this.expression(item.value);
        const shown = output.names?.[at] ?? name;
        const own = plain
          ? (this.plainColumnName(expression, selected.scope) ??
            this.mergedText(expression, selected.scope) ??
            (spread ? quoteIdentifier(name) : undefined))
          : undefined;
        const nameless = output.hidden && !plain && shown === '?column?';
        texts.push(nameless || own === quoteIdentifier(shown) ? text : `${text} AS ${quoteIdentifier(shown)}`);
        at++;
      }
    }
    const [first, ...rest] = texts;
    if (first === undefined) return '';
    const lines = rest.map((text) => (beginsLine(text) ? `,${text}` : `,${this.clause('', ITEM_INDENT)}${text}`));
    return ` ${first}${lines.join('')}`;
  }

  private isSpread(value: Ast.Expression): boolean {
    return value.kind === 'star' || (value.kind === 'field' && value.field === undefined);
  }

  /** How many columns a star came to. */
  private spreadCount(node: Pick<Ast.Select, 'items'>, item: Ast.SelectItem, scope: Scope, total: number): number {
    const { value } = item;
    const others = node.items.filter((other) => other !== item);
    if (!others.some((other) => this.isSpread(other.value))) return total - others.length;
    if (value.kind !== 'star') throw unsupportedError('a spread composite in the definition of a view');
    const name = value.qualifier.at(-1)?.text;
    const spread = scope.items.filter((one) => (name === undefined ? one.columnsVisible : one.name === name));
    return spread.reduce((count, one) => count + one.columns.length, 0);
  }

  private spreadText(expression: Expression, name: string, scope: Scope): string {
    if (expression.kind === 'field') throw unsupportedError('a spread composite in the definition of a view');
    return this.columnText(expression, scope) ?? this.mergedText(expression, scope) ?? quoteIdentifier(name);
  }

  private grouping(element: Ast.GroupingElement, node: Ast.Select, inside: boolean): string {
    if (element.kind === 'empty') return '()';
    if (element.kind === 'expression') {
      const { value } = element;
      if (value.kind === 'row' && !value.explicit)
        return `(${value.fields.map((key) => this.keyOf(key, node)).join(', ')})`;
      const key = this.keyOf(value, node);
      return inside && !key.startsWith('(') ? `(${key})` : key;
    }
    const parts = element.elements.map((part) => this.grouping(part, node, element.kind === 'sets')).join(', ');
    return `${element.kind === 'sets' ? 'GROUPING SETS ' : element.kind.toUpperCase()}(${parts})`;
  }

  /** A key of GROUP BY, DISTINCT ON or ORDER BY: what its number or its name stands for. */
  private keyOf(key: Ast.Expression, node: Ast.Select): string {
    const named = this.itemOf(key, node);
    if (named === undefined) return this.sortKey(key);
    // A constant must not be read as the number of a column.
    if (named.item.value.kind === 'number') return this.labelled(named.item.value);
    if (!this.isSpread(named.item.value)) return this.sortKey(named.item.value);
    const selected = this.options.witness.selectedBy(node);
    const column = selected?.items[named.at];
    return selected === undefined || column === undefined
      ? this.sortKey(key)
      : this.spreadText(column.expression, column.name, selected.scope);
  }

  private itemOf(key: Ast.Expression, node: Ast.Select): { item: Ast.SelectItem; at: number } | undefined {
    const spread = node.items.some((item) => this.isSpread(item.value));
    if (key.kind === 'number') {
      const at = Number(key.text) - 1;
      const item = spread && node.items.length === 1 ? node.items[0] : node.items[at];
      return item === undefined ? undefined : { item, at };
    }
    if (key.kind !== 'column' || key.names.length !== 1) return undefined;
    const at = node.items.findIndex((item) => outputName(item) === key.names[0]?.text);
    return at < 0 ? undefined : { item: node.items[at] as Ast.SelectItem, at };
  }

  private orderBy(query: Ast.Query, select: Ast.Select | undefined): string {
    return query.orderBy
      .map((item) => {
        if (select !== undefined) return this.keyOf(item.value, select) + this.direction(item);
        if (item.value.kind === 'number') return item.value.text + this.direction(item);
        return this.outputNumber(query.body, item.value) + this.direction(item);
      })
      .join(', ');
  }

  /** A set operation is sorted by the numbers of its columns. */
  private outputNumber(body: Ast.QueryBody, key: Ast.Expression): string {
    let first = body;
    while (first.kind === 'set-operation' || first.kind === 'query') {
      first = first.kind === 'query' ? first.body : first.first;
    }
    const selected = first.kind === 'select' ? this.options.witness.selectedBy(first) : undefined;
    const name = key.kind === 'column' ? key.names[0]?.text : undefined;
    const at = selected?.items.findIndex((item) => item.name === name) ?? -1;
    if (at < 0) throw unsupportedError('this order of a set operation in the definition of a view');
    return String(at + 1);
  }

  // --------------------------------------------------------------------------------------------------------- FROM

  private from(tables: readonly Ast.TableExpression[]): string {
    return this.fromList(' FROM ', tables);
  }

  /** Tables behind FROM or USING. */
  protected fromList(word: string, tables: readonly Ast.TableExpression[]): string {
    const [first, ...rest] = tables.filter((table) => !isRuleRows(table));
    if (first === undefined) return '';
    const lines = rest.map((table) => `,${this.clause('', ITEM_INDENT)}${this.table(table)}`);
    return `${this.clause(word, 2)}${this.table(first)}${lines.join('')}`;
  }

  private table(node: Ast.TableExpression): string {
    switch (node.kind) {
      case 'table':
        return this.tableName(node);
      case 'derived': {
        const lateral = node.lateral ? 'LATERAL ' : '';
        return `${lateral}(${this.nested(node.query, this.indent, OWN_NAMES)})${this.alias(node)}`;
      }
      case 'function-table':
        return this.functionTable(node);
      case 'xml-table':
        return this.xmlTable(node);
      case 'join':
        return this.join(node);
      default:
        throw unsupportedError(`${node.kind} in the definition of a view`);
    }
  }

  /** The name of a part of FROM behind it, with names for its columns. */
  private alias(node: Ast.TableExpression, columns?: readonly string[]): string {
    const names = columns ?? node.alias?.columns.map((column) => column.text) ?? [];
    const list = names.length === 0 ? '' : `(${names.map(quoteIdentifier).join(', ')})`;
    return ` ${quoteIdentifier(this.tableNames.get(node) ?? '')}${list}`;
  }

  private tableName(node: Ast.TableRef): string {
    const relation = this.relationOf(node);
    const name =
      (relation === undefined ? undefined : this.options.relationName(relation.oid)) ??
      node.name.map((part) => this.name(part)).join('.');
    const columns =
      this.columnAliases.get(node)?.filter((_, i) => relation?.now[i] !== '') ??
      node.alias?.columns.map((column) => column.text) ??
      [];
    const own = relation?.name ?? node.name.at(-1)?.text;
    const alias =
      node.alias === undefined && columns.length === 0 && this.tableNames.get(node) === own
        ? ''
        : this.alias(node, columns);
    let text = `${node.only ? 'ONLY ' : ''}${name}${alias}`;
    if (node.sample !== undefined) {
      const { method, arguments: sizes, repeatable } = node.sample;
      text += ` TABLESAMPLE ${this.name(method.at(-1) as Name)} (${sizes.map((size) => this.bare(size)).join(', ')})`;
      if (repeatable !== undefined) text += ` REPEATABLE (${this.bare(repeatable)})`;
    }
    return text;
  }

  /** Gives the parts of FROM names that nothing around the query has, and their columns those that joins need. */
  protected nameTables(from: readonly Ast.TableExpression[]): void {
    this.usedNames = new Set(this.usedNames);
    const tables = from.filter((table) => !isRuleRows(table));
    const names = new JoinNames(tables, this.options.witness, (node) => this.relationOf(node));
    for (const table of tables) this.nameTable(table, names);
  }

  private nameTable(node: Ast.TableExpression, names: JoinNames): void {
    if (node.kind === 'join') {
      this.joinNames.set(node, names);
      this.nameTable(node.left, names);
      this.nameTable(node.right, names);
      if (node.alias === undefined) return;
    }
    const relation = node.kind === 'table' ? this.relationOf(node) : undefined;
    const item = this.options.witness.placesOf(node)[0];
    const wanted = node.alias?.name.text ?? relation?.name ?? item?.name ?? '';
    const name = freeName(wanted, this.usedNames);
    (this.usedNames as Set<string>).add(name);
    this.tableNames.set(node, name);
    const columns = node.kind === 'table' ? names.tableColumns(node) : undefined;
    if (node.kind === 'table' && columns !== undefined) this.columnAliases.set(node, columns);
  }

  private functionTable(node: Ast.FunctionTable): string {
    const before = this.columnsWritten;
    const text = functionTableText(node, {
      call: (call) => this.callInFrom(call),
      expression: (part) => this.expression(part),
      definitions: (fields) => this.fieldDefinitions(fields),
    });
    // What a function asks of the tables to its left is lateral, written or not.
    const lateral = node.lateral || this.columnsWritten > before ? 'LATERAL ' : '';
    const ordinality = node.ordinality ? ' WITH ORDINALITY' : '';
    const [item] = this.options.witness.placesOf(node);
    const columns = (item?.columns ?? []).map((column) => column.name);
    const alias =
      node.definitions.length === 0
        ? this.alias(node, columns)
        : this.alias(node, []) + this.fieldDefinitions(node.definitions);
    return `${lateral}${text}${ordinality}${alias}`;
  }

  private xmlTable(node: Ast.XmlTable): string {
    const before = this.columnsWritten;
    const text = xmlTableLayout(node, {
      expression: (part) => this.expression(part),
      name: (name) => this.name(name),
      typeName: (type) => this.typeText(resolveTypeName(this.options.catalog, type)),
    });
    const lateral = node.lateral || this.columnsWritten > before ? 'LATERAL ' : '';
    const named = node.alias !== undefined || this.tableNames.get(node) !== 'xmltable';
    return `${lateral}${text}${named ? this.alias(node) : ''}`;
  }

  private fieldDefinitions(fields: readonly FieldDefinition[]): string {
    const { catalog } = this.options;
    const shown = fields.map(({ name, type }) => `${this.name(name)} ${this.typeText(resolveTypeName(catalog, type))}`);
    return `(${shown.join(', ')})`;
  }

  /** What does not look like a call is made to by a cast to its own type. */
  private callInFrom(call: Ast.Expression): string {
    const text = this.expression(call);
    const isCall = ['call', 'special', 'conditional', 'current'].includes(call.kind);
    const type = this.options.witness.of(call)?.expression.type;
    return isCall || type === undefined ? text : `CAST(${text} AS ${this.typeText(type)})`;
  }

  private join(node: Ast.Join): string {
    const { pretty } = this.options;
    const names = this.joinNames.get(node);
    const shared = names?.joinedColumns(node).map((name) => names.usingName(node, name)) ?? [];
    const bare = node.on === undefined && shared.length === 0;
    const type =
      node.type === 'inner' || node.type === 'cross' ? (bare ? 'CROSS ' : '') : `${node.type.toUpperCase()} `;
    const word = this.clause(` ${type}JOIN `, JOIN_INDENT);
    const enclosed = pretty && node.right.kind === 'join' && node.right.alias === undefined;
    const right = enclosed ? `(${this.table(node.right)})` : this.table(node.right);
    let text = `${this.table(node.left)}${word}${right}`;
    if (shared.length > 0) {
      text += ` USING (${shared.map(quoteIdentifier).join(', ')})`;
      if (node.using?.alias !== undefined) text += ` AS ${this.name(node.using.alias)}`;
    } else if (node.on !== undefined) {
      text += pretty ? ` ON ${this.expression(node.on)}` : ` ON (${this.expression(node.on)})`;
    } else if (type !== 'CROSS ') {
      text += ' ON TRUE';
    }
    if (!pretty || node.alias !== undefined) text = `(${text})`;
    return node.alias === undefined ? text : text + this.alias(node, names?.joinColumns(node));
  }
}

/** The name that a column of a select list has by itself or by its alias. */
function outputName({ alias, value }: Ast.SelectItem): string | undefined {
  return alias?.text ?? (value.kind === 'column' ? value.names.at(-1)?.text : undefined);
}

/** A query in parentheses that has no clauses of its own. */
function isBare(query: Ast.Query): boolean {
  return (
    query.with === undefined && query.orderBy.length === 0 && query.limit === undefined && query.offset === undefined
  );
}
