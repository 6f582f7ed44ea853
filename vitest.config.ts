import { defineConfig } from 'vitest/config';

// `vitest run` at the root runs every package in one process group; `npm test` runs them one by one, so that unchanged ones are skipped.
export default defineConfig({
  test: {
    projects: ['packages/*', 'apps/*', 'tools/*'],
    coverage: { provider: 'v8', include: ['{packages,apps,tools}/*/src/**/*.ts'] },
  },
});
