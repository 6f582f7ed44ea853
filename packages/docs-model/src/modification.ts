/**
 * Updates and deletes: found by a reader, held, looked at again, written.
 *
 * Under read committed a document is locked before it is changed; when somebody else changed it since the statement's snapshot, its
 * newest version is read and must still satisfy the filter (as a row of SQL is rechecked). At the other levels such a
 * document is 40001. A document is visited once: the reader sees the statement's snapshot, never what the statement itself writes.
 *
 * Of a document only what the filter and the change ask for is decoded, and index entries wait until the end, to be written in order.
 */
import { ByteWriter } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { ChangedPart, CollectionView } from './collection-view.js';
import type { DocumentChange, Modified } from './document-change.js';
import { fieldBytes } from './field-names.js';
import { Patched, patchRow } from './field-patch.js';
import { IdFilter } from './filter/equality-filter.js';
import type { PlainObject } from './order.js';
import { changePoint } from './point-change.js';
import type { DocumentPorts } from './ports.js';
import { type Query, Reader } from './reader.js';
import { type ReadingCommand, isSeen, policiesOf } from './row-security.js';
import type { DocumentTransaction } from './transaction.js';
import { identical } from './update/places.js';
import type { CollectionWriter } from './writer.js';

/** Changes what the query finds. The document behind an `_id` needs no plan, and a promise only where somebody else holds it. */
export function modifyDocuments(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  writer: CollectionWriter,
  change: DocumentChange,
): Modified | Promise<Modified> {
  const { filter, hint } = change.query;
  const policies = policiesOf(ports, view, transaction);
  if (!(filter instanceof IdFilter) || hint !== undefined) {
    return modifyFound(ports, view, transaction, writer, policies, change);
  }
  const done = changePoint(view, transaction, writer, policies, filter.id, change);
  return done instanceof Promise ? done.then(() => modifyDocuments(ports, view, transaction, writer, change)) : done;
}

async function modifyFound(
  ports: DocumentPorts,
  view: CollectionView,
  transaction: DocumentTransaction,
  writer: CollectionWriter,
  policies: DocumentPolicies | undefined,
  { query, decide, replaces, fields, patch, removes, shows }: DocumentChange,
): Promise<Modified> {
  const command = removes === true ? 'delete' : 'update';
  const part = fields === undefined ? undefined : writer.partOf(fields, removes === true);
  const names = shows === true ? undefined : partNames(part, query);
  const patches = part?.indexes.length === 0 && shows !== true ? patch : undefined;
  const reader = new Reader(ports, view, transaction, { ...query, projection: undefined, skip: 0, limit: 0, command });
  const found = new FoundDocuments(view, transaction, query, policies, command, reader);
  let matched = 0;
  let modified = 0;
  let before: PlainObject | undefined;
  let after: PlainObject | undefined;
  if (query.limit !== 1) writer.gatherEntries();
  try {
    while (query.limit === 0 || matched < query.limit) {
      const next = found.next();
      if (next instanceof Promise ? !(await next) : !next) {
        if (!reader.paused) break;
        await reader.rest();
        continue;
      }
      const wait = found.lock();
      if (wait !== undefined) await wait;
      if (!found.recheck()) continue;
      matched++;
      if (patches !== undefined) {
        const patched = patchRow(view, writer, found.key.buffer, found.key.length, found.row, patches);
        if (patched === Patched.Changed) modified++;
        if (patched !== Patched.Not) continue;
      }
      const held = names === undefined ? view.layout.decode(found.row) : view.layout.decodeFields(found.row, names);
      before = held;
      after = decide(held);
      if (after !== undefined && identical(held, after)) continue;
      modified++;
      const key = found.key.take();
      if (after === undefined) {
        writer.remove(key, held);
        continue;
      }
      const now = after;
      const update = (): Promise<void> | undefined =>
        part === undefined
          ? writer.update(key, held, now, replaces)
          : writer.updateFields(key, found.row, held, now, part);
      for (let pending = update(); pending !== undefined; pending = update()) {
        await pending;
        found.readAgain();
      }
    }
    writer.putGathered();
  } finally {
    reader.close();
  }
  return { matched, modified, before, after };
}

/** What is read of each document: what the change has to know, and, for the places of `$`, the filter; undefined: all. */
function partNames(part: ChangedPart | undefined, { filter }: Query): readonly Uint8Array[] | undefined {
  if (part === undefined || filter.fields === undefined) return undefined;
  return fieldBytes(new Set([...part.fields, ...filter.fields]));
}

/** Documents that a statement found and wants to change, one after the other. */
class FoundDocuments {
  /** Key of the present one. */
  readonly key = new ByteWriter();
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly query: Query;
  private readonly policies: DocumentPolicies | undefined;
  private readonly command: ReadingCommand;
  private readonly reader: Reader;
  private readonly slot = new ByteSlot();
  /** What the reader has borrowed is the present one's row. */
  private isBorrowed = false;
  /** The slot has what is newer than the snapshot. */
  private isNewest = false;

  constructor(
    view: CollectionView,
    transaction: DocumentTransaction,
    query: Query,
    policies: DocumentPolicies | undefined,
    command: ReadingCommand,
    reader: Reader,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.query = query;
    this.policies = policies;
    this.command = command;
    this.reader = reader;
  }

  /** Goes to the next; false at the end, and where the reader has paused. */
  next(): boolean | Promise<boolean> {
    const { reader, key } = this;
    if (!reader.plan.sorted) return this.nextInOrder();
    if (!reader.nextRow()) return false;
    key.reset();
    key.bytes(reader.matchKey.buffer, reader.matchKey.start, reader.matchKey.end);
    this.isBorrowed = true;
    return true;
  }

  private async nextInOrder(): Promise<boolean> {
    const [document] = await this.reader.batch(1);
    if (document === undefined) return false;
    this.key.reset();
    this.view.layout.appendKey(this.key, document['_id']);
    this.isBorrowed = false;
    return true;
  }

  lock(): Promise<void> | undefined {
    const { storage } = this.transaction;
    if (storage.concurrency !== 'locking') return undefined;
    const wait = storage.lock(this.key.buffer, 0, this.key.length, LockStrength.Update, 'wait');
    if (!(wait instanceof Promise)) return undefined;
    // What was borrowed before may be something else by then.
    this.isBorrowed = false;
    return wait;
  }

  /** Looks at it as it is now; false when it is gone or satisfies the filter no more. */
  recheck(): boolean {
    const { storage } = this.transaction;
    const { buffer, length } = this.key;
    this.isNewest = storage.changedSinceSnapshot(buffer, 0, length);
    if (!this.isNewest) {
      if (!this.isBorrowed) storage.get(buffer, 0, length, this.slot);
      return true;
    }
    if (storage.isolation !== 'read committed') throw storage.lostRace(buffer, 0, length);
    if (!storage.getNewest(buffer, 0, length, this.slot)) return false;
    if (!isSeen(this.policies, this.command, this.slot)) return false;
    return this.query.filter.matches(this.view.layout.decode(this.slot));
  }

  /** The row of the document that was held last; borrowed until the next is, or until somebody is waited for: then `readAgain`. */
  get row(): ByteSlot {
    return this.isBorrowed && !this.isNewest ? this.reader.matchRow : this.slot;
  }

  /** Reads the row again of a document that is held. */
  readAgain(): void {
    const { storage } = this.transaction;
    const { buffer, length } = this.key;
    this.isBorrowed = false;
    if (this.isNewest) storage.getNewest(buffer, 0, length, this.slot);
    else storage.get(buffer, 0, length, this.slot);
  }
}
