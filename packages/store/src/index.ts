/** @phantom/store: the one write path; one log under many engines, recovery and checkpoints. */
export { openStore } from './open-store.js';
export { STORE_FORMAT } from './format.js';
export type {
  Change,
  CommitListener,
  CommitResult,
  EngineContext,
  EngineFactory,
  LogFactory,
  Store,
  StoreOptions,
  StoreStats,
  StoreView,
  SubmitOptions,
} from './types.js';
