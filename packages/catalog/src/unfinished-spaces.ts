/**
 * Spaces that are being filled and that nobody reads yet: a table's next home while it moves to another engine. They are
 * filled by many commits, which a crash may cut off anywhere, so each is noted in the catalog before its first key is
 * written, and struck off by the commit that puts it to use. Whatever is still noted when a store is opened was left behind
 * and goes by one range removal.
 *
 * Notes and fillings need no sync of their own: the log keeps its order, so a space never has keys without its note.
 */
import { readU32BE } from '@phantom/base';
import { type SpaceId, spaceRange } from '@phantom/kv';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import type { CatalogSource } from './catalog-source.js';
import { type CatalogKeys, KeyKind } from './keys.js';

const NO_BYTES = new Uint8Array(0);

export class UnfinishedSpaces {
  private readonly mvcc: Mvcc;
  private readonly keys: CatalogKeys;
  private readonly left = new Set<SpaceId>();
  private clearing: Promise<void> = Promise.resolve();

  constructor(mvcc: Mvcc, keys: CatalogKeys) {
    this.mvcc = mvcc;
    this.keys = keys;
  }

  /** Takes in the notes that earlier processes have left. */
  load(source: CatalogSource): void {
    const prefix = this.keys.kind(KeyKind.UnfinishedSpace);
    source.each(prefix, ({ key }) => this.left.add(readU32BE(key.buffer, key.start + prefix.length)));
  }

  /** Spaces that earlier processes have left. */
  get leftBehind(): readonly SpaceId[] {
    return [...this.left];
  }

  /** Notes spaces that are about to be filled. */
  async note(spaces: readonly SpaceId[]): Promise<void> {
    await this.noting(spaces).commit({ durability: 'os' });
  }

  /** As note, on this thread. */
  noteNow(spaces: readonly SpaceId[]): void {
    this.noting(spaces).commitSync({ durability: 'os' });
  }

  /** Strikes the spaces off in the transaction that puts them to use. */
  finish(transaction: MvccTransaction, spaces: readonly SpaceId[]): void {
    for (const space of spaces) {
      const key = this.keys.unfinishedSpace(space);
      transaction.remove(key, 0, key.length);
    }
  }

  /** Removes what is in the spaces, and the notes: they will not be put to use. One at a time. */
  clear(spaces: readonly SpaceId[]): Promise<void> {
    const cleared = this.clearing.then(() => this.remove(spaces));
    this.clearing = cleared.catch(() => undefined);
    return cleared;
  }

  /** Clears what earlier processes have left. */
  async clearLeftBehind(): Promise<void> {
    if (this.left.size > 0) await this.clear([...this.left]);
    this.left.clear();
  }

  /** Resolves when nothing is being cleared. */
  async settled(): Promise<void> {
    await this.clearing;
  }

  private noting(spaces: readonly SpaceId[]): MvccTransaction {
    const transaction = this.mvcc.begin({ label: 'unfinished spaces' });
    for (const space of spaces) {
      const key = this.keys.unfinishedSpace(space);
      transaction.put(key, 0, key.length, NO_BYTES, 0, 0);
    }
    return transaction;
  }

  private async remove(spaces: readonly SpaceId[]): Promise<void> {
    const transaction = this.mvcc.begin({ label: 'unfinished spaces' });
    for (const space of spaces) transaction.removeRange(spaceRange(space));
    this.finish(transaction, spaces);
    await transaction.commit({ durability: 'os' });
  }
}
