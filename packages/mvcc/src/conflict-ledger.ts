/**
 * Who lost to whom: makes the errors of lost races so that they explain themselves, and counts them per key.
 *
 *   recent   the last commits: seq -> who it was and what it last said, so that an error can name the winner
 *   heat     the keys on which most races were lost, by space-saving (Metwally, Agrawal and El Abbadi 2005): a fixed number of
 *            counters; a key without one takes over the least, count and all. Counts may be too high by what was taken over
 *            (`countErrorMax`), never too low, and a key that loses often is there.
 *
 * Both are rings and maps of fixed size: a commit writes four fields and allocates nothing.
 */
import { PhantomError, SqlState } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { describeKey, lostOn } from './errors.js';
import { keyHash } from './key-hash.js';
import type { LockParty } from './lock-owner.js';
import type { CommitRecord, PreparedReads } from './serialization-graph.js';
import { shownStatement } from './statement-text.js';
import type { ConflictCount, ConflictNames, TransactionDescription } from './types.js';

/** Commits that errors can name. */
const RECENT_MAX = 1024;
/** Keys that are counted. */
const HEAT_KEYS_MAX = 256;

const SERIALIZATION_MESSAGE = 'could not serialize access due to read/write dependencies among transactions';
const AGAIN = 'Run the transaction again.';

interface HeatEntry {
  hash: number;
  key: Uint8Array;
  count: number;
  countErrorMax: number;
  lastSeq: Seq;
}

/** One of the edges of a dangerous three, with a key that it goes over. */
export interface Edge {
  readonly record: CommitRecord;
  readonly key: Uint8Array | undefined;
}

export class ConflictLedger {
  private readonly names: ConflictNames;
  private readonly seqs = new Float64Array(RECENT_MAX);
  private readonly ids = new Float64Array(RECENT_MAX);
  private readonly labels: (string | undefined)[] = new Array<string | undefined>(RECENT_MAX).fill(undefined);
  private readonly statements: (string | undefined)[] = new Array<string | undefined>(RECENT_MAX).fill(undefined);
  private readonly heat = new Map<number, HeatEntry>();

  constructor(names: ConflictNames) {
    this.names = names;
  }

  /** A commit has its seq. */
  committed(seq: Seq, { id, label, statement }: TransactionDescription): void {
    const at = seq % RECENT_MAX;
    this.seqs[at] = seq;
    this.ids[at] = id;
    this.labels[at] = label;
    this.statements[at] = statement;
  }

  /** The keys on which most races were lost, most first. */
  counts(): ConflictCount[] {
    return Array.from(this.heat.values())
      .sort((a, b) => b.count - a.count)
      .map(({ key, count, countErrorMax, lastSeq }) => {
        const name = this.names.describe(key);
        return { key, keyText: name?.key, table: name?.table, count, countErrorMax, lastSeq };
      });
  }

  /** A key was written by a transaction that this one's snapshot does not show. */
  written(own: TransactionDescription, key: Uint8Array, baseSeq: Seq, seq: Seq): PhantomError {
    this.count(key, seq);
    const winner = this.winner(seq);
    const error = new PhantomError(
      SqlState.SerializationFailure,
      'could not serialize access due to concurrent update',
      {
        detail: `${capital(partyName(winner))} wrote ${describeKey(this.names, key)} after this one had read it (commit ${seq}, snapshot ${baseSeq}).${statementsOf(own, [winner])}`,
        hint: AGAIN,
        table: this.names.describe(key)?.table,
        data: { seq, snapshotSeq: baseSeq, ...(winner === undefined ? {} : { winner: winner.id }) },
      },
    );
    return lostOn(error, key);
  }

  /** Somebody has locked a key that this one has written without a lock, and now would have to lock at once. */
  locked(own: TransactionDescription, key: Uint8Array, holder: LockParty | undefined): PhantomError {
    this.count(key, 0);
    const error = new PhantomError(
      SqlState.SerializationFailure,
      'could not serialize access due to concurrent update',
      {
        detail: `${capital(holder?.name ?? partyName(undefined))} has locked ${describeKey(this.names, key)}, and this one has written more than its memory holds.${statementsOf(own, [])}`,
        hint: AGAIN,
        table: this.tableOf(key),
        data: holder === undefined ? {} : { holder: holder.id },
      },
    );
    return lostOn(error, key);
  }

