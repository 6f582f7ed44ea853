/**
 * The decisions of a coordinator, as entries of a space of its own in the store, written through ordinary transactions: the commit
 * that holds the entry is the decision, and may hold the coordinator's own share of the work as well.
 *
 *   space (4)  01                                            -> JSON: the epoch
 *   space (4)  02  epoch (4, big-endian)  number (4, big-endian)  -> JSON: who is to commit, and since when
 *
 * JSON, so that a person can read what is stuck. A decision goes once all have answered; there are never many. On disk for good;
 * docs/formats/decisions.md.
 */
import { ByteWriter, PhantomError, corruptionError, readU32BE } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import type { TransactionId } from './gid.js';

const FORMAT = 1;
const EPOCH_KIND = 1;
const DECISION_KIND = 2;
const SPACE_BYTES = 4;
const DECISION_KEY_BYTES = SPACE_BYTES + 9;

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder();

/** That a transaction is committed; there is none for one that is not. */
export interface Decision extends TransactionId {
  /** Who decided: another than the one of now in a store that was restored from a backup. */
  readonly coordinator: string;
  /** Names of the participants that are prepared. */
  readonly participants: readonly string[];
  /** Wall clock, milliseconds since 1970. */
  readonly decidedMs: number;
}

export class DecisionLog {
  private readonly mvcc: Mvcc;
  private readonly space: number;

  /** `space`: an id of the store's in which nobody else writes. */
  constructor(mvcc: Mvcc, space: number) {
    this.mvcc = mvcc;
    this.space = space;
  }

  /** Decisions that somebody may not have heard of, oldest first. 0A000 for those of a newer release, XX001 for what is none. */
  read(): Decision[] {
    const decisions: Decision[] = [];
    this.scan(DECISION_KIND, (key, value) => {
      if (key.length !== DECISION_KEY_BYTES) throw broken('the key of a decision has another length');
      const { coordinator, participants, decidedMs } = parse(value);
      if (!Array.isArray(participants) || typeof coordinator !== 'string' || typeof decidedMs !== 'number') {
        throw broken('a decision lacks fields');
      }
      decisions.push({
        coordinator,
        epoch: readU32BE(key, SPACE_BYTES + 1),
        number: readU32BE(key, SPACE_BYTES + 5),
        participants: participants.map(String),
        decidedMs,
      });
    });
    return decisions;
  }

  /** The last epoch that began; 0 when none has. */
  lastEpoch(): number {
    let last = 0;
    this.scan(EPOCH_KIND, (_key, value) => {
      const { epoch } = parse(value);
      if (typeof epoch !== 'number') throw broken('the epoch lacks its number');
      last = epoch;
    });
    return last;
  }

  /** Begins an epoch: greater than all before, durable on return. */
  async beginEpoch(): Promise<number> {
    const epoch = this.lastEpoch() + 1;
    await this.mvcc.run((transaction) => put(transaction, this.key(EPOCH_KIND), { epoch }));
    return epoch;
  }

  /** Writes the decision in the transaction: it is made when that commits. */
  write(transaction: MvccTransaction, decision: Decision): void {
    const { coordinator, participants, decidedMs } = decision;
    put(transaction, this.decisionKey(decision), { coordinator, participants, decidedMs });
  }

  /** Removes a decision of which everybody has heard; durable on return. */
  async forget(id: TransactionId): Promise<void> {
    const key = this.decisionKey(id);
    await this.mvcc.run((transaction) => transaction.remove(key, 0, key.length));
  }

  private decisionKey({ epoch, number }: TransactionId): Uint8Array {
    const key = new ByteWriter(DECISION_KEY_BYTES);
    key.bytes(this.key(DECISION_KIND));
    key.u32BE(epoch);
    key.u32BE(number);
    return key.take();
  }

  private key(kind: number): Uint8Array {
    const key = new ByteWriter(SPACE_BYTES + 1);
    key.u32BE(this.space);
    key.u8(kind);
    return key.take();
  }

  private scan(kind: number, entry: (key: Uint8Array, value: Uint8Array) => void): void {
    const reader = this.mvcc.begin({ readOnly: true });
    try {
      const cursor = reader.cursor({ lower: this.key(kind), upper: this.key(kind + 1) });
      try {
        while (cursor.next()) entry(cursor.key.copy(), cursor.value.copy());
      } finally {
        cursor.close();
      }
    } finally {
      reader.rollback();
    }
  }
}

function put(transaction: MvccTransaction, key: Uint8Array, fields: Readonly<Record<string, unknown>>): void {
  const value = UTF8_OUT.encode(JSON.stringify({ format: FORMAT, ...fields }));
  transaction.put(key, 0, key.length, value, 0, value.length);
}

function parse(value: Uint8Array): Partial<Record<string, unknown>> {
  let fields: Partial<Record<string, unknown>> | null;
  try {
    fields = JSON.parse(UTF8_IN.decode(value)) as Partial<Record<string, unknown>> | null;
  } catch (cause) {
    throw broken('an entry is no JSON', cause);
  }
  const format = fields?.['format'];
  if (typeof format === 'number' && format > FORMAT) {
    throw new PhantomError('0A000', 'a decision of two-phase commit was written by a newer release');
  }
  if (fields === null || format !== FORMAT) throw broken('an entry has no format');
  return fields;
}

function broken(what: string, cause?: unknown): PhantomError {
  return corruptionError(`decisions of two-phase commit cannot be read: ${what}`, {
    file: 'the space of decisions',
    cause,
  });
}
