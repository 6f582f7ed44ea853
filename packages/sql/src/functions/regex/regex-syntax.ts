/**
 * PostgreSQL's advanced regular expressions (Henry Spencer's AREs) as a tree. The manual's section 9.7.3 is the
 * specification; errors carry its wording (2201B).
 */
import { type RegexOptions, applyOptions, invalidRegex as invalid } from './regex-options.js';

/** One member of a bracket expression: a range of code points, or a class by name. */
export type SetItem =
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'class'; readonly name: ClassName; readonly negated: boolean };

export type ClassName =
  | 'alnum'
  | 'alpha'
  | 'blank'
  | 'cntrl'
  | 'digit'
  | 'graph'
  | 'lower'
  | 'print'
  | 'punct'
  | 'space'
  | 'upper'
  | 'word'
  | 'xdigit';

export type Assertion =
  | 'line start'
  | 'line end'
  | 'text start'
  | 'text end'
  | 'word start'
  | 'word end'
  | 'word boundary'
  | 'no word boundary';

export type RegexNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly code: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly items: readonly SetItem[]; readonly negated: boolean }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'look'; readonly node: RegexNode; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: 'group'; readonly index: number; readonly node: RegexNode }
  | { readonly kind: 'reference'; readonly index: number }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: RegexNode;
      readonly min: number;
      /** Infinity for no limit. */
      readonly max: number;
      /** What the quantifier prefers; undefined for {m}, which prefers what its operand does. */
      readonly greedy: boolean | undefined;
    };

export interface RegexFlags {
  readonly ignoreCase: boolean;
  /** `.` and negated brackets do not match a newline. */
  readonly newlineStops: boolean;
  /** `^` and `$` match at newlines too. */
  readonly newlineAnchors: boolean;
}

export interface ParsedRegex {
  readonly node: RegexNode;
  readonly groupCount: number;
  readonly flags: RegexFlags;
}

/** Most repetitions that {m,n} may ask for. */
const REPEAT_MAX = 255;
/** Deepest nesting of parentheses. */
const DEPTH_MAX = 200;

const CLASS_NAMES: ReadonlySet<string> = new Set(
  'alnum alpha blank cntrl digit graph lower print punct space upper word xdigit'.split(' '),
);

/** Names of characters in [. .]; single characters stand for themselves. */
const COLLATING: Readonly<Record<string, string>> = {
  NUL: '\0',
  tab: '\t',
  newline: '\n',
  'carriage-return': '\r',
  space: ' ',
  hyphen: '-',
  'hyphen-minus': '-',
  period: '.',
  'full-stop': '.',
  'left-square-bracket': '[',
  'right-square-bracket': ']',
  backslash: '\\',
  'reverse-solidus': '\\',
  asterisk: '*',
  circumflex: '^',
  'circumflex-accent': '^',
  zero: '0',
  one: '1',
};

class RegexParser {
  private readonly text: string;
  private at = 0;
  private groups = 0;
  private depth = 0;
  private looks = 0;
  private readonly closed = new Set<number>();
  private readonly flags: RegexOptions;

  constructor(text: string, flags: RegexOptions) {
    this.text = text;
    this.flags = flags;
  }

  parse(): ParsedRegex {
    this.director();
    const { flags } = this;
    const node = flags.literal ? this.literal() : this.choice();
    if (this.at < this.text.length) throw invalid('parentheses () not balanced');
    return { node, groupCount: this.groups, flags };
  }

  /** `***:`, `***=` and `(?xyz)` at the very start. */
  private director(): void {
    if (this.text.startsWith('***=')) {
      this.at = 4;
      this.flags.literal = true;
      return;
    }
    if (this.text.startsWith('***:')) {
      this.at = 4;
      this.flags.flavor = 'advanced';
      this.flags.literal = false;
    } else if (this.text.startsWith('***')) {
      throw invalid('quantifier operand invalid');
    }
    if (this.flags.flavor !== 'advanced' || this.flags.literal) return;
    const options = /^\(\?([a-z]+)\)/.exec(this.text.slice(this.at));
    if (options === null) return;
    this.at += options[0].length;
    applyOptions(options[1] as string, this.flags);
  }

