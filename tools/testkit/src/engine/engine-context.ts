/** What a store would give the engine, for tests: a disk, and a record of generations beside it. */
import {
  type Checksums,
  type Clock,
  type Identity,
  type Logger,
  type Metrics,
  MetricsRegistry,
  loadChecksums,
  silentLogger,
  systemClock,
} from '@phantom/base';
import type { Vfs } from '@phantom/vfs';

/** The shape of a store's context of an engine: this package stands below the store. */
export interface TestContext {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly checksums: Checksums;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly cacheBytes: number;
  readonly deltaBytesMax: number;
  readonly readOnly: boolean;
  readonly generationMin: number;
  readonly identity: Identity;
  readonly isIdentified: boolean;
  recordGeneration(generation: number): Promise<void>;
  recordGenerationNow(generation: number): void;
  syncLog(): Promise<unknown>;
  syncLogNow(): void;
  fail(error: Error): void;
  readerOf(seq: number): string;
  /** Errors that the engine reported as final. */
  readonly failures: Error[];
  /** The least generation that may be opened. */
  readonly generation: { value: number };
}

export interface ContextOptions {
  readonly directory?: string;
  readonly cacheBytes?: number;
  readonly deltaBytesMax?: number;
  readonly readOnly?: boolean;
  readonly generation?: { value: number };
  /** Default true: the files there carry TEST_IDENTITY. */
  readonly isIdentified?: boolean;
}

/** Of the store that all engines of the tests belong to. */
export const TEST_IDENTITY = Uint8Array.from({ length: 16 }, (_, at) => at + 1);

let loaded: Checksums | undefined;

export async function testContext(vfs: Vfs, options: ContextOptions = {}): Promise<TestContext> {
  loaded ??= await loadChecksums();
  const directory = options.directory ?? 'engine';
  const generation = options.generation ?? { value: 0 };
  const failures: Error[] = [];
  if (!vfs.exists(directory)) {
    vfs.makeDir(directory);
    vfs.syncDir('.');
  }
  return {
    vfs,
    directory,
    checksums: loaded,
    clock: systemClock,
    logger: silentLogger,
    metrics: new MetricsRegistry(),
    cacheBytes: options.cacheBytes ?? 1 << 20,
    deltaBytesMax: options.deltaBytesMax ?? 4 << 20,
    readOnly: options.readOnly ?? false,
    generationMin: generation.value,
    identity: TEST_IDENTITY,
    isIdentified: options.isIdentified ?? true,
    recordGeneration: (value) => {
      generation.value = Math.max(generation.value, value);
      return Promise.resolve();
    },
    recordGenerationNow: (value) => {
      generation.value = Math.max(generation.value, value);
    },
    syncLog: () => Promise.resolve(),
    syncLogNow: () => undefined,
    fail: (error) => {
      failures.push(error);
    },
    readerOf: (seq) => `the reader of ${seq}`,
    failures,
    generation,
  };
}
