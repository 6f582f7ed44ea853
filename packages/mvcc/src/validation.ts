/**
 * Validation: may this transaction commit now? First committer wins (Berenson et al., "A Critique of ANSI SQL Isolation
 * Levels", 1995, section 4.2): it may not when a commit that its snapshot does not show wrote a key that it writes, or one
 * that it relies on (a guard). Everything is decided in memory, in one synchronous turn with the append, so nothing can
 * come in between.
 *
 * A lost race on a unique key is 23505 and not 40001, if that is what it is: the layer above says that the key is unique,
 * the transaction's snapshot did not have it, and now it is there. A key that both have is an update race; so is one whose
 * row the transaction would have met (ON CONFLICT), had it been there. When a
 * transaction loses both kinds at once it is 40001, since running it again may well succeed.
 *
 * Locks: who writes optimistically takes no lock while people think, but must not run over the lock of somebody who does.
 * So validation also reports the first key that another transaction has locked; the commit waits for it, or fails, and
 * then validates from the start. When nobody else holds a lock this costs nothing. Guarded keys are locked here, for the
 * time of the commit.
 */
import { type ByteSlot, OperationKind, type Seq, type SpaceId, spaceOfKey } from '@phantom/kv';
import type { ConstraintGuards } from './constraint-guards.js';
import { keyHash } from './key-hash.js';
import type { LockOwner } from './lock-owner.js';
import type { TransactionRegistry } from './registry.js';
import type { Snapshots, WriteBase } from './snapshots.js';
import { type LockMode, LockStrength, type TransactionDescription } from './types.js';
import type { WriteSet } from './write-set.js';

/** What validation must know of a transaction. */
export interface Candidate extends LockOwner, TransactionDescription {
  readonly id: number;
  readonly writes: WriteSet | undefined;
  readonly snapshots: Snapshots;
  readonly guards: ConstraintGuards | undefined;
  /** Spaces where it meets rows that are in the way. */
  readonly arbitrated: ReadonlySet<SpaceId> | undefined;
}

/** A key that another transaction has locked. */
export interface BlockedKey {
  readonly hash: number;
  readonly key: Uint8Array;
  readonly mode: LockMode;
}

/** Throws 40001 or 23505 when the transaction has lost; returns the first key that another has locked, if any. */
export function validate(registry: TransactionRegistry, candidate: Candidate, slot: ByteSlot): BlockedKey | undefined {
  const { index } = registry.window;
  const { guards } = candidate;
  const { bases } = candidate.snapshots;
  const guardedFrom = guards === undefined || guards.pointCount === 0 ? Number.POSITIVE_INFINITY : guards.baseSeq(0);
  const oldest = Math.min(bases[0]?.seq ?? Number.POSITIVE_INFINITY, guardedFrom);
  if (oldest !== Number.POSITIVE_INFINITY) {
    registry.window.recordQueued();
    if (oldest < index.floor)
      throw registry.ledger.snapshotTooOld(oldest, index.floor, registry.options.conflictIndexBytesMax);
    if (!index.isEmpty) {
      if (guards !== undefined) validatePoints(registry, candidate, guards, slot);
      if (bases.length > 0) validateWrites(registry, candidate, slot);
    }
  }
  if (guards !== undefined) refuseBrokenRanges(registry, candidate, guards);
  if (registry.window.preparedRanges.size > 0) refusePreparedRanges(registry, candidate);
  const unguarded = guards === undefined ? undefined : firstUnguarded(registry, candidate, guards);
  if (unguarded !== undefined) return unguarded;
  return registry.isAnythingLockedBeside(candidate) ? firstBlockedKey(registry, candidate) : undefined;
}

/**
 * What can be said now of the writes in memory, which are about to be put aside: throws as `validate`, and 40001 when another
 * transaction has locked one of their keys or waits to.
 */
export function validateWritten(registry: TransactionRegistry, candidate: Candidate, slot: ByteSlot): void {
  const { window, ledger, options, locks } = registry;
  const { index } = window;
  const oldest = candidate.snapshots.bases[0]?.seq;
  if (oldest !== undefined) {
    window.recordQueued();
    if (oldest < index.floor) throw ledger.snapshotTooOld(oldest, index.floor, options.conflictIndexBytesMax);
    if (!index.isEmpty) validateWrites(registry, candidate, slot);
  }
  if (!registry.isAnythingLockedBeside(candidate)) return;
  // What is put aside has no records, and those who wait already would not find it.
  const blocked = firstKeyNotFree(registry, candidate, (hash, mode) => !locks.isKeptFrom(candidate, hash, mode));
  if (blocked === undefined) return;
  throw ledger.locked(candidate, blocked.key, locks.holderAgainst(candidate, blocked.hash, blocked.mode)?.party);
}

function refuseBrokenRanges(registry: TransactionRegistry, candidate: Candidate, guards: ConstraintGuards): void {
  for (const { range, brokenBy } of guards.ranges)
    if (brokenBy !== 0) throw registry.ledger.writtenInRange(candidate, range.lower, brokenBy);
}

