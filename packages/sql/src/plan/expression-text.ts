/** Bound expressions as text, for EXPLAIN: in PostgreSQL's manner, with parentheses around every operator. */
import { unreachable } from '@phantom/base';
import { FIRST_USER_OID, type TypeRef } from '@phantom/catalog';
import type { BindContext } from '../expr/context.js';
import { insideDomain } from '../expr/coercion.js';
import type { ColumnId, Expression, SortKey } from '../expr/expression.js';
import { writtenName, writtenOperator } from '../routine/routine-function.js';
import { formatType } from '../types/format-type.js';
import { TypeOid } from '../types/type-oids.js';

export interface TextOptions {
  readonly context: BindContext;
  /** Name of a column, with its qualifier where there are several tables. */
  columnName(column: ColumnId): string;
  /** Text of a row where it is all of a relation's, asked for at once; undefined for others. */
  wholeRow?(row: Expression & { kind: 'row' }): string | undefined;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const BARE_CONSTANTS: ReadonlySet<number> = new Set([TypeOid.int4, TypeOid.bool]);

/** Names of types that mean something else in SQL when no length follows them. */
const UNMODIFIED_NAMES: Readonly<Record<number, string>> = { [TypeOid.bpchar]: 'bpchar', [TypeOid.bit]: '"bit"' };

function constantText(expression: Expression & { kind: 'constant' }, options: TextOptions): string {
  const { value, type } = expression;
  const { context } = options;
  if (value === null) return type.oid === TypeOid.unknown ? 'NULL' : `NULL::${context.typeName(type.oid)}`;
  const known = context.catalog.types.byOid(type.oid);
  if (BARE_CONSTANTS.has(type.oid)) {
    const text = String(value);
    return text.startsWith('-') ? `'${text}'::integer` : text;
  }
  const text = known === undefined ? String(value) : known.output(value, context.literals);
  // Digits alone would be read as an integer.
  if (type.oid === TypeOid.numeric && /^[0-9].*[.eE]/.test(text)) return text;
  return literalText(text, type.oid, context);
}

/** A text that is read as a type. */
export function literalText(text: string, typeOid: number, context: BindContext): string {
  return `${quoteText(text)}::${UNMODIFIED_NAMES[typeOid] ?? context.typeName(typeOid)}`;
}

/** The text of a literal whose type reads it anew each time, because what it says depends on the catalog or on settings. */
function unreadLiteral(expression: Expression, context: BindContext): string | undefined {
  if (expression.kind !== 'cast' || expression.literal !== true) return undefined;
  const { operand, type } = expression;
  if (operand.kind !== 'constant' || operand.type.oid !== TypeOid.text || typeof operand.value !== 'string')
    return undefined;
  const known = context.catalog.types.byOid(type.oid);
  const isReadAnew = type.oid >= FIRST_USER_OID || known?.kind === 'array' || known?.category === 'D';
  return isReadAnew ? operand.value : undefined;
}

/** A type and its modifier: types that have one lie in pg_catalog, and need no schema. */
function typeText({ oid, typmod }: TypeRef, context: BindContext): string {
  const type = typmod === -1 ? undefined : context.catalog.types.byOid(oid);
  return type?.formatTypmod === undefined ? context.typeName(oid) : formatType(type, typmod);
}

/** The expression as text. */
export function expressionText(expression: Expression, options: TextOptions): string {
  const text = (part: Expression): string => expressionText(part, options);
  const list = (parts: readonly Expression[]): string => parts.map(text).join(', ');
  switch (expression.kind) {
    case 'constant':
      return constantText(expression, options);
    case 'parameter':
      return `$${expression.index}`;
    case 'column':
      return options.columnName(expression.column);
    case 'call': {
      const { operator, word } = expression;
      if (word !== undefined) return word;
      if (expression.written !== undefined) return expression.written(expression.arguments.map(text));
      const inside = insideDomain(expression, expression.type);
      if (inside !== expression) return `(${text(inside)})::${typeText(expression.type, options.context)}`;
      if (operator === undefined) {
        const written = writtenName(options.context.catalog, expression.function);
        return `${written}(${list(expression.arguments)})`;
      }
      const [left, right] = expression.arguments;
      const symbol = writtenOperator(options.context.catalog, operator.name, expression.function, operator);
      if (left === undefined) return symbol;
      if (right === undefined) return `(${symbol} ${text(left)})`;
      return `(${text(left)} ${symbol} ${text(right)})`;
    }
    case 'cast':
    case 'typmod': {
      if (expression.word !== undefined) return expression.word;
      const literal = unreadLiteral(expression, options.context);
      if (literal !== undefined) return literalText(literal, expression.type.oid, options.context);
      return `(${text(expression.operand)})::${typeText(expression.type, options.context)}`;
    }
    case 'logical':
      return `(${expression.operands.map(text).join(` ${expression.operator.toUpperCase()} `)})`;
    case 'not':
      return `(NOT ${text(expression.operand)})`;
    case 'null-test':
      return `(${text(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}NULL)`;
    case 'boolean-test': {
      const word = expression.value === null ? 'UNKNOWN' : String(expression.value).toUpperCase();
      return `(${text(expression.operand)} IS ${expression.negated ? 'NOT ' : ''}${word})`;
    }
    case 'distinct-test':
      return `(${text(expression.left)} IS ${expression.negated ? 'NOT ' : ''}DISTINCT FROM ${text(expression.right)})`;
    case 'case': {
      const branches = expression.branches.map((branch) => ` WHEN ${text(branch.when)} THEN ${text(branch.then)}`);
      return `CASE${branches.join('')} ELSE ${text(expression.otherwise)} END`;
    }
    case 'let':
      return expressionText(expression.body, {
        ...options,
        columnName: (column) => (column === expression.column ? text(expression.value) : options.columnName(column)),
      });
    case 'coalesce':
      return `COALESCE(${list(expression.operands)})`;
    case 'extreme':
      return `${expression.which.toUpperCase()}(${list(expression.operands)})`;
    case 'array':
      return `ARRAY[${list(expression.elements)}]`;
    case 'row':
      return options.wholeRow?.(expression) ?? `ROW(${list(expression.fields)})`;
    case 'field':
      return `(${text(expression.operand)}).f${expression.field + 1}`;
    case 'subscript': {
      const part = (bound: Expression | undefined): string => (bound === undefined ? '' : text(bound));
      const subscripts = expression.subscripts.map((subscript) =>
        subscript.index === undefined
          ? `[${part(subscript.lower)}:${part(subscript.upper)}]`
          : `[${text(subscript.index)}]`,
      );
      return `${text(expression.operand)}${subscripts.join('')}`;
    }
    case 'array-quantified': {
      const quantifier = expression.quantifier.toUpperCase();
      const symbol = writtenOperator(options.context.catalog, expression.operatorName, expression.comparison);
      return `(${text(expression.left)} ${symbol} ${quantifier} (${text(expression.array)}))`;
    }
    case 'row-comparison':
      return `(ROW(${list(expression.left)}) ${expression.role} ROW(${list(expression.right)}))`;
    case 'subquery': {
      const name = 'SubPlan';
      if (expression.mode === 'exists') return `EXISTS(${name})`;
      if (expression.mode === 'any' || expression.mode === 'all') {
        return `(${expression.operatorName ?? '='} ${expression.mode.toUpperCase()} (${name}))`;
      }
      return `(${name})`;
    }
    case 'raise':
      return 'error';
    default:
      return unreachable(expression);
  }
}

/** A sort key with its direction, where it is not the usual one. */
export function sortKeyText(key: SortKey, options: TextOptions): string {
  const direction = key.descending ? ' DESC' : '';
  const nulls = key.nullsFirst === key.descending ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
  return `${expressionText(key.expression, options)}${direction}${nulls}`;
}
