/**
 * Regular expressions of callers, kept from holding the process: JavaScript's engine backtracks, and nothing but the end of its thread or a
 * watchdog stops it. Where the pattern and the length of the text leave few ways to try (backtracking.ts) it is simply asked. Otherwise it
 * is asked under the watchdog of `node:vm`, which V8's engine heeds between two steps back; that costs some 70 us a call.
 *
 *   1. The searches for a pattern in one turn of the event loop take PATTERN_MS_MAX at most, those shorter than BRIEF_MS aside; past it the
 *      one that is under way is refused (54001). Other patterns, which may be other callers', are not held to what it took.
 *   2. Nothing but a search runs under the watchdog: what it ends is ended anywhere, and a search leaves nothing half done.
 *
 * Left out: RE2 for these patterns, as SQL has it. Its answers differ in small things (case, `\s`, units), and it has no look-around.
 */
import { PhantomError } from '@phantom/base';
import { type Context, Script, createContext } from 'node:vm';
import { noteLongWork } from '../long-turns.js';
import { type BacktrackingCost, backtrackingCost } from './backtracking.js';

/** How long a pattern may be searched for between two turns of the event loop, where that has to be watched. */
const PATTERN_MS_MAX = 500;
/** Searches shorter than this are not counted: a batch may take many. */
const BRIEF_MS = 1;
/** Steps, about a nanosecond to ten each, that nobody has to watch. */
const UNWATCHED_STEPS_MAX = 4_000_000;
/** Units of a text that even exponentially many ways do not make long. */
const UNWATCHED_UNITS_MIN = 12;
/** Costs of patterns that are remembered. */
const COSTS_MAX = 512;

const costs = new Map<string, BacktrackingCost>();

function costOf({ source, flags }: RegExp): BacktrackingCost {
  const name = `${flags}/${source}`;
  let cost = costs.get(name);
  if (cost === undefined) {
    cost = backtrackingCost(source, flags);
    if (costs.size >= COSTS_MAX) costs.clear();
    costs.set(name, cost);
  }
  return cost;
}

/** Longest text, in units, in which the pattern is searched for without a watchdog. */
function unwatchedUnits({ degree, factor }: BacktrackingCost): number {
  if (degree <= 1 && factor <= 16) return Number.POSITIVE_INFINITY;
  const units = (UNWATCHED_STEPS_MAX / factor) ** (1 / Math.max(1, degree));
  return Math.max(UNWATCHED_UNITS_MIN, Math.floor(units));
}

/** Patterns that were searched for in this turn, and not briefly. */
const searchers: BoundedPattern[] = [];

function endTurn(): void {
  for (const pattern of searchers) pattern.leftMs = PATTERN_MS_MAX;
  searchers.length = 0;
}

/** A regular expression whose searches end. It remembers nothing from one text to the next. */
export class BoundedPattern {
  private readonly regex: RegExp;
  private readonly unwatchedUnits: number;
  private readonly stepsOf: (units: number) => number;
  /** Of PATTERN_MS_MAX, in the present turn. */
  leftMs = PATTERN_MS_MAX;

  /** The flags `g` and `y` are without effect. */
  constructor({ source, flags }: RegExp) {
    this.regex = new RegExp(source, flags.replace(/[gy]/g, ''));
    const cost = costOf(this.regex);
    this.unwatchedUnits = unwatchedUnits(cost);
    this.stepsOf = (units) => cost.factor * units ** Math.max(1, cost.degree);
  }

  /** About how many steps a search takes that nobody watches; those that are watched are counted by the clock. */
  steps({ length }: string): number {
    return length <= this.unwatchedUnits ? Math.min(this.stepsOf(length), UNWATCHED_STEPS_MAX) : 0;
  }

  /** True when the text holds a match. 54001 where that takes too long to tell. */
  test(text: string): boolean {
    if (text.length <= this.unwatchedUnits) return this.regex.test(text);
    return this.watched(text.length, () => this.regex.test(text));
  }

  /** The first match, null without one. 54001 likewise. */
  exec(text: string): RegExpExecArray | null {
    if (text.length <= this.unwatchedUnits) return this.regex.exec(text);
    return this.watched(text.length, () => this.regex.exec(text));
  }

  /** The first matches, none overlapping another, one more than `most` where there are more. 54001 where they take too long to find together. */
  all(text: string, most = Number.POSITIVE_INFINITY): RegExpExecArray[] {
    const find = (): RegExpExecArray[] => {
      const found: RegExpExecArray[] = [];
      for (const match of text.matchAll(new RegExp(this.regex, `${this.regex.flags}g`))) {
        found.push(match);
        if (found.length > most) break;
      }
      return found;
    };
    return text.length <= this.unwatchedUnits ? find() : this.watched(text.length, find);
  }

  /** What tells validators of schemas one pattern from another. */
  toString(): string {
    return String(this.regex);
  }

  private watched<T>(units: number, search: () => T): T {
    const beganMs = performance.now();
    try {
      return watchdog.run(search, Math.max(1, Math.ceil(this.leftMs)));
    } catch (cause) {
      if (!isTimeout(cause)) throw cause;
      throw new PhantomError('54001', 'regular expression is too complex', {
        detail: `The pattern was searched for ${PATTERN_MS_MAX} ms, in a text of ${units} characters.`,
        hint: 'It needs too much backtracking on this text: avoid loops in loops, and loops that begin where others end.',
        data: { pattern: this.regex.source, millisecondsMax: PATTERN_MS_MAX },
        cause,
      });
    } finally {
      const tookMs = performance.now() - beganMs;
      if (tookMs > BRIEF_MS) this.took(tookMs);
    }
  }

  private took(milliseconds: number): void {
    if (searchers.length === 0) setImmediate(endTurn);
    noteLongWork();
    if (this.leftMs === PATTERN_MS_MAX) searchers.push(this);
    this.leftMs -= milliseconds;
  }
}

function isTimeout(error: unknown): boolean {
  // An Error of that context, which is none of this one's.
  return (error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

/** The context that calls are made from; made with the first. */
class Watchdog {
  private readonly script = new Script('call()');
  private context: Context | undefined;
  private search: (() => unknown) | undefined;
  private found: unknown;

  /** Throws Node's error once the time is over. */
  run<T>(search: () => T, timeout: number): T {
    this.context ??= createContext({ call: () => void (this.found = this.search?.()) });
    this.search = search;
    try {
      this.script.runInContext(this.context, { timeout });
      return this.found as T;
    } finally {
      this.search = undefined;
      this.found = undefined;
    }
  }
}

const watchdog = new Watchdog();
