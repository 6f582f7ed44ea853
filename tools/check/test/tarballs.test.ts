import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkTarballs } from '../src/tarballs/check-tarballs.js';
import { checkBundles } from '../src/tarballs/entry-points.js';
import { exec, mapLimited, said } from '../src/tarballs/exec.js';
import { examplesOf } from '../src/tarballs/readme-example.js';
import { checkResolvedTree } from '../src/tarballs/resolved-tree.js';
import { packedContentHash, readStamp, writeStamp } from '../src/tarballs/stamp.js';
import { checkSyncThread } from '../src/tarballs/sync-thread.js';
import { readMembers } from '../src/workspace.js';
import { manifest, usePinnedPnpm, writeTree } from './fixture.js';

beforeAll(usePinnedPnpm);

const built = {
  'dist/index.js': 'export const answer = 42;\n',
  'dist/index.cjs': 'exports.answer = 42;\n',
};

function packageFiles(name: string, files: Record<string, string | object>): Record<string, string | object> {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`packages/${name}/${path}`, content]));
}

async function failuresOf(files: Record<string, string | object>): Promise<string[]> {
  const said: string[] = [];
  const verdicts = await checkTarballs(
    writeTree({ 'pnpm-workspace.yaml': 'packages:\n  - packages/*\n', ...files }),
    (line) => said.push(line),
  );
  return verdicts.filter(({ failure }) => failure !== undefined).map(({ name }) => name);
}

describe('checkTarballs', () => {
  it('passes a package that works in every way, and names each way in which others do not', async () => {
    const readme =
      "# vfs\n```ts\nimport { answer } from '@phantom/vfs';\nif ((answer as number) !== 42) throw 0;\n```\n";
    const failures = await failuresOf({
      ...packageFiles('vfs', { 'package.json': manifest('vfs'), 'README.md': readme, ...built }),
      ...packageFiles('base', {
        'package.json': manifest('base', { bin: { broken: './dist/broken.js' } }),
        'README.md': '```js\nthrow new Error("example");\n```\n',
        ...built,
        'dist/index.cjs': 'exports.other = 1;\n',
        'dist/broken.js': '#!/usr/bin/env node\nprocess.exit(1);\n',
      }),
      ...packageFiles('kv', {
        'package.json': manifest('kv'),
        ...built,
        'dist/index.js': "throw new Error('cannot load');\n",
      }),
    });
    expect(failures.filter((name) => name.includes('vfs'))).toEqual([]);
    expect(failures).toEqual(
      expect.arrayContaining([
        'cjs @phantom/base',
        'esm @phantom/kv',
        'bundle esm @phantom/kv',
        'bundle cjs @phantom/kv',
        'README example of @phantom/base',
        'README example of @phantom/kv',
        'broken --help',
        // None of them has declarations.
        'types for consumer.mts',
        'types for consumer.cts',
      ]),
    );
  }, 60_000);

  it('asks for a build first', async () => {
    expect(await failuresOf(packageFiles('base', { 'package.json': manifest('base') }))).toEqual([
      'pack @phantom/base',
    ]);
  });
});

