import { describe, expect, it } from 'vitest';
import { importTable } from '../src/import-table.js';
import { checkImports } from '../src/source/import-rules.js';
import { readSourceTree } from '../src/source/source-tree.js';
import { manifest, writeTree } from './fixture.js';

function messages(files: Record<string, string | object>): string[] {
  return checkImports(readSourceTree(writeTree(files))).map(({ file, line, message }) => `${file}:${line} ${message}`);
}

describe('the import table', () => {
  it('names only packages that it has, and never lets one import itself or a tool', () => {
    const names = new Set(importTable.map(({ name }) => name));
    const tools = new Set(importTable.filter(({ published }) => !published).map(({ name }) => name));
    for (const { name, mayImport, published } of importTable) {
      for (const other of mayImport) {
        expect(names.has(other), `${name} -> ${other}`).toBe(true);
        expect(other).not.toBe(name);
        expect(published && tools.has(other), `${name} -> ${other}`).toBe(false);
      }
    }
  });

  it('points downward only: no package is reachable from itself', () => {
    const rows = new Map(importTable.map((row) => [row.name, row]));
    for (const { name } of importTable) {
      const queue = [...rows.get(name)!.mayImport];
      for (const at of queue) {
        expect(at, `circle through ${name}`).not.toBe(name);
        for (const next of rows.get(at)!.mayImport) if (!queue.includes(next)) queue.push(next);
      }
    }
  });
});

describe('checkImports', () => {
  it('lets a package import what its row names, and its tests more', () => {
    const found = messages({
      'packages/sql/package.json': manifest('sql'),
      'packages/sql/src/index.ts': "import '@phantom/base';\nimport 'node:fs';\nimport 'chevrotain';\n",
      'packages/sql/test/a.test.ts':
        "import '@phantom/btree';\nimport '../src/index.js';\nimport '@phantom/testkit';\n",
      'packages/sql/tsup.config.ts': "import '../../tsup.shared.mjs';\n",
    });
    expect(found).toEqual([]);
  });

  it('refuses an engine in sql, also as a type or as a subpath', () => {
    const found = messages({
      'packages/sql/package.json': manifest('sql'),
      'packages/sql/src/index.ts':
        "import '@phantom/lsm';\nimport type { X } from '@phantom/btree';\nexport { y } from '@phantom/vfs/testing';\n",
    });
    expect(found).toEqual([
      'packages/sql/src/index.ts:1 sql may not import lsm',
      'packages/sql/src/index.ts:2 sql may not import btree',
      'packages/sql/src/index.ts:3 sql may not import vfs',
    ]);
  });

  it('refuses tools in published packages, and testkit below itself even in tests', () => {
    const found = messages({
      'packages/wal/package.json': manifest('wal'),
      'packages/wal/src/index.ts': "import '@phantom/testkit';\n",
      'packages/kv/package.json': manifest('kv'),
      'packages/kv/test/a.test.ts': "import '@phantom/testkit';\n",
    });
    expect(found).toEqual([
      'packages/kv/test/a.test.ts:1 testkit stands on kv; its tests may not import it',
      'packages/wal/src/index.ts:1 wal may not import testkit',
    ]);
  });

  it('refuses relative ways out of a package, imports of oneself by name, and names it does not know', () => {
    const found = messages({
      'packages/wal/package.json': manifest('wal'),
      'packages/wal/src/deep/a.ts': "import '../../../vfs/src/index.js';\nimport '../b.js';\n",
      'packages/wal/src/b.ts': "import '@phantom/wal';\nimport '@phantom/nowhere';\n",
      'packages/wal/test/a.test.ts': "import '@phantom/wal';\n",
      'packages/odd/package.json': manifest('odd'),
      'packages/odd/src/index.ts': "import '@phantom/base';\n",
    });
    expect(found).toEqual([
      'packages/odd/package.json:0 @phantom/odd is not in the import table',
      'packages/wal/src/b.ts:1 wal imports itself by name; import the file',
      'packages/wal/src/b.ts:2 @phantom/nowhere is not in the import table',
      'packages/wal/src/deep/a.ts:1 ../../../vfs/src/index.js leaves the package; import it by name',
    ]);
  });

  it('wants exports named', () => {
    const found = messages({
      'packages/wal/package.json': manifest('wal'),
      'packages/wal/src/index.ts': "export * from './a.js';\n",
      'packages/wal/src/a.ts': '',
    });
    expect(found).toEqual(['packages/wal/src/index.ts:1 name what is exported from ./a.js']);
  });
});
