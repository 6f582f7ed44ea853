/**
 * Tests of a text column against constants that are done on the bytes of the row: `name = 'x'`, `name <> 'x'`,
 * `name IN ('x', 'y')`. Most rows fail such a test, and need no string then.
 *
 * Only where equality is identity (no collation), and not where the column's value is at hand already.
 */
import { isTextAmong } from '@phantom/codec';
import type { Expression } from '../../expr/expression.js';
import type { Emitter } from '../code/emitter.js';
import { and, not, type Code } from '../code/ir.js';
import { isPlainText } from './intrinsics.js';
import type { ColumnSource, Row } from './row-scope.js';

/** Constants in a list that are compared one by one; a hash of the value is better for more. */
const TEXTS_MAX = 8;

/** Code that is true when the expression IS TRUE (`wanted`) or IS FALSE; undefined when it is no such test. */
export function textTest(emitter: Emitter, row: Row, expression: Expression, wanted: boolean): Code | undefined {
  const parts = partsOf(expression);
  if (parts === undefined) return undefined;
  const source = textColumn(parts.column, row);
  if (source?.text === undefined || source.isKnown(emitter)) return undefined;
  const texts: Uint8Array[] = [];
  for (const item of parts.texts) {
    if (item.kind !== 'constant' || typeof item.value !== 'string' || !isPlainText(item.type)) return undefined;
    texts.push(Buffer.from(item.value, 'utf8'));
  }
  const { isNull, bytes } = source.text;
  const among: Code = {
    kind: 'call',
    target: emitter.constant(isTextAmong),
    arguments: [...bytes, emitter.constant(texts)],
  };
  const test = parts.negated === wanted ? not(among) : among;
  return isNull === undefined ? test : and(not(isNull), test);
}

interface Parts {
  readonly column: Expression;
  readonly texts: readonly Expression[];
  readonly negated: boolean;
}

function partsOf(expression: Expression): Parts | undefined {
  if (expression.kind === 'array-quantified') {
    const { left, array, quantifier, role } = expression;
    if (role !== '=' || quantifier !== 'any' || array.kind !== 'array') return undefined;
    const { length } = array.elements;
    return length === 0 || length > TEXTS_MAX ? undefined : { column: left, texts: array.elements, negated: false };
  }
  if (expression.kind !== 'call' || !expression.function.strict) return undefined;
  const role = expression.operator?.role;
  const [left, right] = expression.arguments;
  if ((role !== '=' && role !== '<>') || left === undefined || right === undefined) return undefined;
  const [column, text] = left.kind === 'constant' ? [right, left] : [left, right];
  return { column, texts: [text], negated: role === '<>' };
}

/** The column that a side is, perhaps under a cast that changes nothing. */
function textColumn(side: Expression, row: Row): ColumnSource | undefined {
  if (!isPlainText(side.type)) return undefined;
  const inner = side.kind === 'cast' && side.definition.call === undefined ? side.operand : side;
  return inner.kind === 'column' && isPlainText(inner.type) ? row.get(inner.column) : undefined;
}
