/**
 * Makes vectors of texts and queries of words, by a configuration. Each token that a dictionary knows takes a place, stop
 * words too, so that phrases keep their distances.
 */
import { PhantomError } from '@phantom/base';
import type { Configuration } from './configurations.js';
import { type NodeWithGaps, type Query, withoutGaps } from './query-tree.js';
import { OPERANDS_MAX, readQuery } from './query-reader.js';
import { tokensOf } from './tokens.js';
import { POSITION_MAX } from './word-reader.js';
import { type Lexeme, type Vector, WORD_BYTES_MAX, utf8Bytes, vectorOf } from './vector.js';

/** Where notices of a call go, if anybody listens. */
export interface NoticePort {
  notice?(severity: 'NOTICE', code: string, message: string, detail?: string): void;
}

/** A word of a text and its place, from 1 on. */
interface PlacedWord {
  readonly word: string;
  readonly at: number;
}

/** Words of one text after the other, in places that go on counting. */
export class DocumentWords {
  readonly words: PlacedWord[] = [];
  private place = 0;
  private readonly configuration: Configuration;
  private readonly notices: NoticePort;

  constructor(configuration: Configuration, notices: NoticePort) {
    this.configuration = configuration;
    this.notices = notices;
  }

  add(text: string): void {
    for (const token of tokensOf(text)) {
      const dictionary = this.configuration.dictionaryOf(token.kind);
      if (utf8Bytes(token.text) > WORD_BYTES_MAX) {
        this.notices.notice?.(
          'NOTICE',
          '54000',
          'word is too long to be indexed',
          `Words longer than ${WORD_BYTES_MAX + 1} characters are ignored.`,
        );
        continue;
      }
      if (dictionary === undefined) continue;
      this.place++;
      const word = dictionary.wordOf(token.text);
      if (word !== undefined) this.words.push({ word, at: Math.min(this.place, POSITION_MAX) });
    }
  }

  /** Adds one of several texts: no phrase reaches over from it to the next. */
  addPart(text: string): void {
    const before = this.words.length;
    this.add(text);
    if (this.words.length > before) this.place++;
  }

  /** 54000. */
  vector(): Vector {
    return vectorOf(this.words.map(({ word, at }): Lexeme => ({ word, positions: [{ at, weight: 0 }] })));
  }
}

/** The vector of a text. 54000. */
export function vectorOfDocument(configuration: Configuration, text: string, notices: NoticePort): Vector {
  const words = new DocumentWords(configuration, notices);
  words.add(text);
  return words.vector();
}

/** The words of a text joined by `kind`; places of stop words between them are gaps. */
function joinedWords(
  configuration: Configuration,
  text: string,
  kind: 'and' | 'phrase',
  weights: number,
  prefix: boolean,
  notices: NoticePort,
): NodeWithGaps {
  const document = new DocumentWords(configuration, notices);
  document.add(text);
  let joined: NodeWithGaps | undefined;
  let place = 0;
  const join = (node: NodeWithGaps): void => {
    joined = joined === undefined ? node : { kind, left: joined, right: node, distance: kind === 'phrase' ? 1 : 0 };
  };
  if (document.words.length > OPERANDS_MAX) {
    throw new PhantomError('54000', 'tsquery is too large', {
      detail: `A tsquery has at most ${OPERANDS_MAX} operands.`,
    });
  }
  for (const { word, at } of document.words) {
    if (place > 0) for (let gone = place + 1; gone < at; gone++) join({ kind: 'gap' });
    join({ kind: 'word', word, weights, prefix });
    place = at;
  }
  return joined ?? { kind: 'gap' };
}

/** The query of a text in one of the notations. 42601, 54000, 22023. */
export function queryOfDocument(
  configuration: Configuration,
  text: string,
  style: 'query' | 'web' | 'plain' | 'phrase',
  notices: NoticePort,
): Query {
  const words =
    style === 'plain' || style === 'phrase'
      ? joinedWords(configuration, text, style === 'plain' ? 'and' : 'phrase', 0, false, notices)
      : readQuery(text, style, (word, weights, prefix) =>
          joinedWords(configuration, word, 'phrase', weights, prefix, notices),
        );
  if (words === undefined) {
    notices.notice?.('NOTICE', '00000', `text-search query doesn't contain lexemes: "${text}"`);
    return undefined;
  }
  const query = withoutGaps(words);
  if (query === undefined) {
    notices.notice?.(
      'NOTICE',
      '00000',
      "text-search query contains only stop words or doesn't contain lexemes, ignored",
    );
  }
  return query;
}

/** What may take part of a JSON value: a filter of json_to_tsvector. */
export interface JsonParts {
  readonly keys: boolean;
  readonly strings: boolean;
  readonly numbers: boolean;
  readonly booleans: boolean;
}

const PARTS = ['key', 'string', 'numeric', 'boolean'] as const;

/** Reads the filter of json_to_tsvector: a name or an array of names. 22023. */
export function readJsonParts(filter: unknown): JsonParts {
  const names = Array.isArray(filter) ? (filter as unknown[]) : [filter];
  const chosen = new Set<string>();
  for (const name of names) {
    if (typeof name !== 'string') {
      throw new PhantomError(
        '22023',
        Array.isArray(filter)
          ? 'flag array element is not a string'
          : 'wrong flag type, only arrays and scalars are allowed',
        {
          hint: 'Possible values are: "string", "numeric", "boolean", "key", and "all".',
        },
      );
    }
    const part = name.toLowerCase();
    if (part === 'all') for (const one of PARTS) chosen.add(one);
    else if ((PARTS as readonly string[]).includes(part)) chosen.add(part);
    else {
      throw new PhantomError('22023', `wrong flag in flag array: "${name}"`, {
        hint: 'Possible values are: "string", "numeric", "boolean", "key", and "all".',
      });
    }
  }
  return {
    keys: chosen.has('key'),
    strings: chosen.has('string'),
    numbers: chosen.has('numeric'),
    booleans: chosen.has('boolean'),
  };
}
