/** Queries and data changes as text. */
import { unreachable } from '@phantom/base';
import type { Corresponding, FieldDefinition, LockingClause, TargetTable } from '../ast-leaves.js';
import type {
  Assignment,
  CommonTable,
  Delete,
  FunctionTable,
  GroupingElement,
  IndexElement,
  Insert,
  Join,
  Merge,
  MergeBranch,
  OnConflict,
  PortionOf,
  Query,
  QueryBody,
  Returning,
  Select,
  SelectItem,
  SetOperation,
  TableExpression,
  TableRef,
  TargetColumn,
  Update,
  WithClause,
} from '../ast.js';
import { XmlWriter } from './xml-writer.js';

export class QueryWriter extends XmlWriter {
  statement(node: Query | Insert | Update | Delete | Merge): string {
    switch (node.kind) {
      case 'query':
        return this.query(node);
      case 'insert':
        return this.insert(node);
      case 'update':
        return this.update(node);
      case 'delete':
        return this.delete(node);
      case 'merge':
        return this.merge(node);
      default:
        return unreachable(node);
    }
  }

  // ------------------------------------------------------------------------------------------------------ queries

  query(query: Query): string {
    let text = this.with(query.with) + this.body(query.body);
    if (query.orderBy.length > 0) text += ` ${this.orderBy(query.orderBy)}`;
    if (query.limit !== undefined && !query.limit.withTies && !query.limit.percent) {
      text += ` LIMIT ${this.expression(query.limit.count)}`;
    }
    if (query.offset !== undefined) text += ` OFFSET ${this.expression(query.offset)}`;
    if (query.limit !== undefined && (query.limit.withTies || query.limit.percent)) {
      const percent = query.limit.percent ? ' PERCENT' : '';
      text += ` FETCH FIRST ${this.fetchCount(query.limit.count)}${percent} ROWS ${query.limit.withTies ? 'WITH TIES' : 'ONLY'}`;
    }
    for (const clause of query.locking) text += this.locking(clause);
    return text;
  }

  /** FETCH takes a primary or a signed number. */
  private fetchCount(count: Parameters<this['expression']>[0]): string {
    if (count.kind === 'unary' && count.operand.kind === 'number')
      return `${count.operator.symbol}${count.operand.text}`;
    return this.at(15, count);
  }

  private locking(clause: LockingClause): string {
    const of = clause.of.length === 0 ? '' : ` OF ${clause.of.map((name) => this.qualifiedName(name)).join(', ')}`;
    const wait = clause.wait === 'block' ? '' : ` ${clause.wait.replace('-', ' ').toUpperCase()}`;
    return ` FOR ${clause.strength.replaceAll('-', ' ').toUpperCase()}${of}${wait}`;
  }

  private with(common: WithClause | undefined): string {
    if (common === undefined) return '';
    const tables = common.tables.map((table) => this.commonTable(table)).join(', ');
    return `WITH ${common.recursive ? 'RECURSIVE ' : ''}${tables} `;
  }

  private commonTable(table: CommonTable): string {
    const hint = table.materialized === undefined ? '' : table.materialized ? 'MATERIALIZED ' : 'NOT MATERIALIZED ';
    let text = `${this.name(table.name)}${this.columnList(table.columns)} AS ${hint}(${this.statement(table.statement)})`;
    if (table.search !== undefined) {
      const { order, by, set } = table.search;
      text += ` SEARCH ${order.toUpperCase()} FIRST BY ${this.names(by)} SET ${this.name(set)}`;
    }
    if (table.cycle !== undefined) {
      const { columns, set, to, default: otherwise, using } = table.cycle;
      const marks =
        to === undefined || otherwise === undefined ? '' : ` TO ${this.at(15, to)} DEFAULT ${this.at(15, otherwise)}`;
      text += ` CYCLE ${this.names(columns)} SET ${this.name(set)}${marks} USING ${this.name(using)}`;
    }
    return text;
  }

  private body(body: QueryBody): string {
    switch (body.kind) {
      case 'select':
        return this.select(body);
      case 'values':
        return `VALUES ${body.rows.map((row) => `(${this.list(row.values)})`).join(', ')}`;
      case 'set-operation':
        return this.setOperation(body);
      case 'query':
        return `(${this.query(body)})`;
      default:
        return unreachable(body);
    }
  }

