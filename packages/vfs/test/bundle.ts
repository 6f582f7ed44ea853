/** Programs for other processes: the package's sources bundled into one file, as a user's bundler would do it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { build } from 'tsup';

const INDEX = new URL('../src/index.ts', import.meta.url).pathname;

export interface Bundle {
  readonly directory: string;
  readonly path: string;
  dispose(): void;
}

/** Bundles a program that imports '@phantom/vfs'. */
export async function bundleProgram(source: string, format: 'esm' | 'cjs' = 'esm'): Promise<Bundle> {
  const directory = mkdtempSync(`${tmpdir()}/phantom-bundle-`);
  writeFileSync(`${directory}/program.ts`, source.replaceAll('@phantom/vfs', INDEX));
  const extension = format === 'esm' ? '.mjs' : '.cjs';
  await build({
    entry: [`${directory}/program.ts`],
    outDir: directory,
    format,
    outExtension: () => ({ js: extension }),
    noExternal: [/./],
    platform: 'node',
    target: 'node20',
    minify: true,
    config: false,
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@phantom/source'];
    },
  });
  const dispose = (): void => rmSync(directory, { recursive: true, force: true });
  return { directory, path: `${directory}/program${extension}`, dispose };
}
