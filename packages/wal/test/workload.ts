/** A history of appends, syncs, drops and reopenings that the sweeps run on disks that fail, and the rule that judges what is left. */
import { type Checksums, ManualClock, Random } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { expect } from 'vitest';
import { type Wal, type WalOptions, type WalRecordBatch, openWal } from '../src/index.js';

export const DIRECTORY = '/data/wal';

/** What was promised so far. Records have seqs 1, 2, 3, ... and a payload that follows from the seq. */
export class Promises {
  /** Seq of the last record that was appended, and of the last one that was acknowledged. */
  appended = 0;
  acknowledged = 0;
  /** Seq of the first record that nobody has allowed to go. */
  keptFrom = 1;

  copy(): Promises {
    return Object.assign(new Promises(), this);
  }
}

export function payloadOf(seq: number): Uint8Array {
  const random = new Random(seq);
  const large = seq % 13 === 0;
  const bytes = random.bytes(large ? 700 + random.below(4000) : random.below(120));
  return bytes;
}

export function optionsOn(vfs: Vfs, checksums: Checksums, more: Partial<WalOptions> = {}): WalOptions {
  return {
    directory: DIRECTORY,
    vfs,
    checksums,
    segmentBytes: 1024,
    recycledSegmentsMax: 2,
    bufferBytesMax: 4096,
    clock: new ManualClock(),
    ...more,
  };
}

export interface WorkloadOptions {
  readonly seed: number;
  readonly steps: number;
  readonly more?: Partial<WalOptions>;
}

/** Runs the history; whatever it meets is thrown, with the promises as they stand. */
export async function runWorkload(
  vfs: Vfs,
  checksums: Checksums,
  promises: Promises,
  options: WorkloadOptions,
  opened: (wal: Wal | undefined) => void = () => undefined,
): Promise<void> {
  const random = new Random(options.seed);
  const walOptions = optionsOn(vfs, checksums, options.more);
  let wal = await openWal(walOptions);
  opened(wal);
  let waiting: Promise<unknown>[] = [];
  const ends: { seq: number; lsn: number }[] = [];
  const append = (): void => {
    const seq = promises.appended + 1;
    const lsn = wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: seq & 0xffff });
    promises.appended = seq;
    ends.push({ seq, lsn });
  };
  for (let step = 0; step < options.steps; step++) {
    const choice = random.below(100);
    if (choice < 55) append();
    else if (choice < 80) {
      append();
      const seq = promises.appended;
      const synced = wal.sync().then(() => (promises.acknowledged = Math.max(promises.acknowledged, seq)));
      // Whoever awaits it gets the error; if the history ends before, nobody does.
      synced.catch(() => undefined);
      waiting.push(synced);
      if (random.chance(0.5)) await Promise.all(waiting.splice(0));
    } else if (choice < 86) {
      wal.syncNow?.();
      promises.acknowledged = promises.appended;
    } else if (choice < 90) wal.write();
    else if (choice < 97) {
      await Promise.all(waiting.splice(0));
      const acknowledged = ends.filter((end) => end.seq <= promises.acknowledged);
      const upTo = acknowledged[random.below(acknowledged.length)];
      if (upTo !== undefined) {
        promises.keptFrom = Math.max(promises.keptFrom, upTo.seq + 1);
        if (upTo.seq % 3 === 0) wal.dropBeforeNow?.(upTo.lsn);
        else await wal.dropBefore(upTo.lsn);
      }
    } else {
      await Promise.all(waiting.splice(0));
      await wal.sync();
      promises.acknowledged = promises.appended;
      await wal.close();
      opened(undefined);
      wal = await openWal(walOptions);
      opened(wal);
    }
  }
  await Promise.all(waiting);
  waiting = [];
  await wal.close();
  opened(undefined);
}

/** Reads every record; throws when one is not what was appended or the order has a gap. Returns first and last seq. */
export async function readAll(wal: Wal): Promise<{ first: number; last: number }> {
  let first = 0;
  let last = 0;
  let position = wal.start;
  for await (const batch of wal.replay(wal.start)) {
    for (const record of batch.records) {
      if (first === 0) first = record.seq;
      else if (record.seq !== last + 1) throw new Error(`record ${record.seq} follows ${last}`);
      last = record.seq;
      if (Buffer.compare(record.payload, payloadOf(record.seq)) !== 0) throw new Error(`record ${record.seq} differs`);
      if (record.flags !== (record.seq & 0xffff) || record.commitTimeMs !== record.seq) throw new Error('meta differs');
      if (record.lsn < position) throw new Error('positions overlap');
      position = record.end;
    }
  }
  return { first, last };
}

/** What must hold of a log opened after any crash or failure. Returns the last seq it shows. */
export async function judge(wal: Wal, promises: Promises): Promise<number> {
  const { first, last } = await readAll(wal);
  if (last < promises.acknowledged && promises.keptFrom <= promises.acknowledged) {
    throw new Error(`acknowledged ${promises.acknowledged}, found up to ${last}`);
  }
  if (last > promises.appended) throw new Error(`appended ${promises.appended}, found ${last}`);
  if (first > promises.keptFrom) throw new Error(`kept from ${promises.keptFrom}, found from ${first}`);
  return last;
}

export const code = (wanted: string): Error => expect.objectContaining({ code: wanted }) as Error;

export function append(wal: Wal, seq: number): number {
  return wal.append(payloadOf(seq), { seq, commitTimeMs: seq, flags: seq & 0xffff });
}

export async function seqsOf(batches: AsyncIterable<WalRecordBatch>): Promise<number[]> {
  const seqs: number[] = [];
  for await (const batch of batches) for (const record of batch.records) seqs.push(record.seq);
  return seqs;
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
