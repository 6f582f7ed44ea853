import { describe, expect, it } from 'vitest';
import { checkCircles } from '../src/source/circles.js';
import { checkDeadFiles } from '../src/source/dead-files.js';
import { readSourceTree } from '../src/source/source-tree.js';
import { manifest, writeTree } from './fixture.js';

/** A package `wal` whose files import each other as the record says. */
function treeOf(imports: Record<string, readonly string[]>): ReturnType<typeof readSourceTree> {
  const files = Object.entries(imports).map(([path, targets]) => [
    `packages/wal/${path}`,
    targets.map((target) => `import '${target}';\n`).join(''),
  ]);
  return readSourceTree(writeTree({ 'packages/wal/package.json': manifest('wal'), ...Object.fromEntries(files) }));
}

describe('checkCircles', () => {
  it('finds none in a tree and in a diamond', () => {
    const tree = treeOf({
      'src/index.ts': ['./a.js', './b.js'],
      'src/a.ts': ['./c.js'],
      'src/b.ts': ['./c.js'],
      'src/c.ts': [],
    });
    expect(checkCircles(tree)).toEqual([]);
  });

  it('shows the shortest way round, once for each knot', () => {
    const tree = treeOf({
      'src/index.ts': ['./a.js', './x.js'],
      'src/a.ts': ['./b.js'],
      'src/b.ts': ['./c.js', './a.js'],
      'src/c.ts': ['./a.js'],
      'src/x.ts': ['./y.js'],
      'src/y.ts': ['./x.js'],
    });
    expect(checkCircles(tree).map(({ message }) => message)).toEqual(['a.ts -> b.ts -> a.ts', 'x.ts -> y.ts -> x.ts']);
  });

  it('lets types hold each other', () => {
    const root = writeTree({
      'packages/sql/package.json': manifest('sql'),
      'packages/sql/src/index.ts': "export type { E } from './expression.js';\n",
      'packages/sql/src/expression.ts': "import type { Q } from './query.js';\nexport type E = Q[];\n",
      'packages/sql/src/query.ts': "import type { E } from './expression.js';\nexport type Q = E[];\n",
    });
    expect(checkCircles(readSourceTree(root))).toEqual([]);
    expect(checkDeadFiles(readSourceTree(root))).toEqual([]);
  });

  it('finds a file that imports itself', () => {
    const tree = treeOf({ 'src/index.ts': ['./index.js'] });
    expect(checkCircles(tree).map(({ message }) => message)).toEqual(['index.ts -> index.ts']);
  });

  it('follows a chain of ten thousand files', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) => [`src/f${at}.ts`, [`./f${at + 1}.js`]] as const);
    const tree = treeOf({});
    const file = (path: string, targets: readonly string[]): never => ({ path, codeTargets: targets }) as never;
    const files = new Map(chain.map(([path], at) => [path, file(path, at < 9_999 ? [`src/f${at + 1}.ts`] : [])]));
    expect(checkCircles({ ...tree, files })).toEqual([]);
  });
});

describe('checkDeadFiles', () => {
  it('reports what no entry, and what no test leads to', () => {
    const tree = treeOf({
      'src/index.ts': ['./a.js'],
      'src/a.ts': [],
      'src/only-tested.ts': [],
      'src/lost.ts': [],
      'test/a.test.ts': ['../src/only-tested.js', './helper.js'],
      'test/helper.ts': [],
      'test/lost-helper.ts': [],
      'bench/point-read.ts': [],
    });
    expect(checkDeadFiles(tree).map(({ file }) => file)).toEqual([
      'packages/wal/src/lost.ts',
      'packages/wal/src/only-tested.ts',
      'packages/wal/test/lost-helper.ts',
    ]);
  });

  it('takes entries from the build settings as well', () => {
    const root = writeTree({
      'tools/check/package.json': { name: '@phantom/check', private: true },
      'tools/check/tsup.config.ts': "export default program({ main: 'src/main.ts' });",
      'tools/check/src/main.ts': "import './a.mjs';",
      'tools/check/src/a.mjs': '',
    });
    expect(checkDeadFiles(readSourceTree(root))).toEqual([]);
  });
});
