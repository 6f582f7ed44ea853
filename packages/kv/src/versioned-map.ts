/**
 * Keys with their versions, in memory: an arena tree whose payload is the newest version of a key, and a table in which
 * each version names the one before it. A reader at seq s follows the chain to the first version with seq <= s.
 *
 *   entry -> version 9 (seq 40) -> version 3 (seq 12) -> version 0 (seq 2)
 *
 * A version nobody can see any more is unlinked when its key is written to, and its row is used again. Its value bytes
 * stay until the owner copies what lives into a fresh map; `deadBytes` says when that pays.
 */
import { NONE } from './arena-node.js';
import { ArenaTree } from './arena-tree.js';
import { ByteArena } from './byte-arena.js';
import { SEQ_NONE, type Seq } from './seq.js';

const VERSION_WORDS = 3;
const VALUE_OFFSET = 0;
const VALUE_BYTES = 1;
const PREVIOUS = 2;
/** In place of a value's length: the key was removed at this version. */
const TOMBSTONE = -1;
/** Three words and a sequence number. */
const VERSION_BYTES = VERSION_WORDS * 4 + 8;
/** What an entry costs besides its key, about: its row, its slot in a node that is two thirds full, one version. */
const ENTRY_BYTES = 24 + VERSION_BYTES;
const VERSIONS_MIN = 16;

/** Which old versions must stay: those that a live view sees, and everything a view still to come might ask for. */
export interface VersionHorizon {
  /** No view will ever be taken below. */
  readonly floor: Seq;
  /** Seqs of live views, ascending, repeats allowed. */
  readonly viewSeqs: readonly Seq[];
}

export class VersionedMap {
  readonly arena: ByteArena;
  readonly tree: ArenaTree;
  /** Bytes of keys and values that the newest state does not show: dead, but for what live views still pin. */
  deadBytes = 0;
  private versions = new Int32Array(VERSIONS_MIN * VERSION_WORDS);
  private seqs = new Float64Array(VERSIONS_MIN);
  private versionCount = 0;
  private freeVersion: number = NONE;

  constructor(capacityBytes: number) {
    this.arena = new ByteArena(capacityBytes);
    this.tree = new ArenaTree(this.arena.buffer);
  }

