// The one way this repository builds: ESM, CJS and types from the same entries, dependencies left outside.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { defineConfig } from 'tsup';
import { workerSourcesForBuilds } from './worker-sources.mjs';

/** Longest line of what is built, roughly: short enough for a place in it to say something without a source map. */
const LINE_CHARACTERS = 160;

const shared = {
  target: 'node20',
  platform: 'node',
  clean: true,
  sourcemap: true,
  treeshake: false,
};

/**
 * Builds without blanks that nothing needs: V8 reads all of the source at each start of a process, and they are a fifth of it.
 * Names stay, for traces of the stack. CommonJS whose entries share chunks keeps its blanks: what tsup makes it with (sucrase) reads
 * source without them wrongly.
 */
function withoutBlanks(splitting) {
  return (options, { format }) => {
    if (format === 'cjs' && splitting) return;
    options.minifyWhitespace = true;
    options.lineLimit = LINE_CHARACTERS;
  };
}

const compiler = fileURLToPath(new URL('node_modules/typescript7/bin/tsc', import.meta.url));

/**
 * The declarations of a package's sources, a file each, in `.declarations/`; returns the same entries there. TypeScript 7 writes
 * them in a twentieth of the time that the compiler behind tsup takes, which is left to bundle them. Without the source condition
 * they are made against the built declarations of the floors below (turbo builds those first).
 */
function declarationsOf(entry, directory = process.cwd()) {
  const out = join(directory, '.declarations');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const project = join(out, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: '../src',
    outDir: '.',
    customConditions: [],
  };
  writeFileSync(project, JSON.stringify({ extends: '../tsconfig.json', include: ['../src'], compilerOptions }));
  // Packages are built side by side; several threads for each would do more work in all.
  execFileSync(process.execPath, [compiler, '--project', project, '--singleThreaded'], { stdio: 'inherit' });
  return Object.fromEntries(
    Object.entries(entry).map(([name, source]) => [
      name,
      join('.declarations', relative('src', source).replace(/\.ts$/, '.d.ts')),
    ]),
  );
}

/**
 * A published library: `dist/<entry>.js`, `.cjs`, `.d.ts` and `.d.cts`. Code shared by two entries lives in one chunk in both formats,
 * so that a class has one identity whichever entry it came through.
 * `bundle` names dependencies that are copied into the output (because they have no CommonJS form, or a tree we do not want to hand on).
 */
export function library(entry, options = {}) {
  const splitting = Object.keys(entry).length > 1;
  return defineConfig(() => ({
    ...shared,
    esbuildOptions: withoutBlanks(splitting),
    entry,
    // TypeScript 6 warns about a `baseUrl` that tsup sets on its own for declarations.
    dts: {
      entry: declarationsOf(entry),
      compilerOptions: { ignoreDeprecations: '6.0', customConditions: [] },
    },
    format: ['esm', 'cjs'],
    splitting,
    noExternal: options.bundle ?? [],
    esbuildPlugins: [workerSourcesForBuilds()],
  }));
}

/**
 * A program run by `node dist/main.js`: ESM only, no declarations. `page`: a script for browsers, and files that go with it, made into a
 * folder beside it once the program is there (whose making empties the place).
 */
export function program(entry, page) {
  return defineConfig({
    ...shared,
    esbuildOptions: withoutBlanks(false),
    entry,
    format: ['esm'],
    splitting: false,
    dts: false,
    banner: { js: '#!/usr/bin/env node' },
    ...(page === undefined ? {} : { onSuccess: () => makePage(page) }),
  });
}

async function makePage({ script, files, outDir }) {
  await build({
    entryPoints: [script],
    outdir: outDir,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
  });
  for (const file of files) copyFileSync(file, join(outDir, basename(file)));
}
