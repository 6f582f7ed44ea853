/**
 * How many rows: estimates of logical nodes and selectivities of conditions, from the catalog's statistics where there are
 * any, else from the constants below (PostgreSQL's, from its selfuncs.h, so that plans resemble what people know).
 */
import type { TableDescriptor, TypeRef } from '@phantom/catalog';
import { conjuncts, type ColumnId, type Expression } from '../expr/expression.js';
import type { BindContext } from '../expr/context.js';
import { withoutRelabel } from '../expr/walk.js';
import { BOOL } from '../types/type-refs.js';
import type { Value } from '../types/type.js';
import type { ColumnStatistics } from './catalog-port.js';
import type { LogicalNode, Scan, ScanColumn } from './logical/logical.js';
import { columnsOf, inputsOf } from './logical/walk.js';
import { havingSelectivity } from './having-selectivity.js';
import { impliedBy } from './rules/or-factoring.js';
import { semiJoinShare } from './semi-join-share.js';
import { knownCombinations, shareOfAll } from './statistics/group-estimates.js';
import { shareOfPairs } from './statistics/join-selectivity.js';
import { shareBeside, shareEqual, shareLike } from './statistics/value-selectivity.js';

const EQUAL_SELECTIVITY = 0.005;
const RANGE_SELECTIVITY = 1 / 3;
/** Of a range with both ends, when nothing is known of the column or of an end. */
const RANGE_PAIR_SELECTIVITY = 0.005;
const MATCH_SELECTIVITY = 0.05;
/** Of texts that are alike by pg_trgm's operators: as many as PostgreSQL takes for such. */
const ALIKE_SELECTIVITY = 0.01;
const ALIKE: ReadonlySet<string> = new Set(['%', '<%', '%>', '<<%', '%>>']);
const NULL_SELECTIVITY = 0.005;
const DEFAULT_DISTINCT = 200;
/** An OR says no more of its sides than this. */
const IMPLIED_SELECTIVITY_MIN = 1e-6;
/** Elements of an array that is not written out. */
const LIST_LENGTH = 10;
/** An anti join is taken to leave this much of its left rows at least: that all have a match is seldom sure. */
const ANTI_SHARE_MIN = 0.02;
const FUNCTION_ROWS = 100;
const RECURSION_FACTOR = 10;

/** Values of a column: how many different ones, which share of the rows has none, and of how many rows that is. */
export interface ColumnValues {
  readonly distinct: number;
  readonly nullFraction: number;
  readonly tableRows: number;
}

/** A bound of a column by something that is the same for all rows: a constant, a parameter, what is computed of them. */
function boundOf(condition: Expression): { readonly column: ColumnId; readonly isUpper: boolean } | undefined {
  if (condition.kind !== 'call') return undefined;
  const role = condition.operator?.role;
  if (role === undefined || role === '=' || role === '<>') return undefined;
  const [left, right] = condition.arguments;
  const less = role === '<' || role === '<=';
  if (left === undefined || right === undefined) return undefined;
  if (left.kind === 'column' && columnsOf(right).size === 0) return { column: left.column, isUpper: less };
  if (right.kind === 'column' && columnsOf(left).size === 0) return { column: right.column, isUpper: !less };
  return undefined;
}

/** The column that a condition gives one value, or one of a list; undefined for other conditions. */
function fixedColumn(condition: Expression): ColumnId | undefined {
  if (condition.kind === 'array-quantified') {
    const { left, array, quantifier, role } = condition;
    const column = withoutRelabel(left);
    const isIn = quantifier === 'any' && role === '=' && columnsOf(array).size === 0;
    return isIn && column.kind === 'column' ? column.column : undefined;
  }
  if (condition.kind !== 'call' || condition.operator?.role !== '=') return undefined;
  const [left, right] = condition.arguments.map(withoutRelabel);
  if (left?.kind === 'column' && right !== undefined && columnsOf(right).size === 0) return left.column;
  return right?.kind === 'column' && left !== undefined && columnsOf(left).size === 0 ? right.column : undefined;
}

/** Columns of each operand of a tree of inner joins. */
function operandsOf(node: LogicalNode): readonly ReadonlySet<ColumnId>[] {
  if (node.kind === 'join' && node.join === 'inner') return [...operandsOf(node.left), ...operandsOf(node.right)];
  return [new Set(node.columns)];
}

