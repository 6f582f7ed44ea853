/**
 * Decoded documents, for those who ask for the same ones again and again: by `_id`, or through an index. What is handed out is a copy,
 * made by one function of the document's form (document-copier.ts of codec), which costs a fifth of decoding its bytes and spares the
 * look-up of its row.
 *
 *   entries   hash of the row's key ── key, document, since       one for each hash; another key with the same does without
 *   lookups   hash of values of an index ── the entries that have them, in the index's order
 *   group     64 KiB of both: what the cache shared with blocks and pages puts out, whole, when its hand says so
 *
 * A document is taken in when it is decoded the second time, or by a look-up made the second time, while the hash of the first is remembered, so
 * a look at everything puts nothing out; walks through a collection neither ask nor are taken in. Where groups go out before their entries were of use as often as there
 * are entries, only one in KEPT_ONE_IN is taken in, until that is different. A look-up is kept once all of its documents were here when it
 * was made.
 *
 * Who may ask: views of what is committed, and nothing else (no writes of the asking transaction). Every commit tells the keys that it has
 * written before anybody can see it (`CommitObserver`), and their entries go. So
 *
 *   1. An entry that is here is the document as of every view from `since` to the present.
 *   2. `since` is the last commit that wrote anything to the document's space, which the view that it was read by has seen.
 *   3. A look-up that is here has the documents with these values as of every view from its `since` to the present: it goes when the index
 *      is given another entry of these values, and with any of its entries, since who takes an index's entry away writes its document.
 *
 * The objects lie in the heap of JavaScript, whose bound has nothing to do with the cache's: so BYTES_MAX holds, too. Left out: writing a
 * changed document back here, which would have to know what the commit made of it.
 */
import type { Metrics } from '@phantom/base';
import { copierOf } from '@phantom/codec';
import { type BatchReader, type ByteSlot, OperationKind, type Seq, type SpaceId, spaceOfKey } from '@phantom/kv';
import type { CommitObserver, Mvcc } from '@phantom/mvcc';
import type { PlainObject } from './order.js';

/** Something that a cache shared with others may put out. */
export interface CacheItem {
  readonly chargeBytes: number;
  /** It was of use since the cache looked last. */
  referenced: boolean;
  /** The cache's own. */
  cacheSlot: number;
  /** It is out. */
  evicted(): void;
}

/** A cache of bounded bytes, shared with blocks and pages. */
export interface SharedCache {
  /** False for what is too large to be kept. */
  insert(item: CacheItem): boolean;
  remove(item: CacheItem): void;
}

/** Most bytes of decoded documents. */
export const DOCUMENT_CACHE_BYTES_MAX = 256 * 1024 * 1024;
const GROUP_BYTES = 64 * 1024;
const GROUPS_MAX = DOCUMENT_CACHE_BYTES_MAX / GROUP_BYTES;
/** A larger document, by its bytes in memory, is not kept; nor is one of more bytes stored looked at. */
const ENTRY_BYTES_MAX = GROUP_BYTES / 4;
/** What an entry takes beside its document. */
const ENTRY_OVERHEAD_BYTES = 160;
/** What a look-up takes for each of its documents, and look-ups that one document may be in. */
const REFERENCE_BYTES = 32;
const LOOKUPS_MAX = 4;
/** Hashes remembered of what was asked for once, a power of two. */
const ASKED_SLOTS = 1 << 18;
/** Of these, the slots that a hash may stand in, a power of two: the oldest goes. With one, two that are asked for in turn never come back. */
const ASKED_TOGETHER = 4;
/** Operations of a commit that are looked through; a larger one empties the cache. */
const OPERATIONS_MAX = 16_384;
/** Of documents that go out before they are of use, so many are not taken in for one that is. */
const KEPT_ONE_IN = 16;
/** Spaces whose documents are kept; when there are as many, all are forgotten. */
const SPACES_MAX = 4096;

/** A document that is kept. */
export class CachedDocument {
  /** The row's key, a character for each byte. */
  readonly key: string;
  readonly hash: number;
  readonly since: Seq;
  /** Nobody's to change. Put elsewhere in memory, beside those that it is asked for with. */
  document: PlainObject;
  /** Of the stored document. */
  readonly storedBytes: number;
  readonly copyOf: CopyDocument;
  readonly group: DocumentGroup;
  /** That it is in, or was. */
  lookups: CachedLookup[] = NO_LOOKUPS;

