import { EngineCode } from '@phantom/kv';
import { scrubSuite } from '@phantom/testkit';
import { type BtreeEngine, openBtree } from '../src/index.js';

scrubSuite({
  open: (directory, options) => openBtree(directory, { idleMergeMs: 1e9, ...options }),
  settle: (db) => (db.store.engine(EngineCode.Btree) as BtreeEngine).merge(),
});
