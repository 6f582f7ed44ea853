/**
 * The memory of the lock table: which owner holds which key in which mode.
 *
 *   heads     key hash -> first record of the key (hash-table.ts)
 *   records   [ owner | mode | next and previous record of the key | next record of the owner ], 28 bytes with the hash
 *   crowds    counts of the records of keys that many hold (lock-crowds.ts)
 *
 * No object for a lock: a record is a number. Those of a key are linked from its slot, newest first; those of an owner from
 * its `lockHead`, newest first, so they are a stack. When nobody holds anything, what a large transaction took goes back.
 */
import { assert } from '@phantom/base';
import { NONE } from '@phantom/kv';
import { HashTable } from './hash-table.js';
import { LockCrowds } from './lock-crowds.js';
import type { LockOwner, LockParty } from './lock-owner.js';
import { excludes, isRowMode } from './lock-strength.js';
import { type LockMode, TableLockMode } from './types.js';

const CAPACITY_MIN = 256;
/** Records that are cheaper to take away one by one than with all slots. */
const CLEARED_AT_ONCE_MIN = 64;
const RECORD_WORDS = 5;
const OWNER = 0;
const MODE = 1;
const NEXT_OF_KEY = 2;
const PREVIOUS_OF_KEY = 3;
const NEXT_OF_OWNER = 4;

export class LockRecords {
  /** Records of all owners. */
  count = 0;
  /** Records of tables from which even readers are shut out. */
  accessExclusives = 0;
  private readonly heads = new HashTable();
  private readonly crowds = new LockCrowds();
  private records = new Int32Array(CAPACITY_MIN * RECORD_WORDS);
  private recordHashes = new Float64Array(CAPACITY_MIN);
  private recordCount = 0;
  private freeRecord: number = NONE;
  private readonly owners: (LockOwner | undefined)[] = [];
  private readonly freeOwners: number[] = [];

  /** Newest record of a key, NONE when nobody holds it. */
  first(hash: number): number {
    return this.heads.get(hash, NONE);
  }

  /** The key's record before this one, NONE behind the last. */
  nextOfKey(record: number): number {
    return this.word(record, NEXT_OF_KEY);
  }

  /** The owner's record before this one, NONE behind the last. */
  nextOfOwner(record: number): number {
    return this.word(record, NEXT_OF_OWNER);
  }

  hashOf(record: number): number {
    return this.recordHashes[record] as number;
  }

  modeOf(record: number): LockMode {
    return this.word(record, MODE) as LockMode;
  }

  ownerOf(record: number): LockOwner {
    return this.owners[this.word(record, OWNER)] as LockOwner;
  }

  /** The record keeps another party's owner from having the key in a mode. */
  isInWay(record: number, owner: LockOwner, mode: LockMode): boolean {
    if (!excludes(this.modeOf(record), mode)) return false;
    const holder = this.ownerOf(record);
    return holder.party !== owner.party && !(owner.readsAhead && holder.isCommitQueued && isRowMode(mode));
  }

  /** Another owner that holds the key in a mode that excludes this one. */
  holderAgainst(owner: LockOwner, hash: number, mode: LockMode): LockOwner | undefined {
    for (let record = this.first(hash); record !== NONE; record = this.nextOfKey(record))
      if (this.isInWay(record, owner, mode)) return this.ownerOf(record);
    return undefined;
  }

  /** Adds the parties of all of them. */
  addHoldersAgainst(owner: LockOwner, hash: number, mode: LockMode, parties: Set<LockParty>): void {
    for (let record = this.first(hash); record !== NONE; record = this.nextOfKey(record))
      if (this.isInWay(record, owner, mode)) parties.add(this.ownerOf(record).party);
  }

  /** True when an owner of the party holds the key. */
  isHeldBy(party: LockParty, hash: number): boolean {
    for (let record = this.first(hash); record !== NONE; record = this.nextOfKey(record))
      if (this.ownerOf(record).party === party) return true;
    return false;
  }

  /** Pushes a record onto the owner's. */
  add(owner: LockOwner, hash: number, mode: LockMode): void {
    if (owner.lockSlot === NONE) {
      owner.lockSlot = this.freeOwners.pop() ?? this.owners.length;
      this.owners[owner.lockSlot] = owner;
    }
    const record = this.newRecord();
    const next = this.heads.set(hash, record, NONE);
    this.recordHashes[record] = hash;
    const word = record * RECORD_WORDS;
    this.records[word + OWNER] = owner.lockSlot;
    this.records[word + MODE] = mode;
    if (mode === TableLockMode.AccessExclusive) this.accessExclusives++;
    this.records[word + NEXT_OF_KEY] = next;
    this.records[word + PREVIOUS_OF_KEY] = NONE;
    if (next !== NONE) this.records[next * RECORD_WORDS + PREVIOUS_OF_KEY] = record;
    this.records[word + NEXT_OF_OWNER] = owner.lockHead;
    this.crowds.added(hash, owner.lockSlot, mode);
    owner.lockHead = record;
    owner.lockCount++;
    this.count++;
  }

