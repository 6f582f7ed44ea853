/**
 * Words that an index looks for. A vector that matches a query has them, all or any; the reverse does not hold, so what is
 * found is matched again. Of `a & (b | c)` all of one side are enough: the surer one is taken.
 */
import type { QueryNode } from './query-tree.js';

export interface NeededWords {
  readonly match: 'all' | 'any';
  readonly words: readonly string[];
}

/** Undefined where a vector may match without any certain word: what is denied, and prefixes. */
export function neededWords(node: QueryNode): NeededWords | undefined {
  if (node.kind === 'word') return node.prefix ? undefined : { match: 'all', words: [node.word] };
  if (node.kind === 'not') return undefined;
  const left = neededWords(node.left);
  const right = neededWords(node.right);
  if (node.kind === 'or') {
    if (left === undefined || right === undefined) return undefined;
    return { match: 'any', words: [...oneOf(left), ...oneOf(right)] };
  }
  if (left === undefined || right === undefined) return left ?? right;
  if (left.match === 'all' && right.match === 'all') return { match: 'all', words: [...left.words, ...right.words] };
  if (left.match === right.match) return left.words.length <= right.words.length ? left : right;
  return left.match === 'all' ? left : right;
}

/** Words of which a vector has one. */
function oneOf({ match, words }: NeededWords): readonly string[] {
  return match === 'any' ? words : words.slice(0, 1);
}