/** The scans below a node. */
function scansOf(node: LogicalNode): readonly Scan[] {
  return node.kind === 'scan' ? [node] : inputsOf(node).flatMap(scansOf);
}

/** How many rows the nodes of a statement give, and which share of them conditions leave. */
export class Cardinality {
  private readonly context: BindContext;
  private readonly cteRows = new Map<number, number>();
  private readonly memo = new WeakMap<LogicalNode, number>();

  constructor(context: BindContext) {
    this.context = context;
  }

  /** Rows of a table as the catalog estimates them; at least 1. */
  tableRows(table: TableDescriptor): number {
    return Math.max(1, this.context.catalog.statistics.rowCount(table));
  }

  /** Whether something is known of columns of the table together. */
  knowsGroups(table: TableDescriptor): boolean {
    return this.context.catalog.statistics.groups(table).length > 0;
  }

  setCteRows(id: number, rows: number): void {
    this.cteRows.set(id, rows);
  }

  /** Rows that a node gives. */
  rows(node: LogicalNode): number {
    let rows = this.memo.get(node);
    if (rows === undefined) this.memo.set(node, (rows = Math.max(1, this.compute(node))));
    return rows;
  }

  private compute(node: LogicalNode): number {
    switch (node.kind) {
      case 'scan':
        return this.tableRows(node.table) * this.selectivityOfAll(node.filter, undefined, node.scanColumns);
      case 'virtual-scan':
        return node.relation.rowsEstimate;
      case 'values':
        return node.rows.length;
      case 'function-scan':
        return node.calls.some((call) => 'function' in call) ? FUNCTION_ROWS : 1;
      case 'cte-scan':
        return this.cteRows.get(node.cte) ?? FUNCTION_ROWS;
      case 'filter': {
        const rows = this.rows(node.input);
        return rows * (havingSelectivity(this, node) ?? this.selectivityOfAll(node.conditions));
      }
      case 'project':
      case 'window':
      case 'sort':
      case 'lock-rows':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return this.rows(node.input);
      case 'project-set':
        return this.rows(node.input) * RECURSION_FACTOR;
      case 'join':
        return this.joinRows(node);
      case 'aggregate': {
        const input = this.rows(node.input);
        if (node.keys.length === 0) return 1;
        const groups = this.distinctOfAll(
          node.keys.map((key) => key.expression),
          input,
          node.input,
        );
        return groups * (node.sets?.length ?? 1);
      }
      case 'distinct': {
        const input = this.rows(node.input);
        const on = node.on ?? node.columns.map((column) => this.reference(column));
        return this.distinctOfAll(on, input, node.input);
      }
      case 'limit': {
        const input = this.rows(node.input);
        const { count } = node;
        if (count === undefined) return input;
        if (count.kind === 'constant' && count.value !== null) return Math.min(input, Number(count.value));
        return Math.min(input, Math.max(1, input / 10));
      }
      case 'set-operation': {
        const inputs = node.inputs.map((input) => this.rows(input));
        if (node.operation === 'union') return inputs.reduce((a, b) => a + b, 0) * (node.all ? 1 : 0.5);
        return node.operation === 'intersect' ? Math.min(...inputs) : (inputs[0] ?? 1);
      }
      case 'with': {
        for (const table of node.tables) {
          const rows = this.rows(table.plan);
          this.cteRows.set(table.id, table.recursive === undefined ? rows : rows * RECURSION_FACTOR);
        }
        return this.rows(node.input);
      }
      default:
        return FUNCTION_ROWS;
    }
  }

  private reference(column: ColumnId): Expression {
    return { kind: 'column', column, type: this.context.pool.get(column).type };
  }

  private joinRows(node: LogicalNode & { kind: 'join' }): number {
    const left = this.rows(node.left);
    const right = this.rows(node.right);
    const conditions = node.conditions.flatMap(conjuncts);
    const selectivity = this.joinSelectivity(conditions, Math.max(left, right));
    const inner =
      (left * right * selectivity) / (node.join === 'inner' ? this.impliedSelectivity(node, conditions) : 1);
    switch (node.join) {
      case 'inner':
        return inner;
      case 'left':
        return Math.max(left, inner);
      case 'right':
        return Math.max(right, inner);
      case 'full':
        return Math.max(left + right, inner);
      case 'semi':
        return left * semiJoinShare(this, node, conditions);
      default:
        return left * Math.max(ANTI_SHARE_MIN, 1 - semiJoinShare(this, node, conditions));
    }
  }

