/** Small trees on disk to judge: written from a record of path to text, removed after each test. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Writes the files into a fresh folder and returns its path. Objects become JSON. */
export function writeTree(files: Readonly<Record<string, string | object>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'phantom-check-')));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

/** A manifest that breaks no rule. */
export function manifest(name: string, more: object = {}): object {
  const exports = {
    '.': { '@phantom/source': './src/index.ts', import: './dist/index.js', require: './dist/index.cjs' },
  };
  return {
    name: `@phantom/${name}`,
    version: '0.1.0',
    license: 'Apache-2.0',
    type: 'module',
    engines: { node: '>=20' },
    files: ['dist'],
    exports,
    publishConfig: { access: 'public', exports: { '.': { import: './dist/index.js', require: './dist/index.cjs' } } },
    ...more,
  };
}

/** Puts the pinned pnpm into PATH, where the runner of the gates has it too. */
export function usePinnedPnpm(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };
  const bin = join(root, '.tools', packageManager.replace('@', '-'), 'node_modules', '.bin');
  process.env['PATH'] = bin + delimiter + (process.env['PATH'] ?? '');
}
