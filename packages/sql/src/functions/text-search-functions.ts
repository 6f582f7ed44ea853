/** Functions of text search: vectors and queries of texts, what becomes of them, and matching. Values are canonical texts. */
import { PhantomError } from '@phantom/base';
import { type Json, type Jsonb, SqlArray } from '@phantom/codec';
import { type Configuration, configurationOf, configurations, dictionaryOf } from '../search/configurations.js';
import { DocumentWords, queryOfDocument, readJsonParts, vectorOfDocument } from '../search/documents.js';
import { jsonTextParts, jsonbParts } from '../search/json-documents.js';
import { matches } from '../search/match.js';
import { compareQueries, queryOfText } from '../search/query.js';
import {
  type Query,
  type QueryNode,
  checkDistance,
  formatQuery,
  nodesOf,
  notNode,
  pairNode,
  wordsOfQuery,
} from '../search/query-tree.js';
import { DEFAULT_WEIGHTS, rank, rankByCovers } from '../search/rank.js';
import { TOKEN_KINDS } from '../search/token-kinds.js';
import { tokensOf } from '../search/tokens.js';
import {
  type Lexeme,
  type Position,
  type Vector,
  compareVectors,
  formatVector,
  vectorOf,
  vectorOfText,
  weightLetter,
  weightOf,
} from '../search/vector.js';
import { POSITION_MAX } from '../search/word-reader.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type Implementation, type Implementations, contextual, setOf } from './implementation.js';
import type { EvaluationContext } from './registry.js';

/** Oid of PostgreSQL's parser, the only one. */
const PARSER_OID = 3722;
const PARSER_NAME = 'default';

/** The configuration that is used where none is named. */
function currentConfiguration(context: EvaluationContext): Configuration {
  const setting = context.setting('default_text_search_config', false) ?? '';
  const name = setting.slice(setting.lastIndexOf('.') + 1);
  return configurations.find((one) => one.name === name) ?? configurationOf(0);
}

/** A function of a configuration, which comes first (`_byid`) or is the current one. */
function configured(
  name: string,
  call: (configuration: Configuration, context: EvaluationContext, ...args: never[]) => Value,
): Record<string, Implementation> {
  const apply = call as (configuration: Configuration, context: EvaluationContext, ...args: Value[]) => Value;
  return {
    [name]: contextual((...given: Value[]) => {
      const context = given.at(-1) as EvaluationContext;
      return apply(currentConfiguration(context), context, ...given.slice(0, -1));
    }),
    [`${name}_byid`]: contextual((oid: number, ...given: Value[]) =>
      apply(configurationOf(oid), given.at(-1) as EvaluationContext, ...given.slice(0, -1)),
    ),
  };
}

function queryMaker(name: string, style: 'query' | 'web' | 'plain' | 'phrase'): Record<string, Implementation> {
  return configured(name, (configuration, context, text: string) =>
    formatQuery(queryOfDocument(configuration, text, style, context)),
  );
}

function vectorOfParts(configuration: Configuration, context: EvaluationContext, parts: Iterable<string>): string {
  const words = new DocumentWords(configuration, context);
  for (const part of parts) words.addPart(part);
  return formatVector(words.vector());
}

const STRINGS = { keys: false, strings: true, numbers: false, booleans: false };

function partsOf(filter: Jsonb): ReturnType<typeof readJsonParts> {
  return readJsonParts(filter.value());
}

/** The six comparisons and the three-way one. */
function comparisons(prefix: string, compare: (a: string, b: string) => number): Record<string, Implementation> {
  return {
    [`${prefix}lt`]: (a: string, b: string) => compare(a, b) < 0,
    [`${prefix}le`]: (a: string, b: string) => compare(a, b) <= 0,
    [`${prefix}eq`]: (a: string, b: string) => compare(a, b) === 0,
    [`${prefix}ne`]: (a: string, b: string) => compare(a, b) !== 0,
    [`${prefix}ge`]: (a: string, b: string) => compare(a, b) >= 0,
    [`${prefix}gt`]: (a: string, b: string) => compare(a, b) > 0,
    [`${prefix}cmp`]: (a: string, b: string) => Math.sign(compare(a, b)),
  };
}

