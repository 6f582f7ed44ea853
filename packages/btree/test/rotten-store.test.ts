import { EngineCode } from '@phantom/kv';
import { rottenSuite } from '@phantom/testkit';
import { type BtreeEngine, openBtree } from '../src/index.js';

const OPTIONS = { idleMergeMs: 1e9, segmentBytes: 16_384, deltaBytesMax: 100_000 };

rottenSuite({
  open: (directory, options) => openBtree(directory, { ...OPTIONS, ...options }),
  settle: (db) => (db.store.engine(EngineCode.Btree) as BtreeEngine).merge(),
  noticedLossesMin: 1 / 5,
});