  constructor(
    key: string,
    hash: number,
    since: Seq,
    document: PlainObject,
    storedBytes: number,
    copyOf: CopyDocument,
    group: DocumentGroup,
  ) {
    this.key = key;
    this.hash = hash;
    this.since = since;
    this.document = document;
    this.storedBytes = storedBytes;
    this.copyOf = copyOf;
    this.group = group;
  }

  /** The document, the caller's own. */
  copy(): PlainObject {
    return this.copyOf(this.document);
  }

  /** Is one of a look-up's from now on. Its document goes to where those of the largest of its look-ups are. */
  join(lookup: CachedLookup): void {
    const { lookups, document } = this;
    this.lookups = [...lookups, lookup];
    if (lookups.some(({ entries }) => entries.length >= lookup.entries.length)) return;
    this.document = this.copy();
    for (const one of this.lookups) one.documents[one.documents.indexOf(document)] = this.document;
  }

  hasKey(bytes: Uint8Array, start: number, end: number): boolean {
    return isText(this.key, bytes, start, end);
  }
}

/**
 * What an index has under all of its values. The documents are made anew when they come together: what is read together then lies together
 * in memory, and to wait for memory is most of what a copy costs.
 */
export class CachedLookup {
  readonly hash: number;
  readonly since: Seq;
  /** The index's key up to the documents', a character for each byte. */
  readonly key: string;
  readonly entries: readonly CachedDocument[];
  /** Theirs, so that nobody needs to look at the entries to copy them. */
  readonly documents: PlainObject[];
  /** What copies each of them; undefined: each has its own. */
  private readonly copyOf: CopyDocument | undefined;
  readonly group: DocumentGroup;
  isLive = true;

  constructor(key: string, hash: number, since: Seq, entries: readonly CachedDocument[], group: DocumentGroup) {
    this.key = key;
    this.hash = hash;
    this.since = since;
    this.entries = entries;
    this.documents = entries.map(({ document }) => document);
    const first = entries[0]?.copyOf;
    this.copyOf = entries.every(({ copyOf }) => copyOf === first) ? first : undefined;
    this.group = group;
  }

  /** Copies of its documents, so many at the most. */
  copies(documentsMax: number): PlainObject[] {
    const { entries, documents, copyOf } = this;
    const count = Math.min(entries.length, documentsMax);
    const copies: PlainObject[] = [];
    for (let i = 0; i < count; i++) {
      copies.push(copyOf === undefined ? (entries[i] as CachedDocument).copy() : copyOf(documents[i] as PlainObject));
    }
    return copies;
  }
}

type CopyDocument = (document: PlainObject) => PlainObject;
const NO_LOOKUPS: CachedLookup[] = [];

/** A space that something is kept from. */
interface CachedSpace {
  /** Its last commit, or the present when it was met first. */
  changed: Seq;
  /** What is kept from it. */
  readonly holds: 'documents' | 'entries';
}

class DocumentGroup implements CacheItem {
  readonly chargeBytes = GROUP_BYTES;
  referenced = false;
  cacheSlot = -1;
  bytes = 0;
  hits = 0;
  /** Entries taken in, and those of them that are still here. */
  taken = 0;
  readonly live = new Set<CachedDocument>();
  readonly lookups = new Set<CachedLookup>();
  private readonly owner: DocumentCache;

  constructor(owner: DocumentCache) {
    this.owner = owner;
  }

  evicted(): void {
    this.owner.groupLeft(this);
  }
}

export class DocumentCache implements CommitObserver {
  hits = 0;
  private readonly cache: SharedCache;
  private readonly entries = new Map<number, CachedDocument>();
  private readonly lookups = new Map<number, CachedLookup>();
  private readonly spaces = new Map<SpaceId, CachedSpace>();
  private readonly groups = new Set<DocumentGroup>();
  private current: DocumentGroup | undefined = undefined;
  /** By a part of the hash: the hash of a document that was decoded once, or of values looked up. Made for the first. */
  private asked: Int32Array | undefined = undefined;
  /** Few documents are taken in; how many might have been. */
  private isSparing = false;
  private offered = 0;
  private readonly mvcc: Mvcc;

