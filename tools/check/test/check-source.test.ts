import { describe, expect, it } from 'vitest';
import { formatProblem } from '../src/problem.js';
import { checkSource } from '../src/source/check-source.js';
import { manifest, writeTree } from './fixture.js';

describe('checkSource', () => {
  it('finds nothing in a small tree that keeps every rule', () => {
    const root = writeTree({
      'pnpm-lock.yaml': '',
      'packages/base/package.json': manifest('base'),
      'packages/base/src/index.ts': "export { x } from './x.js';\n",
      'packages/base/src/x.ts': 'export const x = 1;\n',
      'packages/base/test/fixtures/bad.ts': "import '@phantom/sql';\n",
    });
    expect(checkSource(root)).toEqual({ fileCount: 2, problems: [] });
  });

  it('orders what it finds by place', () => {
    const root = writeTree({
      'packages/wal/package.json': manifest('wal'),
      'packages/wal/src/index.ts': "import '@phantom/sql';\nimport '@phantom/db';\n",
      'packages/kv/package.json': manifest('kv'),
      'packages/kv/src/index.ts': '',
      'packages/kv/src/lost.ts': '',
    });
    expect(checkSource(root).problems.map(formatProblem)).toEqual([
      'packages/kv/src/lost.ts dead-file: no entry of the package leads here',
      'packages/wal/src/index.ts:1 import-table: wal may not import sql',
      'packages/wal/src/index.ts:2 import-table: wal may not import db',
      'pnpm-lock.yaml lockfile: there is none',
    ]);
  });
});
