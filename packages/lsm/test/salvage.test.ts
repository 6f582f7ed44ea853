import { EngineCode } from '@phantom/kv';
import { salvageStore } from '@phantom/store';
import { salvageSuite } from '@phantom/testkit';
import { type LsmEngine, lsm, openLsm } from '../src/index.js';

salvageSuite({
  open: (directory, options) =>
    openLsm(directory, { level0RunsMin: 2, blockBytes: 500, segmentBytes: 16_384, ...options }),
  settle: (db) => (db.store.engine(EngineCode.Lsm) as LsmEngine).compact(),
  salvage: (directory, vfs) => salvageStore(directory, { vfs, engines: [lsm()] }),
});
