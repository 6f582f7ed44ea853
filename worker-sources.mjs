// The program of a worker thread as text, for builds and for tests: in place of a package's `src/worker-source.ts` stands a module
// that exports what `src/worker-main.ts` beside it becomes when it is bundled with everything that it imports.
import { dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';

/** A large program is kept compressed: its package imports the module when it starts a thread, if it ever does. */
const COMPRESSED_CHARACTERS_MIN = 1024 * 1024;

const isWorkerSource = /[\\/]src[\\/]worker-source\.ts$/;

/** The module that takes the place of the file, as small as may be where it is published. */
async function moduleFor(path, isPublished) {
  const bundled = await build({
    entryPoints: [join(dirname(path), 'worker-main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    conditions: ['@phantom/source', 'module', 'node'],
    minify: isPublished,
    keepNames: true,
    logLevel: 'silent',
  });
  const { text } = bundled.outputFiles[0];
  if (!isPublished || text.length < COMPRESSED_CHARACTERS_MIN) {
    return `export const WORKER_SOURCE = ${JSON.stringify(text)};`;
  }
  const bytes = deflateRawSync(text, { level: 9 }).toString('base64');
  return `import { inflateRawSync } from 'node:zlib';
export const WORKER_SOURCE = inflateRawSync(Buffer.from('${bytes}', 'base64')).toString();`;
}

/** For esbuild, and so for tsup; `isPublished` tells what users get from what only tests run. */
export function workerSourcesForBuilds(isPublished = true) {
  return {
    name: 'worker-sources',
    setup({ onLoad }) {
      onLoad({ filter: isWorkerSource }, async ({ path }) => ({
        contents: await moduleFor(path, isPublished),
        loader: 'js',
      }));
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
      if (!modules.has(path)) modules.set(path, moduleFor(path, false));
      return modules.get(path);
    },
  };
}
