/**
 * LIKE: `_` is any character, `%` any run of them, a backslash (or what ESCAPE says) takes the next one literally. Patterns
 * are cut once into pieces between the `%`; each piece is found at its first place behind the one before, so no pattern
 * backtracks over more than one `%`.
 */
import { PhantomError } from '@phantom/base';

/** Stands for an escape character at the very end: an error, but only for a text that is matched up to there. */
const DANGLING = '';

/** A piece between two `%`: characters, where undefined stands for `_`. */
type Piece = readonly (string | undefined)[];

interface LikePattern {
  readonly pieces: readonly Piece[];
  /** Texts of the pieces that hold no `_`. */
  readonly texts: readonly (string | undefined)[];
}

const PATTERNS_KEPT_MAX = 256;
/** Longer ones are cut again each time: many of them would hold much memory for long. */
const KEPT_UNITS_MAX = 4096;
/** Units of a pattern: a piece of one character takes more than a hundred bytes. */
const PATTERN_UNITS_MAX = 4_194_304;
const patterns = new Map<string, LikePattern>();

function compile(pattern: string): LikePattern {
  if (pattern.length > PATTERN_UNITS_MAX)
    throw new PhantomError('54000', `LIKE pattern exceeds ${PATTERN_UNITS_MAX} characters`, { family: 'limit' });
  const pieces: (string | undefined)[][] = [];
  let piece: (string | undefined)[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (character === '%') {
      pieces.push(piece);
      piece = [];
    } else if (character === '_') {
      piece.push(undefined);
    } else if (character === '\\') {
      i++;
      piece.push(characters[i] ?? DANGLING);
    } else {
      piece.push(character);
    }
  }
  pieces.push(piece);
  return {
    pieces,
    texts: pieces.map((one) => (one.includes(undefined) || one.includes(DANGLING) ? undefined : one.join(''))),
  };
}

function compiled(pattern: string): LikePattern {
  let made = patterns.get(pattern);
  if (made === undefined) {
    made = compile(pattern);
    if (pattern.length > KEPT_UNITS_MAX) return made;
    if (patterns.size >= PATTERNS_KEPT_MAX) patterns.clear();
    patterns.set(pattern, made);
  }
  return made;
}

/** The literal texts around the `%` of a pattern; undefined when it has a `_`, or ends in its escape character. */
export function literalPieces(pattern: string): readonly string[] | undefined {
  const texts: string[] = [];
  for (const text of compile(pattern).texts) {
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

function dangling(): PhantomError {
  return new PhantomError('22025', 'LIKE pattern must not end with escape character');
}

/** End of the piece if it stands at `at`; -1 if it does not. */
function matchAt(text: string, at: number, piece: Piece): number {
  let end = at;
  for (const character of piece) {
    if (end >= text.length) return -1;
    if (character === DANGLING) throw dangling();
    if (character === undefined) {
      const code = text.charCodeAt(end);
      end += code >= 0xd800 && code < 0xdc00 ? 2 : 1;
    } else {
      if (!text.startsWith(character, end)) return -1;
      end += character.length;
    }
  }
  return end;
}

/** True when the piece stands at the end of the text, not before `from`. */
function matchEnd(text: string, from: number, piece: Piece): boolean {
  let at = text.length;
  for (let i = piece.length - 1; i >= 0; i--) {
    const character = piece[i];
    if (at <= from) return false;
    if (character === DANGLING) throw dangling();
    if (character === undefined) {
      const code = text.charCodeAt(at - 1);
      at -= code >= 0xdc00 && code < 0xe000 ? 2 : 1;
    } else {
      at -= character.length;
      if (at < from || !text.startsWith(character, at)) return false;
    }
  }
  return at >= from;
}

/** True when the text matches the pattern. 22025 for a pattern that ends in its escape character. */
export function like(text: string, pattern: string): boolean {
  const { pieces, texts } = compiled(pattern);
  const last = pieces.length - 1;
  const first = pieces[0] as Piece;
  const head = texts[0];
  let at: number;
  if (head === undefined) at = matchAt(text, 0, first);
  else at = text.startsWith(head) ? head.length : -1;
  if (at < 0) return false;
  if (last === 0) return at === text.length;
  for (let i = 1; i < last; i++) {
    const literal = texts[i];
    if (literal !== undefined) {
      const found = text.indexOf(literal, at);
      if (found < 0) return false;
      at = found + literal.length;
      continue;
    }
    let end = -1;
    while (at <= text.length && (end = matchAt(text, at, pieces[i] as Piece)) < 0) at++;
    if (end < 0) return false;
    at = end;
  }
  return matchEnd(text, at, pieces[last] as Piece);
}

/** LIKE ... ESCAPE: the pattern with the escape character replaced by a backslash. */
export function likeEscape(pattern: string, escape: string): string {
  const characters = [...escape];
  if (characters.length > 1) {
    throw new PhantomError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' });
  }
  if (characters.length === 0) return pattern.replaceAll('\\', '\\\\');
  if (escape === '\\') return pattern;
  let result = '';
  let escaped = false;
  for (const character of pattern) {
    if (character === escape && !escaped) {
      result += '\\';
      escaped = true;
    } else {
      if (character === '\\' && !escaped) result += '\\';
      result += character;
      escaped = false;
    }
  }
  return result;
}
