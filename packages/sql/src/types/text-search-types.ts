/**
 * tsvector and tsquery, and the names of configurations and dictionaries (regconfig, regdictionary). Values are canonical texts
 * (search/vector.ts, search/query.ts); over the wire they have PostgreSQL's binary form.
 *
 *   tsvector   count (4)   for each word: its bytes, 0 (1), number of positions (2), each: weight (2 bits) place (14 bits)
 *   tsquery    count (4)   for each node, from the root, the right side before the left:
 *                          1 (1) weights (1) prefix (1) word 0 (1)   or   2 (1) operator (1) [distance (2) of a phrase]
 */
import { PhantomError } from '@phantom/base';
import { configurations, dictionaries } from '../search/configurations.js';
import { compareQueries, queryFromInput, queryKey, queryOfText } from '../search/query.js';
import { DISTANCE_MAX, OPERATOR_NUMBER, type QueryNode, formatQuery, nodesOf } from '../search/query-tree.js';
import { OPERANDS_MAX } from '../search/query-reader.js';
import {
  type Lexeme,
  type Weight,
  WORD_BYTES_MAX,
  compareVectors,
  formatVector,
  readVector,
  utf8Bytes,
  vectorOf,
  vectorOfText,
} from '../search/vector.js';
import { TEXT_STORAGE, builtinType } from './base-type.js';
import { quoteIdentifier, regType, splitIdentifiers } from './reg-types.js';
import { invalidBinary } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { getText, putI16, putI32, putText } from './wire.js';

const WEIGHT_SHIFT = 14;
const PLACE_MASK = (1 << WEIGHT_SHIFT) - 1;
const NodeTag = { Word: 1, Operator: 2 } as const;
const WEIGHTS_ALL = 15;

/** Numbers and texts of a message, one after the other; 22P03 past its end. */
class Message {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Unsigned, the first byte the most significant. */
  number(bytes: 1 | 2 | 4): number {
    if (this.at + bytes > this.end) throw invalidBinary('insufficient data left in message');
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + (this.bytes[this.at++] as number);
    return value;
  }

  text(): string {
    const zero = this.bytes.indexOf(0, this.at);
    if (zero < 0 || zero >= this.end) throw invalidBinary('invalid string in message');
    const text = getText(this.bytes, this.at, zero);
    this.at = zero + 1;
    return text;
  }

  finish(): void {
    if (this.at !== this.end) throw invalidBinary('incorrect binary data format');
  }
}

function checkWord(word: string, type: string): void {
  const bytes = utf8Bytes(word);
  if (word === '' && type === 'tsvector') throw invalidBinary('invalid tsvector: empty word');
  if (bytes > WORD_BYTES_MAX) throw invalidBinary(`invalid ${type}: operand too long`);
}

function receiveVector(bytes: Uint8Array, start: number, end: number): string {
  const message = new Message(bytes, start, end);
  const count = message.number(4);
  const lexemes: Lexeme[] = [];
  for (let i = 0; i < count; i++) {
    const word = message.text();
    checkWord(word, 'tsvector');
    const positions = [];
    for (let left = message.number(2); left > 0; left--) {
      const position = message.number(2);
      const at = position & PLACE_MASK;
      if (at <= (positions.at(-1)?.at ?? 0)) throw invalidBinary('position information is misordered');
      positions.push({ at, weight: (position >> WEIGHT_SHIFT) as Weight });
    }
    lexemes.push({ word, positions });
  }
  message.finish();
  return formatVector(vectorOf(lexemes));
}

export const tsvectorType: SqlType = builtinType<string>(TypeOid.tsvector, {
  storage: TEXT_STORAGE,
  input: (text) => formatVector(readVector(text)),
  compare: compareVectors,
  keyless: true,
  receive: receiveVector,
  send: (value, writer) => {
    const vector = vectorOfText(value);
    putI32(writer, vector.length);
    for (const { word, positions } of vector) {
      putText(writer, word);
      writer.u8(0);
      putI16(writer, positions.length);
      for (const { at, weight } of positions) putI16(writer, (weight << WEIGHT_SHIFT) | at);
    }
  },
});

