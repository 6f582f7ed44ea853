// The one way this repository builds: ESM, CJS and types from the same entries, dependencies left outside.
import { defineConfig } from 'tsup';
import { workerSourcesForBuilds } from './worker-sources.mjs';

const shared = {
  target: 'node20',
  platform: 'node',
  clean: true,
  sourcemap: true,
  treeshake: false,
  // TypeScript 6 warns about a `baseUrl` that tsup sets on its own for declarations. Without the source condition, declarations are
  // made against the built declarations of the floors below (turbo builds those first) instead of reading all their sources again.
  dts: { compilerOptions: { ignoreDeprecations: '6.0', customConditions: [] } },
};

/**
 * A published library: `dist/<entry>.js`, `.cjs`, `.d.ts` and `.d.cts`. Code shared by two entries lives in one chunk in both formats,
 * so that a class has one identity whichever entry it came through.
 * `bundle` names dependencies that are copied into the output (because they have no CommonJS form, or a tree we do not want to hand on).
 */
export function library(entry, options = {}) {
  return defineConfig({
    ...shared,
    entry,
    format: ['esm', 'cjs'],
    splitting: Object.keys(entry).length > 1,
    noExternal: options.bundle ?? [],
    esbuildPlugins: [workerSourcesForBuilds()],
  });
}

/** A program run by `node dist/main.js`: ESM only, no declarations. */
export function program(entry) {
  return defineConfig({
    ...shared,
    entry,
    format: ['esm'],
    splitting: false,
    dts: false,
    banner: { js: '#!/usr/bin/env node' },
  });
}
