/**
 * Reads queries: PostgreSQL's own notation with operators, and the one of web searches (words, "phrases", or, -not).
 * Operators bind in the order ! <-> & |, and those of one kind from the left. What a word becomes is the caller's affair.
 */
import { PhantomError } from '@phantom/base';
import { DISTANCE_MAX, type NodeWithGaps, type QueryNode, checkDistance } from './query-tree.js';
import { utf8Bytes, WORD_BYTES_MAX } from './vector.js';
import { OPERATORS, WordReader, isBlank } from './word-reader.js';

/** Operands of one query, parentheses and denials among them: how deep its tree can be. */
export const OPERANDS_MAX = 4096;

type Operator = { readonly kind: 'and' | 'or' | 'phrase'; readonly distance: number };

/** Deepest nesting of parentheses and denials. */
const NESTING_MAX = 1000;

/** Makes a word of the text into what is searched for; `weights` and `prefix` are those of QueryWord. */
export type MakeWord<Node> = (word: string, weights: number, prefix: boolean) => Node;

type Joined<Node> = Node | Extract<NodeWithGaps, { kind: 'not' | 'and' | 'or' | 'phrase' }>;

const PRIORITY = { or: 1, and: 2, phrase: 3 } as const;

class OperandLimit {
  private operands = 0;

  /** 54000 past the limit. */
  count(): void {
    if (++this.operands > OPERANDS_MAX) {
      throw new PhantomError('54000', 'tsquery is too large', {
        detail: `A tsquery has at most ${OPERANDS_MAX} operands.`,
      });
    }
  }
}

class QueryReader<Node extends NodeWithGaps> {
  private readonly text: string;
  private readonly words: WordReader;
  private readonly make: MakeWord<Node>;
  /** Parentheses that are open. */
  private depth = 0;
  /** They, and denials. */
  private nesting = 0;
  private readonly limit = new OperandLimit();

  constructor(text: string, make: MakeWord<Node>) {
    this.text = text;
    this.words = new WordReader(text, 'query');
    this.make = make;
  }

  whole(): Joined<Node> | undefined {
    this.skipBlanks();
    if (this.peek() === undefined) return undefined;
    const query = this.binary(1);
    if (this.peek() !== undefined) throw this.wrong();
    return query;
  }

  /** Operands joined by operators that bind at least so closely. */
  private binary(least: number): Joined<Node> {
    let left = this.operand();
    for (;;) {
      this.skipBlanks();
      const start = this.words.at;
      const operator = this.operator();
      if (operator === undefined) return left;
      if (PRIORITY[operator.kind] < least) {
        this.words.at = start;
        return left;
      }
      left = { ...operator, left, right: this.binary(PRIORITY[operator.kind] + 1) };
    }
  }

  private operand(): Joined<Node> {
    this.limit.count();
    if (++this.nesting > NESTING_MAX) {
      throw new PhantomError('54001', 'stack depth limit exceeded', {
        detail: `Parentheses and denials of a tsquery are nested ${NESTING_MAX} deep at most.`,
      });
    }
    this.skipBlanks();
    const operand = this.operandItself();
    this.nesting--;
    return operand;
  }

  private operandItself(): Joined<Node> {
    const next = this.peek();
    if (next === undefined) throw new PhantomError('42601', `no operand in tsquery: "${this.text}"`);
    if (next === '!') {
      this.words.at++;
      return { kind: 'not', operand: this.operand() };
    }
    if (next === '(') {
      this.words.at++;
      this.depth++;
      const inner = this.binary(1);
      this.depth--;
      if (this.peek() !== ')') throw this.wrong();
      this.words.at++;
      return inner;
    }
    const read = next === ':' ? undefined : this.words.next();
    if (read === undefined) throw this.wrong();
    checkWord(read.word);
    const { weights, prefix } = this.modifiers();
    return this.make(read.word, weights, prefix);
  }

  /** `:*AB` behind a word. */
  private modifiers(): { weights: number; prefix: boolean } {
    let weights = 0;
    let prefix = false;
    if (this.peek() === ':') {
      for (this.words.at++; ; this.words.at++) {
        const letter = this.peek();
        if (letter === '*') prefix = true;
        else if (letter !== undefined && 'dcba'.includes(letter.toLowerCase()))
          weights |= 1 << 'dcba'.indexOf(letter.toLowerCase());
        else break;
      }
    }
    return { weights, prefix };
  }

