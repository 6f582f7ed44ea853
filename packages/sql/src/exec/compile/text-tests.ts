/**
 * Tests of a text column against constants that are done on the bytes of the row: `name = 'x'`, `name <> 'x'`,
 * `name IN ('x', 'y')`, `name LIKE 'x%y'`, `left(name, 2) IN ('xy', 'zz')`. Most rows fail such a test, and need no string then.
 *
 * Only where equality is identity (no collation), and not where the column's value is at hand already.
 */
import { isTextAmong, isTextHeadedBy, isTextOfPieces } from '@phantom/codec';
import type { Expression } from '../../expr/expression.js';
import { withoutRelabel } from '../../expr/walk.js';
import { literalPieces } from '../../functions/like.js';
import type { Emitter } from '../code/emitter.js';
import { and, call, not, type Code } from '../code/ir.js';
import { isPlainText } from './intrinsics.js';
import type { ColumnSource, Row } from './row-scope.js';

/** Constants in a list that are compared one by one; a hash of the value is better for more. */
const TEXTS_MAX = 8;

/** substring(text, start, length) and its older name; left(text, length); starts_with, which also stands behind ^@. */
const SUBSTRING: ReadonlySet<number> = new Set([936, 877]);
const LEFT = 3060;
const STARTS_WITH = 3696;

/** A test of a column: among some texts, headed by one of them, or made of pieces. */
interface TextTest {
  readonly column: Expression;
  readonly texts: readonly string[];
  readonly ask: typeof isTextAmong;
  readonly negated: boolean;
}

/** Code that is true when the expression IS TRUE (`wanted`) or IS FALSE; undefined when it is no such test. */
export function textTest(emitter: Emitter, row: Row, expression: Expression, wanted: boolean): Code | undefined {
  const test = testOf(expression);
  if (test === undefined) return undefined;
  const source = textColumn(test.column, row);
  if (source?.text === undefined || source.isKnown(emitter)) return undefined;
  const { isNull, bytes } = source.text;
  const texts = emitter.constant(test.texts.map((text) => Buffer.from(text, 'utf8')));
  const found = call(emitter.constant(test.ask), ...bytes, texts);
  const holds = test.negated === wanted ? not(found) : found;
  return isNull === undefined ? holds : and(not(isNull), holds);
}

function testOf(expression: Expression): TextTest | undefined {
  if (expression.kind === 'array-quantified') {
    const { left, array, quantifier, role } = expression;
    if (role !== '=' || quantifier !== 'any' || array.kind !== 'array') return undefined;
    return among(left, array.elements, false);
  }
  if (expression.kind !== 'call' || !expression.function.strict) return undefined;
  const [left, right] = expression.arguments;
  if (left === undefined || right === undefined) return undefined;
  if (expression.function.oid === STARTS_WITH) {
    const head = textOf(right);
    return head === undefined ? undefined : { column: left, texts: [head], ask: isTextHeadedBy, negated: false };
  }
  if (expression.operator === undefined) return undefined;
  const { role, name } = expression.operator;
  if (role === '=' || role === '<>') {
    return left.kind === 'constant' ? among(right, [left], role === '<>') : among(left, [right], role === '<>');
  }
  if (name !== '~~' && name !== '!~~') return undefined;
  const pattern = textOf(right);
  const pieces = pattern === undefined ? undefined : literalPieces(pattern);
  if (pieces === undefined) return undefined;
  const ask = pieces.length === 1 ? isTextAmong : isTextOfPieces;
  return { column: left, texts: pieces, ask, negated: name === '!~~' };
}

/** A test whether a value, a column or its first characters, is one of the items. */
function among(value: Expression, items: readonly Expression[], negated: boolean): TextTest | undefined {
  if (items.length === 0 || items.length > TEXTS_MAX) return undefined;
  const texts: string[] = [];
  for (const item of items) {
    const text = textOf(item);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  const head = headOf(value);
  if (head === undefined) return { column: value, texts, ask: isTextAmong, negated };
  // A text of fewer characters would have to be the whole value, one of more is never equal.
  if (texts.some((text) => [...text].length !== head.characters)) return undefined;
  return { column: head.column, texts, ask: isTextHeadedBy, negated };
}

/** What a value takes so many first characters of; undefined when it is something else. */
function headOf(value: Expression): { readonly column: Expression; readonly characters: number } | undefined {
  const call = withoutRelabel(value);
  if (call.kind !== 'call') return undefined;
  const [column, ...numbers] = call.arguments;
  const [first, second] = numbers.map((number) => (number.kind === 'constant' ? Number(number.value) : Number.NaN));
  const { oid } = call.function;
  const characters = oid === LEFT ? first : SUBSTRING.has(oid) && first === 1 ? second : undefined;
  return column === undefined || characters === undefined || !(characters > 0) ? undefined : { column, characters };
}

function textOf(item: Expression): string | undefined {
  return item.kind === 'constant' && typeof item.value === 'string' && isPlainText(item.type) ? item.value : undefined;
}

/** The column that a side is, perhaps under a cast that changes nothing. */
function textColumn(side: Expression, row: Row): ColumnSource | undefined {
  if (!isPlainText(side.type)) return undefined;
  const inner = withoutRelabel(side);
  return inner.kind === 'column' && isPlainText(inner.type) ? row.get(inner.column) : undefined;
}
