/**
 * Updates and deletes: found by a reader, held, looked at again, written.
 *
 * Under read committed a document is locked before it is changed; when somebody else changed it since the statement's snapshot, its
 * newest version is read and must still satisfy the filter (as a row of SQL is rechecked). At the other levels such a
 * document is 40001. A document is visited once: the reader sees the statement's snapshot, never what the statement itself writes.
 */
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { CollectionView } from './collection-view.js';
import type { DocumentChange, Modified } from './document-change.js';
import { IdFilter } from './filter/id-filter.js';
import type { PlainObject } from './order.js';
import { changePoint } from './point-change.js';
import type { DocumentPorts } from './ports.js';
import { type Query, Reader } from './reader.js';
import { documentKey } from './row-key.js';
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
  { query, decide, replaces, fields, removes }: DocumentChange,
): Promise<Modified> {
  const command = removes === true ? 'delete' : 'update';
  const found = new FoundDocuments(view, transaction, query, policies, command);
  const partly = fields !== undefined && writer.writesFieldsAlone(fields);
  const reader = new Reader(ports, view, transaction, {
    ...query,
    projection: undefined,
    skip: 0,
    limit: 0,
    fields: partly ? fields : undefined,
    command,
  });
  let matched = 0;
  let modified = 0;
  let before: PlainObject | undefined;
  let after: PlainObject | undefined;
  try {
    while (query.limit === 0 || matched < query.limit) {
      const document = reader.plan.sorted ? reader.nextMatch() : (await reader.batch(1))[0];
      if (document === undefined) {
        if (!reader.paused) break;
        await reader.rest();
        continue;
      }
      const key = reader.plan.sorted ? reader.matchKey() : documentKey(view, document['_id']);
      const wait = found.lock(key);
      if (wait !== undefined) await wait;
      const held = found.recheck(key, document);
      if (held === undefined) continue;
      matched++;
      before = held;
      after = decide(held);
      if (after === undefined) {
        writer.remove(key, held);
        modified++;
      } else if (!identical(held, after)) {
        const changed = after;
        if (partly) {
          writer.updateFields(key, found.row(key, reader), held, changed);
        } else {
          const update = (): Promise<void> | undefined => writer.update(key, held, changed, replaces);
          for (let pending = update(); pending !== undefined; pending = update()) await pending;
        }
        modified++;
      }
    }
  } finally {
    reader.close();
  }
  return { matched, modified, before, after };
}

/** Documents that a statement found and wants to change. */
class FoundDocuments {
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly query: Query;
  private readonly policies: DocumentPolicies | undefined;
  private readonly command: ReadingCommand;
  private readonly slot = new ByteSlot();
  /** The slot has what is newer than the snapshot. */
  private isNewest = false;
  /** What was borrowed before may be something else by now. */
  private hasWaited = false;

  constructor(
    view: CollectionView,
    transaction: DocumentTransaction,
    query: Query,
    policies: DocumentPolicies | undefined,
    command: ReadingCommand,
  ) {
    this.view = view;
    this.transaction = transaction;
    this.query = query;
    this.policies = policies;
    this.command = command;
  }

  lock(key: Uint8Array): Promise<void> | undefined {
    const { storage } = this.transaction;
    if (storage.concurrency !== 'locking') return undefined;
    const wait = storage.lock(key, 0, key.length, LockStrength.Update, 'wait');
    this.hasWaited = wait instanceof Promise;
    return wait instanceof Promise ? wait : undefined;
  }

  /** The row of the document that was held last; borrowed until the next is. */
  row(key: Uint8Array, reader: Reader): ByteSlot {
    if (this.isNewest) return this.slot;
    if (reader.plan.sorted && !this.hasWaited) return reader.matchRow;
    this.transaction.storage.get(key, 0, key.length, this.slot);
    return this.slot;
  }

  /** The document as it is now; undefined when it is gone or satisfies the filter no more. */
  recheck(key: Uint8Array, document: PlainObject): PlainObject | undefined {
    const { storage } = this.transaction;
    this.isNewest = storage.changedSinceSnapshot(key, 0, key.length);
    if (!this.isNewest) return document;
    if (storage.isolation !== 'read committed') throw storage.lostRace(key, 0, key.length);
    if (!storage.getNewest(key, 0, key.length, this.slot)) return undefined;
    if (!isSeen(this.policies, this.command, this.slot)) return undefined;
    const newest = this.view.layout.decode(this.slot);
    return this.query.filter.matches(newest) ? newest : undefined;
  }
}
