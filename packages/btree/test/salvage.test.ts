import { EngineCode } from '@phantom/kv';
import { salvageStore } from '@phantom/store';
import { salvageSuite } from '@phantom/testkit';
import { type BtreeEngine, btree, openBtree } from '../src/index.js';

salvageSuite({
  open: (directory, options) =>
    openBtree(directory, { idleMergeMs: 1e9, segmentBytes: 16_384, pageBytes: 8192, ...options }),
  settle: (db) => (db.store.engine(EngineCode.Btree) as BtreeEngine).merge(),
  salvage: (directory, vfs) => salvageStore(directory, { vfs, engines: [btree()] }),
});