/** A vector with every lexeme as `change` makes it; undefined drops it. */
function changed(text: string, change: (lexeme: Lexeme) => Lexeme | undefined): string {
  const lexemes: Lexeme[] = [];
  for (const lexeme of vectorOfText(text)) {
    const now = change(lexeme);
    if (now !== undefined) lexemes.push(now);
  }
  return formatVector(lexemes);
}

/** The elements of an array, none of which may be null: 22004. */
function elements(array: SqlArray, what: string): string[] {
  return array.items.map((item) => {
    if (item === null) throw new PhantomError('22004', `${what} array may not contain nulls`);
    return item as string;
  });
}

function weighted(lexeme: Lexeme, letter: string): Lexeme {
  const weight = weightOf(letter);
  return { word: lexeme.word, positions: lexeme.positions.map(({ at }) => ({ at, weight })) };
}

/** The words of both, those of the second behind the places of the first. */
function concatenated(a: string, b: string): string {
  const left = vectorOfText(a);
  const last = left.reduce((most, { positions }) => Math.max(most, positions.at(-1)?.at ?? 0), 0);
  const right = vectorOfText(b).map(({ word, positions }) => ({
    word,
    positions: positions.map(({ at, weight }): Position => ({ at: Math.min(at + last, POSITION_MAX), weight })),
  }));
  return formatVector(vectorOf([...left, ...right]));
}

/** Joins two queries; an empty one is left out. */
function joined(a: string, b: string, join: (left: QueryNode, right: QueryNode) => QueryNode): string {
  const left = queryOfText(a);
  const right = queryOfText(b);
  return left === undefined ? b : right === undefined ? a : formatQuery(join(left, right));
}

function phrase(a: string, b: string, distance: number): string {
  checkDistance(distance);
  return joined(a, b, (left, right) => pairNode('phrase', left, right, distance));
}

/** What of a query an index can look for: without what is denied; undefined where nothing remains. */
function searchable(node: QueryNode): QueryNode | undefined {
  if (node.kind === 'word') return node;
  if (node.kind === 'not') return undefined;
  const left = searchable(node.left);
  const right = searchable(node.right);
  if (left !== undefined && right !== undefined) return { ...node, left, right };
  return node.kind === 'or' ? undefined : (left ?? right);
}

function searchTree(text: string): string {
  const query = queryOfText(text);
  if (query === undefined) return '';
  const tree = searchable(query);
  return tree === undefined ? 'T' : formatQuery(tree);
}

/** True when the first query has all words of the second. */
function hasWords(a: string, b: string): boolean {
  const words = new Set(wordsOfQuery(queryOfText(a)).map(({ word }) => word));
  return wordsOfQuery(queryOfText(b)).every(({ word }) => words.has(word));
}

function checkParser(isDefault: boolean, shown: string | number): void {
  if (!isDefault) throw new PhantomError('42704', `text search parser "${shown}" does not exist`);
}

function* parsed(text: string): Generator<Value, void, void> {
  for (const token of tokensOf(text)) yield [token.kind, token.text];
}

function* debugged(configuration: Configuration, document: string): Generator<Value, void, void> {
  for (const token of tokensOf(document)) {
    const [, alias, description] = TOKEN_KINDS[token.kind - 1] as (typeof TOKEN_KINDS)[number];
    const dictionary = configuration.dictionaryOf(token.kind);
    const word = dictionary?.wordOf(token.text);
    yield [
      alias,
      description,
      token.text,
      SqlArray.of(TypeOid.regdictionary, dictionary === undefined ? [] : [dictionary.oid]),
      dictionary?.oid ?? null,
      dictionary === undefined ? null : SqlArray.of(TypeOid.text, word === undefined ? [] : [word]),
    ];
  }
}

