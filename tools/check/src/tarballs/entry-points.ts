/**
 * Whether each way into each package works for each kind of user: `import`, `require`, and an esbuild bundle of either format.
 * Bundles run in a folder without node_modules, so what they need has to be inside them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { mapLimited, runNode, said } from './exec.js';
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
  const list = JSON.stringify(specifiers);
  const program = (load: string): string =>
    `(async () => { const all = {};
for (const name of ${list}) {
  try { all[name] = Object.keys(${load}).filter((key) => key !== 'default' && key !== 'module.exports').sort().join(' '); }
  catch (error) { all[name] = 'failed: ' + error.stack; }
}
console.log(JSON.stringify(all)); })();`;
  writeFileSync(join(project, 'import-all.mjs'), program('await import(name)'));
  writeFileSync(join(project, 'require-all.cjs'), program('require(name)'));
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

async function loadAll(project: string, script: string): Promise<(name: string) => string> {
  const result = await runNode(join(project, script), { cwd: project });
  if (result.status !== 0) return () => `failed: ${said(result)}`;
  const all = JSON.parse(result.stdout) as Record<string, string>;
  return (name) => all[name] ?? 'failed: nothing was printed';
}

export interface BundleSource {
  /** Name for the verdict. */
  readonly name: string;
  /** An ES module whose bundle has to exit with 0. */
  readonly code: string;
}

/** Bundles each source in both formats and runs it from a bare folder beside the project. */
export async function checkBundles(project: string, sources: readonly BundleSource[]): Promise<Verdict[]> {
  const bare = mkdtempSync(`${project}-bundles-`);
  const jobs = sources.flatMap((source, index) =>
    (['esm', 'cjs'] as const).map((format) => ({ ...source, format, file: `bundle-${index}-${format}` })),
  );
  const tried = mapLimited(jobs, 2, async ({ name, code, format, file }) => {
    const outfile = join(bare, `${file}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    const title = `bundle ${format} ${name}`;
    try {
      await build({
        stdin: { contents: code, resolveDir: project, sourcefile: `${file}.mjs` },
        outfile,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format,
        logLevel: 'silent',
        ...(format === 'esm' ? { banner: { js: requireBanner } } : {}),
      });
    } catch (error) {
      return verdict(title, String(error).slice(0, 700));
    }
    const result = await runNode(outfile, { cwd: bare });
    return verdict(title, result.status === 0 ? undefined : said(result));
  });
  return tried.finally(() => rmSync(bare, { recursive: true, force: true }));
}

/** A module that imports everything a specifier hands out and fails when that is nothing. */
export function importEverything(specifier: string): BundleSource {
  const code = `import * as all from ${JSON.stringify(specifier)};
if (Object.keys(all).length === 0) throw new Error('exports nothing');`;
  return { name: specifier, code };
}