  private literal(): RegexNode {
    const nodes = Array.from(this.text.slice(this.at), charNode);
    this.at = this.text.length;
    return sequence(nodes);
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  /** Blanks and comments of the expanded syntax; (?#...) always. */
  private skip(): void {
    for (;;) {
      if (this.flags.expanded) {
        if (/\s/.test(this.peek())) {
          this.at++;
          continue;
        }
        if (this.peek() === '#') {
          while (this.at < this.text.length && this.peek() !== '\n') this.at++;
          continue;
        }
      }
      if (this.flags.flavor === 'advanced' && this.text.startsWith('(?#', this.at)) {
        const end = this.text.indexOf(')', this.at);
        this.at = end < 0 ? this.text.length : end + 1;
        continue;
      }
      return;
    }
  }

  private get basic(): boolean {
    return this.flags.flavor === 'basic';
  }

  private choice(): RegexNode {
    const branches = [this.branch()];
    while (!this.basic && this.peek() === '|') {
      this.at++;
      branches.push(this.branch());
    }
    return branches.length === 1 ? (branches[0] as RegexNode) : { kind: 'choice', nodes: branches };
  }

  private atEnd(): boolean {
    if (this.at >= this.text.length) return true;
    if (this.basic) return this.text.startsWith('\\)', this.at) && this.depth > 0;
    return this.peek() === '|' || (this.peek() === ')' && this.depth > 0);
  }

  private branch(): RegexNode {
    const nodes: RegexNode[] = [];
    let run: RegexNode[] = [];
    const endRun = (): void => {
      if (run.length > 0) nodes.push(sequence(run));
      run = [];
    };
    for (this.skip(); !this.atEnd(); this.skip()) {
      const opens = this.peek() === '(' || this.basic;
      const atom = this.atom(nodes.length === 0 && run.length === 0);
      this.skip();
      const part = this.quantified(atom);
      const runs = !opens || atom.kind === 'look' || atom.kind === 'assertion';
      if (!runs || atom.kind === 'reference' || !agree(run, part)) {
        endRun();
        nodes.push(part);
      } else run.push(part);
    }
    endRun();
    return sequence(nodes);
  }

  private quantified(atom: RegexNode): RegexNode {
    const bounds = this.quantifier();
    if (bounds === undefined) return atom;
    if (atom.kind === 'assertion' || atom.kind === 'look') throw invalid('quantifier operand invalid');
    let greedy = bounds[2] ? undefined : true;
    if (this.flags.flavor === 'advanced' && this.peek() === '?') {
      this.at++;
      greedy = greedy === undefined ? undefined : false;
    }
    this.skip();
    if (this.quantifierFollows()) throw invalid('quantifier operand invalid');
    if (bounds[1] === 0) return { kind: 'empty' };
    return { kind: 'repeat', node: atom, min: bounds[0], max: bounds[1], greedy };
  }

  private quantifierFollows(): boolean {
    const next = this.peek();
    if (this.basic) return next === '*';
    return next === '*' || next === '+' || next === '?' || (next === '{' && /[0-9]/.test(this.text[this.at + 1] ?? ''));
  }

  /** Least and greatest count, and whether they were given as one number. */
  private quantifier(): readonly [number, number, boolean] | undefined {
    const next = this.peek();
    if (next === '*') {
      this.at++;
      return [0, Number.POSITIVE_INFINITY, false];
    }
    if (this.basic) {
      return this.text.startsWith('\\{', this.at) ? this.bounds(2, '\\}') : undefined;
    }
    if (next === '+' || next === '?') {
      this.at++;
      return next === '+' ? [1, Number.POSITIVE_INFINITY, false] : [0, 1, false];
    }
    if (next !== '{') return undefined;
    if (!/[0-9]/.test(this.text[this.at + 1] ?? '')) {
      if (this.flags.flavor === 'advanced') return undefined;
      throw invalid('invalid repetition count(s)');
    }
    return this.bounds(1, '}');
  }

  private bounds(open: number, close: string): readonly [number, number, boolean] {
    const match = /^(\d+)(,(\d*))?/.exec(this.text.slice(this.at + open));
    if (match === null) throw invalid('invalid repetition count(s)');
    this.at += open + match[0].length;
    if (!this.text.startsWith(close, this.at)) {
      throw invalid(this.at >= this.text.length ? 'braces {} not balanced' : 'invalid repetition count(s)');
    }
    this.at += close.length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > REPEAT_MAX || (Number.isFinite(max) && max > REPEAT_MAX) || max < min) {
      throw invalid('invalid repetition count(s)');
    }
    return [min, max, match[2] === undefined];
  }

