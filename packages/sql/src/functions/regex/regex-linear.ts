/**
 * The part of a regular expression that RE2 can search for in linear time: where the leftmost match is and, by its
 * leftmost-longest mode, where it ends. What groups matched is decided by the dissector, by PostgreSQL's rules.
 */
import { RE2JS } from 're2js';
import { re2Set } from './regex-characters.js';
import type { ParsedRegex, RegexFlags, RegexNode } from './regex-syntax.js';

/** RE2's text for a node; undefined where RE2 has nothing like it. */
function translate(node: RegexNode, flags: RegexFlags): string | undefined {
  switch (node.kind) {
    case 'empty':
      return '(?:)';
    case 'char':
      return `\\x{${node.code.toString(16)}}`;
    case 'any':
      return flags.newlineStops ? '[^\\n]' : '(?s:.)';
    case 'set':
      return re2Set(node.items, node.negated, flags);
    case 'assertion':
      switch (node.assertion) {
        case 'line start':
          return flags.newlineAnchors ? '(?m:^)' : '\\A';
        case 'line end':
          return flags.newlineAnchors ? '(?m:$)' : '\\z';
        case 'text start':
          return '\\A';
        case 'text end':
          return '\\z';
        default:
          return undefined;
      }
    case 'group': {
      const inner = translate(node.node, flags);
      return inner === undefined ? undefined : `(?:${inner})`;
    }
    case 'sequence':
    case 'choice': {
      const parts: string[] = [];
      for (const part of node.nodes) {
        const text = translate(part, flags);
        if (text === undefined) return undefined;
        parts.push(text);
      }
      return node.kind === 'sequence' ? parts.join('') : `(?:${parts.join('|')})`;
    }
    case 'repeat': {
      if (!node.greedy) return undefined;
      const inner = translate(node.node, flags);
      if (inner === undefined) return undefined;
      const max = Number.isFinite(node.max) ? String(node.max) : '';
      const count =
        node.min === 0 && max === ''
          ? '*'
          : node.min === 1 && max === ''
            ? '+'
            : node.min === 0 && node.max === 1
              ? '?'
              : `{${node.min},${max}}`;
      return `(?:${inner})${count}`;
    }
    default:
      return undefined;
  }
}

/** Finds matches in linear time. */
export interface LinearSearch {
  /** True when the text holds a match. */
  test(text: string): boolean;
  /** Start and end of the leftmost longest match at or after `from`; undefined when there is none. */
  find(text: string, from: number): { readonly start: number; readonly end: number } | undefined;
}

/** RE2 for the pattern, or undefined when it needs what RE2 has not: look-around, back references, non-greedy parts. */
export function linearSearch(parsed: ParsedRegex): LinearSearch | undefined {
  const source = translate(parsed.node, parsed.flags);
  if (source === undefined) return undefined;
  let compiled: RE2JS;
  try {
    const flags = RE2JS.LONGEST_MATCH | (parsed.flags.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    compiled = RE2JS.compile(source, flags);
  } catch {
    // RE2 limits the size of repetitions; the dissector does not.
    return undefined;
  }
  return {
    test: (text) => compiled.test(text),
    find: (text, from) => {
      const matcher = compiled.matcher(text);
      return matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : undefined;
    },
  };
}
