/** How well documents that a $text search gave fit it, for whoever sorts or shows them by `$meta: 'textScore'`. */
const scores = new WeakMap<object, number>();

/** How well a document that a $text search gave fits; undefined for others. `$meta: 'textScore'` asks for it. */
export function textScoreOf(document: unknown): number | undefined {
  return typeof document === 'object' && document !== null ? scores.get(document) : undefined;
}

/** Notes the score of a document for as long as it lives. */
export function noteTextScore(document: object, score: number): void {
  scores.set(document, score);
}

/** Gives what stands in the place of a document its score, if it has one. */
export function passTextScore(document: object, to: object): void {
  const score = scores.get(document);
  if (score !== undefined) scores.set(to, score);
}
