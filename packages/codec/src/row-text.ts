/** Questions about text columns that are answered from a row's bytes: no string is made. */
import { type RowLayout, variableEnd, variableStart } from './row-layout.js';

/**
 * True when the text in column `index` of the row at [start, end), which is a variable column and not null, is one of some
 * texts, given as UTF-8.
 */
export function isTextAmong(
  buffer: Uint8Array,
  start: number,
  end: number,
  index: number,
  layout: RowLayout,
  texts: readonly Uint8Array[],
): boolean {
  const variable = layout.variableIndexes[index] as number;
  const from = variableStart(buffer, start, variable, layout);
  const length = variableEnd(buffer, start, end, variable, layout, from) - from;
  for (let t = 0; t < texts.length; t++) {
    const text = texts[t] as Uint8Array;
    if (text.length !== length) continue;
    // Texts that are alike at their heads, as numbered ones are, differ at their ends.
    let i = length - 1;
    while (i >= 0 && buffer[from + i] === text[i]) i--;
    if (i < 0) return true;
  }
  return false;
}