  /** Charges `cache` with what it keeps of what is committed by `mvcc`. */
  constructor(cache: SharedCache, mvcc: Mvcc, metrics: Metrics) {
    this.cache = cache;
    this.mvcc = mvcc;
    mvcc.observe(this);
    metrics.gauge('phantom_documents_kept', 'Documents kept decoded.', () => this.entries.size);
    metrics.gauge('phantom_documents_kept_bytes', 'Memory that they are charged with.', () => this.bytes);
    metrics.gauge(
      'phantom_documents_kept_hits_total',
      'Reads of documents and look-ups answered by what is kept.',
      () => this.hits,
    );
  }

  /** Documents that are kept. */
  get count(): number {
    return this.entries.size;
  }

  /** Look-ups that are kept. */
  get lookupCount(): number {
    return this.lookups.size;
  }

  /** Bytes that they are charged with. */
  get bytes(): number {
    return this.groups.size * GROUP_BYTES;
  }

  /** The document under a row's key as of a view of what is committed, if it is here. */
  find(key: Uint8Array, start: number, end: number, seq: Seq): CachedDocument | undefined {
    if (this.entries.size === 0) return undefined;
    const entry = this.entries.get(hashOf(key, start, end));
    if (entry === undefined || entry.since > seq || !entry.hasKey(key, start, end)) return undefined;
    const { group } = entry;
    group.referenced = true;
    group.hits++;
    this.hits++;
    return entry;
  }

  /** What an index has under these values, as of a view of what is committed, if it is here. */
  findLookup(values: Uint8Array, start: number, end: number, seq: Seq): CachedLookup | undefined {
    if (this.lookups.size === 0) return undefined;
    const lookup = this.lookups.get(hashOf(values, start, end));
    if (lookup === undefined || lookup.since > seq || !isText(lookup.key, values, start, end)) return undefined;
    lookup.group.referenced = true;
    // Each of its documents was of use.
    lookup.group.hits += lookup.entries.length;
    this.hits++;
    return lookup;
  }

  /**
   * Takes note that a document was decoded from its row, by a view of what is committed as of `seq`; `comesAgain`: for the second time.
   * Gives the entry, if it is kept now: then the document is nobody's to hand out.
   */
  note(
    key: Uint8Array,
    start: number,
    end: number,
    seq: Seq,
    row: ByteSlot,
    document: PlainObject,
    comesAgain: boolean,
  ): CachedDocument | undefined {
    const hash = hashOf(key, start, end);
    if (!comesAgain && !this.wasAsked(hash)) return undefined;
    if (this.isSparing && ++this.offered % KEPT_ONE_IN !== 0) return undefined;
    const storedBytes = row.end - row.start;
    if (storedBytes > ENTRY_BYTES_MAX || this.entries.has(hash)) return undefined;
    const since = this.space(spaceOfKey(key, start), 'documents').changed;
    if (seq < since) return undefined;
    const { copy, bytes } = copierOf(document as Parameters<typeof copierOf>[0]);
    const group = this.groupWithRoom(ENTRY_OVERHEAD_BYTES + end - start + bytes);
    if (group === undefined) return undefined;
    const entry = new CachedDocument(
      textOf(key, start, end),
      hash,
      since,
      document,
      storedBytes,
      copy as CopyDocument,
      group,
    );
    this.entries.set(hash, entry);
    group.live.add(entry);
    group.taken++;
    return entry;
  }

  /** Whether a look-up of these values is remembered; from now on it is. */
  wasLookedUp(values: Uint8Array): boolean {
    return this.wasAsked(hashOf(values, 0, values.length));
  }