  /** Counts the records of a key from now on, until it has none: so many hold it that `isFreeInCrowd` is to answer for them. */
  gather(hash: number): void {
    if (this.crowds.of(hash) !== undefined) return;
    const crowd = this.crowds.gather(hash);
    for (let record = this.first(hash); record !== NONE; record = this.nextOfKey(record))
      crowd.add(this.word(record, OWNER), this.modeOf(record));
  }

  /** True when the key's records are counted and nobody holds it in one of the modes `excluded`, a bit for each. */
  isFreeInCrowd(hash: number, excluded: number): boolean {
    const crowd = this.crowds.of(hash);
    return crowd !== undefined && (crowd.modes & excluded) === 0;
  }

  /** True when the key's records are counted and the owner has one in the mode. */
  isHeldInCrowd(owner: LockOwner, hash: number, mode: LockMode): boolean {
    return this.crowds.of(hash)?.has(owner.lockSlot, mode) === true;
  }

  /** Takes the owner's newest record away; returns its hash. */
  pop(owner: LockOwner): number {
    const record = owner.lockHead;
    assert(record !== NONE, 'locks are released down to a record that is held');
    owner.lockHead = this.word(record, NEXT_OF_OWNER);
    return this.remove(owner, record);
  }

  /** Takes away what the owner has of one key. */
  removeOfKey(owner: LockOwner, hash: number): void {
    this.removeSince(owner, NONE, (other) => other === hash);
  }

  /** Takes away those of the owner's records, newer than `head`, that are wanted. */
  removeSince(owner: LockOwner, head: number, isWanted: (hash: number, mode: LockMode) => boolean): void {
    let before: number = NONE;
    let record = owner.lockHead;
    while (record !== head) {
      const next = this.word(record, NEXT_OF_OWNER);
      if (isWanted(this.hashOf(record), this.modeOf(record))) {
        if (before === NONE) owner.lockHead = next;
        else this.records[before * RECORD_WORDS + NEXT_OF_OWNER] = next;
        this.remove(owner, record);
      } else {
        before = record;
      }
      record = next;
    }
  }

  /** Another owner takes over all that one holds. */
  transfer(from: LockOwner, to: LockOwner): void {
    if (from.lockSlot === NONE) return;
    this.owners[from.lockSlot] = to;
    to.lockSlot = from.lockSlot;
    to.lockHead = from.lockHead;
    to.lockCount = from.lockCount;
    from.lockSlot = from.lockHead = NONE;
    from.lockCount = 0;
  }

  /** Forgets an owner that holds nothing any more. */
  forgetOwner(owner: LockOwner): void {
    if (owner.lockHead !== NONE || owner.lockSlot === NONE) return;
    this.owners[owner.lockSlot] = undefined;
    this.freeOwners.push(owner.lockSlot);
    owner.lockSlot = NONE;
  }

  /** True when nobody else holds anything, and there is enough of it that taking it away at once pays. */
  areAllOf(owner: LockOwner): boolean {
    return owner.lockCount === this.count && this.count >= CLEARED_AT_ONCE_MIN;
  }

  /** Takes away all records, which are the owner's. */
  clear(owner: LockOwner): void {
    owner.lockHead = NONE;
    owner.lockCount = 0;
    this.forgetOwner(owner);
    this.count = 0;
    this.accessExclusives = 0;
    this.shrink();
  }

  /** Nobody holds anything: memory that a large transaction took goes back. */
  shrink(): void {
    this.recordCount = 0;
    this.freeRecord = NONE;
    this.heads.clear();
    this.crowds.clear();
    if (this.recordHashes.length === CAPACITY_MIN) return;
    this.records = new Int32Array(CAPACITY_MIN * RECORD_WORDS);
    this.recordHashes = new Float64Array(CAPACITY_MIN);
  }

  /** The record is no longer linked from its owner. */
  private remove(owner: LockOwner, record: number): number {
    const hash = this.recordHashes[record] as number;
    if (this.word(record, MODE) === TableLockMode.AccessExclusive) this.accessExclusives--;
    this.crowds.removed(hash, this.word(record, OWNER), this.modeOf(record));
    const next = this.word(record, NEXT_OF_KEY);
    const previous = this.word(record, PREVIOUS_OF_KEY);
    if (next !== NONE) this.records[next * RECORD_WORDS + PREVIOUS_OF_KEY] = previous;
    if (previous !== NONE) this.records[previous * RECORD_WORDS + NEXT_OF_KEY] = next;
    else if (next === NONE) this.heads.delete(hash);
    else this.heads.set(hash, next, NONE);
    this.records[record * RECORD_WORDS + NEXT_OF_OWNER] = this.freeRecord;
    this.freeRecord = record;
    owner.lockCount--;
    this.count--;
    return hash;
  }

  private word(record: number, word: number): number {
    return this.records[record * RECORD_WORDS + word] as number;
  }

  private newRecord(): number {
    const record = this.freeRecord;
    if (record !== NONE) {
      this.freeRecord = this.word(record, NEXT_OF_OWNER);
      return record;
    }
    if (this.recordCount === this.recordHashes.length) {
      const records = new Int32Array(this.records.length * 2);
      records.set(this.records);
      this.records = records;
      const hashes = new Float64Array(this.recordHashes.length * 2);
      hashes.set(this.recordHashes);
      this.recordHashes = hashes;
    }
    return this.recordCount++;
  }
}
