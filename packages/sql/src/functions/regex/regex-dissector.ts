/**
 * Matching by PostgreSQL's own rules, where those differ from everybody else's: the whole takes the longest or the
 * shortest match, as its first quantifier says, then each part in turn does, from the left, among the ways that keep the
 * whole (regexec.c's longest, shortest and dissect functions). Look-around and back references work; time is polynomial
 * without back references and bounded by a budget of steps always.
 *
 * `ends` computes, once for each node and position, every position where a match of the node from there may end.
 */
import { PhantomError } from '@phantom/base';
import { isWordCode, matchesCharacter } from './regex-characters.js';
import { type Assertion, type ParsedRegex, type RegexNode, preference } from './regex-syntax.js';

/** Steps one search may take before it is refused: a few seconds at worst. */
const STEPS_MAX = 20_000_000;

type Ends = readonly number[];
const NO_ENDS: Ends = [];

/** True when captures or back references lie in the node, so that it must be taken apart. */
function hasInside(node: RegexNode): boolean {
  switch (node.kind) {
    case 'group':
    case 'reference':
      return true;
    case 'sequence':
    case 'choice':
      return node.nodes.some(hasInside);
    case 'repeat':
      return hasInside(node.node);
    default:
      return false;
  }
}

function refers(node: RegexNode): boolean {
  switch (node.kind) {
    case 'reference':
      return true;
    case 'group':
    case 'repeat':
      return refers(node.node);
    case 'sequence':
    case 'choice':
      return node.nodes.some(refers);
    default:
      return false;
  }
}

export interface RegexMatch {
  readonly start: number;
  readonly end: number;
  /** Start and end of each group, -1 where it took no part; index 0 is the whole. */
  readonly groups: readonly number[];
}

export class RegexDissector {
  private readonly parsed: ParsedRegex;
  private readonly text: string;
  private readonly memo = new Map<RegexNode, Map<number, Ends>>();
  private readonly groupNodes: RegexNode[] = [];
  private readonly lastRounds = new Map<RegexNode, readonly RegexNode[]>();
  private captures: number[];
  private steps = 0;

  constructor(parsed: ParsedRegex, text: string) {
    this.parsed = parsed;
    this.text = text;
    this.captures = new Array<number>(2 * (parsed.groupCount + 1)).fill(-1);
    this.collectGroups(parsed.node);
  }

  private collectGroups(node: RegexNode): void {
    if (node.kind === 'group') this.groupNodes[node.index] = node.node;
    if (node.kind === 'group' || node.kind === 'repeat' || node.kind === 'look') this.collectGroups(node.node);
    else if (node.kind === 'sequence' || node.kind === 'choice') node.nodes.forEach((part) => this.collectGroups(part));
  }

  /** The first match that starts at or after `from`. */
  search(from: number): RegexMatch | undefined {
    for (let start = from; start <= this.text.length; start = this.after(start)) {
      const match = this.matchAt(start);
      if (match !== undefined) return match;
      if (start === this.text.length) break;
    }
    return undefined;
  }

