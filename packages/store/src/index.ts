/** @phantom/store: one write path, one log under many engines. */
export type {
  Change,
  CommitListener,
  CommitResult,
  EngineContext,
  EngineFactory,
  Store,
  StoreOptions,
  StoreStats,
  StoreView,
} from './types.js';
