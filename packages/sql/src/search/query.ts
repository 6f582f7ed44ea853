/**
 * The value of a tsquery: words joined by & (and), | (or), ! (not) and <-> (one behind the other, <N> at a distance).
 *
 *   'fat' & ( 'rat' | 'cat':*A )        word, and behind a colon: * for what begins with it, weights that are asked for
 *
 * A value is kept as this text, which is canonical but for one thing: PostgreSQL's trees also know whether `a & b & c` was
 * written as `(a & b) & c` or `a & (b & c)`; here both are the first. The query that was taken apart last is remembered, since
 * mostly one query is asked of many rows.
 */
import { compareText } from '@phantom/codec';
import { readQuery } from './query-reader.js';
import {
  OPERATOR_NUMBER,
  type Query,
  type QueryNode,
  type QueryNot,
  type QueryWord,
  formatQuery,
  nodesOf,
  notNode,
} from './query-tree.js';
import { utf8Bytes } from './vector.js';

let lastText = '';
let lastQuery: Query;

/** The tree of a canonical text. It is shared: nobody changes it. */
export function queryOfText(text: string): Query {
  if (text !== lastText) {
    lastQuery = text === '' ? undefined : readQuery(text, 'query', wordNode);
    lastText = text;
  }
  return lastQuery;
}

/** What users write, words as they are. 42601, 54000. */
export function queryFromInput(text: string): Query {
  return readQuery(text, 'query', wordNode);
}

function wordNode(word: string, weights: number, prefix: boolean): QueryWord {
  return { kind: 'word', word, weights, prefix };
}

/** PostgreSQL's order of queries: by their numbers of nodes, by their sizes, then by their trees. */
export function compareQueries(a: string, b: string): number {
  if (a === b) return 0;
  const one = queryOfText(a);
  const other = queryOfText(b);
  const sizes = measured(one);
  const others = measured(other);
  if (sizes.nodes !== others.nodes) return sizes.nodes - others.nodes;
  if (sizes.bytes !== others.bytes) return sizes.bytes - others.bytes;
  return one === undefined || other === undefined ? 0 : compareNodes(one, other);
}

function measured(query: Query): { nodes: number; bytes: number } {
  let nodes = 0;
  let bytes = 0;
  for (const node of nodesOf(query)) {
    nodes++;
    if (node.kind === 'word') bytes += utf8Bytes(node.word) + 1;
  }
  return { nodes, bytes };
}

function compareNodes(a: QueryNode, b: QueryNode): number {
  if (a.kind === 'word' || b.kind === 'word') {
    if (a.kind !== 'word' || b.kind !== 'word') return a.kind === 'word' ? 1 : -1;
    const checks = checksum(b.word) - checksum(a.word);
    return checks === 0 ? compareText(a.word, b.word) : checks;
  }
  if (a.kind !== b.kind) return OPERATOR_NUMBER[b.kind] - OPERATOR_NUMBER[a.kind];
  if (a.kind === 'not' || b.kind === 'not') return compareNodes((a as QueryNot).operand, (b as QueryNot).operand);
  return compareNodes(a.right, b.right) || compareNodes(a.left, b.left) || b.distance - a.distance;
}

/** Equal for queries that compare as equal: weights and prefixes do not count there. */
export function queryKey(text: string): string {
  return formatQuery(plain(queryOfText(text)));
}

function plain(query: Query): Query {
  if (query === undefined) return undefined;
  if (query.kind === 'word') return { ...query, weights: 0, prefix: false };
  if (query.kind === 'not') return notNode(plain(query.operand) as QueryNode);
  return { ...query, left: plain(query.left) as QueryNode, right: plain(query.right) as QueryNode };
}

let checksumTable: Int32Array | undefined;

/** The checksum of a word that PostgreSQL orders words of queries by: CRC-32 with bits and bytes in opposite orders. */
function checksum(word: string): number {
  if (checksumTable === undefined) {
    checksumTable = new Int32Array(256);
    for (let i = 0; i < 256; i++) {
      let crc = i;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
      checksumTable[i] = crc;
    }
  }
  let crc = -1;
  for (const byte of Buffer.from(word)) crc = (checksumTable[((crc >>> 24) ^ byte) & 0xff] as number) ^ (crc << 8);
  return ~crc;
}