  private setOperation(node: SetOperation): string {
    const rest = node.rest.map((branch) => {
      const { operator, all, corresponding, body } = branch;
      return ` ${operator.toUpperCase()} ${all ? 'ALL ' : ''}${this.corresponding(corresponding)}${this.operand(body, operator)}`;
    });
    return this.operand(node.first, node.rest[0]?.operator ?? 'union') + rest.join('');
  }

  private corresponding(clause: Corresponding | undefined): string {
    if (clause === undefined) return '';
    const by = clause.by.map((name) => this.name(name)).join(', ');
    return by === '' ? 'CORRESPONDING ' : `CORRESPONDING BY (${by}) `;
  }

  /** INTERSECT binds tighter than UNION and EXCEPT; any other set operation inside one stands in parentheses. */
  private operand(body: QueryBody, operator: string): string {
    if (body.kind !== 'set-operation') return this.body(body);
    const tighter = operator !== 'intersect' && body.rest.every((branch) => branch.operator === 'intersect');
    return tighter ? this.setOperation(body) : `(${this.setOperation(body)})`;
  }

  private select(node: Select): string {
    let text = 'SELECT';
    if (node.distinct !== undefined) {
      text += node.distinct.on.length === 0 ? ' DISTINCT' : ` DISTINCT ON (${this.list(node.distinct.on)})`;
    }
    text += this.clause('', this.items(node.items));
    if (node.into !== undefined) {
      const persistence = node.into.persistence === 'permanent' ? '' : `${node.into.persistence.toUpperCase()} `;
      text += ` INTO ${persistence}TABLE ${this.qualifiedName(node.into.table)}`;
    }
    text += this.clause('FROM ', this.tables(node.from));
    if (node.where !== undefined) text += ` WHERE ${this.expression(node.where)}`;
    if (node.groupBy !== undefined) {
      const elements = node.groupBy.elements.map((element) => this.groupingElement(element)).join(', ');
      text += ` GROUP BY ${node.groupBy.distinct ? 'DISTINCT ' : ''}${elements}`;
    }
    if (node.having !== undefined) text += ` HAVING ${this.expression(node.having)}`;
    const windows = node.windows.map((window) => `${this.name(window.name)} AS ${this.window(window.window)}`);
    return text + this.clause('WINDOW ', windows.join(', '));
  }

  private items(items: readonly SelectItem[]): string {
    return items
      .map((item) => {
        const alias = item.alias === undefined ? this.columnList(item.columnAliases) : ` ${this.name(item.alias)}`;
        return this.expression(item.value) + (alias === '' ? '' : ` AS${alias}`);
      })
      .join(', ');
  }

  private groupingElement(element: GroupingElement): string {
    if (element.kind === 'expression') return this.expression(element.value);
    if (element.kind === 'empty') return '()';
    const inside = element.elements.map((inner) => this.groupingElement(inner)).join(', ');
    return `${element.kind === 'sets' ? 'GROUPING SETS' : element.kind.toUpperCase()} (${inside})`;
  }

  // ------------------------------------------------------------------------------------------------------- tables

  private tables(tables: readonly TableExpression[]): string {
    return tables.map((table) => this.table(table)).join(', ');
  }

  private table(node: TableExpression): string {
    switch (node.kind) {
      case 'table':
        return this.tableRef(node);
      case 'derived':
        return `${node.lateral ? 'LATERAL ' : ''}(${this.query(node.query)})${this.tableAlias(node.alias)}`;
      case 'function-table':
        return this.functionTable(node);
      case 'json-table':
        return this.jsonTable(node);
      case 'xml-table':
        return this.xmlTable(node);
      case 'join':
        return node.alias === undefined ? this.join(node) : `(${this.join(node)})${this.tableAlias(node.alias)}`;
      case 'changed-table':
        return `${node.which.toUpperCase()} TABLE (${this.statement(node.statement)})${this.tableAlias(node.alias)}`;
      default:
        return unreachable(node);
    }
  }