/** Weights of D, C, B and A of an array; those below 0 are the usual ones. 2202E, 22004, 22023. */
function weightsOf(array: SqlArray): readonly number[] {
  if (array.dimensions.length !== 1) throw new PhantomError('2202E', 'array of weight must be one-dimensional');
  if (array.items.length < DEFAULT_WEIGHTS.length) throw new PhantomError('2202E', 'array of weight is too short');
  if (array.items.includes(null)) throw new PhantomError('22004', 'array of weight must not contain nulls');
  return DEFAULT_WEIGHTS.map((usual, i) => {
    const weight = array.items[i] as number;
    if (weight > 1) throw new PhantomError('22023', 'weight out of range');
    return weight >= 0 ? weight : usual;
  });
}

type Rank = (weights: readonly number[], vector: Vector, query: Query, normalization: number) => number;

function ranks(prefix: string, rankOf: Rank): Record<string, Implementation> {
  const call = (weights: readonly number[], vector: string, query: string, normalization: number): number =>
    rankOf(weights, vectorOfText(vector), queryOfText(query), normalization);
  return {
    [`${prefix}wttf`]: (array: SqlArray, vector: string, query: string, normalization: number) =>
      call(weightsOf(array), vector, query, normalization),
    [`${prefix}wtt`]: (array: SqlArray, vector: string, query: string) => call(weightsOf(array), vector, query, 0),
    [`${prefix}ttf`]: (vector: string, query: string, normalization: number) =>
      call(DEFAULT_WEIGHTS, vector, query, normalization),
    [`${prefix}tt`]: (vector: string, query: string) => call(DEFAULT_WEIGHTS, vector, query, 0),
  };
}

const match = (vector: string, query: string): boolean => matches(vectorOfText(vector), queryOfText(query));

