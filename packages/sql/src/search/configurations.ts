/**
 * Text search configurations: what becomes of each kind of token. They and their dictionaries are PostgreSQL 15's own, by its
 * oids, but for the languages for which there is no stemmer here (basque, catalan, yiddish); users define none.
 *
 * Numbers, addresses, files and the like go through the dictionary `simple`, which makes them lower case; words go through the
 * stemmer of the language, which passes over stop words. Where a language is not written in Latin letters (hindi, russian),
 * words in ASCII are English.
 */
import { PhantomError } from '@phantom/base';
import { lower } from '../functions/letter-case.js';
import { stemEnglish } from './english-stemmer.js';
import stemmers from '../../stemmers.cjs';
import { stopWordsOf } from './stop-words.js';
import { TokenKind } from './token-kinds.js';
import { utf8Bytes } from './vector.js';

export interface Dictionary {
  readonly oid: number;
  readonly name: string;
  /** pg_ts_dict.dictinitoption; null for `simple`. */
  readonly options: string | null;
  /** A token's word; undefined for a stop word. */
  wordOf(token: string): string | undefined;
}

export interface Configuration {
  readonly oid: number;
  readonly name: string;
  /** The dictionary of a kind of token; undefined for those that are passed over. */
  dictionaryOf(kind: number): Dictionary | undefined;
}

/** PostgreSQL leaves longer words as they are. */
const STEMMED_BYTES_MAX = 1000;

/** Words whose stems are remembered, for each language; past it they are forgotten at once. */
const STEMS_MAX = 20_000;

const SIMPLE: Dictionary = { oid: 3765, name: 'simple', options: null, wordOf: lower };

/** Oids of PostgreSQL 15: of the dictionary; the configuration's is the next. */
const LANGUAGES: readonly (readonly [name: string, dictionaryOid: number])[] = [
  ['arabic', 13151],
  ['armenian', 13153],
  ['danish', 13159],
  ['dutch', 13161],
  ['english', 13163],
  ['finnish', 13165],
  ['french', 13167],
  ['german', 13169],
  ['greek', 13171],
  ['hindi', 13173],
  ['hungarian', 13175],
  ['indonesian', 13177],
  ['irish', 13179],
  ['italian', 13181],
  ['lithuanian', 13183],
  ['nepali', 13185],
  ['norwegian', 13187],
  ['portuguese', 13189],
  ['romanian', 13191],
  ['russian', 13193],
  ['serbian', 13195],
  ['spanish', 13197],
  ['swedish', 13199],
  ['tamil', 13201],
  ['turkish', 13203],
];

class StemmingDictionary implements Dictionary {
  readonly oid: number;
  readonly name: string;
  readonly options: string;
  private readonly language: string;
  private readonly stopWords: ReadonlySet<string>;
  private readonly stems = new Map<string, string>();
  private stem: ((word: string) => string) | undefined;

  constructor(language: string, oid: number) {
    this.language = language;
    this.oid = oid;
    this.name = `${language}_stem`;
    this.stopWords = stopWordsOf(language);
    this.options = `language = '${language}'${this.stopWords.size === 0 ? '' : `, stopwords = '${language}'`}`;
  }

  wordOf(token: string): string | undefined {
    const word = lower(token);
    if (word.length > STEMMED_BYTES_MAX || utf8Bytes(word) > STEMMED_BYTES_MAX) return word;
    if (word === '' || this.stopWords.has(word)) return undefined;
    let stem = this.stems.get(word);
    if (stem === undefined) {
      this.stem ??= this.language === 'english' ? stemEnglish : stemmers[this.language]?.().stemmer;
      stem = this.stem?.(word) || word;
      if (this.stems.size >= STEMS_MAX) this.stems.clear();
      this.stems.set(word, stem);
    }
    return stem;
  }
}

const STEMMED: ReadonlySet<number> = new Set([
  TokenKind.word,
  TokenKind.hyphenatedWord,
  TokenKind.wordPart,
  TokenKind.asciiWord,
  TokenKind.asciiHyphenatedWord,
  TokenKind.asciiPart,
]);
const IN_ASCII: ReadonlySet<number> = new Set([
  TokenKind.asciiWord,
  TokenKind.asciiHyphenatedWord,
  TokenKind.asciiPart,
]);
const PASSED_OVER: ReadonlySet<number> = new Set([
  TokenKind.blank,
  TokenKind.tag,
  TokenKind.protocol,
  TokenKind.entity,
]);
const ENGLISH_IN_ASCII: ReadonlySet<string> = new Set(['hindi', 'russian']);

const dictionaryList: readonly Dictionary[] = [
  SIMPLE,
  ...LANGUAGES.map(([language, oid]) => new StemmingDictionary(language, oid)),
];
const ENGLISH = dictionaryList.find(({ name }) => name === 'english_stem');

function configuration(oid: number, name: string, stemmer: Dictionary): Configuration {
  const ascii = ENGLISH_IN_ASCII.has(name) ? ENGLISH : stemmer;
  return {
    oid,
    name,
    dictionaryOf: (kind) => {
      if (PASSED_OVER.has(kind)) return undefined;
      if (!STEMMED.has(kind)) return SIMPLE;
      return IN_ASCII.has(kind) ? ascii : stemmer;
    },
  };
}

/** All configurations, and all dictionaries. */
export const configurations: readonly Configuration[] = [
  configuration(3748, 'simple', SIMPLE),
  ...LANGUAGES.map(([language, oid], i) => configuration(oid + 1, language, dictionaryList[i + 1] as Dictionary)),
];
export const dictionaries: readonly Dictionary[] = dictionaryList;

/** The configuration of that oid; XX000 as in PostgreSQL when there is none. */
export function configurationOf(oid: number): Configuration {
  const found = configurations.find((one) => one.oid === oid);
  if (found === undefined)
    throw new PhantomError('XX000', `cache lookup failed for text search configuration ${oid}`, { family: 'input' });
  return found;
}

/** The dictionary of that oid; XX000 as in PostgreSQL when there is none. */
export function dictionaryOf(oid: number): Dictionary {
  const found = dictionaries.find((one) => one.oid === oid);
  if (found === undefined)
    throw new PhantomError('XX000', `cache lookup failed for text search dictionary ${oid}`, { family: 'input' });
  return found;
}
