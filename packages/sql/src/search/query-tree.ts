/**
 * Queries as trees: words joined by operators. The empty query is undefined as a tree, and matches nothing.
 */
import { PhantomError } from '@phantom/base';
import { quotedWord } from './vector.js';

export interface QueryWord {
  readonly kind: 'word';
  readonly word: string;
  /** A bit for each weight that is asked for, D = 1 to A = 8; 0 for any. */
  readonly weights: number;
  /** Words that begin with this one match too. */
  readonly prefix: boolean;
}

export interface QueryNot {
  readonly kind: 'not';
  readonly operand: QueryNode;
}

export interface QueryPair {
  readonly kind: 'and' | 'or' | 'phrase';
  readonly left: QueryNode;
  readonly right: QueryNode;
  /** Of a phrase: how far behind the left side the right one stands. */
  readonly distance: number;
}

export type QueryNode = QueryWord | QueryNot | QueryPair;
export type Query = QueryNode | undefined;

const PRIORITY = { or: 1, and: 2, phrase: 3, not: 4, word: 5 } as const;
/** PostgreSQL's numbers of operators, in its binary format too. */
export const OPERATOR_NUMBER = { not: 1, and: 2, or: 3, phrase: 4 } as const;
export const DISTANCE_MAX = 16384;

export function notNode(operand: QueryNode): QueryNot {
  return { kind: 'not', operand };
}

export function pairNode(kind: QueryPair['kind'], left: QueryNode, right: QueryNode, distance = 0): QueryPair {
  return { kind, left, right, distance };
}

/** The canonical text. */
export function formatQuery(query: Query): string {
  return query === undefined ? '' : infix(query, 0, false);
}

function infix(node: QueryNode, outer: number, rightOfPhrase: boolean): string {
  if (node.kind === 'word') return quotedWord(node.word) + modifiers(node);
  const priority = PRIORITY[node.kind];
  const text =
    node.kind === 'not'
      ? `!${infix(node.operand, priority, false)}`
      : `${infix(node.left, priority, false)} ${sign(node)} ${infix(node.right, priority, node.kind === 'phrase')}`;
  return priority < outer || (node.kind === 'phrase' && rightOfPhrase) ? `( ${text} )` : text;
}

function sign({ kind, distance }: QueryPair): string {
  if (kind === 'phrase') return distance === 1 ? '<->' : `<${distance}>`;
  return kind === 'and' ? '&' : '|';
}

function modifiers({ prefix, weights }: QueryWord): string {
  if (!prefix && weights === 0) return '';
  const letters = [8, 4, 2, 1].map((bit, i) => ((weights & bit) === 0 ? '' : 'ABCD'.charAt(i))).join('');
  return `:${prefix ? '*' : ''}${letters}`;
}

/** All nodes, each before what is under it, the right side before the left: PostgreSQL's own order. */
export function nodesOf(query: Query): QueryNode[] {
  const nodes: QueryNode[] = [];
  const open = query === undefined ? [] : [query];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    nodes.push(node);
    if (node.kind === 'not') open.push(node.operand);
    else if (node.kind !== 'word') open.push(node.left, node.right);
  }
  return nodes;
}

/** The words of a query, in that order. */
export function wordsOfQuery(query: Query): QueryWord[] {
  return nodesOf(query).filter((node) => node.kind === 'word');
}

/** A tree in which words may be missing that were stop words. */
export type NodeWithGaps =
  | QueryWord
  | { readonly kind: 'gap' }
  | { readonly kind: 'not'; readonly operand: NodeWithGaps }
  | {
      readonly kind: QueryPair['kind'];
      readonly left: NodeWithGaps;
      readonly right: NodeWithGaps;
      readonly distance: number;
    };

interface Cleaned {
  readonly node: Query;
  /** How far the neighbours in a phrase move apart for words that are gone at the left and at the right end. */
  readonly before: number;
  readonly after: number;
}

/** Takes gaps out: operators lose that side, and phrases keep the distance of what remains. */
export function withoutGaps(query: NodeWithGaps | undefined): Query {
  return query === undefined ? undefined : cleaned(query).node;
}

function cleaned(node: NodeWithGaps): Cleaned {
  switch (node.kind) {
    case 'word':
      return { node, before: 0, after: 0 };
    case 'gap':
      return { node: undefined, before: 0, after: 0 };
    case 'not': {
      const { node: operand } = cleaned(node.operand);
      return { node: operand === undefined ? undefined : notNode(operand), before: 0, after: 0 };
    }
    default: {
      const isPhrase = node.kind === 'phrase';
      const distance = isPhrase ? node.distance : 0;
      const left = cleaned(node.left);
      const right = cleaned(node.right);
      if (left.node === undefined && right.node === undefined) {
        // All words of a phrase are gone: their places remain, once for both ends.
        const gone = isPhrase ? left.before + distance + right.after : Math.max(left.before, right.before);
        return { node: undefined, before: gone, after: gone };
      }
      if (left.node === undefined) {
        return { node: right.node, before: isPhrase ? left.before + distance + right.before : 0, after: right.after };
      }
      if (right.node === undefined) {
        return { node: left.node, before: left.before, after: isPhrase ? left.after + distance + right.after : 0 };
      }
      return isPhrase
        ? {
            node: pairNode('phrase', left.node, right.node, distance + left.after + right.before),
            before: left.before,
            after: right.after,
          }
        : { node: pairNode(node.kind, left.node, right.node), before: 0, after: 0 };
    }
  }
}

/** 22023 unless two words can be so far apart. */
export function checkDistance(distance: number): void {
  if (distance < 0 || distance > DISTANCE_MAX || !Number.isInteger(distance)) {
    throw new PhantomError(
      '22023',
      `distance in phrase operator must be an integer value between zero and ${DISTANCE_MAX} inclusive`,
    );
  }
}
