/**
 * How much work a regular expression may be on a text, before it is asked: JavaScript's engine tries ways until one fits, and some patterns
 * have more ways than anybody can wait for (`(a+)+$`). The idea is that of N. Weideman et al., Analyzing matching time behavior of
 * backtracking regular expression matchers (2016): the pattern becomes an automaton of its character positions (Glushkov's), and
 *
 *   1. it is exponential where a loop leads from a position to itself in two ways over one text: two equal edges, or a pair of different
 *      positions that two equal ones reach and that reaches two equal ones;
 *   2. otherwise the ways are at most textLength ^ loops, of the loops that may be left or gone on with by the same character.
 *
 *   (a+)+    a ─► a twice, by each plus: exponential          foo.*bar    '.' and 'b' may both follow '.': one such loop
 *
 * All of it errs to the side of more work: sets are of the characters up to 255 and one mark for all others, {m,n} is a loop. What is not
 * followed (look-around, back references, sets of strings, very many positions in loops) counts as exponential.
 */

/** Characters of their own in a set; the bit behind them stands for all others. */
const CODES = 256;
/** Positions in loops whose pairs are looked at. */
const LOOP_POSITIONS_MAX = 64;
/** Characters that a pattern may have to be looked at. */
const PATTERN_CHARS_MAX = 2000;
const DEPTH_MAX = 100;

/** Trying a text takes at most about `factor * length ** degree` steps; a degree of Infinity: exponentially many. */
export interface BacktrackingCost {
  readonly degree: number;
  readonly factor: number;
}

const UNBOUNDED: BacktrackingCost = { degree: Number.POSITIVE_INFINITY, factor: 1 };

/** A part of the pattern: the positions it may begin and end with. */
interface Part {
  readonly isNullable: boolean;
  readonly first: readonly number[];
  readonly last: readonly number[];
}

const EMPTY: Part = { isNullable: true, first: [], last: [] };
const COUNTED = /\{(\d+)(,(\d*))?\}/y;
/** What the parser does not follow. */
const NOT_FOLLOWED = Symbol('not followed');

/** The cost of a pattern that RegExp accepts. */
export function backtrackingCost(source: string, flags: string): BacktrackingCost {
  if (source.length > PATTERN_CHARS_MAX || flags.includes('v')) return UNBOUNDED;
  const automaton = new PatternAutomaton(source, flags);
  try {
    return automaton.cost();
  } catch (error) {
    if (error !== NOT_FOLLOWED) throw error;
    return UNBOUNDED;
  }
}

class PatternAutomaton {
  private readonly source: string;
  private readonly flags: string;
  private at = 0;
  private depth = 0;
  private hasAssertions = false;
  /** Characters of each position. */
  private readonly sets: Uint8Array[] = [];
  /** Where each position may lead, and in how many ways. */
  private readonly edges: Map<number, number>[] = [];
  private readonly setsBySource = new Map<string, Uint8Array>();

  constructor(source: string, flags: string) {
    this.source = source;
    this.flags = flags.replace(/[dgy]/g, '');
  }

  cost(): BacktrackingCost {
    const whole = this.choice();
    if (this.at < this.source.length) throw NOT_FOLLOWED;
    const loopOf = this.loops();
    if (this.isExponential(loopOf)) return UNBOUNDED;
    const branching = new Set<number>();
    const others = new Set<number>();
    let choices = this.overlaps(whole.first) ? 1 : 0;
    for (const [position, edges] of this.edges.entries()) {
      const loop = loopOf[position] as number;
      const isBranching = this.overlaps([...edges.keys()]) || [...edges.values()].some((ways) => ways > 1);
      if (loop >= 0) (isBranching ? branching : others).add(loop);
      else if (isBranching) choices++;
      // Where the whole may end here, and nothing is asked of the end, it does.
      if (loop >= 0 && !this.hasAssertions && whole.last.includes(position) && !isBranching) others.delete(loop);
    }
    const tail = [...others].some((loop) => !branching.has(loop)) ? 1 : 0;
    const isAnchored = this.source.startsWith('^') && !this.source.includes('|') && !this.flags.includes('m');
    return { degree: (isAnchored ? 0 : 1) + branching.size + tail, factor: 2 ** choices };
  }

