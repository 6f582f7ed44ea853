/**
 * Stems of English words by the rules of Snowball's English stemmer ("Porter 2", Martin Porter, 2001), whose description
 * says them in these steps. R1 is what stands behind the first consonant that follows a vowel, R2 the same of R1; endings are
 * cut only there, so that short words stay whole. A `Y` stands for a y that is a consonant while the steps go.
 */
const UNCHANGED: ReadonlySet<string> = new Set('sky news howe atlas cosmos bias andes'.split(' '));
const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
]);
const FINISHED: ReadonlySet<string> = new Set(
  'inning outing canning herring earring proceed exceed succeed'.split(' '),
);

const VOWEL = 'aeiouy';
const DOUBLE = /(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/;
const SHORT_SYLLABLE = /(?:[^aeiouy][aeiouy][^aeiouywxY]|^[aeiouy][^aeiouy])$/;
const REGION = /[aeiouy][^aeiouy]/;
const EARLY_REGION = /^(?:gener|commun|arsen)/;

/** Endings of the second step and what they become in R1; `null` says that more is asked. */
const SECOND: readonly (readonly [ending: string, becomes: string | null])[] = byLength([
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['abli', 'able'],
  ['entli', 'ent'],
  ['izer', 'ize'],
  ['ization', 'ize'],
  ['ational', 'ate'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['alli', 'al'],
  ['fulness', 'ful'],
  ['ousli', 'ous'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['bli', 'ble'],
  ['ogi', null],
  ['fulli', 'ful'],
  ['lessli', 'less'],
  ['li', null],
]);

const THIRD: readonly (readonly [ending: string, becomes: string | null])[] = byLength([
  ['tional', 'tion'],
  ['ational', 'ate'],
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
  ['ative', null],
]);

const FOURTH: readonly (readonly [ending: string, becomes: string | null])[] = byLength(
  'al ance ence er ic able ible ant ement ment ent ism ate iti ous ive ize ion'
    .split(' ')
    .map((ending) => [ending, ending === 'ion' ? null : ''] as const),
);

function byLength<T extends readonly [string, string | null]>(endings: readonly T[]): readonly T[] {
  return endings.toSorted((a, b) => b[0].length - a[0].length);
}

/** The stem of a word in lower case. */
export function stemEnglish(word: string): string {
  if (word.length < 3 || UNCHANGED.has(word)) return word;
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  const marked = withConsonants(word.startsWith("'") ? word.slice(1) : word);
  const first = regionStart(marked, EARLY_REGION.exec(marked)?.[0].length);
  const second = regionStart(marked, undefined, first);
  let stem = withoutPlural(marked.replace(/'(?:s'?)?$/, ''));
  if (FINISHED.has(stem)) return stem;
  stem = withoutPast(stem, first);
  if (stem.length > 2 && /[yY]$/.test(stem) && !VOWEL.includes(stem.at(-2) as string)) stem = `${stem.slice(0, -1)}i`;
  stem = replaced(stem, SECOND, first, (ending, rest) =>
    ending === 'ogi' ? (rest.endsWith('l') ? 'og' : undefined) : /[cdeghkmnrt]$/.test(rest) ? '' : undefined,
  );
  stem = replaced(stem, THIRD, first, (_, rest) => (rest.length >= second ? '' : undefined));
  stem = replaced(stem, FOURTH, second, (_, rest) => (/[st]$/.test(rest) ? '' : undefined));
  return withoutLast(stem, first, second).replaceAll('Y', 'y');
}

/** With `Y` for each y at the beginning or behind a vowel. */
function withConsonants(word: string): string {
  let marked = '';
  for (const letter of word) {
    const isConsonant = letter === 'y' && (marked === '' || VOWEL.includes(marked.at(-1) as string));
    marked += isConsonant ? 'Y' : letter;
  }
  return marked;
}

/** Where the region begins that follows the first consonant behind a vowel, looked for from `from` on. */
function regionStart(word: string, known: number | undefined, from = 0): number {
  if (known !== undefined) return known;
  const place = word.slice(from).search(REGION);
  return place < 0 ? word.length : from + place + 2;
}

function withoutPlural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.slice(0, word.length > 4 ? -2 : -1);
  if (/[us]s$/.test(word) || !word.endsWith('s')) return word;
  return /[aeiouy]/.test(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

function withoutPast(word: string, first: number): string {
  const agreed = /eed(?:ly)?$/.exec(word);
  if (agreed !== null) return agreed.index >= first ? `${word.slice(0, agreed.index)}ee` : word;
  const past = /(?:ed|edly|ing|ingly)$/.exec(word);
  if (past === null) return word;
  const rest = word.slice(0, past.index);
  if (!/[aeiouy]/.test(rest)) return word;
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (DOUBLE.test(rest)) return rest.slice(0, -1);
  return first >= rest.length && SHORT_SYLLABLE.test(rest) ? `${rest}e` : rest;
}

/** The longest of the endings replaced where it stands in the region; `ask` decides about those that want more. */
function replaced(
  word: string,
  endings: readonly (readonly [string, string | null])[],
  region: number,
  ask: (ending: string, rest: string) => string | undefined,
): string {
  for (const [ending, becomes] of endings) {
    if (!word.endsWith(ending)) continue;
    const rest = word.slice(0, -ending.length);
    if (rest.length < region) return word;
    const replacement = becomes ?? ask(ending, rest);
    return replacement === undefined ? word : rest + replacement;
  }
  return word;
}

function withoutLast(word: string, first: number, second: number): string {
  const rest = word.slice(0, -1);
  if (word.endsWith('e')) {
    const isCut = rest.length >= second || (rest.length >= first && !SHORT_SYLLABLE.test(rest));
    return isCut ? rest : word;
  }
  return word.endsWith('ll') && rest.length >= second ? rest : word;
}
