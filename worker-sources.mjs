// The program of a worker thread as text, for builds and for tests: in place of a package's `src/worker-source.ts` stands a module
// that exports what `src/worker-main.ts` beside it becomes when it is bundled with everything that it imports.
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const isWorkerSource = /[\\/]src[\\/]worker-source\.ts$/;

/** The module that takes the place of the file. */
async function moduleFor(path) {
  const bundled = await build({
    entryPoints: [join(dirname(path), 'worker-main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['@phantom/source', 'module', 'node'],
    minify: true,
    keepNames: true,
    logLevel: 'silent',
  });
  return `export const WORKER_SOURCE = ${JSON.stringify(bundled.outputFiles[0].text)};`;
}

/** For esbuild, and so for tsup. */
export function workerSourcesForBuilds() {
  return {
    name: 'worker-sources',
    setup({ onLoad }) {
      onLoad({ filter: isWorkerSource }, async ({ path }) => ({ contents: await moduleFor(path), loader: 'js' }));
    },
  };
}

/** For vite, and so for vitest. Bundled once a process. */
export function workerSourcesForTests() {
  const modules = new Map();
  return {
    name: 'worker-sources',
    enforce: 'pre',
    load(id) {
      const [path] = id.split('?');
      if (!isWorkerSource.test(path)) return undefined;
      if (!modules.has(path)) modules.set(path, moduleFor(path));
      return modules.get(path);
    },
  };
}
