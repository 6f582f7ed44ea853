/** Errors about the text of a statement: message in PostgreSQL's words, position in code points, line and column. */
import { type ErrorFields, PhantomError } from '@phantom/base';

/** Line and column (both 1-based, in code points) and the position (1-based, in code points) of a UTF-16 offset. */
export function locate(text: string, offset: number): { position: number; line: number; column: number } {
  let position = 1;
  let line = 1;
  let column = 1;
  for (let i = 0; i < offset && i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xdc00 && code <= 0xdfff && i > 0 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) continue;
    position++;
    column++;
    if (code === 10) {
      line++;
      column = 1;
    }
  }
  return { position, line, column };
}

/** An error that points into the text; `data` carries line and column. */
export function errorAt(
  code: string,
  message: string,
  text: string,
  offset: number,
  fields: ErrorFields = {},
): PhantomError {
  const { position, line, column } = locate(text, offset);
  return new PhantomError(code, message, { ...fields, position, data: { ...fields.data, line, column } });
}

export const SYNTAX_ERROR = '42601';

/** `message at or near "image"`, or `message at end of input`: how PostgreSQL's scanner and parser both say it. */
export function syntaxErrorNear(
  message: string,
  text: string,
  start: number,
  end: number,
  fields: ErrorFields = {},
): PhantomError {
  const where = start >= text.length ? 'at end of input' : `at or near "${text.slice(start, end)}"`;
  return errorAt(SYNTAX_ERROR, `${message} ${where}`, text, start, fields);
}
