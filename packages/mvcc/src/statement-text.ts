/** Statements as errors and views show them. */

/** Characters that errors show. */
const STATEMENT_CHARACTERS_MAX = 200;

/** A statement on one line, cut to a length that an error can bear. */
export function shownStatement(text: string): string {
  const line = text
    .replaceAll(/\s+/g, ' ')
    .replace(/[\s;]+$/, '')
    .trim();
  return line.length > STATEMENT_CHARACTERS_MAX ? `${line.slice(0, STATEMENT_CHARACTERS_MAX)}...` : line;
}