  /** Takes note that an index has these entries, and no others, under these values, by a view as of `seq`. */
  noteLookup(values: Uint8Array, seq: Seq, entries: readonly CachedDocument[]): void {
    const hash = hashOf(values, 0, values.length);
    if (this.lookups.has(hash)) return;
    let since = this.space(spaceOfKey(values, 0), 'entries').changed;
    for (const entry of entries) {
      // Some may have gone since they were met.
      if (this.entries.get(entry.hash) !== entry) return;
      if (entry.lookups.length > 0) entry.lookups = entry.lookups.filter(({ isLive }) => isLive);
      if (entry.lookups.length === LOOKUPS_MAX) return;
      since = Math.max(since, entry.since);
    }
    if (seq < since) return;
    const group = this.groupWithRoom(ENTRY_OVERHEAD_BYTES + values.length + REFERENCE_BYTES * entries.length);
    if (group === undefined) return;
    const lookup = new CachedLookup(textOf(values, 0, values.length), hash, since, entries, group);
    this.lookups.set(hash, lookup);
    group.lookups.add(lookup);
    // Making room may have put out some of them.
    if (entries.some((entry) => this.entries.get(entry.hash) !== entry)) this.dropLookup(lookup);
    else for (const entry of entries) entry.join(lookup);
  }

  published(batch: BatchReader, seq: Seq): void {
    if (this.spaces.size === 0) return;
    if (batch.count > OPERATIONS_MAX) {
      this.forget();
      return;
    }
    let id: SpaceId = -1;
    let space: CachedSpace | undefined;
    while (batch.next()) {
      const { bytes, keyStart } = batch;
      if (batch.kind === OperationKind.RemoveRange) {
        this.forgetSpaces(spaceOfKey(bytes, keyStart), spaceOfKey(bytes, batch.valueStart));
        id = -1;
        space = undefined;
        continue;
      }
      const of = spaceOfKey(bytes, keyStart);
      if (of !== id) {
        id = of;
        space = this.spaces.get(of);
        if (space !== undefined) space.changed = seq;
      }
      if (space !== undefined) this.written(space, batch);
    }
  }

  loaded(): void {
    this.forget();
  }

  /** The group is not charged for any more. */
  groupLeft(group: DocumentGroup): void {
    this.groups.delete(group);
    if (this.current === group) this.current = undefined;
    // What was written did not go for want of room.
    if (group.live.size > 0 && group.taken > 0) this.isSparing = group.hits < group.taken;
    for (const entry of group.live) this.dropEntry(entry);
    for (const lookup of group.lookups) this.dropLookup(lookup);
  }

  /** A commit has written the key that the reader stands at. Another key with the same hash may be met: then it is read again, no more. */
  private written({ holds }: CachedSpace, { bytes, kind, keyStart, keyEnd, valueStart, valueEnd }: BatchReader): void {
    if (holds === 'documents') {
      const entry = this.entries.get(hashOf(bytes, keyStart, keyEnd));
      if (entry !== undefined) this.drop(entry);
    } else if (kind === OperationKind.Put) {
      // Behind the values stands what the entry's value is, too, but where the values are unique.
      this.forgetLookup(bytes, keyStart, keyEnd);
      this.forgetLookup(bytes, keyStart, keyEnd - (valueEnd - valueStart));
    }
  }

  private forgetLookup(values: Uint8Array, start: number, end: number): void {
    const lookup = this.lookups.get(hashOf(values, start, end));
    if (lookup !== undefined) this.dropLookup(lookup);
  }

  private wasAsked(hash: number): boolean {
    const asked = (this.asked ??= new Int32Array(ASKED_SLOTS));
    const first = hash & (ASKED_SLOTS - ASKED_TOGETHER);
    for (let i = 0; i < ASKED_TOGETHER; i++) if (asked[first + i] === hash) return true;
    asked.copyWithin(first + 1, first, first + ASKED_TOGETHER - 1);
    asked[first] = hash;
    return false;
  }

  private space(id: SpaceId, holds: CachedSpace['holds']): CachedSpace {
    let space = this.spaces.get(id);
    if (space === undefined) {
      if (this.spaces.size === SPACES_MAX) this.forget();
      const view = this.mvcc.presentView();
      space = { changed: view.seq, holds };
      view.release();
      this.spaces.set(id, space);
    }
    return space;
  }

  private drop(entry: CachedDocument): void {
    this.dropEntry(entry);
    const { group } = entry;
    if (group.live.size > 0 || group.lookups.size > 0 || group === this.current) return;
    this.cache.remove(group);
    this.groupLeft(group);
  }