  // ------------------------------------------------------------------------------------------------------------ the pattern

  private choice(): Part {
    if (++this.depth > DEPTH_MAX) throw NOT_FOLLOWED;
    let found = this.sequence();
    while (this.source[this.at] === '|') {
      this.at++;
      const other = this.sequence();
      found = {
        isNullable: found.isNullable || other.isNullable,
        first: [...found.first, ...other.first],
        last: [...found.last, ...other.last],
      };
    }
    this.depth--;
    return found;
  }

  private sequence(): Part {
    let before = EMPTY;
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      const next = this.quantified(this.atom());
      this.connect(before.last, next.first);
      before = {
        isNullable: before.isNullable && next.isNullable,
        first: before.isNullable ? [...before.first, ...next.first] : before.first,
        last: next.isNullable ? [...before.last, ...next.last] : next.last,
      };
    }
    return before;
  }

  private quantified(part: Part): Part {
    const { source } = this;
    COUNTED.lastIndex = this.at;
    const counted = COUNTED.exec(source);
    let [least, most] = [1, 1];
    if (counted !== null) {
      least = Number(counted[1]);
      most = counted[2] === undefined ? least : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3]);
      this.at += counted[0].length;
    } else {
      const sign = source[this.at];
      if (sign !== '*' && sign !== '+' && sign !== '?') return part;
      least = sign === '+' ? 1 : 0;
      most = sign === '?' ? 1 : Number.POSITIVE_INFINITY;
      this.at++;
    }
    if (source[this.at] === '?') this.at++;
    if (most > 1) {
      // Which of so many rounds are empty is a choice of its own.
      if (part.isNullable && counted !== null && part.first.length > 0) throw NOT_FOLLOWED;
      this.connect(part.last, part.first);
    }
    return { ...part, isNullable: part.isNullable || least === 0 };
  }

  private atom(): Part {
    const { source } = this;
    const char = source[this.at] as string;
    switch (char) {
      case '(':
        return this.group();
      case '^':
      case '$':
        this.at++;
        this.hasAssertions = true;
        return EMPTY;
      case '[':
        return this.position(this.classEnd());
      case '\\':
        return this.escape();
      default: {
        const isPair = this.flags.includes('u') && (source.codePointAt(this.at) as number) > 0xffff;
        return this.position(this.at + (isPair ? 2 : 1));
      }
    }
  }

  private group(): Part {
    const { source } = this;
    this.at++;
    if (source[this.at] === '?') {
      const name = /^\?(?::|<(?![=!])[^>]*>)/.exec(source.slice(this.at));
      if (name === null) throw NOT_FOLLOWED;
      this.at += name[0].length;
    }
    const part = this.choice();
    if (source[this.at] !== ')') throw NOT_FOLLOWED;
    this.at++;
    return part;
  }

  private escape(): Part {
    const { source } = this;
    const letter = source[this.at + 1] ?? '';
    if (letter === 'b' || letter === 'B') {
      this.at += 2;
      this.hasAssertions = true;
      return EMPTY;
    }
    if (/[1-9k]/.test(letter)) throw NOT_FOLLOWED;
    const long = /^\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\}|[pP]\{[^}]*\}|c[A-Za-z])/.exec(
      source.slice(this.at, this.at + 64),
    );
    return this.position(this.at + (long?.[0].length ?? 2));
  }

  /** Behind the class that begins here. */
  private classEnd(): number {
    const { source } = this;
    for (let end = this.at + 1; end < source.length; end++) {
      if (source[end] === ']') return end + 1;
      if (source[end] === '\\') end++;
    }
    throw NOT_FOLLOWED;
  }

  /** The part that is one character, as the text up to `end` says. */
  private position(end: number): Part {
    const text = this.source.slice(this.at, end);
    this.at = end;
    const position = this.sets.length;
    this.sets.push(this.setOf(text));
    this.edges.push(new Map());
    return { isNullable: false, first: [position], last: [position] };
  }

  private setOf(text: string): Uint8Array {
    const known = this.setsBySource.get(text);
    if (known !== undefined) return known;
    const set = new Uint8Array(CODES + 1);
    const one = new RegExp(`^(?:${text})$`, this.flags.replace('m', ''));
    for (let code = 0; code < CODES; code++) set[code] = one.test(String.fromCharCode(code)) ? 1 : 0;
    const foldsFar = this.flags.includes('u') && this.flags.includes('i');
    set[CODES] =
      !foldsFar && /^(?:[\x20-\x2d\x2f-\x5b\x5d-\x7e]|\\[dw.]|\[[^^\\][\x20-\x5b\x5d-\x7e]*\])$/.test(text) ? 0 : 1;
    this.setsBySource.set(text, set);
    return set;
  }

  private connect(from: readonly number[], to: readonly number[]): void {
    for (const a of from) {
      const edges = this.edges[a] as Map<number, number>;
      for (const b of to) edges.set(b, (edges.get(b) ?? 0) + 1);
    }
  }

  // ---------------------------------------------------------------------------------------------------------- the automaton

  private meet(a: number, b: number): boolean {
    const one = this.sets[a] as Uint8Array;
    const other = this.sets[b] as Uint8Array;
    for (let i = 0; i <= CODES; i++) if (one[i] === 1 && other[i] === 1) return true;
    return false;
  }

  private overlaps(positions: readonly number[]): boolean {
    return positions.some((a, i) => positions.slice(i + 1).some((b) => this.meet(a, b)));
  }

  /** The loop that each position is in, by the number of its first; -1: in none. */
  private loops(): readonly number[] {
    const reached = this.edges.map((_, from) => {
      const seen = new Set<number>();
      const open = [from];
      for (let at = open.pop(); at !== undefined; at = open.pop())
        for (const next of (this.edges[at] as Map<number, number>).keys())
          if (!seen.has(next)) {
            seen.add(next);
            open.push(next);
          }
      return seen;
    });
    return reached.map((seen, position) => {
      if (!seen.has(position)) return -1;
      return reached.findIndex((others, other) => seen.has(other) && others.has(position));
    });
  }

  private isExponential(loopOf: readonly number[]): boolean {
    const inLoops = loopOf.flatMap((loop, position) => (loop < 0 ? [] : [position]));
    if (inLoops.length > LOOP_POSITIONS_MAX) return true;
    const count = loopOf.length;
    const forward = new Map<number, number[]>();
    const backward = new Map<number, number[]>();
    const link = (links: Map<number, number[]>, from: number, to: number): void => {
      const list = links.get(from);
      if (list === undefined) links.set(from, [to]);
      else list.push(to);
    };
    const nextOf = (position: number): number[] =>
      [...(this.edges[position] as Map<number, number>).keys()].filter((next) => loopOf[next] === loopOf[position]);
    for (const a of inLoops) {
      for (const [next, ways] of this.edges[a] as Map<number, number>)
        if (ways > 1 && loopOf[next] === loopOf[a]) return true;
      for (const b of inLoops) {
        if (loopOf[a] !== loopOf[b]) continue;
        for (const c of nextOf(a))
          for (const d of nextOf(b)) {
            if (!this.meet(c, d)) continue;
            link(forward, a * count + b, c * count + d);
            link(backward, c * count + d, a * count + b);
          }
      }
    }
    const diagonal = inLoops.map((position) => position * count + position);
    const left = reachedBy(forward, diagonal);
    for (const pair of reachedBy(backward, diagonal))
      if (left.has(pair) && Math.floor(pair / count) !== pair % count) return true;
    return false;
  }
}

function reachedBy(links: ReadonlyMap<number, readonly number[]>, from: readonly number[]): Set<number> {
  const seen = new Set(from);
  const open = [...from];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const next of links.get(at) ?? [])
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
  return seen;
}