  /** Bytes in use. Each key is charged one version more than it has: a removal must never lack room. */
  get bytes(): number {
    return this.arena.length + this.tree.bytes + (this.versionCount + this.tree.count) * VERSION_BYTES;
  }

  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    seq: Seq,
    horizon: VersionHorizon,
  ): void {
    const { arena, tree } = this;
    const keyAt = arena.append(key, keyStart, keyEnd);
    tree.setKeys(arena.buffer);
    const entry = tree.insert(keyAt, keyEnd - keyStart);
    if (tree.inserted) {
      tree.setPayload(entry, NONE);
    } else {
      arena.length = keyAt;
      if (this.valueBytes(tree.payload(entry)) === TOMBSTONE) this.deadBytes -= keyEnd - keyStart + ENTRY_BYTES;
    }
    const valueAt = arena.append(value, valueStart, valueEnd);
    tree.setKeys(arena.buffer);
    this.addVersion(entry, valueAt, valueEnd - valueStart, seq, horizon);
  }

  remove(key: Uint8Array, start: number, end: number, seq: Seq, horizon: VersionHorizon): void {
    const entry = this.tree.find(key, start, end);
    if (entry !== NONE) this.removeEntry(entry, seq, horizon);
  }

  removeEntry(entry: number, seq: Seq, horizon: VersionHorizon): void {
    const { tree } = this;
    if (this.valueBytes(tree.payload(entry)) === TOMBSTONE) return;
    this.addVersion(entry, 0, TOMBSTONE, seq, horizon);
    this.deadBytes += tree.keyEnd(entry) - tree.keyStart(entry) + ENTRY_BYTES;
  }

  /** The version of an entry that a reader at `seq` sees; NONE when the key is not there then. */
  versionAt(entry: number, seq: Seq): number {
    let version = this.tree.payload(entry);
    while (version !== NONE && (this.seqs[version] as number) > seq) version = this.previous(version);
    return version === NONE || this.valueBytes(version) === TOMBSTONE ? NONE : version;
  }

  valueStart(version: number): number {
    return this.versions[version * VERSION_WORDS + VALUE_OFFSET] as number;
  }

  valueEnd(version: number): number {
    return this.valueStart(version) + this.valueBytes(version);
  }

  /** A fresh map with everything that can still be seen, and nothing else. */
  collect(horizon: VersionHorizon): VersionedMap {
    const fresh = new VersionedMap(Math.max(this.arena.length - this.deadBytes, 0));
    const { tree } = this;
    for (let leaf = tree.firstLeaf(); leaf !== NONE; leaf = tree.nextLeaf(leaf)) {
      for (let slot = 0; slot < tree.leafCount(leaf); slot++) fresh.copyEntry(this, tree.entryAt(leaf, slot), horizon);
    }
    return fresh;
  }

  private copyEntry(from: VersionedMap, entry: number, horizon: VersionHorizon): void {
    from.prune(entry, horizon);
    const newest = from.tree.payload(entry);
    if (from.valueBytes(newest) === TOMBSTONE && from.previous(newest) === NONE) return;
    const { arena, tree } = this;
    const keyAt = arena.append(from.arena.buffer, from.tree.keyStart(entry), from.tree.keyEnd(entry));
    tree.setKeys(arena.buffer);
    const copy = tree.insert(keyAt, arena.length - keyAt);
    tree.setPayload(copy, NONE);
    // Newest first, each hung behind the one before.
    let behind: number = NONE;
    for (let version = newest; version !== NONE; version = from.previous(version)) {
      const bytes = from.valueBytes(version);
      const valueAt =
        bytes === TOMBSTONE ? 0 : arena.append(from.arena.buffer, from.valueStart(version), from.valueEnd(version));
      const added = this.newVersion(valueAt, bytes, from.seqs[version] as number, NONE);
      if (behind === NONE) tree.setPayload(copy, added);
      else {
        this.versions[behind * VERSION_WORDS + PREVIOUS] = added;
        this.deadBytes += Math.max(bytes, 0);
      }
      behind = added;
    }
    tree.setKeys(arena.buffer);
    if (from.valueBytes(newest) === TOMBSTONE) this.deadBytes += tree.keyEnd(copy) - tree.keyStart(copy) + ENTRY_BYTES;
  }

  private addVersion(entry: number, valueAt: number, valueBytes: number, seq: Seq, horizon: VersionHorizon): void {
    const { tree, seqs } = this;
    let previous = tree.payload(entry);
    if (previous !== NONE) this.deadBytes += Math.max(this.valueBytes(previous), 0);
    if (previous !== NONE && seqs[previous] === seq) {
      // Later operations of a batch win, and nobody can ever see the earlier one.
      const replaced = previous;
      previous = this.previous(replaced);
      this.free(replaced);
    }
    tree.setPayload(entry, this.newVersion(valueAt, valueBytes, seq, previous));
    this.prune(entry, horizon);
  }

  /** Unlinks the versions of an entry that no view sees, now or later. The newest always stays. */
  private prune(entry: number, horizon: VersionHorizon): void {
    const { versions, seqs } = this;
    let newer = this.tree.payload(entry);
    for (let version = this.previous(newer); version !== NONE;) {
      const older = this.previous(version);
      if (isVisible(seqs[version] as number, seqs[newer] as number, horizon)) {
        newer = version;
      } else {
        versions[newer * VERSION_WORDS + PREVIOUS] = older;
        this.free(version);
      }
      version = older;
    }
  }

  private valueBytes(version: number): number {
    return this.versions[version * VERSION_WORDS + VALUE_BYTES] as number;
  }

  private previous(version: number): number {
    return this.versions[version * VERSION_WORDS + PREVIOUS] as number;
  }

  private newVersion(valueAt: number, valueBytes: number, seq: Seq, previous: number): number {
    let version = this.freeVersion;
    if (version !== NONE) this.freeVersion = this.previous(version);
    else version = this.versionCount++;
    if (version === this.seqs.length) this.growVersions();
    const at = version * VERSION_WORDS;
    this.versions[at + VALUE_OFFSET] = valueAt;
    this.versions[at + VALUE_BYTES] = valueBytes;
    this.versions[at + PREVIOUS] = previous;
    this.seqs[version] = seq;
    return version;
  }

  private free(version: number): void {
    this.versions[version * VERSION_WORDS + PREVIOUS] = this.freeVersion;
    this.seqs[version] = SEQ_NONE;
    this.freeVersion = version;
  }

  private growVersions(): void {
    const versions = new Int32Array(this.versions.length * 2);
    versions.set(this.versions);
    this.versions = versions;
    const seqs = new Float64Array(this.seqs.length * 2);
    seqs.set(this.seqs);
    this.seqs = seqs;
  }
}

/** True when a view, live or to come, sees what was current in [from, to). */
function isVisible(from: Seq, to: Seq, horizon: VersionHorizon): boolean {
  if (to > horizon.floor) return true;
  const { viewSeqs } = horizon;
  let low = 0;
  let high = viewSeqs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((viewSeqs[middle] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low < viewSeqs.length && (viewSeqs[low] as number) < to;
}
