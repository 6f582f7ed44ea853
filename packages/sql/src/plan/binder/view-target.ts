/**
 * Writing through a view: the view's rows are rows of one table, so a change of the view is a change of that table, with the
 * view's columns as names for the table's and its WHERE as a condition. Views over views are layers of the same.
 */
import type { ColumnDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { PhantomError } from '@phantom/base';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import type { ColumnId, Expression } from '../../expr/expression.js';
import { Scope, type RangeItem, type ScopeColumn } from '../../expr/scope.js';
import type { Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import type { RowCheck } from '../logical/logical.js';
import { treeOf } from '../../storage/inheritance/table-tree.js';
import { findRelation, requirePrivilege, storedName } from './bind-relation.js';
import { expandStar } from './bind-select.js';
import { writtenItself } from './instead-of.js';
import { outputName } from './output-names.js';
import { rangeItem, renameColumns } from './range-items.js';
import { nameAsStored, rowItem, storedColumns } from './target.js';
import { whyNotUpdatable } from './updatable.js';

/** What is asked of a view's table. */
type Verb = 'insert' | 'update' | 'delete';

/** A view over a row of its table. */
interface ViewRow {
  readonly columns: readonly ScopeColumn[];
  /** The WHEREs of the view and of those under it, outermost first. */
  readonly conditions: readonly { readonly view: ViewDescriptor; readonly condition: Expression }[];
}

export class ViewTarget {
  readonly table: TableDescriptor;
  readonly view: ViewDescriptor;
  private readonly binder: Binder;
  private readonly inner: Binder;
  private readonly select: Ast.Select;
  private readonly from: Ast.TableRef;
  private readonly below: ViewTarget | undefined;
  /** For each column of the view its position among the table's; undefined for what is computed. */
  private readonly positions: readonly (number | undefined)[];
  /** Columns of the view that are used, for rights. */
  readonly used: Set<number>;
  private readonly usedBelow: Set<number>;

  constructor(binder: Binder, view: ViewDescriptor, verb: Verb, position: number) {
    const { context } = binder;
    this.binder = binder;
    this.view = view;
    const query = binder.parseQuery(view.querySql);
    const reason = whyNotUpdatable(query, context.catalog);
    const select = query.body;
    if (reason !== undefined || select.kind !== 'select') throw this.refused(verb, reason ?? '', position);
    const nested = context.stored(view);
    nested.viewOwnerOid = view.options?.['security_invoker'] === 'true' ? context.viewOwnerOid : view.ownerOid;
    nested.viewStack = [...context.viewStack, view.name];
    this.inner = binder.within(nested);
    this.select = select;
    this.from = select.from[0] as Ast.TableRef;
    this.used = requirePrivilege(binder, view, verb);
    context.dependOn(view.oid, 0);
    const base = findRelation(this.inner, this.from.name, this.from.position);
    const itself = base.kind === 'view' ? writtenItself(this.inner, base, verb) : undefined;
    if (itself !== undefined) {
      this.table = itself;
      this.usedBelow = requirePrivilege(this.inner, base, verb);
      context.dependOn(base.oid, 0);
    } else if (base.kind === 'view') {
      this.below = new ViewTarget(this.inner, base, verb, position);
      this.table = this.below.table;
      this.usedBelow = this.below.used;
    } else {
      if (base.kind !== 'table' || base.materialized !== undefined)
        throw this.refused(
          verb,
          'Views that do not select from a single table or view are not automatically updatable.',
          position,
        );
      this.table = verb === 'insert' || this.from.only ? base : treeOf(base, context.catalog);
      this.usedBelow = requirePrivilege(this.inner, base, verb);
      context.dependOn(base.oid, base.schemaVersion);
    }
    const ids = this.table.columns.map((column) => nested.newColumn(column.name, column.type));
    this.positions = this.over(rowItem(this.table, this.table.name, ids)).columns.map(({ expression }) => {
      const at = expression.kind === 'column' ? ids.indexOf(expression.column) : -1;
      return at < 0 ? undefined : at;
    });
  }

  /** Binds what belongs to the table behind all views, with the rights of the innermost view's owner. */
  get tableBinder(): Binder {
    return this.below?.tableBinder ?? this.inner;
  }

  private refused(verb: Verb, detail: string, position: number): PhantomError {
    const { name } = this.view;
    const doing = { insert: 'insert into', update: 'update', delete: 'delete from' }[verb];
    const noun = { insert: 'inserting into', update: 'updating', delete: 'deleting from' }[verb];
    const event = verb.toUpperCase();
    return this.binder.context.error('55000', `cannot ${doing} view "${name}"`, position, {
      detail,
      hint: `To enable ${noun} the view, provide an INSTEAD OF ${event} trigger or an unconditional ON ${event} DO INSTEAD rule.`,
    });
  }

  /** The view's columns and conditions over a row of its table, whose item is given. */
  private over(tableRow: RangeItem): ViewRow {
    const { below, from, inner, select, view } = this;
    const under = below?.over(tableRow);
    const scope = new Scope(inner.context, undefined);
    const stored = storedName(inner, from.name);
    const given =
      under?.columns ??
      tableRow.columns
        .filter((column) => this.tableColumnName(column, stored?.columns) !== '')
        .map((column) => ({ ...column, name: this.tableColumnName(column, stored?.columns) }));
    const name = from.alias?.name.text ?? (from.name.at(-1) as Name).text;
    scope.items = [rangeItem(name, renameColumns(inner, given, from.alias), { table: this.table })];
    const columns: ScopeColumn[] = [];
    for (const item of select.items) {
      if (item.value.kind === 'star') {
        for (const { name: column, expression } of expandStar(inner, item.value, scope))
          columns.push({ name: column, expression, type: expression.type });
      } else {
        const expression = inner.bind(item.value, scope);
        columns.push({ name: outputName(item), expression, type: expression.type });
      }
    }
    scope.clause = 'WHERE';
    const own =
      select.where === undefined
        ? []
        : [{ view, condition: coerceToBoolean(inner.context, inner.bind(select.where, scope), 'WHERE', 0) }];
    const named = columns.map((column, i) => ({ ...column, name: view.columns[i]?.name ?? column.name }));
    return { columns: named.slice(0, view.columns.length), conditions: [...own, ...(under?.conditions ?? [])] };
  }

  /** What a stored query calls a column of its table; empty when it came later. */
  private tableColumnName(column: ScopeColumn, stored: readonly string[] | undefined): string {
    if (stored === undefined) return column.name;
    const number = this.table.columns.find((candidate) => candidate.name === column.name && !candidate.dropped)?.number;
    return stored[(number ?? 0) - 1] ?? '';
  }

  /** The range item of the view over a row of the table. */
  item(tableRow: RangeItem, name: string, columnsVisible = true): RangeItem {
    const { columns } = this.over(tableRow);
    return rangeItem(name, columns, {
      columnsVisible,
      rowReference: tableRow.rowReference,
      marker: tableRow.marker,
    });
  }

  /** As item, for a row under column ids. */
  rowItem(ids: readonly ColumnId[], name: string, columnsVisible = true): RangeItem {
    return this.item(rowItem(this.table, this.table.name, ids), name, columnsVisible);
  }

  /** Which rows of the table the view shows. */
  conditions(tableRow: RangeItem): readonly Expression[] {
    return this.over(tableRow).conditions.map(({ condition }) => condition);
  }

  /** What WITH CHECK OPTION asks of a new row: of the view that has it, and (CASCADED) of all under that. */
  checks(ids: readonly ColumnId[]): RowCheck[] {
    const { conditions } = this.over(rowItem(this.table, this.table.name, ids));
    const checks: RowCheck[] = [];
    let cascaded = false;
    for (const view of this.layers()) {
      cascaded ||= view.checkOption === 'cascaded';
      const found = conditions.find((entry) => entry.view === view);
      if (found !== undefined && (cascaded || view.checkOption === 'local'))
        checks.push({ condition: found.condition, refused: { by: 'view', name: view.name } });
    }
    // A row that the view under this one refuses is refused first.
    return checks.toReversed();
  }

  /** This view and those under it. */
  private layers(): readonly ViewDescriptor[] {
    return [this.view, ...(this.below?.layers() ?? [])];
  }

  /** The table's name for a column of the view that is given a value; 42703 and 0A000 when it cannot be. */
  baseName(name: Name, verb: 'insert' | 'update'): Name {
    const { context } = this.binder;
    const stored = storedColumns(this.binder, this.view.oid);
    const at = this.view.columns.findIndex((column, i) => (stored?.[i] ?? column.name) === name.text);
    if (at < 0)
      throw context.error(
        '42703',
        `column "${name.text}" of relation "${this.view.name}" does not exist`,
        name.position,
      );
    return { ...name, text: nameAsStored(this.binder, this.table, this.assigned(at, verb, name.position)) };
  }

  /** SET clauses with the table's names. */
  assignments(written: readonly Ast.Assignment[]): Ast.Assignment[] {
    return written.map((assignment) => ({
      ...assignment,
      targets: assignment.targets.map((target) => ({ ...target, name: this.baseName(target.name, 'update') })),
    }));
  }

  /** The table's column behind a column of the view, by its place. */
  assigned(at: number, verb: 'insert' | 'update', position: number): ColumnDescriptor {
    const found = this.positions[at];
    const column = this.view.columns[at];
    if (found === undefined) {
      const doing = verb === 'insert' ? 'insert into' : 'update';
      throw this.binder.context.error(
        '0A000',
        `cannot ${doing} column "${column?.name}" of view "${this.view.name}"`,
        position,
        {
          detail: 'View columns that are not columns of their base relation are not updatable.',
        },
      );
    }
    this.used.add(at + 1);
    const base = this.table.columns[found] as ColumnDescriptor;
    this.below?.noteUse(base);
    if (this.below === undefined) this.usedBelow.add(base.number);
    return base;
  }

  /** Notes for this layer, and those under it, that a column of the table is written. */
  private noteUse(base: ColumnDescriptor): void {
    const at = this.positions.findIndex((position) => position !== undefined && this.table.columns[position] === base);
    this.used.add(at + 1);
    if (this.below === undefined) this.usedBelow.add(base.number);
    else this.below.noteUse(base);
  }

  /** Columns of the view in their order, for an INSERT without a list: as many as it has values. */
  columnNames(count: number): Name[] {
    return this.view.columns
      .slice(0, count)
      .map((_, at) => this.assigned(at, 'insert', 0))
      .map((column) => ({ text: nameAsStored(this.binder, this.table, column), position: 0, quoted: true }));
  }

  /** The default that ALTER VIEW has given to a view's column over this column of the table. */
  defaultSql(column: ColumnDescriptor): string | undefined {
    const at = this.positions.findIndex(
      (position) => position !== undefined && this.table.columns[position] === column,
    );
    return this.view.columns[at]?.defaultSql ?? this.below?.defaultSql(column);
  }
}