/** The nodes of a message as a tree; 22P03 for what is none. */
function receiveQuery(bytes: Uint8Array, start: number, end: number): string {
  const message = new Message(bytes, start, end);
  const count = message.number(4);
  if (count > 2 * OPERANDS_MAX) throw invalidBinary('invalid size of tsquery');
  let left = count;
  const node = (): QueryNode => {
    if (left-- === 0) throw invalidBinary('malformed tsquery: operand not found');
    const tag = message.number(1);
    if (tag === NodeTag.Word) {
      const weights = message.number(1);
      const prefix = message.number(1) !== 0;
      const word = message.text();
      if (weights > WEIGHTS_ALL) throw invalidBinary('invalid tsquery: invalid weight bitmap');
      checkWord(word, 'tsquery');
      return { kind: 'word', word, weights, prefix };
    }
    if (tag !== NodeTag.Operator) throw invalidBinary(`unrecognized tsquery node type: ${tag}`);
    const operator = message.number(1);
    if (operator === OPERATOR_NUMBER.not) return { kind: 'not', operand: node() };
    const kind = operator === OPERATOR_NUMBER.and ? 'and' : operator === OPERATOR_NUMBER.or ? 'or' : 'phrase';
    if (kind === 'phrase' && operator !== OPERATOR_NUMBER.phrase)
      throw invalidBinary(`invalid tsquery: unrecognized operator type ${operator}`);
    const distance = kind === 'phrase' ? message.number(2) : 0;
    if (distance > DISTANCE_MAX) throw invalidBinary('invalid tsquery: distance out of range');
    const right = node();
    return { kind, left: node(), right, distance };
  };
  const query = count === 0 ? undefined : node();
  if (left > 0) throw invalidBinary('malformed tsquery: extra nodes');
  message.finish();
  return formatQuery(query);
}

export const tsqueryType: SqlType = builtinType<string>(TypeOid.tsquery, {
  storage: TEXT_STORAGE,
  input: (text, _typmod, context) => {
    const query = queryFromInput(text);
    if (query === undefined)
      context.notice?.('NOTICE', '00000', `text-search query doesn't contain lexemes: "${text}"`);
    return formatQuery(query);
  },
  compare: compareQueries,
  hashKey: queryKey,
  keyless: true,
  receive: receiveQuery,
  send: (value, writer) => {
    const nodes = nodesOf(queryOfText(value));
    putI32(writer, nodes.length);
    for (const node of nodes) {
      if (node.kind === 'word') {
        writer.u8(NodeTag.Word);
        writer.u8(node.weights);
        writer.u8(Number(node.prefix));
        putText(writer, node.word);
        writer.u8(0);
      } else {
        writer.u8(NodeTag.Operator);
        writer.u8(OPERATOR_NUMBER[node.kind]);
        if (node.kind === 'phrase') putI16(writer, node.distance);
      }
    }
  },
});

/** The name of what is named `noun` in pg_catalog: 42704 where there is none, 3F000 for other schemas. */
function searchObjectType(oid: number, noun: string, objects: readonly { oid: number; name: string }[]): SqlType {
  return regType(
    oid,
    (text) => {
      const parts = splitIdentifiers(text);
      const found = objects.find(({ name }) => name === parts.at(-1));
      if (found === undefined || parts.length > 2 || (parts.length === 2 && parts[0] !== 'pg_catalog'))
        throw new PhantomError('42704', `text search ${noun} "${text}" does not exist`);
      return found.oid;
    },
    (value) => {
      const found = objects.find((object) => object.oid === value);
      return found === undefined ? String(value) : quoteIdentifier(found.name);
    },
  );
}

export const regSearchTypes: readonly SqlType[] = [
  searchObjectType(TypeOid.regconfig, 'configuration', configurations),
  searchObjectType(TypeOid.regdictionary, 'dictionary', dictionaries),
];
