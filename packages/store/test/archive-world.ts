/** What the tests of archives share: a store that is archived, and restores from there. */
import { ManualClock, MetricsRegistry, silentLogger } from '@phantom/base';
import { EngineCode, type Seq } from '@phantom/kv';
import { type FaultyVfs, MemoryVfs } from '@phantom/vfs/testing';
import {
  type ArchiveOptions,
  type Archiver,
  type RestoreOptions,
  type RestoreResult,
  type Store,
  type StoreOptions,
  openArchive,
  openStore,
  restoreStore,
} from '../src/index.js';
import { keyNamed, optionsOf, readNow, twoEngines, volatileEngine } from './support.js';

export const NAMES = Array.from({ length: 12 }, (_, i) => `${i % 2 === 0 ? 'left' : 'right'} k${i}`);

export interface World {
  readonly vfs: MemoryVfs;
  readonly disk: MemoryVfs | FaultyVfs;
  readonly clock: ManualClock;
  readonly metrics: MetricsRegistry;
  store: Store;
  archiver: Archiver;
  /** Puts what the store says to its operator here. */
  readonly told: string[];
}

export async function worldOf(
  more: Partial<ArchiveOptions> = {},
  storeOptions: Partial<StoreOptions> = {},
  vfs = new MemoryVfs(),
  disk: World['disk'] = new MemoryVfs(),
  isAwaited = true,
): Promise<World> {
  const clock = new ManualClock(1_000_000);
  const metrics = new MetricsRegistry();
  const told: string[] = [];
  const tell = (message: string, fields?: unknown): unknown => told.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { ...silentLogger, info: tell, error: tell } as typeof silentLogger;
  const engines = [...twoEngines(), volatileEngine];
  const store = await openStore('/db', optionsOf(vfs, { engines, clock, ...storeOptions }));
  try {
    const ports = { vfs: disk, engines: twoEngines(), clock, logger, metrics };
    const archiver = await openArchive(store, { directory: '/archive', ...more }, ports);
    if (isAwaited) await archiver.flush();
    return { vfs, disk, clock, metrics, store, archiver, told };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs));

export async function close({ archiver, store }: World): Promise<void> {
  await archiver.stop();
  await store.close();
}

export function restore(
  vfs: RestoreOptions['vfs'],
  directory: string,
  target: Partial<RestoreOptions> = {},
): Promise<RestoreResult> {
  return restoreStore('/archive', directory, { vfs, makeEngines: twoEngines, ...target });
}

export const openRestored = (vfs: RestoreOptions['vfs'], directory: string): Promise<Store> =>
  openStore(directory, { ...optionsOf(vfs), create: false });

export const contentOf = (store: Store): (string | undefined)[] => NAMES.map((name) => readNow(store, name));

/** What a restore to there has, its directory being used for nothing else. */
export async function restored(
  vfs: RestoreOptions['vfs'],
  directory: string,
  target: Partial<RestoreOptions> = {},
): Promise<(string | undefined)[]> {
  await restore(vfs, directory, target);
  const store = await openRestored(vfs, directory);
  const content = contentOf(store);
  await store.close();
  return content;
}

export async function load(store: Store, entries: Record<string, string>): Promise<Seq> {
  const writer = store.beginLoad(EngineCode.Btree);
  if (writer === undefined) throw new Error('the engine takes no loads');
  for (const [name, text] of Object.entries(entries)) {
    const [key, value] = [keyNamed(name), new TextEncoder().encode(text)];
    writer.put(key, 0, key.length, value, 0, value.length);
  }
  return writer.commit();
}