  /**
   * What the sides have been asked already because an OR over both implies it (rules/or-factoring.ts): its rows are among theirs, so
   * its selectivity is of the rows before.
   */
  private impliedSelectivity(node: LogicalNode, conditions: readonly Expression[]): number {
    let selectivity = 1;
    for (const condition of conditions) {
      if (condition.kind !== 'logical' || condition.operator !== 'or') continue;
      for (const implied of impliedBy(condition, operandsOf(node))) selectivity *= this.selectivity(implied);
    }
    return Math.max(selectivity, IMPLIED_SELECTIVITY_MIN);
  }

  /** Equalities that cover a key of several columns choose one row of its table; the others are taken for independent. */
  private joinSelectivity(conditions: readonly Expression[], rows: number): number {
    const equal = new Map<number, Set<number>>();
    for (const condition of conditions) {
      if (condition.kind !== 'call' || condition.operator?.role !== '=') continue;
      if (!condition.arguments.every((side) => side.kind === 'column')) continue;
      for (const side of condition.arguments) {
        if (side.kind !== 'column') continue;
        const { tableOid, columnNumber } = this.context.pool.get(side.column);
        const columns = equal.get(tableOid);
        if (columns === undefined) equal.set(tableOid, new Set([columnNumber]));
        else columns.add(columnNumber);
      }
    }
    for (const [oid, columns] of equal) {
      const table = columns.size < 2 ? undefined : this.tableOf(oid);
      const key = table?.constraints.find(
        (constraint) =>
          (constraint.kind === 'primary key' || constraint.kind === 'unique') &&
          constraint.columns.length > 1 &&
          constraint.columns.every((column) => columns.has(column)),
      );
      if (table === undefined || key === undefined || key.kind === 'check') continue;
      const rest = conditions.filter((condition) => !this.isOnKey(condition, oid, key.columns));
      return this.selectivityOfAll(rest, rows) / this.tableRows(table);
    }
    return this.selectivityOfAll(conditions, rows);
  }

  /** An equality with one of the key's columns on a side. */
  private isOnKey(condition: Expression, oid: number, columns: readonly number[]): boolean {
    if (condition.kind !== 'call' || condition.operator?.role !== '=') return false;
    return condition.arguments.some((side) => {
      if (side.kind !== 'column') return false;
      const info = this.context.pool.get(side.column);
      return info.tableOid === oid && columns.includes(info.columnNumber);
    });
  }

  /**
   * Fraction of rows for which all conditions are TRUE. `own` are the columns of a scan whose conditions these are: all others have
   * one value while it runs.
   */
  selectivityOfAll(conditions: readonly Expression[], rows?: number, own?: readonly ScanColumn[]): number {
    const alone = conditions.flatMap(conjuncts);
    const fixed = own === undefined ? undefined : this.fixedTogether(alone, own, rows);
    let selectivity = fixed?.share ?? 1;
    // Bounds from both sides on one expression are a range, not two independent conditions.
    const ranges = new Map<ColumnId, { below: number; above: number }>();
    for (const condition of alone) {
      if (fixed?.conditions.has(condition) === true) continue;
      const bound = boundOf(condition);
      if (bound === undefined) {
        selectivity *= this.selectivity(condition, rows, own);
        continue;
      }
      let range = ranges.get(bound.column);
      if (range === undefined) ranges.set(bound.column, (range = { below: 1, above: 1 }));
      const share = this.selectivity(condition, rows, own);
      if (bound.isUpper) range.below = Math.min(range.below, share);
      else range.above = Math.min(range.above, share);
    }
    for (const { below, above } of ranges.values()) {
      const both = below < 1 && above < 1;
      // One end that nobody knows says nothing of where the other one lies from it.
      const isGuess = below === RANGE_SELECTIVITY || above === RANGE_SELECTIVITY;
      if (!both) selectivity *= below * above;
      else selectivity *= isGuess ? RANGE_PAIR_SELECTIVITY : Math.max(below + above - 1, RANGE_PAIR_SELECTIVITY / 10);
    }
    return selectivity;
  }

