// The gates of `npm test`, in one flow. Each can be run alone: `node tools/run.mjs test:types`, ...
//
// Two run side by side. What did not change is skipped inside each: turbo replays builds and tests from its cache, the compiler
// is quick enough to do all of its work each time, the tarball gate remembers what passed.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { environment, root, runForCode, runQuietly } from './process.mjs';
import { runStages } from './stages.mjs';
import { runUnitTests } from './unit-tests.mjs';

const totalsFile = join(root, 'node_modules', '.cache', 'phantom', 'totals.json');
const cores = availableParallelism();

/** The stages, for programs found through `env`. */
function allStages(env) {
  const simple = (name, after, command, args) => ({ name, after, run: () => capture(command, args, env) });
  return [
    simple('build', [], 'turbo', ['run', 'build', '--output-logs=errors-only', '--continue=dependencies-successful']),
    simple('lint', [], 'oxlint', ['--deny-warnings']),
    simple('format', [], 'oxfmt', ['--check']),
    { name: 'types', after: [], run: () => checkTypes(env) },
    simple('unused', [], 'knip', ['--no-progress', '--no-config-hints']),
    { name: 'unit', after: ['build'], needs: ['build'], run: (say) => runUnitTests(env, cores, say) },
    simple('source', [], 'node', ['tools/check/dist/main.js', 'source']),
    { name: 'tarballs', after: ['build'], needs: ['build'], run: (say) => runTarballs(env, say) },
  ];
}

/** Gates that read what `turbo run build` writes: run alone, they build first. */
const needsBuild = { source: ['--filter=@phantom/check'], unit: [], tarballs: [] };

/**
 * Runs all gates, or those named, prints a summary, and exits with 1 when one failed.
 * `env` may put another Node into PATH.
 */
export async function runGates(names, _args = [], env = environment()) {
  const startedAt = performance.now();
  const alone = names.length > 0;
  if (alone) {
    for (const name of names) {
      if (name in needsBuild)
        await runQuietly('turbo', ['run', 'build', '--output-logs=errors-only', ...needsBuild[name]], { env });
    }
  } else {
    // The source gate is a program of this workspace; it is built first so that it need not wait for all the rest.
    await runForCode('turbo', ['run', 'build', '--filter=@phantom/check', '--output-logs=none'], {
      env,
      onLine: () => {},
    });
  }
  const stages = allStages(env).filter(({ name }) => !alone || names.includes(name));
  const results = await runStages(stages, Math.min(2, cores));
  const totals = countAll(results);
  mkdirSync(join(totalsFile, '..'), { recursive: true });
  writeFileSync(totalsFile, JSON.stringify(totals));
  const seconds = (performance.now() - startedAt) / 1000;
  console.log('');
  for (const { name, state, seconds: own } of results.toSorted((a, b) => b.seconds - a.seconds)) {
    console.log(`${name.padEnd(10)} ${own.toFixed(1).padStart(7)} s  ${state}`);
  }
  const failed = results.filter(({ state }) => state !== 'ok').map(({ name }) => name);
  const verdict = failed.length === 0 ? 'all gates hold' : `NOT held: ${failed.join(', ')}`;
  console.log(
    `${'together'.padEnd(10)} ${seconds.toFixed(1).padStart(7)} s  ${verdict} (${totals.passed} checks held, ${totals.failed} did not)`,
  );
  if (failed.length > 0) process.exit(1);
}

async function capture(command, args, env) {
  const lines = [];
  const code = await runForCode(command, args, { env, onLine: (line) => lines.push(line), input: 'ignore' });
  return { ok: code === 0, output: lines.join('\n') };
}

/** What runs on Node, and what runs in browsers, where other names are there. */
const TYPE_PROJECTS = ['tsconfig.json', 'apps/phantomd/src/dashboard/tsconfig.json'];

/**
 * TypeScript 7 checks in a fifth of the time of 6, which the build keeps: 7 has no interface for the programs that make declarations. One
 * thread does less work than several, which know less of each other's types; other gates have the other processor.
 */
async function checkTypes(env) {
  const outputs = [];
  let ok = true;
  for (const project of TYPE_PROJECTS) {
    const args = ['node_modules/typescript7/bin/tsc', '--project', project, '--pretty', 'false', '--singleThreaded'];
    const checked = await capture('node', args, env);
    ok &&= checked.ok;
    outputs.push(checked.output);
  }
  return { ok, output: outputs.filter((output) => output !== '').join('\n') };
}

async function runTarballs(env, say) {
  const lines = [];
  const onLine = (line) => (/^ +[\d.]+ s {2}/.test(line) ? say(line.trim()) : lines.push(line));
  const code = await runForCode('node', ['tools/check/dist/main.js', 'tarballs'], { env, onLine, input: 'ignore' });
  if (code === 0) lines.forEach((line) => say(line));
  return { ok: code === 0, output: lines.join('\n') };
}

/** Tests of every package, plus one for each gate that is not a test run. */
function countAll(results) {
  const gates = results.filter(({ name }) => name !== 'unit');
  let passed = gates.filter(({ state }) => state === 'ok').length;
  let failed = gates.length - passed;
  const unit = results.find(({ name }) => name === 'unit');
  if (unit === undefined) return { passed, failed };
  let failedTests = 0;
  for (const group of ['packages', 'apps', 'tools']) {
    for (const name of readdirSync(join(root, group))) {
      const file = join(root, group, name, 'test-results', 'vitest.json');
      if (!existsSync(file)) continue;
      const report = JSON.parse(readFileSync(file, 'utf8'));
      passed += report.numPassedTests;
      failedTests += report.numFailedTests;
    }
  }
  // A run that failed without a failed test broke a threshold or never came to its tests.
  failed += unit.state === 'ok' ? 0 : Math.max(1, failedTests);
  return { passed, failed };
}