  private tableRef(node: TableRef): string {
    let text = `${node.only ? 'ONLY ' : ''}${this.qualifiedName(node.name)}`;
    if (node.systemTime !== undefined) {
      const { kind, from, to } = node.systemTime;
      const end = to === undefined ? '' : this.simple(to);
      text += ' FOR SYSTEM_TIME ';
      if (kind === 'as-of') text += `AS OF ${this.simple(from)}`;
      else
        text += kind === 'between' ? `BETWEEN ${this.simple(from)} AND ${end}` : `FROM ${this.simple(from)} TO ${end}`;
    }
    text += this.tableAlias(node.alias);
    if (node.sample === undefined) return text;
    const repeatable =
      node.sample.repeatable === undefined ? '' : ` REPEATABLE (${this.expression(node.sample.repeatable)})`;
    return `${text} TABLESAMPLE ${this.qualifiedName(node.sample.method)} (${this.list(node.sample.arguments)})${repeatable}`;
  }

  private functionTable(node: FunctionTable): string {
    const calls = node.functions.map((fn) => {
      return this.expression(fn.call) + (fn.definitions.length === 0 ? '' : ` AS ${this.definitions(fn.definitions)}`);
    });
    let text = node.rowsFrom ? `ROWS FROM (${calls.join(', ')})` : calls.join('');
    if (node.lateral) text = `LATERAL ${text}`;
    if (node.ordinality) text += ' WITH ORDINALITY';
    if (node.definitions.length === 0) return text + this.tableAlias(node.alias);
    return `${text} AS ${node.alias === undefined ? '' : this.name(node.alias.name)} ${this.definitions(node.definitions)}`;
  }

  private definitions(definitions: readonly FieldDefinition[]): string {
    const fields = definitions.map((field) => {
      const collation = field.collation === undefined ? '' : ` COLLATE ${this.qualifiedName(field.collation)}`;
      return `${this.name(field.name)} ${this.typeName(field.type)}${collation}`;
    });
    return `(${fields.join(', ')})`;
  }

  private join(node: Join): string {
    // A join on the right side stands in parentheses; on the left it needs none.
    const right = node.right.kind === 'join' && node.right.alias === undefined;
    const words = `${node.natural ? 'NATURAL ' : ''}${node.type === 'inner' ? '' : `${node.type.toUpperCase()} `}JOIN`;
    const text = `${this.table(node.left)} ${words} ${right ? `(${this.table(node.right)})` : this.table(node.right)}`;
    if (node.on !== undefined) return `${text} ON ${this.expression(node.on)}`;
    if (node.using === undefined) return text;
    const alias = node.using.alias === undefined ? '' : ` AS ${this.name(node.using.alias)}`;
    return `${text} USING (${this.names(node.using.columns)})${alias}`;
  }

  // ------------------------------------------------------------------------------------------------------ changes

  private target(table: TargetTable, portion?: PortionOf): string {
    let text = `${table.only ? 'ONLY ' : ''}${this.qualifiedName(table.name)}`;
    if (portion !== undefined) {
      const { period, from, to } = portion;
      text += ` FOR PORTION OF ${this.name(period)} FROM ${this.simple(from)} TO ${this.simple(to)}`;
    }
    return text + this.clause('AS ', table.alias === undefined ? undefined : this.name(table.alias));
  }

  private targetColumn(column: TargetColumn): string {
    const path = column.path.map((part) => ('kind' in part ? this.subscript(part) : `.${this.name(part)}`));
    return this.name(column.name) + path.join('');
  }
  private targetColumns(columns: readonly TargetColumn[]): string {
    return columns.length === 0 ? '' : ` (${columns.map((column) => this.targetColumn(column)).join(', ')})`;
  }

  private assignments(assignments: readonly Assignment[]): string {
    return assignments
      .map((assignment) => {
        const targets = assignment.targets.map((target) => this.targetColumn(target)).join(', ');
        return `${assignment.multiple ? `(${targets})` : targets} = ${this.expression(assignment.value)}`;
      })
      .join(', ');
  }

  private returningClause(returning: Returning | undefined): string {
    if (returning === undefined) return '';
    const aliases = [
      ...(returning.oldAlias === undefined ? [] : [`OLD AS ${this.name(returning.oldAlias)}`]),
      ...(returning.newAlias === undefined ? [] : [`NEW AS ${this.name(returning.newAlias)}`]),
    ];
    return ` RETURNING ${aliases.length === 0 ? '' : `WITH (${aliases.join(', ')}) `}${this.items(returning.items)}`;
  }

