/**
 * Whether each way into each package works for each kind of user: `import`, `require`, and an esbuild bundle of either format.
 * Bundles run in a folder without node_modules, so what they need has to be inside them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { runNode, said } from './exec.js';
import { verdict, type Verdict } from './verdict.js';
import type { Member } from '../workspace.js';

/** `@phantom/kv`, `@phantom/kv/memory`, ...: what a manifest lets a user import. */
export function specifiersOf({ manifest }: Member): string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((path) => path !== './package.json')
    .map((path) => manifest.name + path.slice(1));
}

/** Dependencies in CommonJS call `require` for Node's own modules, which an ES module bundle has to be given. */
const requireBanner =
  "import { createRequire as phantomCreateRequire } from 'node:module'; const require = phantomCreateRequire(import.meta.url);";

/** Imports and requires every specifier in the project, one process a format, and compares the names that both hand out. */
export async function checkImportable(project: string, specifiers: readonly string[]): Promise<Verdict[]> {
  const names = (load: string): string =>
    `Object.keys(${load}).filter((key) => key !== 'default' && key !== 'module.exports').sort().join(' ')`;
  writeFileSync(join(project, 'import-all.mjs'), loadingProgram(specifiers, names('await import(name)')));
  writeFileSync(join(project, 'require-all.cjs'), loadingProgram(specifiers, names('require(name)')));
  const [esm, cjs] = await Promise.all([loadAll(project, 'import-all.mjs'), loadAll(project, 'require-all.cjs')]);
  return specifiers.flatMap((name) => {
    const imported = esm(name);
    const required = cjs(name);
    const failed = (names: string): boolean => names.startsWith('failed: ');
    const differs = !failed(imported) && !failed(required) && imported !== required;
    return [
      verdict(`esm ${name}`, failed(imported) ? imported : undefined),
      verdict(
        `cjs ${name}`,
        failed(required) ? required : differs ? `exports [${required}] where ESM exports [${imported}]` : undefined,
      ),
    ];
  });
}

/** A program that evaluates `load` for each `name` and prints what came of it. */
function loadingProgram(names: readonly string[], load: string): string {
  return `(async () => { const all = {};
for (const name of ${JSON.stringify(names)}) {
  try { all[name] = ${load}; }
  catch (error) { all[name] = 'failed: ' + error.stack; }
}
console.log(JSON.stringify(all)); })();`;
}

/** Runs such a program; what came of a name, which begins with "failed: " where it could not be loaded. */
async function loadAll(project: string, script: string): Promise<(name: string) => string> {
  const result = await runNode(join(project, script), { cwd: project });
  if (result.status !== 0) return () => `failed: ${said(result)}`;
  const all = JSON.parse(result.stdout) as Record<string, string>;
  return (name) => all[name] ?? 'failed: nothing was printed';
}

const FORMATS = ['esm', 'cjs'] as const;
const EXTENSION = { esm: '.mjs', cjs: '.cjs' } as const;

export interface BundleSource {
  /** Name for the verdict. */
  readonly name: string;
  /** An ES module whose bundle has to be loaded without an error, in a process that then ends by itself with 0. */
  readonly code: string;
}

/**
 * Bundles each source in both formats and loads the bundles in a bare folder beside the project, all of a format in one process, which has
 * to end with 0. The sources are the entries of one build a format, which reads what they share once; nothing is shared between the bundles.
 */
export async function checkBundles(project: string, sources: readonly BundleSource[]): Promise<Verdict[]> {
  const bare = mkdtempSync(`${project}-bundles-`);
  const entries = sources.map(({ name, code }, index) => {
    const path = join(project, `bundle-${index}.mjs`);
    writeFileSync(path, code);
    return { name, path };
  });
  try {
    const verdicts: Verdict[] = [];
    for (const format of FORMATS) {
      const unbuilt = await bundleAll(entries, format, bare);
      const fileOf = (path: string): string => `./${basename(path, '.mjs')}${EXTENSION[format]}`;
      const files = entries.filter(({ path }) => !unbuilt.has(path)).map(({ path }) => fileOf(path));
      const loader = `load-all${EXTENSION[format]}`;
      const load = format === 'esm' ? 'await import(name)' : 'require(name)';
      writeFileSync(join(bare, loader), loadingProgram(files, `(${load}, '')`));
      const loaded = await loadAll(bare, loader);
      for (const { name, path } of entries) {
        const failure = unbuilt.get(path) ?? loaded(fileOf(path));
        verdicts.push(verdict(`bundle ${format} ${name}`, failure === '' ? undefined : failure));
      }
    }
    return verdicts;
  } finally {
    rmSync(bare, { recursive: true, force: true });
  }
}

/** Bundles all entries into the folder; what esbuild says of those that it cannot, by their paths. */
async function bundleAll(
  entries: readonly { readonly path: string }[],
  format: (typeof FORMATS)[number],
  outdir: string,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  if ((await bundle(entries, format, outdir)) === undefined) return failures;
  // One that cannot be bundled fails them all: alone, each tells for itself.
  for (const entry of entries) {
    const failure = await bundle([entry], format, outdir);
    if (failure !== undefined) failures.set(entry.path, failure);
  }
  return failures;
}

/** A bundle of each entry in the folder; otherwise what esbuild says. */
async function bundle(
  entries: readonly { readonly path: string }[],
  format: (typeof FORMATS)[number],
  outdir: string,
): Promise<string | undefined> {
  try {
    await build({
      entryPoints: entries.map(({ path }) => path),
      outdir,
      outExtension: { '.js': EXTENSION[format] },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format,
      logLevel: 'silent',
      ...(format === 'esm' ? { banner: { js: requireBanner } } : {}),
    });
    return undefined;
  } catch (error) {
    return String(error).slice(0, 700);
  }
}

/** A module that imports everything a specifier hands out and fails when that is nothing. */
export function importEverything(specifier: string): BundleSource {
  const code = `import * as all from ${JSON.stringify(specifier)};
if (Object.keys(all).length === 0) throw new Error('exports nothing');`;
  return { name: specifier, code };
}
