import { EngineCode } from '@phantom/kv';
import { scrubSuite } from '@phantom/testkit';
import { type LsmEngine, openLsm } from '../src/index.js';

scrubSuite({
  open: (directory, options) => openLsm(directory, { compression: 'none', ...options }),
  settle: (db) => (db.store.engine(EngineCode.Lsm) as LsmEngine).compact(),
});
