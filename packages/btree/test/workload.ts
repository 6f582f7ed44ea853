/** One deterministic life of an engine: batches of every kind, flushes, merges, views held open. */
import { Random } from '@phantom/base';
import { EngineCode, type KvEngine } from '@phantom/kv';
import { EngineDriver, type Model, type ModelOperation, type OpenView } from '@phantom/kv/testing';
import type { BtreeEngine } from '../src/index.js';

const numbered = (i: number): string => String(i).padStart(5, '0');

export interface WorkloadOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly keys?: number;
  /** Keys of 200 bytes that are there, in pages, before it begins. Default 0. */
  readonly preloaded?: number;
}

export class Workload {
  readonly driver: EngineDriver;
  /** What must be there after each seq. */
  readonly models: Model[];
  private readonly random: Random;
  private readonly keys: number;
  private readonly rounds: number;
  private readonly preloaded: number;
  private readonly views: OpenView[] = [];

  constructor(engine: KvEngine, options: WorkloadOptions) {
    this.driver = new EngineDriver(engine, EngineCode.Btree);
    this.models = [this.driver.model.clone()];
    this.random = new Random(options.seed);
    this.keys = options.keys ?? 600;
    this.rounds = options.rounds;
    this.preloaded = options.preloaded ?? 0;
  }

  /** Runs it all. Ends early with whatever error the disk gives. */
  async run(): Promise<void> {
    const engine = this.driver.engine as BtreeEngine;
    await this.preload(engine);
    for (let round = 0; round < this.rounds; round++) {
      for (let batch = 0; batch < 3; batch++) await this.commit(round);
      if (round % 4 === 2) this.views.push(this.driver.view());
      await engine.flush();
      if (round % 3 === 2 && this.preloaded === 0) await engine.merge();
      if (round % 5 === 4) this.views.shift()?.view.release();
      for (const open of this.views) this.driver.compareAll(open);
    }
    for (const { view } of this.views.splice(0)) view.release();
    this.driver.compareNow();
  }

  releaseViews(): void {
    for (const { view } of this.views.splice(0)) view.release();
  }

  private async preload(engine: BtreeEngine): Promise<void> {
    if (this.preloaded === 0) return;
    const { driver } = this;
    const value = new Uint8Array(200);
    await driver.commit(Array.from({ length: this.preloaded }, (_, i) => driver.put(numbered(i), value)));
    this.models[driver.seq] = driver.model.clone();
    await engine.merge();
  }

  private async commit(round: number): Promise<void> {
    const { driver, random } = this;
    const operations: ModelOperation[] = [];
    const ascending = random.chance(0.3);
    for (let i = random.below(60); i >= 0; i--) {
      const key = ascending ? numbered(this.keys + round * 100 + i) : numbered(random.below(this.keys));
      if (random.chance(0.15)) operations.push(driver.remove(key));
      else operations.push(driver.put(key, new Uint8Array(this.valueBytes()).fill(random.below(256))));
    }
    if (random.chance(0.25)) {
      const from = random.below(this.keys);
      operations.push(driver.removeRange(numbered(from), numbered(from + random.below(this.keys / 3))));
    }
    await driver.commit(operations);
    this.models[driver.seq] = driver.model.clone();
  }

  private valueBytes(): number {
    const { random } = this;
    if (random.chance(0.04) && this.preloaded === 0) return 3000 + random.below(15_000);
    return random.chance(0.5) || this.preloaded > 0 ? random.below(40) : random.below(500);
  }
}
