// What every package's vitest.config.ts hands on: resolution to sources, so that tests and coverage need no build.
import { defineConfig } from 'vitest/config';
import { workerSourcesForTests } from './worker-sources.mjs';

// No 'import' or 'require': vite adds the right one for each request, and vitest hands this list to Node for everything it runs.
const SOURCES = ['@phantom/source', 'module', 'node'];
const BUILDS = ['module', 'node'];

/**
 * Settings of one package; `coverageMin` is the least percentage of its own lines and of its own branches. A package that no
 * other's tests need may take those below it as they are built, where the run says that they are (`npm test`): reading the
 * sources of the SQL engine anew takes as long as most tests over it.
 */
export function packageTests({ name, coverageMin, takesBuilds = false, ...more }) {
  const conditions = takesBuilds && process.env['PHANTOM_BUILT'] === '1' ? BUILDS : SOURCES;
  return defineConfig({
    plugins: [workerSourcesForTests()],
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      include: ['test/**/*.test.ts'],
      testTimeout: 60_000,
      hookTimeout: 20_000,
      pool: 'forks',
      // Files of a package share their modules: reading and compiling them anew for each file is half of the time otherwise.
      isolate: false,
      maxWorkers: 2,
      reporters: ['default', ['json', { outputFile: 'test-results/vitest.json' }]],
      coverage: {
        provider: 'v8',
        include: ['src/**/*.ts'],
        reporter: ['text-summary', 'json-summary'],
        reportsDirectory: 'test-results/coverage',
        thresholds: { lines: coverageMin, branches: coverageMin },
      },
      ...more,
    },
  });
}