  /** The match that starts at `start`, if there is one. */
  matchAt(start: number): RegexMatch | undefined {
    const { node } = this.parsed;
    const ends = this.ends(node, start);
    const longest = preference(node) !== false;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[longest ? ends.length - 1 - i : i] as number;
      const match = this.exactly(start, end);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  /** The groups of the match that is known to be [start, end). */
  exactly(start: number, end: number): RegexMatch | undefined {
    this.captures.fill(-1);
    if (!this.dissect(this.parsed.node, start, end)) return undefined;
    this.captures[0] = start;
    this.captures[1] = end;
    return { start, end, groups: [...this.captures] };
  }

  private after(at: number): number {
    const code = this.text.codePointAt(at) ?? 0;
    return at + (code > 0xffff ? 2 : 1);
  }

  private step(): void {
    if (++this.steps > STEPS_MAX) {
      throw new PhantomError('54001', 'regular expression is too complex', {
        hint: 'The pattern needs too much backtracking on this text.',
        data: { stepsMax: STEPS_MAX },
      });
    }
  }

  // -------------------------------------------------------------------------------------------------- where it may end

  private ends(node: RegexNode, at: number): Ends {
    let byPosition = this.memo.get(node);
    if (byPosition === undefined) this.memo.set(node, (byPosition = new Map()));
    let found = byPosition.get(at);
    if (found === undefined) {
      this.step();
      found = this.computeEnds(node, at);
      byPosition.set(at, found);
    }
    return found;
  }

  private computeEnds(node: RegexNode, at: number): Ends {
    switch (node.kind) {
      case 'empty':
        return [at];
      case 'char':
      case 'any':
      case 'set': {
        const code = this.text.codePointAt(at);
        if (code === undefined || !matchesCharacter(code, node, this.parsed.flags)) return NO_ENDS;
        return [at + (code > 0xffff ? 2 : 1)];
      }
      case 'assertion':
        return this.holds(node.assertion, at) ? [at] : NO_ENDS;
      case 'look':
        return this.looks(node, at) ? [at] : NO_ENDS;
      case 'group':
        return this.ends(node.node, at);
      case 'reference': {
        // Not known yet what the group matched: anything its pattern matches may follow.
        const group = this.groupNodes[node.index];
        return group === undefined ? NO_ENDS : this.ends(group, at);
      }
      case 'choice':
        return this.merge(node.nodes.map((part) => this.ends(part, at)));
      case 'sequence': {
        let positions: Ends = [at];
        for (const part of node.nodes) {
          positions = this.merge(positions.map((position) => this.ends(part, position)));
          if (positions.length === 0) return NO_ENDS;
        }
        return positions;
      }
      case 'repeat':
        return this.repeatEnds(node.node, node.min, node.max, at);
    }
  }

  private repeatEnds(node: RegexNode, min: number, max: number, at: number): Ends {
    let positions: Ends = [at];
    for (let i = 0; i < min; i++) {
      positions = this.merge(positions.map((position) => this.ends(node, position)));
      if (positions.length === 0) return NO_ENDS;
    }
    const all = new Set(positions);
    let fresh: number[] = [...positions];
    for (let i = min; i < max && fresh.length > 0; i++) {
      const next: number[] = [];
      for (const position of fresh) {
        for (const end of this.ends(node, position)) {
          this.step();
          if (!all.has(end)) {
            all.add(end);
            next.push(end);
          }
        }
      }
      fresh = next;
    }
    return [...all].sort((a, b) => a - b);
  }

  private merge(lists: readonly Ends[]): Ends {
    if (lists.length === 1) return lists[0] as Ends;
    const all = new Set<number>();
    for (const list of lists) {
      for (const end of list) {
        this.step();
        all.add(end);
      }
    }
    return [...all].sort((a, b) => a - b);
  }

  private holds(assertion: Assertion, at: number): boolean {
    const { text } = this;
    const before = at > 0 ? text.charCodeAt(at - 1) : -1;
    const next = at < text.length ? text.charCodeAt(at) : -1;
    const wordBefore = before >= 0 && isWordCode(before);
    const wordNext = next >= 0 && isWordCode(next);
    const lines = this.parsed.flags.newlineAnchors;
    switch (assertion) {
      case 'line start':
        return at === 0 || (lines && before === 10);
      case 'line end':
        return at === text.length || (lines && next === 10);
      case 'text start':
        return at === 0;
      case 'text end':
        return at === text.length;
      case 'word start':
        return !wordBefore && wordNext;
      case 'word end':
        return wordBefore && !wordNext;
      case 'word boundary':
        return wordBefore !== wordNext;
      case 'no word boundary':
        return wordBefore === wordNext;
    }
  }

  private looks(node: RegexNode & { kind: 'look' }, at: number): boolean {
    if (!node.behind) return this.ends(node.node, at).length > 0 !== node.negated;
    let found = false;
    for (let start = at; start >= 0 && !found; start--) found = this.ends(node.node, start).includes(at);
    return found !== node.negated;
  }

  // -------------------------------------------------------------------------------------------------- what groups take

  /** Takes the node apart so that it matches exactly [start, end), and notes what its groups matched. */
  private dissect(node: RegexNode, start: number, end: number): boolean {
    this.step();
    switch (node.kind) {
      case 'group': {
        if (!this.dissect(node.node, start, end)) return false;
        this.captures[2 * node.index] = start;
        this.captures[2 * node.index + 1] = end;
        return true;
      }
      case 'reference': {
        const from = this.captures[2 * node.index] as number;
        if (from < 0) return false;
        return this.sameText(this.text.slice(from, this.captures[2 * node.index + 1]), this.text.slice(start, end));
      }
      case 'choice': {
        const saved = [...this.captures];
        for (const part of node.nodes) {
          if (this.ends(part, start).includes(end) && this.dissect(part, start, end)) return true;
          this.captures = [...saved];
        }
        return false;
      }
      case 'sequence':
        return this.dissectSequence(node.nodes, 0, start, end);
      case 'repeat':
        // A reference to a group that took no part does not match, however seldom it may occur.
        if (node.node.kind === 'reference' && (this.captures[2 * node.node.index] as number) < 0) return false;
        if (!hasInside(node)) return this.ends(node, start).includes(end);
        return this.dissectRepeat(node, start, end);
      default:
        return this.ends(node, start).includes(end);
    }
  }

  private sameText(a: string, b: string): boolean {
    return a === b || (this.parsed.flags.ignoreCase && a.toLowerCase() === b.toLowerCase());
  }

  private restMatches(nodes: readonly RegexNode[], from: number, start: number, end: number): boolean {
    let positions: Ends = [start];
    for (let i = from; i < nodes.length; i++) {
      positions = this.merge(positions.map((position) => this.ends(nodes[i] as RegexNode, position)));
    }
    return positions.includes(end);
  }

  /** The first part takes as much (or as little) as lets the rest match; then the rest likewise. */
  private dissectSequence(nodes: readonly RegexNode[], index: number, start: number, end: number): boolean {
    const node = nodes[index];
    if (node === undefined) return start === end;
    const ends = this.ends(node, start);
    const shortest = preference(node) === false;
    const saved = [...this.captures];
    for (let i = 0; i < ends.length; i++) {
      const middle = ends[shortest ? i : ends.length - 1 - i] as number;
      if (middle > end || !this.restMatches(nodes, index + 1, middle, end)) continue;
      if (this.dissect(node, start, middle) && this.dissectSequence(nodes, index + 1, middle, end)) return true;
      this.captures = [...saved];
    }
    return false;
  }

  /** Without back references only the last round counts, so that x{m,n} is x{m-1,n-1}x with one part to take apart. */
  private dissectRepeat(node: RegexNode & { kind: 'repeat' }, start: number, end: number): boolean {
    if (node.min === 0 || refers(node)) return this.dissectRounds(node, start, end, 0);
    let parts = this.lastRounds.get(node);
    if (parts === undefined) {
      parts = [{ ...node, min: node.min - 1, max: node.max - 1, greedy: preference(node) }, node.node];
      this.lastRounds.set(node, parts);
    }
    const ends = this.ends(parts[0] as RegexNode, start);
    const shortest = preference(node) === false;
    const saved = [...this.captures];
    for (let i = 0; i < ends.length; i++) {
      const middle = ends[shortest ? i : ends.length - 1 - i] as number;
      if (middle > end || !this.ends(node.node, middle).includes(end)) continue;
      if (this.dissect(node.node, middle, end)) return true;
      this.captures = [...saved];
    }
    return false;
  }

  private dissectRounds(node: RegexNode & { kind: 'repeat' }, start: number, end: number, done: number): boolean {
    const shortest = preference(node.node) === false;
    // An operand that takes much is tried once on nothing, so that its groups are set.
    if (start === end && done >= node.min && (done > 0 || shortest)) return true;
    if (done >= node.max) return start === end;
    const ends = this.ends(node.node, start);
    const saved = [...this.captures];
    for (let i = 0; i < ends.length; i++) {
      const middle = ends[shortest ? i : ends.length - 1 - i] as number;
      if (middle > end || (middle === start && done >= node.min && start !== end)) continue;
      this.forget(node.node);
      if (!this.dissect(node.node, start, middle)) continue;
      if (this.dissectRounds(node, middle, end, done + 1)) return true;
      this.captures = [...saved];
    }
    return start === end && done >= node.min;
  }

  /** Each round starts without what the groups inside took in the one before. */
  private forget(node: RegexNode): void {
    if (node.kind === 'group') this.captures[2 * node.index] = this.captures[2 * node.index + 1] = -1;
    if (node.kind === 'group' || node.kind === 'repeat') this.forget(node.node);
    else if (node.kind === 'sequence' || node.kind === 'choice') for (const part of node.nodes) this.forget(part);
  }
}
