// What every package's vitest.config.ts hands on: how modules are found, and what a run reports.
//
// A package's own sources are always tested as sources. The packages below it are read as sources too, so that one package can be
// tested without any build; where the run says that all is built (`npm test`), they are taken as users get them. Node then loads
// them itself, and the package's own sources with them (tested-sources.mjs): no transformation by vitest, and no lookup of each
// imported name each time it is used, which is half of the time of tests over the whole database.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { isTestedSource, nameSource } from './tested-paths.mjs';
import { testedSources } from './tested-sources.mjs';
import { workerSourcesForTests } from './worker-sources.mjs';

// No 'import' or 'require': vite adds the right one for each request, and vitest hands this list to Node for everything it runs.
const SOURCES = ['@phantom/source', 'module', 'node'];
const BUILDS = ['module', 'node'];
/**
 * V8 optimizes a function when this many bytes of its bytecode have run, about five times as many as by default: most of what tests
 * run is over by then, and the optimizing compiler took a quarter of the processor time of tests over the whole database. Only the
 * V8 of Node 20 knows the option: later ones refuse to start with it.
 */
const OPTIMIZE_LATER = process.version.startsWith('v20.') ? ['--interrupt-budget=600000'] : [];
const coverageModule = fileURLToPath(new URL('vitest.coverage.mjs', import.meta.url));
const isBuild = /\/(packages|apps|tools)\/[\w-]+\/dist\//;

/**
 * Settings of one package; `coverageMin` is the least percentage of its own lines and of its own branches. `asNode`: dependencies are found
 * as Node finds them by itself; what is under 'module' is for bundlers alone in some. `loadsAnew`: a test has modules forgotten
 * (`vi.resetModules`) to load them again, so vitest loads the package's sources, always.
 */
export function packageTests({ name, coverageMin, asNode = false, loadsAnew = false, ...more }) {
  const isBuilt = process.env['PHANTOM_BUILT'] === '1';
  const all = isBuilt ? BUILDS : SOURCES;
  const conditions = asNode ? all.filter((condition) => condition !== 'module') : all;
  return defineConfig({
    plugins: [isBuilt && !loadsAnew ? testedSources() : workerSourcesForTests()],
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      server: { deps: { external: [isBuild, isTestedSource] } },
      include: ['test/**/*.test.ts'],
      testTimeout: 60_000,
      hookTimeout: 20_000,
      pool: 'forks',
      execArgv: OPTIMIZE_LATER,
      // Files of a package share their modules: reading and compiling them anew for each file is half of the time otherwise.
      isolate: false,
      maxWorkers: 2,
      onStackTrace: (_error, frame) => nameSource(frame),
      reporters: ['default', ['json', { outputFile: 'test-results/vitest.json' }]],
      coverage: {
        provider: 'custom',
        customProviderModule: coverageModule,
        include: ['src/**/*.ts'],
        reporter: ['text-summary', 'json-summary'],
        reportsDirectory: 'test-results/coverage',
        thresholds: { lines: coverageMin, branches: coverageMin },
      },
      ...more,
    },
  });
}
