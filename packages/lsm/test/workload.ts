/** One deterministic life of an engine: batches of every kind, flushes, compactions, ingested files, views held open. */
import { type Checksums, Random, loadChecksums } from '@phantom/base';
import { EngineCode, type KvEngine, type SortedRunRef } from '@phantom/kv';
import { EngineDriver, type Model, type ModelOperation, type OpenView } from '@phantom/kv/testing';
import { RunWriter, VersionKind, ingestedNumber } from '@phantom/runs';
import type { Vfs } from '@phantom/vfs';
import type { LsmEngine } from '../src/index.js';

const numbered = (i: number): string => String(i).padStart(5, '0');

export interface WorkloadOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly keys?: number;
  /** Where files to be ingested are written; none are without. */
  readonly vfs?: Vfs;
}

export class Workload {
  readonly driver: EngineDriver;
  /** What must be there after each seq. */
  readonly models: Model[];
  /** Files that were handed over, by seq: what a log would say. */
  readonly handedOver = new Map<number, SortedRunRef>();
  private readonly random: Random;
  private readonly keys: number;
  private readonly options: WorkloadOptions;
  private readonly views: OpenView[] = [];
  private checksums: Checksums | undefined;

  constructor(engine: KvEngine, options: WorkloadOptions) {
    this.driver = new EngineDriver(engine, EngineCode.Lsm);
    this.models = [this.driver.model.clone()];
    this.random = new Random(options.seed);
    this.keys = options.keys ?? 600;
    this.options = options;
  }

  /** Runs it all. Ends early with whatever error the disk gives. */
  async run(): Promise<void> {
    this.checksums = await loadChecksums();
    const { driver } = this;
    const engine = driver.engine as LsmEngine;
    for (let round = 0; round < this.options.rounds; round++) {
      for (let batch = 0; batch < 3; batch++) await this.commit(round);
      if (round % 4 === 2) this.views.push(driver.view());
      await engine.flush();
      if (round % 3 === 1) await this.ingest(round);
      if (round % 3 === 2) await engine.settled();
      if (round % 6 === 5) await engine.compact();
      if (round % 5 === 4) this.views.shift()?.view.release();
      for (const open of this.views) driver.compareAll(open);
    }
    this.releaseViews();
    driver.compareNow();
  }

  releaseViews(): void {
    for (const { view } of this.views.splice(0)) view.release();
  }

  private async commit(round: number): Promise<void> {
    const { driver, random } = this;
    const operations: ModelOperation[] = [];
    const ascending = random.chance(0.3);
    for (let i = random.below(60); i >= 0; i--) {
      const key = ascending ? numbered(this.keys + round * 100 + i) : numbered(random.below(this.keys));
      if (random.chance(0.15)) operations.push(driver.remove(key));
      else operations.push(driver.put(key, random.bytes(this.valueBytes())));
    }
    if (random.chance(0.25)) {
      const from = random.below(this.keys);
      operations.push(driver.removeRange(numbered(from), numbered(from + random.below(this.keys / 3))));
    }
    await driver.commit(operations);
    this.models[driver.seq] = driver.model.clone();
  }

  /** Prepares a sorted file, synced, and hands it over as the next commit. */
  private async ingest(round: number): Promise<void> {
    const { vfs } = this.options;
    if (vfs === undefined) return;
    const { driver, random } = this;
    const path = `load-${round}`;
    const checksums = this.checksums as Checksums;
    const writer = new RunWriter({ vfs, path, checksums, identity: ingestedNumber(checksums, path), blockBytes: 200 });
    const first = random.below(this.keys);
    try {
      for (let i = 0; i < 30; i++) {
        const operation = driver.put(numbered(first + i * 2), `loaded ${round} ${i}`);
        if (operation.kind !== 'put') continue;
        const { key, value } = operation;
        writer.add(key, 0, key.length, 0, VersionKind.Put, value, 0, value.length);
        driver.model.apply(operation);
      }
      const { entries, bytes } = writer.finish();
      await writer.sync();
      vfs.syncDir('.');
      const seq = driver.seq + 1;
      const file = { path, entries, bytes };
      this.handedOver.set(seq, file);
      driver.engine.ingest([file], seq);
      driver.seq = seq;
      this.models[seq] = driver.model.clone();
    } finally {
      writer.close();
    }
  }

  private valueBytes(): number {
    const { random } = this;
    if (random.chance(0.02)) return 3000 + random.below(5000);
    return random.chance(0.5) ? random.below(40) : random.below(300);
  }
}
