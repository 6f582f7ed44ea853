/**
 * What is wrong with an XML text, and where: told as libxml2 tells it (PostgreSQL hands that on as DETAIL), the number of the
 * line, the complaint, the line as far as 80 characters around the place, and a caret under it.
 */

/** Characters of the line that are shown before the place, and altogether. */
const CONTEXT_CHARACTERS_MAX = 80;

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

/** The line at `at`, and a caret under it. */
function contextOf(text: string, at: number): string {
  let start = Math.min(at, text.length);
  while (start > 0 && isLineEnd(text.charCodeAt(start))) start--;
  for (let n = 0; n < CONTEXT_CHARACTERS_MAX && start > 0 && !isLineEnd(text.charCodeAt(start)); n++) start--;
  if (isLineEnd(text.charCodeAt(start))) start++;
  let end = start;
  while (end < text.length && end - start < CONTEXT_CHARACTERS_MAX && !isLineEnd(text.charCodeAt(end))) end++;
  const line = text.slice(start, end);
  const before = text.slice(start, Math.min(at, start + CONTEXT_CHARACTERS_MAX - 1)).replaceAll(/[^\t]/g, ' ');
  return `${line}\n${before}^`;
}

/** The number of the line on which `at` stands, from 1. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let from = text.indexOf('\n'); from >= 0 && from < at; from = text.indexOf('\n', from + 1)) line++;
  return line;
}

/** Thrown within this folder; whoever asked for the XML makes a PhantomError with a SQLSTATE of it. */
export class XmlSyntaxError extends Error {
  /** One complaint or more, each with its line and caret. */
  readonly report: string;

  constructor(complaints: readonly string[], text: string, at: number) {
    super(complaints[0]);
    const where = `line ${lineAt(text, at)}: `;
    const context = contextOf(text, at);
    this.report = complaints.map((complaint) => `${where}${complaint}\n${context}`).join('\n');
  }
}
