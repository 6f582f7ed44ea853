// Every package's vitest with coverage, through turbo, which skips what did not change.
//
// Turbo starts tests in the order in which packages stand on one another, which has those over the whole database come last, one of
// them when nothing else is left to run beside it. So the long ones are started here, longest first, as many at a time as there are
// processors; all others are one run, one after another.
import { runForCode } from './process.mjs';

/** By what their tests take, measured; the last ones are short enough for lanes to end together. An unlisted package is one of the others. */
const LONG_BEFORE_OTHERS = ['db', 'sql'];
const LONG_AFTER_OTHERS = ['phantomd', 'btree', 'lsm', 'mvcc', 'runs', 'store', 'server', 'docs-model'];

const filterOf = (name) => `--filter=@phantom/${name}`;
const otherThan = (name) => `--filter=!@phantom/${name}`;

/** The filters of each run of turbo, in the order in which they start. */
const RUNS = [
  ...LONG_BEFORE_OTHERS.map((name) => [filterOf(name)]),
  [...LONG_BEFORE_OTHERS, ...LONG_AFTER_OTHERS].map(otherThan),
  ...LONG_AFTER_OTHERS.map((name) => [filterOf(name)]),
];

/**
 * Runs the tests of all packages, `lanes` at a time: `say` gets a line a package as it ends. Resolves with `{ ok, output }`, the output being
 * what turbo said, after the whole output of the packages that failed.
 */
export async function runUnitTests(env, lanes, say) {
  // The packages below the one that is tested are taken as they are built (vitest.shared.mjs).
  const ofTests = { ...env, PHANTOM_BUILT: '1', VITEST_MAX_WORKERS: '1' };
  const failures = [];
  const waiting = [...RUNS];
  const lane = async () => {
    for (let filters = waiting.shift(); filters !== undefined; filters = waiting.shift()) {
      const failure = await runOne(filters, ofTests, say);
      if (failure !== undefined) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { ok: failures.length === 0, output: failures.join('\n') };
}

/** One run of turbo; undefined, or what is to be shown of its failure. */
async function runOne(filters, env, say) {
  const outputOf = new Map();
  const other = [];
  const onLine = (line) => {
    // Replayed logs may hold terminal colours.
    const plain = line.replaceAll(ansi, '');
    const match = /^(@phantom\/[\w-]+):test: ?(.*)$/.exec(plain);
    if (match === null) return void other.push(plain);
    const [, name, text] = match;
    if (!outputOf.has(name)) outputOf.set(name, []);
    outputOf.get(name).push(text);
    const summary = /^\s*Tests\s+(.*\S)\s*$/.exec(text);
    if (summary !== null) say(`${name.padEnd(18)} ${summary[1]}`);
  };
  const how = ['--continue=dependencies-successful', '--concurrency=1', '--log-order=grouped', '--ui=stream'];
  const code = await runForCode('turbo', ['run', 'test', ...filters, ...how], { env, onLine, input: 'ignore' });
  if (code === 0) return undefined;
  const text = other.join('\n');
  const failed = [...outputOf.keys()].filter((name) => text.includes(`${name}#test`));
  const blocks = failed.map((name) => `--- ${name}\n${outputOf.get(name).join('\n')}`);
  return [...blocks, text].join('\n');
}

const ansi = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