  private overriding(overriding: 'system' | 'user' | undefined): string {
    return overriding === undefined ? '' : ` OVERRIDING ${overriding.toUpperCase()} VALUE`;
  }

  private insert(node: Insert): string {
    let text = `${this.with(node.with)}INSERT INTO ${this.target(node.table)}`;
    text += this.targetColumns(node.columns) + this.overriding(node.overriding);
    text += node.source === undefined ? ' DEFAULT VALUES' : ` ${this.query(node.source)}`;
    if (node.onDuplicateKey !== undefined) {
      text += this.tableAlias(node.onDuplicateKey.rowAlias);
      text += ` ON DUPLICATE KEY UPDATE ${this.assignments(node.onDuplicateKey.assignments)}`;
    }
    if (node.onConflict !== undefined) text += this.onConflict(node.onConflict);
    return text + this.returningClause(node.returning);
  }

  private onConflict(node: OnConflict): string {
    let text = ' ON CONFLICT';
    if (node.target?.kind === 'constraint') text += ` ON CONSTRAINT ${this.name(node.target.name)}`;
    else if (node.target !== undefined) {
      text += ` (${node.target.elements.map((element) => this.indexElement(element)).join(', ')})`;
      if (node.target.where !== undefined) text += ` WHERE ${this.expression(node.target.where)}`;
    }
    if (node.action === 'nothing') return `${text} DO NOTHING`;
    text += ` DO UPDATE SET ${this.assignments(node.assignments)}`;
    return node.where === undefined ? text : `${text} WHERE ${this.expression(node.where)}`;
  }

  indexElement(element: IndexElement): string {
    const { value, collation, operatorClass } = element;
    const plain = value.kind === 'column' || value.kind === 'call';
    let text = plain ? this.expression(value) : `(${this.expression(value)})`;
    if (collation !== undefined) text += ` COLLATE ${this.qualifiedName(collation)}`;
    if (operatorClass !== undefined) text += ` ${this.qualifiedName(operatorClass)}`;
    if (element.operatorClassOptions.length > 0) text += ` ${this.options(element.operatorClassOptions)}`;
    return text + this.direction(element.direction, element.nulls);
  }

  private update(node: Update): string {
    let text = `${this.with(node.with)}UPDATE ${this.target(node.table, node.portion)}`;
    text += ` SET ${this.assignments(node.assignments)}${this.clause('FROM ', this.tables(node.from))}`;
    if (node.where !== undefined) text += ` WHERE ${this.expression(node.where)}`;
    return text + this.returningClause(node.returning);
  }

  private delete(node: Delete): string {
    let text = `${this.with(node.with)}DELETE FROM ${this.target(node.table, node.portion)}`;
    text += this.clause('USING ', this.tables(node.using));
    if (node.where !== undefined) text += ` WHERE ${this.expression(node.where)}`;
    return text + this.returningClause(node.returning);
  }

  private merge(node: Merge): string {
    const head = `${this.with(node.with)}MERGE INTO ${this.target(node.target)} USING ${this.table(node.source)}`;
    const branches = node.branches.map((branch) => this.mergeBranch(branch)).join('');
    return `${head} ON ${this.expression(node.on)}${branches}${this.returningClause(node.returning)}`;
  }

  private mergeBranch(branch: MergeBranch): string {
    const words = {
      matched: 'MATCHED',
      'not-matched': 'NOT MATCHED',
      'not-matched-by-source': 'NOT MATCHED BY SOURCE',
    };
    const condition = branch.condition === undefined ? '' : ` AND ${this.expression(branch.condition)}`;
    return ` WHEN ${words[branch.match]}${condition} THEN ${this.mergeAction(branch.action)}`;
  }

  private mergeAction(action: MergeBranch['action']): string {
    switch (action.kind) {
      case 'nothing':
        return 'DO NOTHING';
      case 'delete':
        return 'DELETE';
      case 'update':
        return `UPDATE SET ${this.assignments(action.assignments)}`;
      case 'insert': {
        const head = `INSERT${this.targetColumns(action.columns)}${this.overriding(action.overriding)}`;
        return `${head} ${action.values === undefined ? 'DEFAULT VALUES' : `VALUES (${this.list(action.values)})`}`;
      }
      default:
        return unreachable(action);
    }
  }
}
