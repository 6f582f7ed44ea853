/**
 * The differential test, after SQLancer: generated queries over generated tables, and three ways to catch a wrong answer
 * without knowing the right one.
 *
 *   rewrites   a query and its rewrite, in the same tables               (rewrites.ts)
 *   shapes     the same query over the same rows in tables without indexes, with indexes and statistics, in another engine
 *   peer       the same query in PostgreSQL, when one is at hand
 *
 * The seed decides everything: the same seed finds the same difference again.
 */
import { Random } from '@phantom/base';
import { type Answer, type Engine, openPhantom } from './engines.js';
import { Queries } from './queries.js';
import { makePair } from './rewrites.js';
import { makeTables, setup } from './tables.js';

/** Rounds with the same tables before new ones are made. */
const ROUNDS_PER_TABLES = 60;
/** Numeric and other overflows, which an order of evaluation may meet and another not. */
const HARMLESS_CODES = /^(22|54)/;

export interface DifferentialOptions {
  readonly seed: number;
  readonly rounds: number;
  /** Opens the server whose answers are compared, if there is one. */
  readonly openPeer?: () => Promise<Engine>;
  /** Ends early once this answers true. */
  readonly isOver?: () => boolean;
  readonly onDifference?: (difference: Difference) => void;
}

export interface Difference {
  /** Seed of the tables and queries: running it alone finds the difference again. */
  readonly seed: number;
  readonly kind: string;
  /** The tables, for whoever wants to repeat it by hand. */
  readonly setup: readonly string[];
  readonly queries: readonly string[];
  readonly answers: readonly string[];
}

export interface DifferentialResult {
  readonly queries: number;
  /** Comparisons of answers that were not errors. */
  readonly comparisons: number;
  readonly differences: readonly Difference[];
}

/** Runs the rounds; every difference is also told at once. */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialResult> {
  const run = new Run(options);
  for (let done = 0; done < options.rounds && !run.isOver; done += ROUNDS_PER_TABLES) {
    await run.withTables(options.seed + done / ROUNDS_PER_TABLES, Math.min(ROUNDS_PER_TABLES, options.rounds - done));
  }
  return { queries: run.queries, comparisons: run.comparisons, differences: run.differences };
}

class Run {
  queries = 0;
  comparisons = 0;
  readonly differences: Difference[] = [];
  private readonly options: DifferentialOptions;

  constructor(options: DifferentialOptions) {
    this.options = options;
  }

  get isOver(): boolean {
    return this.options.isOver?.() === true;
  }

  async withTables(seed: number, rounds: number): Promise<void> {
    const random = new Random(seed);
    const tables = makeTables(random);
    const queries = new Queries(random, tables);
    const plain = setup(tables, 'heap');
    const heap = await openPhantom('without indexes');
    const others = [await openPhantom('with indexes'), await openPhantom('in the engine lsm')];
    try {
      await heap.prepare(plain);
      await others[0]?.prepare(setup(tables, 'indexed'));
      await others[1]?.prepare(setup(tables, 'lsm'));
      if (this.options.openPeer !== undefined) {
        const peer = await this.options.openPeer();
        others.push(peer);
        await peer.prepare(plain);
      }
      const report = (kind: string, texts: readonly string[], answers: readonly string[]): void => {
        const difference = { seed, kind, setup: plain, queries: texts, answers };
        this.differences.push(difference);
        this.options.onDifference?.(difference);
      };
      for (let i = 0; i < rounds && !this.isOver; i++) {
        await this.compareRewrite(random, queries, heap, report);
        await this.compareEngines(queries.query(), heap, others, report);
      }
    } finally {
      for (const engine of [heap, ...others]) await engine.close();
    }
  }

  private async compareRewrite(random: Random, queries: Queries, engine: Engine, report: Report): Promise<void> {
    const { rewrite, left, right } = makePair(random, queries);
    const [one, other] = [await this.together(engine, left), await this.together(engine, right)];
    this.compare(`rewrite: ${rewrite}`, [...left, ...right], one, other, report);
  }

  private async compareEngines(query: string, first: Engine, others: readonly Engine[], report: Report): Promise<void> {
    const expected = await this.together(first, [query]);
    for (const engine of others) {
      const answer = await this.together(engine, [query]);
      this.compare(`${first.name} and ${engine.name}`, [query], expected, answer, report);
    }
  }

  /** The rows of several queries as one answer; the first error is the answer of all. */
  private async together(engine: Engine, queries: readonly string[]): Promise<Answer> {
    const rows: string[] = [];
    for (const query of queries) {
      this.queries++;
      const answer = await engine.answer(query);
      if ('code' in answer) return answer;
      for (const row of answer.rows) rows.push(row);
    }
    return { rows: rows.sort() };
  }

  private compare(kind: string, queries: readonly string[], a: Answer, b: Answer, report: Report): void {
    const failed = [a, b].find((answer) => 'code' in answer && !HARMLESS_CODES.test(answer.code));
    if (failed !== undefined) {
      report(kind, queries, [show(a), show(b)]);
      return;
    }
    // An overflow that one order of evaluation meets says nothing of the other.
    if ('code' in a || 'code' in b) return;
    this.comparisons++;
    if (show(a) !== show(b)) report(kind, queries, [show(a), show(b)]);
  }
}

type Report = (kind: string, queries: readonly string[], answers: readonly string[]) => void;

function show(answer: Answer): string {
  return 'code' in answer ? `ERROR ${answer.code}: ${answer.message}` : answer.rows.join('\n');
}
