/**
 * Words of a text for text indexes: runs of letters, digits and marks, in lower case, without accents. English endings are cut by a
 * few rules (plural, -ing, -ed, -ly) so that `running` finds `runs`; other languages are matched by whole words.
 */
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const WORD_CHARS_MAX = 64;

/** Every word, as often as it occurs. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.normalize('NFKD').toLowerCase().matchAll(WORD)) {
    const bare = word.replace(/\p{M}+/gu, '').slice(0, WORD_CHARS_MAX);
    if (bare !== '') words.push(stem(bare));
  }
  return words;
}

function stem(word: string): string {
  if (word.length <= 3 || !/^[a-z]+$/.test(word)) return word;
  let base = word;
  if (base.endsWith('ies') && base.length > 4) base = `${base.slice(0, -3)}y`;
  else if (/(?:s|x|z|ch|sh)es$/.test(base)) base = base.slice(0, -2);
  else if (base.endsWith('s') && !/(?:ss|us|is)$/.test(base)) base = base.slice(0, -1);
  for (const ending of ['ing', 'ed', 'ly']) {
    const rest = base.slice(0, -ending.length);
    if (base.endsWith(ending) && /[aeiouy]/.test(rest) && rest.length >= 3) {
      base = /([bdfgmnprt])\1$/.test(rest) ? rest.slice(0, -1) : rest;
      break;
    }
  }
  return base.length > 4 && base.endsWith('e') ? base.slice(0, -1) : base;
}

/** The parts of a $text search: words of which one must occur, "phrases" that all must, -words that must not. */
export interface Search {
  readonly words: readonly string[];
  readonly phrases: readonly string[];
  readonly without: readonly string[];
}

export function parseSearch(search: string): Search {
  const phrases: string[] = [];
  const rest = search.replace(/"([^"]*)"/g, (_, phrase: string) => {
    phrases.push(phrase);
    return ' ';
  });
  const words: string[] = [];
  const without: string[] = [];
  for (const token of rest.split(/\s+/)) {
    if (token.startsWith('-')) without.push(...wordsOf(token));
    else words.push(...wordsOf(token));
  }
  return { words, phrases, without };
}