  /** The operator here, passed over; undefined at the end and before a closing parenthesis. */
  private operator(): Operator | undefined {
    const next = this.peek();
    if (next === undefined || (next === ')' && this.depth > 0)) return undefined;
    if (next === '&' || next === '|') {
      this.words.at++;
      return { kind: next === '&' ? 'and' : 'or', distance: 0 };
    }
    // Nothing ends with this operator: PostgreSQL asks for a character behind it.
    const match = /<(?:-|(\d+))>(?=[^])/y;
    match.lastIndex = this.words.at;
    const found = match.exec(this.text);
    if (found === null) throw this.wrong();
    const distance = found[1] === undefined ? 1 : Number(found[1]);
    checkDistance(Math.min(distance, DISTANCE_MAX + 1));
    this.words.at += found[0].length;
    return { kind: 'phrase', distance };
  }

  private peek(): string | undefined {
    return this.text[this.words.at];
  }

  private skipBlanks(): void {
    while (isBlank(this.peek())) this.words.at++;
  }

  private wrong(): PhantomError {
    return new PhantomError('42601', `syntax error in tsquery: "${this.text}"`);
  }
}

function checkWord(word: string): void {
  if (utf8Bytes(word) > WORD_BYTES_MAX) throw new PhantomError('54000', `word is too long in tsquery: "${word}"`);
}

/** The tree of a query in PostgreSQL's notation; undefined where there is no word. 42601, 54000, 22023. */
export function readQuery(
  text: string,
  style: 'query',
  make: MakeWord<Extract<QueryNode, { kind: 'word' }>>,
): QueryNode | undefined;
export function readQuery(text: string, style: 'query' | 'web', make: MakeWord<NodeWithGaps>): NodeWithGaps | undefined;
export function readQuery(
  text: string,
  style: 'query' | 'web',
  make: MakeWord<Extract<QueryNode, { kind: 'word' }>> | MakeWord<NodeWithGaps>,
): NodeWithGaps | undefined {
  return style === 'web' ? readWeb(text, make) : new QueryReader<NodeWithGaps>(text, make).whole();
}

/** The word `or` with nothing of a word behind it, and with something after it that it can join. */
const OR = /or(?![-_\p{Alphabetic}\p{Nd}])[^]\s*\S/iuy;

/** Words are joined by and, and `or` binds less than that; nothing that is written there is wrong. */
function readWeb(text: string, make: MakeWord<NodeWithGaps>): NodeWithGaps | undefined {
  const words = new WordReader(text, 'web');
  const limit = new OperandLimit();
  const alternatives: NodeWithGaps[] = [];
  let all: NodeWithGaps | undefined;
  let denials = 0;
  let expectsOperand = true;
  for (;;) {
    while (isBlank(text[words.at])) words.at++;
    const next = text[words.at];
    if (next === undefined) break;
    if (OPERATORS.includes(next)) {
      words.at++;
      continue;
    }
    if (!expectsOperand) {
      expectsOperand = true;
      OR.lastIndex = words.at;
      if (OR.test(text)) {
        words.at += 2;
        if (all !== undefined) alternatives.push(all);
        all = undefined;
      }
      continue;
    }
    limit.count();
    let operand: NodeWithGaps;
    if (next === '-') {
      words.at++;
      denials++;
      continue;
    }
    if (next === '"') {
      const end = text.indexOf('"', words.at + 1);
      const phrase = text.slice(words.at + 1, end < 0 ? text.length : end);
      words.at = end < 0 ? text.length : end + 1;
      checkWord(phrase);
      operand = make(phrase, 0, false);
    } else {
      const { word } = words.next() ?? { word: '' };
      checkWord(word);
      operand = make(word, 0, false);
    }
    for (; denials > 0; denials--) operand = { kind: 'not', operand };
    all = all === undefined ? operand : { kind: 'and', left: all, right: operand, distance: 0 };
    expectsOperand = false;
  }
  if (all !== undefined) alternatives.push(all);
  const [first, ...others] = alternatives;
  return others.reduce<NodeWithGaps | undefined>(
    (left, right) => ({ kind: 'or', left: left as NodeWithGaps, right, distance: 0 }),
    first,
  );
}
