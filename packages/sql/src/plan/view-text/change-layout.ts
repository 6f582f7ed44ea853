/** INSERT, UPDATE and DELETE as ruleutils.c writes them: the actions of rules. */
import { unsupportedError } from '@phantom/base';
import type { RangeItem } from '../../expr/scope.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import type { QualifiedName, TargetTable } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { CLAUSE_INDENT } from './layout.js';
import { OWN_NAMES, type Output, QueryLayout, isRuleRows } from './query-layout.js';

/** Of what is inserted nobody sees names, and bare strings have no type yet. */
const INSERTED: Output = { names: undefined, hidden: true, keepsStrings: true };

export class ChangeLayout extends QueryLayout {
  /** What is no part of FROM and has columns all the same: the changed relation, and the rows of the rule. */
  private readonly named = new Map<object, QualifiedName>();

  /** Has columns of these range items, told of under a node of their own, be those of a relation. */
  nameRows(node: object, shown: string, relation: QualifiedName): void {
    this.named.set(node, relation);
    this.tableNames.set(node, shown);
  }

  protected override columnName(item: RangeItem, at: number): string {
    const name = item.columns[at]?.name ?? '';
    const node = this.options.witness.nodeOf(item);
    const relation = node === undefined ? undefined : this.named.get(node);
    if (relation === undefined) return super.columnName(item, at);
    const found = this.relationNamed(relation);
    return found?.now[found.before.indexOf(name)] ?? name;
  }

  /** A statement at the depth of a rule; `taken`: names that its tables cannot have. */
  statement(node: Ast.Query | Ast.Insert | Ast.Update | Ast.Delete, taken: readonly string[]): string {
    this.usedNames = new Set(taken);
    if (node.kind === 'query') return this.query(node, OWN_NAMES);
    this.indent += CLAUSE_INDENT;
    const common = node.with === undefined ? '' : this.with(node.with);
    const text = ` ${common}${this.changed(node)}${this.returning(node.returning)}`;
    this.indent -= CLAUSE_INDENT;
    return text;
  }

  /** The condition of a rule. */
  condition(node: Ast.Expression): string {
    this.usedNames = new Set(['old', 'new']);
    this.indent = CLAUSE_INDENT;
    return this.expression(node);
  }

  private changed(node: Ast.Insert | Ast.Update | Ast.Delete): string {
    const target = this.targetText(node.table, node.kind === 'insert');
    switch (node.kind) {
      case 'insert':
        return `INSERT INTO ${target} ${this.inserted(node)}`;
      case 'update': {
        const from = this.others(' FROM ', node.from);
        return `UPDATE ${target} SET ${this.assignments(node.table, node.assignments)}${from}${this.where(node.where)}`;
      }
      default: {
        const using = this.others(' USING ', node.using);
        return `DELETE FROM ${target}${using}${this.where(node.where)}`;
      }
    }
  }

  /** The changed relation as it is called today, and the name that it has in the statement. */
  private targetText(node: TargetTable, isInsert: boolean): string {
    const relation = this.relationNamed(node.name);
    const name = relation === undefined ? undefined : this.options.relationName(relation.oid);
    const shown = node.alias?.text ?? relation?.name ?? node.name.at(-1)?.text ?? '';
    this.nameRows(node, shown, node.name);
    (this.usedNames as Set<string>).add(shown);
    const alias = node.alias === undefined ? '' : ` ${isInsert ? 'AS ' : ''}${quoteIdentifier(shown)}`;
    const only = node.only && !isInsert ? 'ONLY ' : '';
    return `${only}${name ?? node.name.map((part) => this.name(part)).join('.')}${alias}`;
  }

