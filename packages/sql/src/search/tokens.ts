/**
 * Takes texts apart into tokens: words, numbers, addresses, files, tags, and the blanks between. A machine goes over the text
 * by the rules of token-states.ts; where a rule tries something it remembers the place, and a failure returns to it. Tokens follow each
 * other without gaps, but for those that are read twice: a hyphenated word and its parts, a URL and its host and path.
 */
import { assert } from '@phantom/base';
import { STATE_LINES } from './token-states.js';
import { TokenKind } from './token-kinds.js';
import { isBlank } from './word-reader.js';

export interface Token {
  readonly kind: number;
  readonly text: string;
}

const Class = { Ascii: 1, Alpha: 2, Digit: 4, Blank: 8, Special: 16, Hex: 32, Url: 64 } as const;
const NOT_IN_URLS = '"<>\\^`{|}';

const asciiClasses = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code);
  asciiClasses[code] =
    (/[a-z]/i.test(character) ? Class.Ascii | Class.Alpha : 0) |
    (/\d/.test(character) ? Class.Digit : 0) |
    (isBlank(character) ? Class.Blank : 0) |
    (code === 0 ? Class.Special : 0) |
    (/[\da-f]/i.test(character) ? Class.Hex : 0) |
    (code > 0x20 && code < 0x7f && !NOT_IN_URLS.includes(character) ? Class.Url : 0);
}

const LETTER = /[\p{Alphabetic}\p{Nd}]/u;
/** Characters without a width of their own, and vowel signs. */
const SPECIAL = /\p{M}/u;
const classesOfOthers = new Map<number, number>();

function classOf(code: number): number {
  if (code < 128) return asciiClasses[code] as number;
  let known = classesOfOthers.get(code);
  if (known === undefined) {
    const character = String.fromCodePoint(code);
    known =
      (LETTER.test(character) ? Class.Alpha : 0) |
      (SPECIAL.test(character) ? Class.Special : 0) |
      (isBlank(character) ? Class.Blank : 0);
    classesOfOthers.set(code, known);
  }
  return known;
}

const CONDITION_CLASSES: Readonly<Record<string, number>> = {
  ascii: Class.Ascii,
  alpha: Class.Alpha,
  digit: Class.Digit,
  alnum: Class.Alpha | Class.Digit,
  space: Class.Blank,
  special: Class.Special,
  hex: Class.Hex,
  url: Class.Url,
};

interface Rule {
  /** Any of these classes, or that character, or what `asked` says. */
  readonly classes: number;
  readonly code: number;
  readonly asked: string | undefined;
  readonly action: string;
  readonly suffix: string | undefined;
  readonly target: string | undefined;
  readonly kind: number;
}

let statesRead: ReadonlyMap<string, readonly Rule[]> | undefined;

function states(): ReadonlyMap<string, readonly Rule[]> {
  return (statesRead ??= new Map(
    STATE_LINES.trim()
      .split('\n')
      .map((line) => {
        const [state, rules] = line.split(' | ') as [string, string];
        return [state, rules.split(', ').map(readRule)] as const;
      }),
  ));
}

function readRule(text: string): Rule {
  const [condition, written, target, , kind] = text.split(' ') as [string, string, string?, string?, string?];
  const [action, suffix] = written.split('/') as [string, string?];
  const classes = CONDITION_CLASSES[condition] ?? 0;
  const isCharacter = condition.length === 1;
  return {
    classes,
    code: isCharacter ? condition.charCodeAt(0) : -1,
    asked: classes === 0 && !isCharacter ? condition : undefined,
    action,
    suffix,
    target,
    kind: Number(kind ?? 0),
  };
}

/** Where the machine is, and where it was when it tried something. */
interface Place {
  at: number;
  state: readonly Rule[];
  /** The next rule to test; 0 at each new character. */
  rule: number;
  readonly before: Place | undefined;
}

class Machine {
  private readonly text: string;
  private place: Place;
  /** Where the token begins that is read. */
  private start = 0;
  private isIgnored = false;
  /** A host is to end at the place where a path begins. */
  private wantsHost: boolean;

  constructor(text: string, at: number, state: string, wantsHost: boolean) {
    this.text = text;
    this.wantsHost = wantsHost;
    this.place = { at, state: rulesOf(state), rule: 0, before: undefined };
    if (state !== 'Base') this.place = { ...this.place, before: { ...this.place, state: rulesOf('Base') } };
  }