  /** Equalities of a scan's columns with what is the same for all rows, where something is known of these columns together. */
  private fixedTogether(
    conditions: readonly Expression[],
    own: readonly ScanColumn[],
    rows: number | undefined,
  ): { readonly share: number; readonly conditions: ReadonlySet<Expression> } | undefined {
    const [first] = own;
    const table = first === undefined ? undefined : this.tableOf(this.context.pool.get(first.id).tableOid);
    const groups = table === undefined ? [] : this.context.catalog.statistics.groups(table);
    if (groups.length === 0) return undefined;
    const shares = new Map<number, number>();
    const met = new Set<Expression>();
    for (const condition of conditions) {
      const column = fixedColumn(condition);
      const number = own.find(({ id }) => id === column)?.number;
      if (number === undefined || shares.has(number)) continue;
      shares.set(number, this.selectivity(condition, rows, own));
      met.add(condition);
    }
    return shares.size < 2 ? undefined : { share: shareOfAll(groups, shares), conditions: met };
  }

  /** Fraction of rows for which the condition is TRUE. */
  selectivity(condition: Expression, rows?: number, own?: readonly ScanColumn[]): number {
    switch (condition.kind) {
      case 'constant':
        return condition.value === true ? 1 : 0;
      case 'logical': {
        if (condition.operator === 'and') return this.selectivityOfAll(condition.operands, rows, own);
        let misses = 1;
        for (const operand of condition.operands) misses *= 1 - this.selectivity(operand, rows, own);
        return 1 - misses;
      }
      case 'not':
        return 1 - this.selectivity(condition.operand, rows, own);
      case 'null-test': {
        const statistics = this.columnStatistics(condition.operand);
        const fraction = statistics?.nullFraction ?? NULL_SELECTIVITY;
        return condition.negated ? 1 - fraction : fraction;
      }
      case 'array-quantified':
        return this.listSelectivity(condition, rows);
      case 'column':
        return this.valueSelectivity(condition, true, BOOL) ?? 0.5;
      case 'call':
        return this.callSelectivity(condition, rows, own);
      default:
        return 0.5;
    }
  }

  private callSelectivity(
    condition: Expression & { kind: 'call' },
    rows: number | undefined,
    own: readonly ScanColumn[] | undefined,
  ): number {
    const role = condition.operator?.role;
    const [left, right] = condition.arguments;
    if (left === undefined || right === undefined) return RANGE_SELECTIVITY;
    if (role === undefined) return this.matchSelectivity(condition.operator?.name ?? '', left, right);
    if (role === '<>') return this.unequalSelectivity(left, right);
    if (role !== '=') return this.rangeSelectivity(left, right, role);
    const leftColumns = columnsOf(left).size > 0;
    const rightColumns = columnsOf(right).size > 0;
    const limit = rows ?? Infinity;
    if (leftColumns && rightColumns) {
      // One value that may be any is as frequent as a value is; how many different ones are asked for is not known.
      const asked = this.askedColumn(left, right, own);
      if (asked !== undefined) return 1 / this.distinctOf(asked, limit);
      const pairs = own === undefined ? this.pairsSelectivity(left, right) : undefined;
      if (pairs !== undefined) return pairs;
      return 1 / Math.max(this.distinctOf(left, limit), this.distinctOf(right, limit));
    }
    const column = leftColumns ? left : right;
    const other = leftColumns ? right : left;
    const known = other.kind === 'constant' ? this.valueSelectivity(column, other.value, other.type) : undefined;
    return known ?? 1 / this.distinctOf(column, limit);
  }

  /** Of equal values of two columns, where both have common ones. */
  private pairsSelectivity(left: Expression, right: Expression): number | undefined {
    const [ofLeft, ofRight] = [this.columnStatistics(left), this.columnStatistics(right)];
    const compare = left.type.oid === right.type.oid ? this.compareOf(left) : undefined;
    if (ofLeft === undefined || ofRight === undefined || compare === undefined) return undefined;
    return shareOfPairs(ofLeft, ofRight, compare);
  }

  /** Of a column = a constant, where statistics tell. */
  private valueSelectivity(side: Expression, value: Value, type: TypeRef): number | undefined {
    const known = this.comparedColumn(side, value, type);
    return known === undefined ? undefined : shareEqual(known.statistics, value, known.compare);
  }

  private unequalSelectivity(left: Expression, right: Expression): number {
    const [column, other] = left.kind === 'constant' ? [right, left] : [left, right];
    if (other.kind !== 'constant') return 1 - EQUAL_SELECTIVITY;
    const known = this.comparedColumn(column, other.value, other.type);
    if (known === undefined) return 1 - EQUAL_SELECTIVITY;
    return Math.max(0, 1 - known.statistics.nullFraction - shareEqual(known.statistics, other.value, known.compare));
  }