  private atom(first: boolean): RegexNode {
    const character = this.peek();
    switch (character) {
      case '\\':
        return this.escape();
      case '[':
        return this.bracket();
      case '.':
        this.at++;
        return { kind: 'any' };
      case '^':
        if (this.basic && !first) break;
        this.at++;
        return { kind: 'assertion', assertion: 'line start' };
      case '$':
        if (this.basic && this.at + 1 < this.text.length && !this.text.startsWith('\\)', this.at + 1)) break;
        this.at++;
        return { kind: 'assertion', assertion: 'line end' };
      case '*':
        if (this.basic) break;
        throw invalid('quantifier operand invalid');
      case '+':
      case '?':
        if (this.basic) break;
        throw invalid('quantifier operand invalid');
      case '{':
        if (this.basic || !/[0-9]/.test(this.text[this.at + 1] ?? '')) break;
        throw invalid('quantifier operand invalid');
      case '(':
        if (this.basic) break;
        return this.parenthesis(1, ')');
      case ')':
        if (this.basic) break;
        throw invalid('parentheses () not balanced');
      default:
    }
    const code = this.text.codePointAt(this.at) as number;
    this.at += code > 0xffff ? 2 : 1;
    return { kind: 'char', code };
  }

  private parenthesis(open: number, close: string): RegexNode {
    this.at += open;
    if (++this.depth > DEPTH_MAX) throw invalid('regular expression is too complex');
    let node: RegexNode;
    const look = this.flags.flavor === 'advanced' ? /^\?(<?[=!]|:)/.exec(this.text.slice(this.at)) : null;
    if (look === null) {
      if (this.flags.flavor === 'advanced' && this.peek() === '?') throw invalid('quantifier operand invalid');
      const index = ++this.groups;
      node = { kind: 'group', index, node: this.choice() };
      this.closed.add(index);
    } else {
      this.at += look[0].length;
      const mark = look[1] as string;
      if (mark !== ':') this.looks++;
      const inner = this.choice();
      if (mark !== ':') this.looks--;
      node =
        mark === ':'
          ? wrap(inner)
          : { kind: 'look', node: inner, behind: mark.startsWith('<'), negated: mark.endsWith('!') };
    }
    if (!this.text.startsWith(close, this.at)) throw invalid('parentheses () not balanced');
    this.at += close.length;
    this.depth--;
    return node;
  }

  private escape(): RegexNode {
    const letter = this.text[this.at + 1];
    if (letter === undefined) throw invalid('invalid escape \\ sequence');
    if (this.basic) {
      if (letter === '(') return this.parenthesis(2, '\\)');
      if (letter === ')') throw invalid('parentheses () not balanced');
      if (letter === '<' || letter === '>') {
        this.at += 2;
        return { kind: 'assertion', assertion: letter === '<' ? 'word start' : 'word end' };
      }
    }
    if (/[1-9]/.test(letter) && this.flags.flavor !== 'extended') {
      const reference = this.backReference();
      if (reference !== undefined) return reference;
    }
    if (this.flags.flavor !== 'advanced' || !/[A-Za-z0-9]/.test(letter)) {
      const code = this.text.codePointAt(this.at + 1) as number;
      this.at += code > 0xffff ? 3 : 2;
      return { kind: 'char', code };
    }
    const assertion = ASSERTION_ESCAPES[letter];
    if (assertion !== undefined) {
      this.at += 2;
      return { kind: 'assertion', assertion };
    }
    const named = CLASS_ESCAPES[letter.toLowerCase()];
    if (named !== undefined) {
      this.at += 2;
      return {
        kind: 'set',
        items: [{ kind: 'class', name: named, negated: false }],
        negated: letter !== letter.toLowerCase(),
      };
    }
    return { kind: 'char', code: this.characterEscape() };
  }

