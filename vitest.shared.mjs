// What every package's vitest.config.ts hands on: resolution to sources, so that tests and coverage need no build.
import { defineConfig } from 'vitest/config';
import { workerSourcesForTests } from './worker-sources.mjs';

// No 'import' or 'require': vite adds the right one for each request, and vitest hands this list to Node for everything it runs.
const conditions = ['@phantom/source', 'module', 'node'];

/** Settings of one package; `coverageMin` is the least percentage of its own lines and of its own branches. */
export function packageTests({ name, coverageMin, ...more }) {
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