  /** IN and NOT IN of a list, and what else is compared with ANY or ALL of an array. */
  private listSelectivity(condition: Expression & { kind: 'array-quantified' }, rows: number | undefined): number {
    const { array, left, quantifier, role } = condition;
    const isIn = quantifier === 'any' && role === '=';
    if (!isIn && (quantifier !== 'all' || role !== '<>')) return 0.5;
    const one = 1 / this.distinctOf(left, rows ?? Infinity);
    let share = 0;
    if (array.kind === 'array') {
      for (const item of array.elements) {
        const known = item.kind === 'constant' ? this.valueSelectivity(left, item.value, item.type) : undefined;
        share += known ?? one;
      }
    } else {
      share = one * LIST_LENGTH;
    }
    return isIn ? Math.min(1, share) : Math.max(0, 1 - share);
  }

  /** LIKE and its kin. */
  private matchSelectivity(name: string, left: Expression, right: Expression): number {
    const negated = name.startsWith('!');
    const match = negated ? name.slice(1) : name;
    if (ALIKE.has(match)) return ALIKE_SELECTIVITY;
    if (!match.startsWith('~')) return RANGE_SELECTIVITY;
    const pattern = right.kind === 'constant' && typeof right.value === 'string' ? right.value : undefined;
    const statistics = this.columnStatistics(left);
    if (pattern === undefined || statistics === undefined || !match.startsWith('~~'))
      return negated ? 1 - MATCH_SELECTIVITY : MATCH_SELECTIVITY;
    const share = shareLike(statistics, pattern, match === '~~*') ?? MATCH_SELECTIVITY;
    return negated ? Math.max(0, 1 - statistics.nullFraction - share) : share;
  }

  /** The scan's own column, where it is compared to something from outside of which no table tells how many values it has. */
  private askedColumn(
    left: Expression,
    right: Expression,
    own: readonly ScanColumn[] | undefined,
  ): Expression | undefined {
    if (own === undefined) return undefined;
    const isOutside = (side: Expression): boolean => !own.some(({ id }) => columnsOf(side).has(id));
    if (left.kind === 'column' && isOutside(right) && !isOutside(left)) return this.isOfTable(right) ? undefined : left;
    if (right.kind === 'column' && isOutside(left) && !isOutside(right))
      return this.isOfTable(left) ? undefined : right;
    return undefined;
  }

  private isOfTable(expression: Expression): boolean {
    if (expression.kind === 'cast' || expression.kind === 'typmod') return this.isOfTable(expression.operand);
    return (
      expression.kind === 'column' && this.tableOf(this.context.pool.get(expression.column).tableOid) !== undefined
    );
  }

  private rangeSelectivity(left: Expression, right: Expression, role: string): number {
    const flipped = left.kind === 'constant';
    const column = flipped ? right : left;
    const value = flipped ? left : right;
    const known = value.kind === 'constant' ? this.comparedColumn(column, value.value, value.type) : undefined;
    if (known === undefined || value.kind !== 'constant') return RANGE_SELECTIVITY;
    const less = (role === '<' || role === '<=') !== flipped;
    const inclusive = role === '<=' || role === '>=';
    const share = shareBeside(known.statistics, value.value, less, inclusive, known.compare);
    return share === undefined ? RANGE_SELECTIVITY : Math.min(1, Math.max(0.0001, share));
  }

  /** What is known of a column that is compared with a constant: of its own type, or of one that its values are relabelled as. */
  private comparedColumn(
    side: Expression,
    value: Value,
    type: TypeRef,
  ): { readonly statistics: ColumnStatistics; readonly compare: (a: Value, b: Value) => number } | undefined {
    const statistics = this.columnStatistics(side);
    const compare = this.compareOf(side);
    if (statistics === undefined || compare === undefined || value === null || type.oid !== side.type.oid)
      return undefined;
    return { statistics, compare };
  }

  /** How values of an expression are ordered, a cast without work looked through. */
  compareOf(expression: Expression): ((a: Value, b: Value) => number) | undefined {
    return this.context.catalog.types.byOid(withoutRelabel(expression).type.oid)?.compare;
  }

  /** What is known of the values of a table's column, unfiltered; undefined for other expressions. */
  valuesOf(expression: Expression): ColumnValues | undefined {
    const column = withoutRelabel(expression);
    const table = column.kind === 'column' ? this.tableOf(this.context.pool.get(column.column).tableOid) : undefined;
    if (table === undefined) return undefined;
    const nullFraction = this.columnStatistics(column)?.nullFraction ?? 0;
    return { distinct: this.distinctOf(column, Infinity), nullFraction, tableRows: this.tableRows(table) };
  }

