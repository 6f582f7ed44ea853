import { EngineCode } from '@phantom/kv';
import { rottenSuite } from '@phantom/testkit';
import { type LsmEngine, openLsm } from '../src/index.js';

const OPTIONS = {
  level0RunsMin: 2,
  blockBytes: 200,
  filterBitsPerKey: 4,
  segmentBytes: 16_384,
  deltaBytesMax: 100_000,
};

rottenSuite({
  open: (directory, options) => openLsm(directory, { ...OPTIONS, ...options }),
  settle: (db) => (db.store.engine(EngineCode.Lsm) as LsmEngine).compact(),
  noticedLossesMin: 1 / 4,
});