export const textSearchFunctions: Implementations = {
  ...comparisons('tsvector_', compareVectors),
  ...comparisons('tsquery_', compareQueries),
  ...configured('to_tsvector', (configuration, context, text: string) =>
    formatVector(vectorOfDocument(configuration, text, context)),
  ),
  ...configured('jsonb_string_to_tsvector', (configuration, context, document: Jsonb) =>
    vectorOfParts(configuration, context, jsonbParts(document.value(), STRINGS)),
  ),
  ...configured('json_string_to_tsvector', (configuration, context, document: Json) =>
    vectorOfParts(configuration, context, jsonTextParts(document.text, STRINGS)),
  ),
  ...configured('jsonb_to_tsvector', (configuration, context, document: Jsonb, filter: Jsonb) =>
    vectorOfParts(configuration, context, jsonbParts(document.value(), partsOf(filter))),
  ),
  ...configured('json_to_tsvector', (configuration, context, document: Json, filter: Jsonb) =>
    vectorOfParts(configuration, context, jsonTextParts(document.text, partsOf(filter))),
  ),
  ...queryMaker('to_tsquery', 'query'),
  ...queryMaker('plainto_tsquery', 'plain'),
  ...queryMaker('phraseto_tsquery', 'phrase'),
  ...queryMaker('websearch_to_tsquery', 'web'),
  get_current_ts_config: contextual((context: EvaluationContext) => currentConfiguration(context).oid),

  tsvector_strip: (text: string) => changed(text, ({ word }) => ({ word, positions: [] })),
  tsvector_length: (text: string) => vectorOfText(text).length,
  tsvector_setweight: (text: string, letter: string) => changed(text, (lexeme) => weighted(lexeme, letter)),
  tsvector_setweight_by_filter: (text: string, letter: string, words: SqlArray) => {
    const chosen = new Set(elements(words, 'lexeme'));
    return changed(text, (lexeme) => (chosen.has(lexeme.word) ? weighted(lexeme, letter) : lexeme));
  },
  tsvector_filter: (text: string, letters: SqlArray) => {
    const weights = new Set(elements(letters, 'weight').map(weightOf));
    return changed(text, ({ word, positions }) => {
      const kept = positions.filter(({ weight }) => weights.has(weight));
      return kept.length === 0 ? undefined : { word, positions: kept };
    });
  },
  tsvector_delete_str: (text: string, word: string) =>
    changed(text, (lexeme) => (lexeme.word === word ? undefined : lexeme)),
  tsvector_delete_arr: (text: string, words: SqlArray) => {
    const gone = new Set(words.items);
    return changed(text, (lexeme) => (gone.has(lexeme.word) ? undefined : lexeme));
  },
  tsvector_concat: concatenated,
  tsvector_to_array: (text: string) =>
    SqlArray.of(
      TypeOid.text,
      vectorOfText(text).map(({ word }) => word),
    ),
  array_to_tsvector: (words: SqlArray) => {
    const found = elements(words, 'lexeme');
    if (found.includes('')) throw new PhantomError('2200F', 'lexeme array may not contain empty strings');
    return formatVector(vectorOf(found.map((word) => ({ word, positions: [] }))));
  },
  tsvector_unnest: setOf((text: string): Value[][] =>
    vectorOfText(text).map(({ word, positions }) => [
      word,
      positions.length === 0
        ? null
        : SqlArray.of(
            TypeOid.int2,
            positions.map(({ at }) => at),
          ),
      positions.length === 0
        ? null
        : SqlArray.of(
            TypeOid.text,
            positions.map(({ weight }) => weightLetter(weight)),
          ),
    ]),
  ),

  tsquery_and: (a: string, b: string) => joined(a, b, (left, right) => pairNode('and', left, right)),
  tsquery_or: (a: string, b: string) => joined(a, b, (left, right) => pairNode('or', left, right)),
  tsquery_not: (text: string) => {
    const query = queryOfText(text);
    return query === undefined ? text : formatQuery(notNode(query));
  },
  tsquery_phrase: (a: string, b: string) => phrase(a, b, 1),
  tsquery_phrase_distance: phrase,
  tsquery_numnode: (text: string) => nodesOf(queryOfText(text)).length,
  tsquerytree: searchTree,
  tsq_mcontains: hasWords,
  tsq_mcontained: (a: string, b: string) => hasWords(b, a),

  ts_match_vq: match,
  ts_match_qv: (query: string, vector: string) => match(vector, query),
  ts_match_tt: contextual((text: string, words: string, context: EvaluationContext) => {
    const configuration = currentConfiguration(context);
    return matches(
      vectorOfDocument(configuration, text, context),
      queryOfDocument(configuration, words, 'plain', context),
    );
  }),
  ts_match_tq: contextual((text: string, query: string, context: EvaluationContext) =>
    matches(vectorOfDocument(currentConfiguration(context), text, context), queryOfText(query)),
  ),
  ...ranks('ts_rank_', rank),
  ...ranks('ts_rankcd_', rankByCovers),

  ts_lexize: (oid: number, token: string) => {
    const word = dictionaryOf(oid).wordOf(token);
    return SqlArray.of(TypeOid.text, word === undefined ? [] : [word]);
  },
  ts_token_type_byid: setOf((oid: number): readonly Value[] => {
    checkParser(oid === PARSER_OID, oid);
    return TOKEN_KINDS;
  }),
  ts_token_type_byname: setOf((name: string): readonly Value[] => {
    checkParser(name === PARSER_NAME, name);
    return TOKEN_KINDS;
  }),
  ts_parse_byid: setOf((oid: number, text: string) => {
    checkParser(oid === PARSER_OID, oid);
    return parsed(text);
  }),
  ts_parse_byname: setOf((name: string, text: string) => {
    checkParser(name === PARSER_NAME, name);
    return parsed(text);
  }),
  ts_debug_byid: setOf((oid: number, document: string) => debugged(configurationOf(oid), document)),
  ts_debug: setOf((document: string, context: EvaluationContext) => debugged(currentConfiguration(context), document), {
    context: true,
  }),
};
