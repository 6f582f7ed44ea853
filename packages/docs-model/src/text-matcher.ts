/** What of a $text search the words of the index do not decide: phrases, words that must not occur, and the score. */
import type { CollectionView } from './collection-view.js';
import type { PlainObject } from './order.js';
import { parsePath, walkPath } from './path.js';
import { noteTextScore } from './text-score.js';
import { type Search, wordsOf } from './words.js';

export class TextMatcher {
  private readonly search: Search;
  private readonly paths: readonly { readonly path: readonly string[]; readonly weight: number }[];

  constructor(view: CollectionView, search: Search) {
    this.search = search;
    const index = view.indexes.find(({ definition }) => definition.kind === 'text');
    this.paths = (index?.definition.parts ?? []).map(({ path }) => ({
      path: parsePath(path),
      weight: index?.definition.weights?.[path] ?? 1,
    }));
  }

  /** True when each phrase occurs and no unwanted word does; the document's score is known then. */
  matches(document: PlainObject): boolean {
    const texts = this.texts(document).map(({ text }) => text);
    const { phrases, without } = this.search;
    for (const phrase of phrases) {
      const wanted = phrase.toLowerCase();
      if (!texts.some((text) => text.toLowerCase().includes(wanted))) return false;
    }
    if (without.length > 0) {
      const words = new Set(texts.flatMap((text) => wordsOf(text)));
      if (without.some((word) => words.has(word))) return false;
    }
    noteTextScore(document, this.score(document));
    return true;
  }

  /** For each word searched for, how often it stands in each text, by weight and the text's length. */
  private score(document: PlainObject): number {
    const wanted = new Set([...this.search.words, ...this.search.phrases.flatMap((phrase) => wordsOf(phrase))]);
    let score = 0;
    for (const { text, weight } of this.texts(document)) {
      const words = wordsOf(text);
      const hits = words.filter((word) => wanted.has(word)).length;
      if (words.length > 0) score += (weight * hits * (1 + 1 / words.length)) / 2;
    }
    return score;
  }

  private texts(document: PlainObject): { text: string; weight: number }[] {
    const texts: { text: string; weight: number }[] = [];
    for (const { path, weight } of this.paths) {
      walkPath(document, path, (value) => {
        for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
          if (typeof one === 'string') texts.push({ text: one, weight });
        }
        return false;
      });
    }
    return texts;
  }
}
