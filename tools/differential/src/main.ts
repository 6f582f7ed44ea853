/**
 * The long run: `node tools/run.mjs differential [--seed N] [--rounds N] [--seconds N]`. With PHANTOM_POSTGRES_URL in the
 * environment, every query is asked of that server too. Exits with 1 when answers differ.
 */
import { parseArgs } from 'node:util';
import { type Difference, runDifferential } from './differential.js';
import { openPostgres } from './engines.js';

/** Differences printed whole; the rest are counted. */
const SHOWN_MAX = 20;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '6000' },
    seconds: { type: 'string', default: '600' },
  },
});
const url = process.env['PHANTOM_POSTGRES_URL'];
const endMs = performance.now() + Number(values.seconds) * 1000;
let shown = 0;

function print({ seed, kind, setup, queries, answers }: Difference): void {
  if (shown++ >= SHOWN_MAX) return;
  const parts = [`-- seed ${seed}, ${kind}`, ...setup.map((text) => `${text};`), ''];
  for (const query of queries) parts.push(`${query};`);
  for (const answer of answers) parts.push('-- answer:', ...answer.split('\n').map((line) => `--   ${line}`));
  console.log(`${parts.join('\n')}\n`);
}

const result = await runDifferential({
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  ...(url === undefined ? {} : { openPeer: () => openPostgres(url) }),
  isOver: () => performance.now() > endMs,
  onDifference: print,
});
const found = result.differences.length;
console.log(`${result.queries} queries, ${result.comparisons} comparisons, ${found} differences`);
process.exitCode = found === 0 ? 0 : 1;