  /** The kind of the next token; 0 at the end, and where there is none. `from` and `to` are its ends. */
  next(): { readonly kind: number; readonly from: number; readonly to: number } | undefined {
    const { text } = this;
    if (this.place.at >= text.length) return undefined;
    this.start = this.place.at;
    for (;;) {
      const { place } = this;
      const code = place.at < text.length ? (text.codePointAt(place.at) as number) : -1;
      const rule = this.ruleFor(place, code);
      if (rule.suffix === 'tags') this.noteTag(place.at);
      const to = this.place.at;
      if (rule.suffix === 'again' || rule.suffix === 'host') place.at = this.start;
      if (rule.suffix === 'host') this.wantsHost = true;
      if (rule.action.startsWith('token')) {
        const before =
          rule.action === 'token*' ? undefined : rule.action === 'token1' ? place.before?.before : place.before;
        this.place = {
          at: place.at,
          state: rule.target === undefined ? place.state : rulesOf(rule.target),
          rule: 0,
          before,
        };
        return { kind: rule.kind, from: this.start, to };
      }
      if (!this.act(rule, code)) return undefined;
    }
  }

  /** The first rule that holds, from the one on that is to be tested next. */
  private ruleFor(place: Place, code: number): Rule {
    const classes = code < 0 ? 0 : classOf(code);
    for (; ; place.rule++) {
      const rule = place.state[place.rule];
      assert(rule !== undefined, 'the last rule of a state always holds');
      if (
        rule.asked === undefined
          ? (rule.classes & classes) !== 0 || rule.code === code
          : this.holds(rule.asked, code, classes)
      )
        return rule;
    }
  }

  private holds(asked: string, code: number, classes: number): boolean {
    switch (asked) {
      case 'end':
        return code < 0;
      case 'ignored':
        return this.isIgnored;
      case 'notalnum':
        return (classes & (Class.Alpha | Class.Digit)) === 0;
      case 'stop': {
        const wanted = this.wantsHost;
        this.wantsHost = false;
        return wanted;
      }
      case 'host':
        return this.isAhead('Base', true, TokenKind.host);
      case 'path':
        return this.isAhead('UrlPathFirst', false, TokenKind.urlPath);
      default:
        return true;
    }
  }

  /** True when a token of the kind begins here; passes over it. */
  private isAhead(state: string, wantsHost: boolean, kind: number): boolean {
    const found = new Machine(this.text, this.place.at, state, wantsHost).next();
    if (found?.kind !== kind) return false;
    this.place.at = found.to;
    return true;
  }

  /** Goes on by a rule that ends no token; false at the end of the text. */
  private act(rule: Rule, code: number): boolean {
    const { place } = this;
    const next = place.at + (code < 0 ? 0 : code > 0xffff ? 2 : 1);
    const state = rule.target === undefined ? place.state : rulesOf(rule.target);
    switch (rule.action) {
      case 'fail':
        assert(place.before !== undefined, 'only what was tried fails');
        this.place = place.before;
        this.place.rule++;
        return this.place.at < this.text.length;
      case 'back':
        this.place = { ...place, state, rule: 0 };
        return true;
      case 'version':
        this.place = { at: this.start, state, rule: 0, before: place.before };
        return true;
      case 'try':
        this.place = { at: next, state, rule: 0, before: place };
        break;
      case 'join':
        assert(place.before !== undefined, 'only what was tried joins');
        this.place = { ...place.before, at: next, rule: 0 };
        break;
      case 'sure':
        this.place = { at: next, state, rule: 0, before: place.before?.before };
        break;
      default:
        place.at = next;
        place.state = state;
        place.rule = 0;
    }
    return place.at < this.text.length || code >= 0;
  }

  /** Texts inside of <script> and <style> are passed over. */
  private noteTag(end: number): void {
    switch (this.text.slice(this.start, end).toLowerCase()) {
      case '</script':
      case '</style':
        this.isIgnored = false;
        break;
      case '<script':
      case '<style':
        this.isIgnored = true;
        break;
      default:
    }
  }
}

function rulesOf(state: string): readonly Rule[] {
  const rules = states().get(state);
  assert(rules !== undefined, 'every state of the table has rules');
  return rules;
}

/** The tokens of a text, in order. */
export function* tokensOf(text: string): Generator<Token, void, void> {
  const machine = new Machine(text, 0, 'Base', false);
  for (let token = machine.next(); token !== undefined; token = machine.next())
    yield { kind: token.kind, text: text.slice(token.from, token.to) };
}
