/**
 * Lines and indentation of definitions, after PostgreSQL's ruleutils.c: a clause begins a line at the depth of its query, a
 * list goes on in lines of its own. A line break is a mark until the end, since what stands before it loses its blanks.
 */

/** How much deeper a query's clauses stand than what they belong to. */
export const CLAUSE_INDENT = 8;
export const JOIN_INDENT = 4;
export const ITEM_INDENT = 4;

/** No text of a query holds this character. */
const BREAK = '\u0000';

/** A word at the beginning of a line. */
export function lineOf(indent: number, word: string): string {
  return BREAK + ' '.repeat(Math.max(indent, 0)) + word;
}

export function beginsLine(text: string): boolean {
  return text.startsWith(BREAK);
}

/** The finished text. */
export function finishLines(text: string): string {
  const lines = text.split(BREAK);
  return lines.map((line, i) => (i < lines.length - 1 ? line.replace(/ +$/, '') : line)).join('\n');
}