  /** Somebody wrote into a range that this transaction relies on. */
  writtenInRange(own: TransactionDescription, lower: Uint8Array, seq: Seq): PhantomError {
    this.count(lower, seq);
    const winner = this.winner(seq);
    return new PhantomError(SqlState.SerializationFailure, 'could not serialize access due to concurrent update', {
      detail: `${capital(partyName(winner))} wrote into a range that this one relies on, from ${describeKey(this.names, lower)} on (commit ${seq}).${statementsOf(own, [winner])}`,
      hint: AGAIN,
      table: this.names.describe(lower)?.table,
      data: { seq },
    });
  }

  /** Two transactions made the same unique key; undefined when the layer above does not know the key as unique. */
  unique(key: Uint8Array, seq: Seq): PhantomError | undefined {
    const name = this.names.describe(key);
    if (name?.unique === undefined) return undefined;
    this.count(key, seq);
    const { constraint, detail } = name.unique;
    return new PhantomError(
      SqlState.UniqueViolation,
      `duplicate key value violates unique constraint "${constraint}"`,
      {
        detail,
        constraint,
        table: name.table,
        data: { seq },
      },
    );
  }

  /** The conflict index no longer knows what the snapshot would have to be checked against. */
  snapshotTooOld(snapshotSeq: Seq, floorSeq: Seq, bytesMax: number): PhantomError {
    return new PhantomError(SqlState.SerializationFailure, 'could not serialize access: the snapshot is too old', {
      detail: `Commits up to ${floorSeq} have left the conflict index, which is full (${bytesMax} bytes); the snapshot is of commit ${snapshotSeq}.`,
      hint: 'Run the transaction again, keep it shorter, or raise conflictIndexBytesMax.',
      data: { snapshotSeq, floorSeq, conflictIndexBytesMax: bytesMax },
    });
  }

  /** What committed transactions have read is no longer known for a snapshot that old. */
  tooOld(own: { readonly snapshotSeq: Seq }, floorSeq: Seq, bytesMax: number): PhantomError {
    return new PhantomError(SqlState.SerializationFailure, 'could not serialize access: the snapshot is too old', {
      detail: `What transactions up to commit ${floorSeq} have read and written had to be forgotten (${bytesMax} bytes); the snapshot is of commit ${own.snapshotSeq}.`,
      hint: 'Run the transaction again, keep it shorter, or raise serializableBytesMax.',
      data: { snapshotSeq: own.snapshotSeq, floorSeq, serializableBytesMax: bytesMax },
    });
  }

  /** This one, T1 of the three, has read what T2 wrote, and T2 is the pivot. */
  readBehindPivot(own: TransactionDescription, pivot: CommitRecord, key: Uint8Array | undefined): PhantomError {
    const { by, position, earliestOut } = pivot;
    if (key !== undefined) this.count(key, position);
    const earlier = this.winner(earliestOut);
    const error = new PhantomError(SqlState.SerializationFailure, SERIALIZATION_MESSAGE, {
      detail: `This transaction has read ${this.named(key)} as it was before ${partyName(by)} wrote it (commit ${position}), which itself had read what ${partyName(earlier)} replaced (commit ${earliestOut}).${statementsOf(own, [by, earlier])}`,
      hint: AGAIN,
      table: this.tableOf(key),
      data: { seq: position, pivot: by.id },
    });
    return lostOn(error, key);
  }

