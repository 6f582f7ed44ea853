/**
 * Tests of a text column against constants that are done on the bytes of the row: `name = 'x'`, `name <> 'x'`,
 * `name IN ('x', 'y')`, `name LIKE 'x%y'`. Most rows fail such a test, and need no string then.
 *
 * Only where equality is identity (no collation), and not where the column's value is at hand already.
 */
import { isTextAmong, isTextOfPieces } from '@phantom/codec';
import type { Expression } from '../../expr/expression.js';
import { withoutRelabel } from '../../expr/walk.js';
import { literalPieces } from '../../functions/like.js';
import type { Emitter } from '../code/emitter.js';
import { and, call, not, type Code } from '../code/ir.js';
import { isPlainText } from './intrinsics.js';
import type { ColumnSource, Row } from './row-scope.js';

/** Constants in a list that are compared one by one; a hash of the value is better for more. */
const TEXTS_MAX = 8;

/** A test of a column: among some texts, or made of pieces. */
interface TextTest {
  readonly column: Expression;
  readonly texts: readonly string[];
  readonly ask: typeof isTextAmong | typeof isTextOfPieces;
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
  if (expression.kind !== 'call' || !expression.function.strict || expression.operator === undefined) return undefined;
  const { role, name } = expression.operator;
  const [left, right] = expression.arguments;
  if (left === undefined || right === undefined) return undefined;
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

function among(column: Expression, items: readonly Expression[], negated: boolean): TextTest | undefined {
  if (items.length === 0 || items.length > TEXTS_MAX) return undefined;
  const texts: string[] = [];
  for (const item of items) {
    const text = textOf(item);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return { column, texts, ask: isTextAmong, negated };
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
