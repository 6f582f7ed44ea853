/** Flushes and compactions in worker threads. */
import { EngineCode } from '@phantom/kv';
import { offloadSuite } from '@phantom/testkit/engine';
import { LsmEngine } from '../src/index.js';
import { deltaCopies, threads } from '../src/offload.js';
import { SMALL } from './small-options.js';

offloadSuite<LsmEngine>({
  name: 'LSM-tree with worker threads',
  code: EngineCode.Lsm,
  open: (context, workerBytesMin) => LsmEngine.open(context, { ...SMALL, workerBytesMin }),
  settle: (engine) => engine.compact(),
  deltaCopies,
  killThread: () => threads.flush.terminate(),
});