  private inserted(node: Ast.Insert): string {
    const { source } = node;
    const row = source?.body.kind === 'values' ? source.body.rows[0]?.values : undefined;
    const count =
      row?.length ?? (source === undefined ? 0 : (this.options.witness.selectedBy(source.body)?.items.length ?? 0));
    const names = this.targetColumns(node, count);
    let text = names.length === 0 ? '' : `(${names.join(', ')}) `;
    if (node.overriding !== undefined) text += `OVERRIDING ${node.overriding.toUpperCase()} VALUE `;
    if (source === undefined) text += 'DEFAULT VALUES';
    else if (source.body.kind === 'values') {
      const isOne = source.body.rows.length === 1;
      const rows = source.body.rows.map(({ values }) =>
        values.map((value) => this.given(value)).join(isOne ? ', ' : ','),
      );
      text += `${isOne ? this.clause('VALUES ', 2) : 'VALUES '}${rows.map((values) => `(${values})`).join(', ')}`;
    } else text += this.query(source, INSERTED);
    return text + this.conflict(node);
  }

  /** Columns that are given values, as they are called today. */
  private targetColumns(node: Ast.Insert, count: number): string[] {
    if (node.columns.length > 0) return node.columns.map((column) => this.targetColumn(node.table, column));
    const relation = this.relationNamed(node.table.name);
    if (relation === undefined) return [];
    const live = relation.now.filter((name, i) => name !== '' && (relation.before[i] ?? '') !== '');
    return live.slice(0, count).map(quoteIdentifier);
  }

  private targetColumn(table: TargetTable, { name, path }: Ast.TargetColumn): string {
    if (path.length > 0) throw unsupportedError('a part of a column in the definition of a rule');
    const relation = this.relationNamed(table.name);
    const place = relation?.before.indexOf(name.text) ?? -1;
    return quoteIdentifier(relation?.now[place] ?? name.text);
  }

  private given(value: Ast.Expression): string {
    return value.kind === 'default' ? 'DEFAULT' : this.bare(value);
  }

  private assignments(table: TargetTable, assignments: readonly Ast.Assignment[]): string {
    return assignments
      .map(({ targets, multiple, value }) => {
        const names = targets.map((target) => this.targetColumn(table, target));
        if (!multiple) return `${names[0]} = ${this.given(value)}`;
        if (value.kind !== 'row') return `(${names.join(', ')}) = ${this.expression(value)}`;
        return names.map((name, i) => `${name} = ${this.given(value.fields[i] as Ast.Expression)}`).join(', ');
      })
      .join(', ');
  }

  private others(word: string, tables: readonly Ast.TableExpression[]): string {
    const written = tables.filter((table) => !isRuleRows(table));
    if (written.length === 0) return '';
    this.nameTables(written);
    return this.fromList(word, written);
  }

  private where(condition: Ast.Expression | undefined): string {
    return condition === undefined ? '' : this.clause(' WHERE ', 1) + this.expression(condition);
  }

  private conflict(node: Ast.Insert): string {
    const { onConflict, onDuplicateKey, table } = node;
    if (onDuplicateKey !== undefined) throw unsupportedError('ON DUPLICATE KEY in the definition of a rule');
    if (onConflict === undefined) return '';
    const { target, action, assignments, where } = onConflict;
    let text = ' ON CONFLICT';
    if (target?.kind === 'constraint') text += ` ON CONSTRAINT ${this.name(target.name)}`;
    if (target?.kind === 'columns') {
      const elements = target.elements.map(({ value, collation, operatorClass }) => {
        const key =
          value.kind === 'column' ? this.name(value.names.at(-1) as QualifiedName[number]) : this.expression(value);
        const parts = [collation, operatorClass].map((name) => name?.map((part) => this.name(part)).join('.'));
        return `${key}${parts[0] === undefined ? '' : ` COLLATE ${parts[0]}`}${parts[1] === undefined ? '' : ` ${parts[1]}`}`;
      });
      text += `(${elements.join(', ')})${this.where(target.where)}`;
    }
    if (action === 'nothing') return `${text} DO NOTHING`;
    return `${text} DO UPDATE SET ${this.assignments(table, assignments)}${this.where(where)}`;
  }

  private returning(node: Ast.Returning | undefined): string {
    return node === undefined ? '' : this.clause(' RETURNING', 1) + this.items(node, OWN_NAMES);
  }
}