  /** \1..\9, or more digits when there are so many groups; otherwise an octal character follows. */
  private backReference(): RegexNode | undefined {
    if (this.looks > 0) throw invalid('invalid backreference number');
    const digits = /^\d{1,2}/.exec(this.text.slice(this.at + 1))?.[0] ?? '';
    let index = Number(digits);
    let length = digits.length;
    if (length > 1 && index > this.groups) {
      if (this.flags.flavor === 'advanced') return undefined;
      index = Number(digits[0]);
      length = 1;
    }
    if (!this.closed.has(index)) throw invalid('invalid backreference number');
    this.at += 1 + length;
    return { kind: 'reference', index };
  }

  /** Code of a character escape like \n, \x41, \u0041; leaves the position behind it. */
  private characterEscape(): number {
    const letter = this.text[this.at + 1] as string;
    this.at += 2;
    const simple = CHARACTER_ESCAPES[letter];
    if (simple !== undefined) return simple;
    if (letter === 'c') {
      const control = this.text.codePointAt(this.at);
      if (control === undefined) throw invalid('invalid escape \\ sequence');
      this.at += control > 0xffff ? 2 : 1;
      return control & 0x1f;
    }
    const pattern = HEX_ESCAPES[letter];
    if (pattern !== undefined) return this.number(pattern, 16);
    if (/[0-7]/.test(letter)) {
      this.at--;
      return this.number(/^[0-7]{1,3}/, 8);
    }
    throw invalid('invalid escape \\ sequence');
  }

  private number(pattern: RegExp, radix: number): number {
    const match = pattern.exec(this.text.slice(this.at));
    if (match === null) throw invalid('invalid escape \\ sequence');
    this.at += match[0].length;
    const code = Number.parseInt(match[0], radix);
    if (code > 0x10ffff) throw invalid('invalid escape \\ sequence');
    return code;
  }

  private bracket(): RegexNode {
    if (this.text.startsWith('[[:<:]]', this.at)) {
      this.at += 7;
      return { kind: 'assertion', assertion: 'word start' };
    }
    if (this.text.startsWith('[[:>:]]', this.at)) {
      this.at += 7;
      return { kind: 'assertion', assertion: 'word end' };
    }
    this.at++;
    let negated = false;
    if (this.peek() === '^') {
      negated = true;
      this.at++;
    }
    const items: SetItem[] = [];
    let first = true;
    for (;;) {
      if (this.at >= this.text.length) throw invalid('brackets [] not balanced');
      if (this.peek() === ']' && !first) break;
      first = false;
      this.member(items);
    }
    this.at++;
    return { kind: 'set', items, negated };
  }

  private member(items: SetItem[]): void {
    if (this.text.startsWith('[:', this.at)) {
      const end = this.text.indexOf(':]', this.at + 2);
      if (end < 0) throw invalid('brackets [] not balanced');
      const name = this.text.slice(this.at + 2, end);
      if (!CLASS_NAMES.has(name)) throw invalid('invalid character class');
      this.at = end + 2;
      items.push({ kind: 'class', name: name as ClassName, negated: false });
      return;
    }
    if (this.peek() === '\\' && this.flags.flavor === 'advanced') {
      const letter = this.text[this.at + 1] ?? '';
      const named = CLASS_ESCAPES[letter.toLowerCase()];
      if (named !== undefined) {
        this.at += 2;
        items.push({ kind: 'class', name: named, negated: letter !== letter.toLowerCase() });
        return;
      }
    }
    const from = this.setCharacter();
    if (this.peek() !== '-' || this.text[this.at + 1] === ']' || this.text[this.at + 1] === undefined) {
      items.push({ kind: 'range', from, to: from });
      return;
    }
    this.at++;
    const to = this.setCharacter();
    if (to < from) throw invalid('invalid character range');
    items.push({ kind: 'range', from, to });
  }

