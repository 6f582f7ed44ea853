/**
 * Comments that tools write into the texts of statements, as sqlcommenter does: pairs of names and values, among them the caller's span,
 * another one each time.
 *
 *   select ... /*controller='order',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*\/
 */
const TRACE_PARENT = /traceparent\s*=\s*'?([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})\b/i;
/** What may stand behind the last comment. */
const ENDS = ' \t\r\n\f;';
const LINE_END = /[\r\n]/;
/** So much of a long text is searched at either end. */
const COMMENT_CHARACTERS = 2048;

/** The W3C traceparent that the text brings; undefined for none. */
export function traceParentOf(text: string): string | undefined {
  if (!text.includes('/*')) return undefined;
  const ends =
    text.length <= 2 * COMMENT_CHARACTERS
      ? text
      : `${text.slice(0, COMMENT_CHARACTERS)} ${text.slice(-COMMENT_CHARACTERS)}`;
  return TRACE_PARENT.exec(ends)?.[1];
}

/**
 * The text without the comment that it ends with. That is looked for from behind, with no regard to what lies before: quotes, line
 * comments, other comments. So the rest means the same as the whole wherever it can be parsed, and where it cannot, nothing is said
 * about the whole:
 *
 *   - A rest that can be parsed ends outside of quotes and comments, or in a line comment, which then goes on to the end of the whole,
 *     for what is cut is one line. In both cases what is cut is a comment.
 *   - Nothing in it opens or closes another comment.
 */
export function withoutLastComment(text: string): string {
  let end = text.length;
  while (end > 0 && ENDS.includes(text[end - 1] as string)) end--;
  if (!text.endsWith('*/', end)) return text;
  const from = text.lastIndexOf('/*', end - 4);
  if (from === -1 || text.indexOf('*/', from + 2) !== end - 2) return text;
  return LINE_END.test(text.slice(from, end)) ? text : text.slice(0, from);
}
