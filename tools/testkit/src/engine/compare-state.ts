import type { EngineCode, KvEngine } from '@phantom/kv';
import { EngineDriver, type Model } from '@phantom/kv/testing';

/** Opens nothing and promises nothing: shows that an engine holds exactly what the models have at its seq. */
export function compareState(engine: KvEngine, code: EngineCode, models: readonly Model[]): void {
  const driver = new EngineDriver(engine, code);
  driver.seq = engine.appliedSeq;
  driver.model = models[engine.appliedSeq] as Model;
  driver.compareNow();
}
