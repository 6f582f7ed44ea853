/**
 * The journal of sagas: one entry for each, in a space of the store, changed by ordinary transactions. What a local step does lies in the
 * transaction that changes the entry, so it happens exactly once.
 *
 *   space (4)  scope (4, big-endian)  01  id, UTF-8      -> JSON: a saga that goes on, or waits for a person
 *   space (4)  scope (4, big-endian)  02  id, UTF-8      -> JSON: one that is over; it is kept, so that its id is not taken for a new one
 *
 * The scope keeps sagas of several databases in one store apart. A change is refused (`SagaFenced`) when the entry is no longer at the revision
 * from which the work began: who was too late can commit nothing. On disk for good; docs/formats/sagas.md.
 */
import { ByteWriter, PhantomError, SqlState, corruptionError } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import { type SagaEntry, isOver } from './saga-machine.js';

const FORMAT = 1;
const OPEN_KIND = 1;
const OVER_KIND = 2;
const PREFIX_BYTES = 9;
/** An entry, with the saga's input and the results of its steps; past it 54000. */
const ENTRY_BYTES_MAX = 1024 * 1024;
/** Bytes of an id; past it 22023. */
const ID_BYTES_MAX = 200;

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder('utf-8', { fatal: true });

/** The entry has changed since the work began: what was done under it does not count. */
export class SagaFenced extends Error {}

export class SagaLog {
  private readonly mvcc: Mvcc;
  private readonly space: number;
  private readonly scope: number;

  /** `space`: an id of the store's in which nobody else writes. */
  constructor(mvcc: Mvcc, space: number, scope: number) {
    this.mvcc = mvcc;
    this.space = space;
    this.scope = scope;
  }

  /** As committed; undefined when there is none. */
  read(id: string): SagaEntry | undefined {
    return this.reading((reader) => this.find(reader, id));
  }

  /** Entries that are `wanted`, in the order of their ids: those that go on, then those that are over if they are asked for, too. */
  list(withOver: boolean, wanted: (entry: SagaEntry) => boolean = () => true): [id: string, entry: SagaEntry][] {
    return this.reading((reader) => {
      const found = this.scan(reader, OPEN_KIND, wanted);
      return withOver ? [...found, ...this.scan(reader, OVER_KIND, wanted)] : found;
    });
  }

  /** Writes the first entry. False when there is one of that id already, which is left as it is. Nobody else can write one meanwhile. */
  begin(transaction: MvccTransaction, id: string, entry: SagaEntry): boolean {
    for (const kind of [OPEN_KIND, OVER_KIND]) {
      const key = this.key(kind, id);
      transaction.guard(key, 0, key.length);
    }
    if (this.find(transaction, id) !== undefined) return false;
    this.put(transaction, id, entry);
    return true;
  }

  /** Writes the entry that follows `from`; throws SagaFenced when that is no longer the last one. */
  advance(transaction: MvccTransaction, id: string, from: SagaEntry, to: SagaEntry): void {
    if (this.find(transaction, id)?.revision !== from.revision) throw new SagaFenced(`saga "${id}" has gone on`);
    if (isOver(to)) this.remove(transaction, OPEN_KIND, id);
    this.put(transaction, id, to);
  }

  /** Removes one that is over: its id may be given again. */
  forget(transaction: MvccTransaction, id: string): void {
    this.remove(transaction, OVER_KIND, id);
  }

  /** One transaction that changes entries, run again when it loses a race; durable on return. */
  change<T>(work: (transaction: MvccTransaction) => T): Promise<T> {
    return this.mvcc.run(work);
  }

  private reading<T>(work: (reader: MvccTransaction) => T): T {
    const reader = this.mvcc.begin({ readOnly: true });
    try {
      return work(reader);
    } finally {
      reader.rollback();
    }
  }

  private find(transaction: MvccTransaction, id: string): SagaEntry | undefined {
    for (const kind of [OPEN_KIND, OVER_KIND]) {
      const lower = this.key(kind, id);
      const upper = new Uint8Array(lower.length + 1);
      upper.set(lower);
      const cursor = transaction.cursor({ lower, upper });
      try {
        if (cursor.next()) return decode(cursor.value.copy());
      } finally {
        cursor.close();
      }
    }
    return undefined;
  }

  private scan(reader: MvccTransaction, kind: number, wanted: (entry: SagaEntry) => boolean): [string, SagaEntry][] {
    const entries: [string, SagaEntry][] = [];
    const cursor = reader.cursor({ lower: this.prefix(kind), upper: this.prefix(kind + 1) });
    try {
      while (cursor.next()) {
        const entry = decode(cursor.value.copy());
        if (wanted(entry)) entries.push([UTF8_IN.decode(cursor.key.copy().subarray(PREFIX_BYTES)), entry]);
      }
    } finally {
      cursor.close();
    }
    return entries;
  }

  private put(transaction: MvccTransaction, id: string, entry: SagaEntry): void {
    const key = this.key(isOver(entry) ? OVER_KIND : OPEN_KIND, id);
    const value = UTF8_OUT.encode(JSON.stringify({ format: FORMAT, ...entry }));
    if (value.length > ENTRY_BYTES_MAX) {
      throw new PhantomError(SqlState.ProgramLimitExceeded, `saga "${id}" takes ${value.length} bytes of its journal`, {
        detail: `Input and results together may take ${ENTRY_BYTES_MAX}.`,
        hint: 'Hand on keys of what is stored elsewhere.',
      });
    }
    transaction.put(key, 0, key.length, value, 0, value.length);
  }

  private remove(transaction: MvccTransaction, kind: number, id: string): void {
    const key = this.key(kind, id);
    transaction.remove(key, 0, key.length);
  }

  private key(kind: number, id: string): Uint8Array {
    const name = UTF8_OUT.encode(id);
    if (name.length === 0 || name.length > ID_BYTES_MAX) {
      throw new PhantomError(SqlState.InvalidParameterValue, `the id of a saga has 1 to ${ID_BYTES_MAX} bytes`);
    }
    const key = new ByteWriter(PREFIX_BYTES + name.length);
    key.bytes(this.prefix(kind));
    key.bytes(name);
    return key.take();
  }

  private prefix(kind: number): Uint8Array {
    const key = new ByteWriter(PREFIX_BYTES);
    key.u32BE(this.space);
    key.u32BE(this.scope);
    key.u8(kind);
    return key.take();
  }
}

function decode(value: Uint8Array): SagaEntry {
  let entry: (Partial<SagaEntry> & { readonly format?: unknown }) | null;
  try {
    entry = JSON.parse(UTF8_IN.decode(value)) as typeof entry;
  } catch (cause) {
    throw broken('an entry is no JSON', cause);
  }
  if (typeof entry?.format === 'number' && entry.format > FORMAT) {
    throw new PhantomError('0A000', 'the journal of a saga was written by a newer release');
  }
  if (entry?.format !== FORMAT || typeof entry.revision !== 'number' || !Array.isArray(entry.steps)) {
    throw broken('an entry lacks fields');
  }
  const { format: _format, ...rest } = entry;
  return { ...(rest as SagaEntry), error: entry.error };
}

function broken(what: string, cause?: unknown): PhantomError {
  return corruptionError(`the journal of sagas cannot be read: ${what}`, { file: 'the space of sagas', cause });
}
