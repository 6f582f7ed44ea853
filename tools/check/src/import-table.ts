/**
 * The import table: which package may import which, as data. It is the machine-readable form of the table in ARCHITECTURE.md;
 * a change here is a change of the architecture and comes with an ADR.
 *
 * Floors only ever point downward, siblings on one floor never see each other. The table governs `src` alone: tests, benches and
 * README examples may import any package that their manifest names, except that base, vfs and kv never import `testkit`
 * (testkit stands on them, and turbo refuses circles between packages).
 */

export interface TableRow {
  /** Package name without the scope. */
  readonly name: string;
  /** Names of the packages that its `src` may import. */
  readonly mayImport: readonly string[];
  /** False for tools, which nothing published may import. */
  readonly published: boolean;
}

const belowDb = [
  'base',
  'vfs',
  'kv',
  'codec',
  'wal',
  'runs',
  'store',
  'lsm',
  'btree',
  'mvcc',
  'catalog',
  'sql',
  'docs-model',
  'txn-2pc-saga',
];

const published = (name: string, ...mayImport: string[]): TableRow => ({ name, mayImport, published: true });
const tool = (name: string, ...mayImport: string[]): TableRow => ({ name, mayImport, published: false });

export const importTable: readonly TableRow[] = [
  published('base'),
  published('vfs', 'base'),
  published('kv', 'base'),
  published('codec', 'base'),
  published('wal', 'base', 'vfs'),
  published('runs', 'base', 'vfs', 'kv'),
  published('store', 'base', 'vfs', 'kv', 'wal'),
  published('lsm', 'base', 'vfs', 'kv', 'wal', 'runs', 'store'),
  published('btree', 'base', 'vfs', 'kv', 'wal', 'runs', 'store'),
  published('mvcc', 'base', 'kv', 'store'),
  published('catalog', 'base', 'kv', 'codec', 'mvcc'),
  published('sql', 'base', 'kv', 'codec', 'mvcc', 'catalog'),
  published('docs-model', 'base', 'kv', 'codec', 'mvcc', 'catalog'),
  published('txn-2pc-saga', 'base', 'mvcc'),
  published('db', ...belowDb),
  published('server', 'base', 'db'),
  published('phantomd', 'base', 'db', 'server'),
  tool('testkit', 'base', 'vfs', 'kv'),
  tool('sim', ...belowDb, 'db', 'testkit'),
  tool('bench', ...belowDb, 'db', 'server', 'testkit'),
  tool('differential', 'base', 'db'),
  tool('check'),
];

/** Packages that not even the tests of may import `testkit`. */
export const belowTestkit: readonly string[] = ['base', 'vfs', 'kv'];

/** The scope of every package of this repository. */
export const scope = '@phantom/';