/** A prepared transaction relies on the range and can no longer lose. */
function refusePreparedRanges(registry: TransactionRegistry, candidate: Candidate): void {
  for (const range of registry.window.preparedRanges) {
    if (candidate.writes?.touches(range) === true) throw registry.ledger.writtenInRange(candidate, range.lower, 0);
  }
}

function validatePoints(
  registry: TransactionRegistry,
  candidate: Candidate,
  guards: ConstraintGuards,
  slot: ByteSlot,
): void {
  const { index } = registry.window;
  const { keyBytes } = guards;
  for (let point = 0; point < guards.pointCount; point++) {
    const start = guards.keyStart(point);
    const end = guards.keyEnd(point);
    const baseSeq = guards.baseSeq(point);
    const seq = index.seqOf(guards.hash(point), keyBytes, start, end);
    if (seq <= baseSeq) continue;
    if (guards.mode(point) === LockStrength.KeyShare && registry.window.isPresent(keyBytes, start, end)) continue;
    const key = guards.keyCopy(point);
    throw lostUniqueRace(registry, candidate, key, seq, slot) ?? registry.ledger.written(candidate, key, baseSeq, seq);
  }
}

function validateWrites(registry: TransactionRegistry, candidate: Candidate, slot: ByteSlot): void {
  const { index } = registry.window;
  const { bases } = candidate.snapshots;
  const writes = candidate.writes as WriteSet;
  const bytes = writes.batch.finish();
  const reader = writes.found.setBatch(bytes);
  let at = 0;
  let base = (bases[0] as WriteBase).seq;
  let unique: Error | undefined;
  while (reader.next()) {
    if (reader.kind === OperationKind.RemoveRange) continue;
    while (at + 1 < bases.length && (bases[at + 1] as WriteBase).place <= writes.base + reader.operation) {
      base = (bases[++at] as WriteBase).seq;
    }
    const { keyStart, keyEnd } = reader;
    const seq = index.seqOf(keyHash(bytes, keyStart, keyEnd), bytes, keyStart, keyEnd);
    if (seq <= base) continue;
    const key = bytes.slice(keyStart, keyEnd);
    const lost = lostUniqueRace(registry, candidate, key, seq, slot);
    if (lost === undefined) throw registry.ledger.written(candidate, key, base, seq);
    unique ??= lost;
  }
  if (unique !== undefined) throw unique;
}

function lostUniqueRace(
  registry: TransactionRegistry,
  candidate: Candidate,
  key: Uint8Array,
  seq: Seq,
  slot: ByteSlot,
): Error | undefined {
  if (registry.options.names.describe(key)?.unique === undefined) return undefined;
  if (candidate.arbitrated?.has(spaceOfKey(key, 0)) === true) return undefined;
  if (candidate.snapshots.current?.get(key, 0, key.length, slot) === true) return undefined;
  return registry.window.isPresent(key, 0, key.length) ? registry.ledger.unique(key, seq) : undefined;
}

/**
 * Locks the keys that the transaction relies on, until its commit is published: who locked one to remove it has looked for
 * rows that rely on it, and would not look again. The first key that is not to be had, if any.
 */
function firstUnguarded(
  { locks, unrecorded }: TransactionRegistry,
  candidate: Candidate,
  guards: ConstraintGuards,
): BlockedKey | undefined {
  for (let point = 0; point < guards.pointCount; point++) {
    const hash = guards.hash(point);
    const mode = guards.mode(point);
    unrecorded.grant(candidate, hash, guards.keyBytes, guards.keyStart(point), guards.keyEnd(point));
    if (!locks.tryAcquire(candidate, hash, mode)) return { hash, key: guards.keyCopy(point), mode };
  }
  return undefined;
}

function firstBlockedKey(registry: TransactionRegistry, candidate: Candidate): BlockedKey | undefined {
  const { locks } = registry;
  return firstKeyNotFree(registry, candidate, (hash, mode) => !locks.isHeldAgainst(candidate, hash, mode));
}

/** The first key that the candidate has written, in memory, and that is not free in the mode which writing it needs. */
export function firstKeyNotFree(
  { unrecorded }: TransactionRegistry,
  candidate: Candidate,
  isFree: (hash: number, mode: LockStrength) => boolean,
): BlockedKey | undefined {
  const writes = candidate.writes as WriteSet;
  const bytes = writes.batch.finish();
  const reader = writes.found.setBatch(bytes);
  while (reader.next()) {
    // A range is only removed by who has locked its table.
    if (reader.kind === OperationKind.RemoveRange) continue;
    const { keyStart, keyEnd } = reader;
    const hash = keyHash(bytes, keyStart, keyEnd);
    unrecorded.grant(candidate, hash, bytes, keyStart, keyEnd);
    // A put leaves the key where it is, so references to it (key share) may stay; a removal does not.
    const mode = reader.kind === OperationKind.Put ? LockStrength.NoKeyUpdate : LockStrength.Update;
    if (!isFree(hash, mode)) return { hash, key: bytes.slice(keyStart, keyEnd), mode };
  }
  return undefined;
}
