/** @phantom/kv/memory: an engine with nothing on disk. */
export { MemoryEngine, type MemoryEngineOptions } from './memory-engine.js';