  /** This one is the pivot: somebody has read what it writes, and it has read what an earlier commit wrote. */
  pivot(own: TransactionDescription, before: Edge, after: Edge): PhantomError {
    const key = before.key ?? after.key;
    const seq = after.record.position;
    if (key !== undefined) this.count(key, seq);
    const reader = before.record.by;
    const writer = after.record.by;
    const error = new PhantomError(SqlState.SerializationFailure, SERIALIZATION_MESSAGE, {
      detail: `This transaction has read ${this.named(after.key)} as it was before ${partyName(writer)} wrote it (commit ${seq}), and writes ${this.named(before.key)}, which ${partyName(reader)} has read as it was before.${statementsOf(own, [writer, reader])}`,
      hint: AGAIN,
      table: this.tableOf(key),
      data: { seq: Math.max(seq, before.record.position), writer: writer.id, reader: reader.id },
    });
    return lostOn(error, key);
  }

  /** A constraint was checked by a state that this one's snapshot, by which it has read all else, does not show. */
  checkedNewer(own: TransactionDescription & { readonly snapshotSeq: Seq }, key: Uint8Array): PhantomError {
    this.count(key, 0);
    return new PhantomError(SqlState.SerializationFailure, SERIALIZATION_MESSAGE, {
      detail: `A constraint of this transaction was checked by ${this.named(key)} as another one has left it, and this one reads the state of commit ${own.snapshotSeq}, which shows something else there.${statementsOf(own, [])}`,
      hint: AGAIN,
      table: this.tableOf(key),
      data: { snapshotSeq: own.snapshotSeq },
    });
  }

  /** This one would close a cycle with a transaction that is prepared and can no longer lose. */
  beforePrepared(own: TransactionDescription, prepared: PreparedReads, key: Uint8Array | undefined): PhantomError {
    if (key !== undefined) this.count(key, 0);
    return new PhantomError(SqlState.SerializationFailure, SERIALIZATION_MESSAGE, {
      detail: `Prepared ${partyName(prepared.by)}, which can no longer be rolled back for it, writes ${this.named(key)}, and what was read and written beside it leaves no order for both.${statementsOf(own, [prepared.by])}`,
      hint: 'Run the transaction again once the prepared one has been committed or rolled back.',
      table: this.tableOf(key),
      data: { prepared: prepared.by.id },
    });
  }

  private named(key: Uint8Array | undefined): string {
    return key === undefined ? 'a range' : describeKey(this.names, key);
  }

  private tableOf(key: Uint8Array | undefined): string | undefined {
    return key === undefined ? undefined : this.names.describe(key)?.table;
  }

  private winner(seq: Seq): TransactionDescription | undefined {
    const at = seq % RECENT_MAX;
    if (this.seqs[at] !== seq) return undefined;
    return { id: this.ids[at] as number, label: this.labels[at], statement: this.statements[at] };
  }

  private count(key: Uint8Array, seq: Seq): void {
    const hash = keyHash(key, 0, key.length);
    const known = this.heat.get(hash);
    if (known !== undefined) {
      known.count++;
      known.lastSeq = seq;
      return;
    }
    if (this.heat.size < HEAT_KEYS_MAX) {
      this.heat.set(hash, { hash, key: key.slice(), count: 1, countErrorMax: 0, lastSeq: seq });
      return;
    }
    let least: HeatEntry | undefined;
    for (const entry of this.heat.values()) if (least === undefined || entry.count < least.count) least = entry;
    if (least === undefined) return;
    this.heat.delete(least.hash);
    this.heat.set(hash, { hash, key: key.slice(), count: least.count + 1, countErrorMax: least.count, lastSeq: seq });
  }
}

/** "transaction 7 (label)"; "another transaction" when it is not remembered. */
export function partyName(party: TransactionDescription | undefined): string {
  if (party === undefined) return 'another transaction';
  return party.label === undefined ? `transaction ${party.id}` : `transaction ${party.id} (${party.label})`;
}

/** What this one and the others last said, as sentences; nothing when nobody has told. */
export function statementsOf(
  own: TransactionDescription,
  others: readonly (TransactionDescription | undefined)[],
): string {
  const parts: string[] = [];
  if (own.statement !== undefined) parts.push(` This transaction's statement: "${shownStatement(own.statement)}".`);
  for (const other of new Set(others)) {
    if (other?.statement === undefined) continue;
    parts.push(` Statement of ${partyName(other)}: "${shownStatement(other.statement)}".`);
  }
  return parts.join('');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
