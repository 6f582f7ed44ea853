/**
 * Finds the ends of statements in text that is still being typed: semicolons outside of quotes, comments and parentheses.
 * It knows how SQL quotes and nothing else of it, so a syntax error never confuses it.
 */

export interface SplitText {
  /** Whole statements, each with its semicolon. */
  readonly statements: readonly string[];
  /** What follows the last of them. */
  readonly rest: string;
  /** What the rest waits for: a quote, a comment, a parenthesis, the semicolon; undefined when it is blank. */
  readonly open: 'quote' | 'comment' | 'parenthesis' | 'statement' | undefined;
}

/** Text that is typed, with a command of the shell at its end. */
export interface SplitTyped extends SplitText {
  /** From a backslash outside of quotes on, which no statement can have; `rest` ends before it. */
  readonly command: string | undefined;
}

/** As `splitStatements`, up to the first backslash outside of quotes and comments. */
export function splitTyped(text: string): SplitTyped {
  const end = endOfStatements(text);
  const split = splitStatements(text.slice(0, end));
  return { ...split, command: end === text.length ? undefined : text.slice(end).trim() };
}

/** Where a backslash stands that is not quoted; the length of the text when there is none. */
function endOfStatements(text: string): number {
  let at = 0;
  while (at < text.length) {
    const skipped = skipQuoted(text, at);
    if (skipped !== undefined) at = skipped.end;
    else if (text.charAt(at) === '\\') return at;
    else at++;
  }
  return text.length;
}

/** Splits text at the semicolons that end statements. */
export function splitStatements(text: string): SplitText {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  let at = 0;
  let open: SplitText['open'];
  let hasText = false;
  while (at < text.length) {
    const skipped = skipQuoted(text, at);
    if (skipped !== undefined) {
      hasText ||= skipped.kind === 'quote';
      if (skipped.end > text.length) open = skipped.kind;
      at = Math.min(skipped.end, text.length);
      continue;
    }
    const character = text.charAt(at++);
    if (character === '(') depth++;
    else if (character === ')') depth = Math.max(0, depth - 1);
    if (character === ';' && depth === 0) {
      statements.push(text.slice(start, at));
      start = at;
      hasText = false;
    } else if (!/\s/.test(character)) hasText = true;
  }
  if (open === undefined && depth > 0) open = 'parenthesis';
  if (open === undefined && hasText) open = 'statement';
  return { statements, rest: text.slice(start), open };
}

/** End of the quote or comment that begins here; beyond the text when it does not end. Undefined when none begins. */
function skipQuoted(text: string, at: number): { kind: 'quote' | 'comment'; end: number } | undefined {
  switch (text.charAt(at)) {
    case "'":
      return {
        kind: 'quote',
        end: endOfString(text, at + 1, /[eE]/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at - 2))),
      };
    case '"':
      return { kind: 'quote', end: endAfter(text, '"', at + 1) };
    case '$': {
      const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(text.slice(at, at + 130))?.[0];
      if (tag === undefined || /\w/.test(text.charAt(at - 1))) return undefined;
      return { kind: 'quote', end: endAfter(text, tag, at + tag.length) };
    }
    case '-':
      if (text.charAt(at + 1) !== '-') return undefined;
      return { kind: 'comment', end: Math.min(endAfter(text, '\n', at), text.length) };
    case '/':
      return text.charAt(at + 1) === '*' ? { kind: 'comment', end: endOfComment(text, at) } : undefined;
    default:
      return undefined;
  }
}

function endAfter(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length + 1 : found + mark.length;
}

function endOfString(text: string, from: number, hasEscapes: boolean): number {
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (hasEscapes && character === '\\') at++;
    else if (character === "'") return at + 1;
  }
  return text.length + 1;
}

/** Comments nest, as in PostgreSQL. */
function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === '/*') {
      depth++;
      at++;
    } else if (pair === '*/') {
      at++;
      if (--depth === 0) return at + 1;
    }
  }
  return text.length + 1;
}
