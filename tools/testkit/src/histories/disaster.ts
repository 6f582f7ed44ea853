/**
 * Histories through disasters: the power is cut while clients are at work, or an operation of the disk fails. What the disk
 * then holds is opened again, clients go on, and in the end somebody reads everything: before and after are one history.
 */
import type { Vfs, VfsOp, VfsOperation } from '@phantom/vfs';
import { FaultyVfs, type FaultKind, MemoryVfs, failAt, onOperation } from '@phantom/vfs/testing';
import type { Anomaly } from './anomaly.js';
import { violationsOf } from './check-history.js';
import { type HistoryDatabase, sqlStateOf } from './client.js';
import { HistoryRecorder, type RecordedTransaction } from './history.js';
import { RandomWorkload, type WorkloadOptions } from './workload.js';

export type OpenHistoryDatabase = (vfs: Vfs) => Promise<HistoryDatabase>;

export interface DisasterReport {
  /** Where things went wrong, and how; empty when all is well. */
  readonly violations: readonly string[];
  readonly disasters: number;
  readonly transactions: number;
  /** Of them, those with unknown outcome. */
  readonly unknown: number;
}

const CHANGING: ReadonlySet<VfsOperation> = new Set(['write', 'sync', 'rename', 'remove', 'syncDir', 'truncate']);

interface PowerCut {
  readonly after: string;
  readonly disk: MemoryVfs;
  readonly history: readonly RecordedTransaction[];
}

/**
 * One run in which the power is cut after every nth operation that changes the disk, each cut examined by itself. By turns
 * what was not synced is lost, and only the process dies.
 */
export async function powerCutHistories(
  open: OpenHistoryDatabase,
  options: WorkloadOptions & { readonly everyOperations: number },
): Promise<DisasterReport> {
  const disk = new MemoryVfs({ syncTurns: (options.seed % 4) * 6 });
  const database = await open(disk);
  const recorder = new HistoryRecorder();
  const workload = new RandomWorkload(options);
  const cuts: PowerCut[] = [];
  let operations = 0;
  disk.onOperation = ({ operation, path }: VfsOp) => {
    if (!CHANGING.has(operation) || operations++ % options.everyOperations !== 0) return;
    const survivor = cuts.length % 4 === 3 ? disk.killClone() : disk.crashClone(options.seed + cuts.length);
    cuts.push({ after: `${operation} ${path}`, disk: survivor, history: recorder.transactions() });
  };
  await workload.run(database, recorder);
  disk.onOperation = undefined;
  await database.close();
  const tally = new Tally();
  for (const [i, { after, disk: survivor, history }] of cuts.entries()) {
    const violations = await afterwards(open, survivor, workload, history);
    tally.add(`power cut ${i} after ${after}`, violations);
  }
  return tally.report;
}

/** Runs in each of which another operation of the disk fails, the `everyOperations`th, twice that, and so on until none does. */
export async function faultHistories(
  open: OpenHistoryDatabase,
  options: WorkloadOptions & { readonly everyOperations: number; readonly kind: FaultKind },
): Promise<DisasterReport> {
  const tally = new Tally();
  for (let at = 0, isOver = false; !isOver; at += options.everyOperations) {
    const disk = new MemoryVfs({ syncTurns: (options.seed % 4) * 6 });
    // Opened on a disk that works, so that every run has clients.
    await (await open(disk)).close();
    const fault = failAt(at, options.kind);
    const recorder = new HistoryRecorder();
    const workload = new RandomWorkload({ ...options, seed: options.seed + at });
    const database = await openOrUndefined(open, new FaultyVfs(disk, onOperation([...CHANGING], fault)));
    if (database !== undefined) {
      await workload.run(database, recorder);
      await database.close().catch(sqlStateOf);
    }
    isOver = !fault.fired;
    const history = recorder.transactions();
    tally.add(fault.toString(), await afterwards(open, disk.crashClone(at), workload, history));
  }
  return tally.report;
}

async function openOrUndefined(open: OpenHistoryDatabase, vfs: Vfs): Promise<HistoryDatabase | undefined> {
  try {
    return await open(vfs);
  } catch (error) {
    sqlStateOf(error);
    return undefined;
  }
}

interface Aftermath {
  readonly violations: readonly Anomaly[];
  readonly history: readonly RecordedTransaction[];
}

/** Opens what is left, lets clients go on, reads everything, and judges the whole. */
async function afterwards(
  open: OpenHistoryDatabase,
  disk: MemoryVfs,
  workload: RandomWorkload,
  before: readonly RecordedTransaction[],
): Promise<Aftermath> {
  const recorder = new HistoryRecorder(before);
  const database = await open(disk);
  await workload.readAll(database, recorder);
  await workload.run(database, recorder);
  await workload.readAll(database, recorder);
  await database.close();
  const history = recorder.transactions();
  return { violations: violationsOf(history), history };
}

class Tally {
  private readonly violations: string[] = [];
  private disasters = 0;
  private transactions = 0;
  private unknown = 0;

  add(disaster: string, { violations, history }: Aftermath): void {
    this.disasters++;
    this.transactions += history.length;
    this.unknown += history.filter(({ outcome }) => outcome === 'unknown').length;
    for (const { text } of violations) this.violations.push(`${disaster}: ${text}`);
  }

  get report(): DisasterReport {
    const { violations, disasters, transactions, unknown } = this;
    return { violations, disasters, transactions, unknown };
  }
}
