/**
 * The caller's span in a comment of a statement's text, as sqlcommenter writes it: pairs of names and values, among them
 *
 *   traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'
 */
const TRACE_PARENT = /traceparent\s*=\s*'?([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})\b/i;
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
