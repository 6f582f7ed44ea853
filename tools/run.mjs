// The one door to every job of this repository: `node tools/run.mjs JOB`. It needs Node and npm, nothing else.
//
// 1. The pinned pnpm (package.json, `packageManager`) is fetched once into `.tools/` through npm.
// 2. Dependencies are installed when the lockfile or a manifest changed since they last were.
// 3. The job runs with both in PATH. What is already done is skipped, so a second run needs no network.
import { runHistories } from './run/histories.mjs';
import { tryLargeLimits } from './run/limits.mjs';
import { ensureInstalled, ensurePnpm, installLoosely } from './run/bootstrap.mjs';
import { runGates } from './run/gates.mjs';
import { runSchemas } from './run/schemas.mjs';
import { start } from './run/start.mjs';
import { talkToClients } from './run/clients.mjs';
import { run, runQuietly } from './run/process.mjs';
import { publishDry } from './run/publish-dry.mjs';
import { scanDependencies } from './run/deps-scan.mjs';
import { soak } from './run/soak.mjs';
import { testUnderNode } from './run/node-versions.mjs';

const build = (...args) => runQuietly('turbo', ['run', 'build', '--output-logs=errors-only', ...args]);

/** One word a job. A job exits the process with its code when it fails. */
const jobs = {
  start: (args) => start(args),
  test: (args) => runGates([], args),
  'test:types': (args) => runGates(['types'], args),
  'test:lint': (args) => runGates(['lint'], args),
  'test:format': (args) => runGates(['format'], args),
  'test:source': (args) => runGates(['source'], args),
  'test:unused': (args) => runGates(['unused'], args),
  'test:unit': (args) => runGates(['unit'], args),
  'test:tarballs': (args) => runGates(['tarballs'], args),
  'test:node22': () => testUnderNode('22.23.3'),
  'test:node24': () => testUnderNode('24.21.0'),
  build: (args) => run('turbo', ['run', 'build', '--output-logs=errors-only', ...args]),
  lint: (args) => run('oxlint', args),
  format: (args) => run('oxfmt', args),
  docs: (args) => run('typedoc', args),
  bench: async (args) => {
    await build();
    await run('pnpm', ['--filter', '@phantom/bench', 'run', 'bench', ...args]);
  },
  differential: async (args) => {
    await build('--filter=@phantom/differential');
    await run('node', ['tools/differential/dist/main.js', ...args]);
  },
  leak: async (args) => {
    await build('--filter=@phantom/db');
    await run('node', ['--expose-gc', 'tools/bench/scripts/leak.mjs', ...args]);
  },
  'leak:documents': async (args) => {
    await build('--filter=@phantom/db');
    await run('node', ['--expose-gc', 'tools/bench/scripts/leak-documents.mjs', ...args]);
  },
  clients: async (args) => {
    await build('--filter=@phantom/phantomd');
    await talkToClients(args);
  },
  soak: async (args) => {
    await build('--filter=@phantom/phantomd');
    await soak(args);
  },
  histories: async (args) => {
    await build('--filter=@phantom/phantomd');
    await runHistories(args);
  },
  limits: () => tryLargeLimits(),
  schemas: (args) => runSchemas(args),
  'deps:scan': () => scanDependencies(),
  'publish:dry': async () => {
    await build();
    await publishDry();
  },
};

// Behind `npm run JOB` a -- keeps npm from the options; here it does no harm.
const [job, ...args] = process.argv.slice(2).filter((word, i) => word !== '--' || i > 1);
if (job !== 'install' && !Object.hasOwn(jobs, job ?? '')) {
  console.error(`usage: node tools/run.mjs ${['install', ...Object.keys(jobs)].join(' | ')}`);
  process.exit(1);
}
await ensurePnpm();
if (job === 'install') {
  await installLoosely(args);
} else {
  await ensureInstalled();
  await jobs[job](args);
}
