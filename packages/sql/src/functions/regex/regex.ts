/**
 * Regular expressions ready for use, kept by pattern and options. Linear search finds where a match lies; the dissector
 * says what its groups are, or does all of it where linear search cannot.
 */
import { type LinearSearch, linearSearch } from './regex-linear.js';
import { RegexDissector, type RegexMatch } from './regex-dissector.js';
import { type ParsedRegex, parseRegex } from './regex-syntax.js';

export type { RegexMatch } from './regex-dissector.js';

const PATTERNS_KEPT_MAX = 256;

export class Regex {
  private readonly parsed: ParsedRegex;
  private readonly linear: LinearSearch | undefined;

  constructor(pattern: string, options: string) {
    this.parsed = parseRegex(pattern, options);
    this.linear = linearSearch(this.parsed);
  }

  get groupCount(): number {
    return this.parsed.groupCount;
  }

  /** True when the text holds a match. */
  test(text: string): boolean {
    return this.linear === undefined ? this.search(text, 0) !== undefined : this.linear.test(text);
  }

  /** The leftmost match at or after `from`, with its groups. */
  search(text: string, from: number): RegexMatch | undefined {
    if (this.linear === undefined) return new RegexDissector(this.parsed, text).search(from);
    const found = this.linear.find(text, from);
    if (found === undefined) return undefined;
    if (this.parsed.groupCount === 0) return { ...found, groups: [found.start, found.end] };
    return new RegexDissector(this.parsed, text).exactly(found.start, found.end);
  }

  /** All matches from `from` on, none overlapping another. */
  *matches(text: string, from = 0): Iterable<RegexMatch> {
    let at = from;
    while (at <= text.length) {
      const match = this.search(text, at);
      if (match === undefined) return;
      yield match;
      if (match.end > match.start) at = match.end;
      else at = match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1);
    }
  }
}

const patterns = new Map<string, Regex>();

/** The compiled pattern; 2201B when it is malformed. */
export function regex(pattern: string, options = ''): Regex {
  const key = `${options}:${pattern}`;
  let made = patterns.get(key);
  if (made === undefined) {
    made = new Regex(pattern, options);
    if (patterns.size >= PATTERNS_KEPT_MAX) patterns.clear();
    patterns.set(key, made);
  }
  return made;
}
