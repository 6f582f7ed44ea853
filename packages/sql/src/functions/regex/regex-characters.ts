/** Character classes of regular expressions, and when characters are the same without regard to case. */
import type { ClassName, RegexFlags, RegexNode, SetItem } from './regex-syntax.js';

const CLASS_PATTERNS: Readonly<Record<ClassName, RegExp>> = {
  alnum: /[\p{L}\p{N}]/u,
  alpha: /\p{L}/u,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[^\s\p{C}]/u,
  lower: /\p{Ll}/u,
  print: /[^\p{C}]/u,
  punct: /[!-/:-@[-`{-~]|\p{P}/u,
  space: /\s/,
  upper: /\p{Lu}/u,
  word: /[\p{L}\p{N}_]/u,
  xdigit: /[0-9A-Fa-f]/,
};

/** True for letters, digits and the underscore. */
export function isWordCode(code: number): boolean {
  if (code < 128) {
    return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95;
  }
  return CLASS_PATTERNS.word.test(String.fromCodePoint(code));
}

function inClass(code: number, name: ClassName): boolean {
  return name === 'word' ? isWordCode(code) : CLASS_PATTERNS[name].test(String.fromCodePoint(code));
}

function otherCases(code: number): readonly number[] {
  const character = String.fromCodePoint(code);
  const others = [character.toLowerCase(), character.toUpperCase()].filter((other) => other !== character);
  return others.map((other) => other.codePointAt(0) as number);
}

function inItems(code: number, items: readonly SetItem[]): boolean {
  for (const item of items) {
    if (item.kind === 'range') {
      if (code >= item.from && code <= item.to) return true;
    } else if (inClass(code, item.name) !== item.negated) {
      return true;
    }
  }
  return false;
}

const NEWLINE = 10;

/** True when the character matches the node: a char, any or set node. */
export function matchesCharacter(code: number, node: RegexNode, flags: RegexFlags): boolean {
  switch (node.kind) {
    case 'char':
      return code === node.code || (flags.ignoreCase && otherCases(code).includes(node.code));
    case 'any':
      return !(flags.newlineStops && code === NEWLINE);
    case 'set': {
      if (node.negated && flags.newlineStops && code === NEWLINE) return false;
      const inside =
        inItems(code, node.items) || (flags.ignoreCase && otherCases(code).some((other) => inItems(other, node.items)));
      return inside !== node.negated;
    }
    default:
      return false;
  }
}

const RE2_CLASSES: Readonly<Record<ClassName, string>> = {
  alnum: '\\p{L}\\p{N}',
  alpha: '\\p{L}',
  blank: ' \\t',
  cntrl: '\\p{Cc}',
  digit: '0-9',
  graph: '',
  lower: '\\p{Ll}',
  print: '',
  punct: '!-/:-@\\[-`{-~\\p{P}',
  space: '\\s\\v\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}',
  upper: '\\p{Lu}',
  word: '\\p{L}\\p{N}_',
  xdigit: '0-9A-Fa-f',
};

function re2Code(code: number): string {
  return `\\x{${code.toString(16)}}`;
}

/** RE2's text of a bracket expression; undefined for one that it cannot say. */
export function re2Set(items: readonly SetItem[], negated: boolean, flags: RegexFlags): string | undefined {
  let text = '';
  for (const item of items) {
    if (item.kind === 'range') {
      text += item.from === item.to ? re2Code(item.from) : `${re2Code(item.from)}-${re2Code(item.to)}`;
    } else {
      const inner = RE2_CLASSES[item.name];
      if (inner === '') return undefined;
      if (!item.negated) text += inner;
      else if (item.name === 'digit') text += '\\D';
      else return undefined;
    }
  }
  if (negated && flags.newlineStops) text += '\\n';
  return `[${negated ? '^' : ''}${text}]`;
}
