/**
 * The way from prepare() to its answer: as a commit's (commit-process.ts), but what is appended is the record of the prepared
 * transaction, and every key that it writes or relies on is locked first, since it must not lose any more.
 *
 *   validate ──► lock what is written and relied on ──► admit ──► append ──► published: it is prepared
 *      ▲                     │ held by another               │
 *      └──── wait ◄──────────┴──────── room ◄────────────────┘
 */
import { ByteSlot } from '@phantom/kv';
import type { CommitSubject } from './commit-process.js';
import type { PreparedState } from './prepared-record.js';
import type { TransactionRegistry } from './registry.js';
import { type TakingBack, takeBack } from './spill.js';
import { LockStrength, TableLockMode } from './types.js';
import { type BlockedKey, firstKeyNotFree, validate } from './validation.js';
import type { WriteSet } from './write-set.js';

export interface PrepareSubject extends CommitSubject, TakingBack {
  writes: WriteSet | undefined;
  putAside(bytes: number): WriteSet;
  /** Its life as a transaction is over: nothing of it is undone. */
  becamePrepared(): void;
}

const SLOT = new ByteSlot();

export async function prepare(
  registry: TransactionRegistry,
  subject: PrepareSubject,
  identifier: string,
  meta: string,
): Promise<void> {
  const { store, graph, prepared } = registry;
  let key: Uint8Array;
  try {
    key = prepared.reserve(identifier);
  } catch (error) {
    subject.finish('aborted', undefined);
    throw error;
  }
  let record: WriteSet | undefined;
  try {
    // Who has only written is watched as well: others may have an edge to it.
    if (subject.isSerializable && subject.snapshots.current === undefined) subject.snapshots.take();
    if (subject.writes?.spilled !== undefined) takeBack(registry, subject);
    for (;;) {
      if (subject.stopReason !== undefined) throw subject.stopReason;
      const blocked =
        validate(registry, subject, SLOT) ?? firstUnlocked(registry, subject) ?? firstUnheld(registry, subject);
      if (blocked !== undefined) {
        // Who has the lock may need the room to commit.
        if (record !== undefined) store.unadmit(record.batch);
        record = undefined;
        await registry.locks.wait(subject, blocked.hash, blocked.key, 0, blocked.key.length, blocked.mode);
        continue;
      }
      const earliestOut = subject.isSerializable ? graph.validate(subject, true) : 0;
      const state = stateOf(registry, subject, identifier, meta);
      if (record === undefined) {
        record = prepared.recordOf(key, state);
        const room = store.admit(record.batch);
        if (room !== undefined) {
          await room;
          continue;
        }
      }
      await append(registry, subject, record, state, earliestOut);
      return;
    }
  } catch (error) {
    prepared.release(identifier);
    if (subject.commitSeq === 0) {
      if (record !== undefined) store.unadmit(record.batch);
      subject.finish('aborted', undefined);
    }
    throw error;
  }
}

function append(
  registry: TransactionRegistry,
  subject: PrepareSubject,
  record: WriteSet,
  state: PreparedState,
  earliestOut: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const listener = {
      published: (): void => {
        subject.becamePrepared();
        resolve();
      },
      unknown: (error: Error): void => {
        registry.prepared.recordUnknown(state.identifier);
        subject.finish('unknown', undefined);
        reject(error);
      },
    };
    subject.commitSeq = registry.store.submit(record.batch, listener, { borrow: true });
    // In the same turn: whoever validates from here on must find it.
    registry.prepared.adopt(subject, state, earliestOut);
    subject.submitted();
  });
}

/** Locks what is written; validation has locked what is relied on. The first key that is not to be had, if any. */
function firstUnlocked(registry: TransactionRegistry, subject: PrepareSubject): BlockedKey | undefined {
  return firstKeyNotFree(registry, subject, (hash, mode) =>
    registry.locks.tryAcquire(subject, hash, subject.claims ? LockStrength.Update : mode),
  );
}

/**
 * What has read a table holds it against everybody who would put it into other spaces or take an index from it: it is remembered by
 * spaces what was read, also after a restart. The first table that somebody else is at work on like that, if any.
 */
function firstUnheld({ locks }: TransactionRegistry, subject: PrepareSubject): BlockedKey | undefined {
  if (!subject.isSerializable) return undefined;
  const mode = TableLockMode.RowShare;
  for (const { hash, key, mode: held } of locks.heldBy(subject)) {
    if (held !== TableLockMode.AccessShare || key === undefined) continue;
    if (!locks.tryAcquire(subject, hash, mode)) return { hash, key, mode };
  }
  return undefined;
}

function stateOf(
  registry: TransactionRegistry,
  subject: PrepareSubject,
  identifier: string,
  meta: string,
): PreparedState {
  return {
    identifier,
    id: subject.id,
    preparedMs: registry.options.clock.nowMs(),
    meta,
    snapshotSeq: subject.snapshotSeq,
    locks: registry.locks.heldBy(subject),
    ranges: subject.guards?.ranges.map(({ range }) => range) ?? [],
    reads: subject.reads,
    writes: subject.writes as WriteSet,
  };
}