describe('checkSyncThread', () => {
  it('wants a synced file from every packaging', async () => {
    const source =
      'const createNodeVfs = () => ({ open: () => ({ writeAt() {}, async sync() {}, syncNow() {}, close() {} }) });\n';
    const project = writeTree({
      'node_modules/@phantom/vfs/package.json': { name: '@phantom/vfs', main: './index.cjs', module: './index.mjs' },
      'node_modules/@phantom/vfs/index.cjs': `${source}module.exports = { createNodeVfs };`,
      'node_modules/@phantom/vfs/index.mjs': `${source}export { createNodeVfs };`,
    });
    expect((await checkSyncThread(project)).map(({ failure }) => failure)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    writeFileSync(join(project, 'node_modules/@phantom/vfs/index.cjs'), 'module.exports = {};');
    const after = await checkSyncThread(project);
    expect(after.filter(({ failure }) => failure !== undefined).map(({ name }) => name)).toContain('sync-thread.cjs');
  }, 30_000);
});

describe('checkResolvedTree', () => {
  it('finds scripts, native builds and platform packages at any depth', () => {
    const root = writeTree({
      'node_modules/good/package.json': { name: 'good', scripts: { test: 'x' } },
      'node_modules/scripted/package.json': { name: 'scripted', scripts: { postinstall: 'x' } },
      'node_modules/@s/gyp/package.json': { name: '@s/gyp', gypfile: true },
      'node_modules/good/node_modules/platform/package.json': { name: 'platform', os: ['linux'] },
      'node_modules/binary/package.json': { name: 'binary' },
      'node_modules/binary/build/x.node': '',
      'node_modules/.bin/package.json': '{}',
    });
    const found = checkResolvedTree(join(root, 'node_modules')).filter(({ failure }) => failure !== undefined);
    expect(found.map(({ name, failure }) => `${name.split(': ')[1]} ${failure}`).sort()).toEqual([
      '@s/gyp builds native code',
      'binary holds a native binary: x.node',
      'platform is made for one platform',
      'scripted has a script postinstall: x',
    ]);
  });
});

describe('parts of the tarball gate', () => {
  it('takes the first example of a README, whatever is fenced before it, and those that are marked', () => {
    const first = '```sh\nnpm i\n```\n```ts title="x"\nlet a = 1;\n```\n```js\nno\n```\n';
    expect(examplesOf(`${first}\`\`\`js example\nlet b;\n\`\`\`\n`)).toEqual(['let a = 1;\n', 'let b;\n']);
    expect(examplesOf('no block')).toEqual([]);
    expect(examplesOf('```tsx\nno\n```\n')).toEqual([]);
  });

  it('reports a bundle that cannot be made or loaded, and no other with it', async () => {
    const root = writeTree({ 'package.json': {} });
    const verdicts = await checkBundles(root, [
      { name: 'fine', code: 'export const one = 1;' },
      { name: 'unmade', code: "import './nowhere.js';" },
      { name: 'throws', code: "throw new Error('at once');" },
    ]);
    const failures = verdicts.map(({ name, failure }) => `${name}: ${failure?.split('\n')[0] ?? 'ok'}`);
    expect(failures).toEqual([
      'bundle esm fine: ok',
      expect.stringContaining('bundle esm unmade: Error: Build failed'),
      'bundle esm throws: failed: Error: at once',
      'bundle cjs fine: ok',
      expect.stringContaining('bundle cjs unmade: Error: Build failed'),
      'bundle cjs throws: failed: Error: at once',
    ]);
    const late = "setTimeout(() => { throw new Error('later'); });";
    expect((await checkBundles(root, [{ name: 'late', code: late }])).map(({ failure }) => failure)).toEqual([
      expect.stringContaining('later'),
      expect.stringContaining('later'),
    ]);
  });

  it('stops a program at its time limit and reports one that cannot start', async () => {
    const late = await exec(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { cwd: '.', timeoutMs: 200 });
    expect(late.status).toBe(-1);
    expect(late.stderr).toContain('stopped after 200 ms');
    expect((await exec('no-such-program-anywhere', [], { cwd: '.' })).status).not.toBe(0);
    expect(said({ status: 1, stdout: 'x'.repeat(2000), stderr: '' })).toHaveLength(704);
  });

  it('keeps order and limit when it maps', async () => {
    let running = 0;
    let most = 0;
    const results = await mapLimited([5, 1, 3, 2], 2, async (value) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, value));
      running--;
      return value * 2;
    });
    expect(results).toEqual([10, 2, 6, 4]);
    expect(most).toBe(2);
  });

  it('remembers a passed state until anything packed changes', () => {
    const root = writeTree({ 'packages/base/package.json': manifest('base'), 'packages/base/dist/index.js': 'a' });
    const members = readMembers(root);
    const hash = packedContentHash(root, members, []);
    const stamp = join(root, 'cache', 'stamp.json');
    expect(readStamp(stamp, hash)).toBeUndefined();
    writeStamp(stamp, hash, 7);
    expect(readStamp(stamp, hash)).toBe(7);
    mkdirSync(join(root, 'packages/base/dist/deep'));
    writeFileSync(join(root, 'packages/base/dist/deep/x.js'), 'b');
    expect(readStamp(stamp, packedContentHash(root, members, []))).toBeUndefined();
  });
});