  private setCharacter(): number {
    const mark = this.text.slice(this.at, this.at + 2);
    if (mark === '[.' || mark === '[=') {
      const end = this.text.indexOf(`${mark[1] as string}]`, this.at + 2);
      if (end < 0) throw invalid('brackets [] not balanced');
      const name = this.text.slice(this.at + 2, end);
      this.at = end + 2;
      const character = COLLATING[name] ?? name;
      if ([...character].length !== 1) throw invalid('invalid collating element');
      return character.codePointAt(0) as number;
    }
    if (this.peek() === '\\' && this.flags.flavor === 'advanced') {
      const letter = this.text[this.at + 1];
      if (letter === undefined) throw invalid('invalid escape \\ sequence');
      if (/[A-Za-z0-9]/.test(letter)) return this.characterEscape();
      this.at++;
    }
    const code = this.text.codePointAt(this.at);
    if (code === undefined) throw invalid('brackets [] not balanced');
    this.at += code > 0xffff ? 2 : 1;
    return code;
  }
}

const ASSERTION_ESCAPES: Readonly<Record<string, Assertion>> = {
  A: 'text start',
  Z: 'text end',
  m: 'word start',
  M: 'word end',
  y: 'word boundary',
  Y: 'no word boundary',
};
const CLASS_ESCAPES: Readonly<Record<string, ClassName>> = { d: 'digit', s: 'space', w: 'word' };
const CHARACTER_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  B: 92,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};
const HEX_ESCAPES: Readonly<Record<string, RegExp>> = {
  x: /^[0-9a-fA-F]+/,
  u: /^[0-9a-fA-F]{4}/,
  U: /^[0-9a-fA-F]{8}/,
};

function charNode(character: string): RegexNode {
  return { kind: 'char', code: character.codePointAt(0) as number };
}

function sequence(nodes: readonly RegexNode[]): RegexNode {
  if (nodes.length === 0) return { kind: 'empty' };
  return nodes.length === 1 ? (nodes[0] as RegexNode) : { kind: 'sequence', nodes };
}

/**
 * Parts without groups are matched as one, by their common preference, until one comes that prefers otherwise: where the
 * engine divides a branch decides what its groups take.
 */
function agree(run: readonly RegexNode[], part: RegexNode): boolean {
  const wanted = preference(part);
  return wanted === undefined || run.every((other) => (preference(other) ?? wanted) === wanted);
}

/** Greediness: true longest, false shortest, undefined no preference. */
export function preference(node: RegexNode): boolean | undefined {
  switch (node.kind) {
    case 'choice':
      return true;
    case 'group':
      return preference(node.node);
    case 'repeat':
      return node.greedy ?? preference(node.node);
    case 'sequence':
      for (const part of node.nodes) {
        const found = preference(part);
        if (found !== undefined) return found;
      }
      return undefined;
    default:
      return undefined;
  }
}

/** A group without a number stays one node, so that a quantifier takes all of it. */
function wrap(node: RegexNode): RegexNode {
  return node.kind === 'assertion' || node.kind === 'look' ? { kind: 'sequence', nodes: [node] } : node;
}

/** Parses a pattern with option letters; `g` is not one of them. */
export function parseRegex(pattern: string, options: string): ParsedRegex {
  const flags: RegexOptions = {
    ignoreCase: false,
    newlineStops: false,
    newlineAnchors: false,
    expanded: false,
    literal: false,
    flavor: 'advanced',
  };
  applyOptions(options, flags);
  return new RegexParser(pattern, flags).parse();
}