  /** What ANALYZE has found of a table's column. */
  columnStatistics(expression: Expression): ColumnStatistics | undefined {
    const column = withoutRelabel(expression);
    if (column.kind !== 'column') return undefined;
    const info = this.context.pool.get(column.column);
    const table = this.tableOf(info.tableOid);
    if (table === undefined) return undefined;
    return this.context.catalog.statistics.column(table, info.columnNumber);
  }

  /** Distinct values of an expression among so many rows. */
  distinctOf(expression: Expression, rows: number): number {
    if (expression.kind === 'column') {
      const info = this.context.pool.get(expression.column);
      const table = this.tableOf(info.tableOid);
      if (table !== undefined) {
        const statistics = this.context.catalog.statistics.column(table, info.columnNumber);
        if (statistics !== undefined) return Math.max(1, Math.min(statistics.distinctCount, rows));
        const size = this.tableRows(table);
        if (this.isUnique(table, info.columnNumber)) return Math.max(1, Math.min(size, rows));
        return Math.max(1, Math.min(this.guessDistinct(table, info.columnNumber, size), rows));
      }
    }
    if (expression.kind === 'cast' || expression.kind === 'typmod') return this.distinctOf(expression.operand, rows);
    return Math.max(1, Math.min(DEFAULT_DISTINCT, rows));
  }

  private tableOf(oid: number): TableDescriptor | undefined {
    if (oid === 0) return undefined;
    const relation = this.context.catalog.relationByOid(oid);
    return relation?.kind === 'table' ? relation : undefined;
  }

  private isUnique(table: TableDescriptor, column: number): boolean {
    return table.constraints.some(
      (constraint) =>
        (constraint.kind === 'primary key' || constraint.kind === 'unique') &&
        constraint.columns.length === 1 &&
        constraint.columns[0] === column,
    );
  }

  /** Without statistics: a foreign key has as many values as the table it points to has rows. */
  private guessDistinct(table: TableDescriptor, column: number, size: number): number {
    for (const constraint of table.constraints) {
      if (constraint.kind !== 'foreign key' || constraint.columns.length !== 1 || constraint.columns[0] !== column)
        continue;
      const referenced = this.tableOf(constraint.referencedTableOid);
      if (referenced !== undefined) return Math.min(size, this.tableRows(referenced));
    }
    return Math.min(size, Math.max(DEFAULT_DISTINCT, size / 10));
  }

  /** Distinct sets of values of columns among so many rows. */
  distinctOfColumns(columns: readonly ColumnId[], rows: number): number {
    return this.distinctOfAll(
      columns.map((column) => this.reference(column)),
      rows,
    );
  }

  /** `input` tells which columns are of one scan. */
  distinctOfAll(expressions: readonly Expression[], rows: number, input?: LogicalNode): number {
    let product = 1;
    let left = expressions;
    for (let found = this.combined(left, input); found !== undefined; found = this.combined(left, input)) {
      const { distinct, expressions: counted } = found;
      product *= Math.min(distinct, rows);
      left = left.filter((expression) => !counted.has(expression));
    }
    for (const expression of left) product *= this.distinctOf(expression, rows);
    return Math.max(1, Math.min(product, rows));
  }

  /** Some of the expressions that are columns of one scan, whose combinations are counted. */
  private combined(
    expressions: readonly Expression[],
    input: LogicalNode | undefined,
  ): { readonly distinct: number; readonly expressions: ReadonlySet<Expression> } | undefined {
    if (input === undefined || expressions.length < 2) return undefined;
    for (const scan of scansOf(input)) {
      const groups = this.context.catalog.statistics.groups(scan.table);
      if (groups.length === 0) continue;
      const byNumber = new Map<number, Expression>();
      for (const expression of expressions) {
        const column = expression.kind === 'column' ? expression.column : undefined;
        const number = scan.scanColumns.find(({ id }) => id === column)?.number;
        if (number !== undefined) byNumber.set(number, expression);
      }
      const known = knownCombinations(groups, new Set(byNumber.keys()));
      if (known === undefined) continue;
      const counted = new Set(known.columns.map((number) => byNumber.get(number) as Expression));
      return { distinct: known.distinct, expressions: counted };
    }
    return undefined;
  }
}