  private dropEntry(entry: CachedDocument): void {
    this.entries.delete(entry.hash);
    entry.group.live.delete(entry);
    for (const lookup of entry.lookups) this.dropLookup(lookup);
    entry.lookups = NO_LOOKUPS;
  }

  private dropLookup(lookup: CachedLookup): void {
    if (!lookup.isLive) return;
    lookup.isLive = false;
    this.lookups.delete(lookup.hash);
    lookup.group.lookups.delete(lookup);
  }

  private forget(): void {
    for (const group of this.groups) this.cache.remove(group);
    this.groups.clear();
    this.entries.clear();
    this.lookups.clear();
    this.spaces.clear();
    this.current = undefined;
  }

  /** Everything from one space to another, both included, is gone. */
  private forgetSpaces(first: SpaceId, last: SpaceId): void {
    const isGone = (space: SpaceId): boolean => space >= first && space <= last;
    const gone = [...this.spaces.keys()].filter(isGone);
    if (gone.length === 0) return;
    for (const space of gone) this.spaces.delete(space);
    for (const entry of this.entries.values()) if (isGone(spaceOfText(entry.key))) this.drop(entry);
    for (const lookup of this.lookups.values()) if (isGone(spaceOfText(lookup.key))) this.dropLookup(lookup);
  }

  private groupWithRoom(bytes: number): DocumentGroup | undefined {
    if (bytes > ENTRY_BYTES_MAX) return undefined;
    const { current } = this;
    if (current !== undefined && current.bytes + bytes <= GROUP_BYTES) {
      current.bytes += bytes;
      return current;
    }
    if (this.groups.size === GROUPS_MAX) this.dropOldest();
    const group = new DocumentGroup(this);
    if (!this.cache.insert(group)) return undefined;
    group.bytes = bytes;
    this.groups.add(group);
    this.current = group;
    return group;
  }

  private dropOldest(): void {
    const [oldest] = this.groups;
    if (oldest === undefined) return;
    this.cache.remove(oldest);
    this.groupLeft(oldest);
  }
}

/** What one reader asks, by a view of what is committed. */
export class CachedReads {
  private readonly cache: DocumentCache;
  private readonly seq: Seq;
  private kept: CachedDocument | undefined = undefined;

  constructor(cache: DocumentCache, seq: Seq) {
    this.cache = cache;
    this.seq = seq;
  }

  /** See DocumentCache.find. */
  find(key: Uint8Array, start: number, end: number): CachedDocument | undefined {
    return this.cache.find(key, start, end, this.seq);
  }

  /** See DocumentCache.findLookup. */
  findLookup(values: Uint8Array): CachedLookup | undefined {
    return this.cache.findLookup(values, 0, values.length, this.seq);
  }

  /** See DocumentCache.wasLookedUp. */
  wasLookedUp(values: Uint8Array): boolean {
    return this.cache.wasLookedUp(values);
  }

  /** See DocumentCache.noteLookup. */
  noteLookup(values: Uint8Array, entries: readonly CachedDocument[]): void {
    this.cache.noteLookup(values, this.seq, entries);
  }

  /** See DocumentCache.note. */
  note({ buffer, start, end }: ByteSlot, row: ByteSlot, document: PlainObject, comesAgain: boolean): PlainObject {
    this.kept = this.cache.note(buffer, start, end, this.seq, row, document, comesAgain);
    return this.kept === undefined ? document : this.kept.copy();
  }

  /** The document that was noted since this was asked last, if it is kept. */
  takeKept(): CachedDocument | undefined {
    const { kept } = this;
    this.kept = undefined;
    return kept;
  }
}

/** FNV-1a, mixed in the end as MurmurHash3 does: 30 bits, which JavaScript holds as a small integer; never 0. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) & 0x3fff_ffff || 1;
}

/** Bytes as a text with a character for each. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** True when the text has a character for each of the bytes. */
function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}

function spaceOfText(key: string): SpaceId {
  return spaceOfKey(
    Uint8Array.from({ length: 4 }, (_, i) => key.charCodeAt(i)),
    0,
  );
}
