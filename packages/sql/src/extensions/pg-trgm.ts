/** Functions of pg_trgm. The operators compare with thresholds that are settings. */
import { SqlArray } from '@phantom/codec';
import { type Implementation, type Implementations, contextual } from '../functions/implementation.js';
import type { EvaluationContext } from '../functions/registry.js';
import { formatFloat4 } from '../types/float-types.js';
import { TypeOid } from '../types/type-oids.js';
import { shownTrigram, similarity, trigramsOf, wordSimilarity } from './trigrams.js';

/** The setting behind each operator. */
export const TRIGRAM_THRESHOLDS = {
  similarity: 'pg_trgm.similarity_threshold',
  word: 'pg_trgm.word_similarity_threshold',
  strictWord: 'pg_trgm.strict_word_similarity_threshold',
} as const;

type Alike = (a: string, b: string) => number;

const word: Alike = (text, within) => wordSimilarity(text, within, false);
const strictWord: Alike = (text, within) => wordSimilarity(text, within, true);
const exchanged =
  (alike: Alike): Alike =>
  (a, b) =>
    alike(b, a);

function distance(alike: Alike): Alike {
  return (a, b) => Math.fround(1 - alike(a, b));
}

function atLeast(setting: string, alike: Alike): Implementation {
  return contextual(
    (a: string, b: string, context: EvaluationContext) => alike(a, b) >= Number(context.setting(setting, false)),
  );
}

export const trigramCode: Implementations = {
  set_limit: contextual((limit: number, context: EvaluationContext) => {
    const text = formatFloat4(limit);
    return Math.fround(Number(context.setSetting(TRIGRAM_THRESHOLDS.similarity, text, false)));
  }),
  show_limit: contextual((context: EvaluationContext) =>
    Math.fround(Number(context.setting(TRIGRAM_THRESHOLDS.similarity, false))),
  ),
  show_trgm: (text: string) => SqlArray.of(TypeOid.text, trigramsOf(text).map(shownTrigram)),
  similarity,
  similarity_op: atLeast(TRIGRAM_THRESHOLDS.similarity, similarity),
  similarity_dist: distance(similarity),
  word_similarity: word,
  word_similarity_op: atLeast(TRIGRAM_THRESHOLDS.word, word),
  word_similarity_commutator_op: atLeast(TRIGRAM_THRESHOLDS.word, exchanged(word)),
  word_similarity_dist_op: distance(word),
  word_similarity_dist_commutator_op: distance(exchanged(word)),
  strict_word_similarity: strictWord,
  strict_word_similarity_op: atLeast(TRIGRAM_THRESHOLDS.strictWord, strictWord),
  strict_word_similarity_commutator_op: atLeast(TRIGRAM_THRESHOLDS.strictWord, exchanged(strictWord)),
  strict_word_similarity_dist_op: distance(strictWord),
  strict_word_similarity_dist_commutator_op: distance(exchanged(strictWord)),
};
