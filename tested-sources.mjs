// A package's own sources as Node loads them: stripped of their types, a file each, in `.tested/` beside `src/`.
//
// Vitest runs what it loads itself as functions whose imports are properties that are looked up, through a getter, each time that a
// name is used, and it transforms each file for itself. Tests spend most of their time in functions that run a few times, where V8
// interprets and each look-up counts: loaded by Node, the same tests take a sixth less, besides what transforming them took. So where
// a run says that the packages below are built (`npm test`), the package's sources are stripped by esbuild all at once, and tests that
// import `../src/x.js` get `../.tested/x.js`. Tests and their helpers stay with vitest.
//
// 1. A file of `.tested/` is as deep as the one of `src/` it is made of: what a source finds beside its package is found from there.
// 2. All sources are loaded from there or none: a module never is there twice.
// 3. Coverage counts what ran and reports it for the sources (vitest.coverage.mjs), through the maps that lie beside the files.
//
// Left out: what vitest does to modules that it loads. A test that replaces a module (`vi.mock`) or has it forgotten
// (`vi.resetModules`) would be given the true one, the same again; its package says so (vitest.shared.mjs, `loadsAnew`).
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { build } from 'esbuild';
import { TESTED_FOLDER, testedPath } from './tested-paths.mjs';
import { workerSourcesForBuilds } from './worker-sources.mjs';

/** For vite: resolves what tests import from the sources to what they become, which is made when the first test asks. */
export function testedSources() {
  let root;
  let made;
  return {
    name: 'tested-sources',
    enforce: 'pre',
    configResolved(config) {
      root = resolve(config.root);
    },
    async resolveId(id, importer) {
      if (!id.startsWith('.') || importer === undefined) return undefined;
      const path = resolve(dirname(importer.split('?')[0]), id);
      if (!path.startsWith(join(root, 'src') + sep)) return undefined;
      made ??= strip(root);
      await made;
      return { id: testedPath(root, path).replaceAll(sep, '/'), external: 'absolute' };
    },
  };
}

async function strip(root) {
  const src = join(root, 'src');
  rmSync(join(root, TESTED_FOLDER), { recursive: true, force: true });
  const sources = readdirSync(src, { recursive: true }).filter((name) => name.endsWith('.ts'));
  await build({
    entryPoints: sources.map((name) => join(src, name)),
    outbase: src,
    outdir: join(root, TESTED_FOLDER),
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'silent',
    plugins: [workerSourcesForBuilds(false)],
  });
}
