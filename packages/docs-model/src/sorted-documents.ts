/**
 * Documents on their way into an order: all that are found, or, where only so many are wanted, not many more than about twice those. What
 * is held of each is the caller's choice, and is taken from the memory of his query.
 *
 *   add, add, ... ──► run ──sort──► runs in memory ──when they fill their share──► one run in a file          merge: the least of all
 *
 *   1. No run in memory is longer than is sorted in a moment; whatever goes through more of them rests on its way.
 *   2. Equal documents keep the order they were found in: so do those of a run, and a run lies behind all that were found before it.
 *   3. Files are closed by `release`, whatever has happened.
 */
import {
  EntryFile,
  type EntryFileReader,
  type ByteWriter,
  type MemoryHolder,
  MemoryShare,
  SLICE_MS,
} from '@phantom/base';
import type { SortKey } from './sort.js';
import { Merged, type SortedSource } from './spill/merged.js';
import { type Room, SPILLED_SHARE_MIN, isCrowded, isUnwritable, windowBytes } from './spill/room.js';
import { SpilledValues, writeSpilled } from './spill/spilled-values.js';

/** What one that is held takes beside itself. */
const HELD_BYTES = 160;
/** So many more than wanted are held before those that come too late are let go. */
const HELD_EXCESS = 1000;
/** Where the memory is full, those are let go as soon as they are this share of what is wanted. */
const EXCESS_SHARE_MIN = 1 / 16;
/** Documents that are sorted at one go: about two milliseconds. */
const RUN_DOCUMENTS = 2048;
/** Documents between two looks at the clock of what goes through all of them. */
const DOCUMENTS_PER_LOOK = 64;

/** How what is held of a document is written into files and read from them. */
export interface SpilledForm<T> {
  write(writer: ByteWriter, item: T): void;
  /** The bytes stay as they are. */
  read(bytes: Uint8Array, start: number, end: number): T;
}

/** How documents are told apart by their keys. */
export interface DocumentOrder {
  /** Parts of a key. */
  readonly partCount: number;
  readonly compare: (a: SortKey, b: SortKey) => number;
}

interface Held<T> {
  readonly key: SortKey;
  readonly item: T;
  readonly bytes: number;
}

/** Documents in their order, one at a time. */
export class OrderedDocuments<T> {
  /** What the last one took in its file; 0 for one that is held in memory. */
  fileBytes = 0;
  /** Of the last one. */
  key: SortKey = [];
  private readonly merged: Merged<Source<T>>;
  private left: number;

  constructor(merged: Merged<Source<T>>, wanted: number) {
    this.merged = merged;
    this.left = wanted;
  }

  next(): T | undefined {
    if (this.left-- <= 0) return undefined;
    const source = this.merged.next();
    if (source === undefined) return undefined;
    this.fileBytes = source.fileBytes;
    this.key = source.key;
    return source.item;
  }
}

export class SortedDocuments<T> implements MemoryHolder {
  private readonly sorter: DocumentOrder;
  private readonly wanted: number;
  private readonly room: Room;
  private readonly memory: MemoryShare;
  private readonly form: SpilledForm<T>;
  private readonly rest: () => Promise<void>;
  /** In order, and the one that is not yet. */
  private runs: Held<T>[][] = [];
  private run: Held<T>[] = [];
  private count = 0;
  private heldBytes = 0;
  private isReleased = false;
  private sliceEnd = performance.now() + SLICE_MS;
  private readonly files: EntryFile[] = [];
  /** Something of what was found has no form in files, or is on its way into one. */
  private staysInMemory: boolean;
  /** Who sorts behind it, or was found later and is its equal, is not among the first. */
  private last: SortKey | undefined;

  /** `wanted`: so many of the first, at most. `part`: what refusals name. `rest` lets others run. */
  constructor(
    sorter: DocumentOrder,
    wanted: number,
    room: Room,
    part: string,
    form: SpilledForm<T>,
    rest: () => Promise<void>,
  ) {
    this.sorter = sorter;
    this.wanted = wanted;
    this.room = room;
    this.memory = new MemoryShare(room.memory, part);
    this.form = form;
    this.rest = rest;
    this.staysInMemory = room.scratch === undefined;
    if (!this.staysInMemory) this.memory.addHolder(this);
  }

  /** False for one that as many as are wanted come before. */
  wants(key: SortKey): boolean {
    return this.last === undefined || this.sorter.compare(key, this.last) < 0;
  }

  /** Takes one that is wanted, of so many bytes. A promise where room has to be made first. 53200 when they do not fit, 53100 on the disk. */
  add(key: SortKey, item: T, bytes: number): Promise<void> | undefined {
    const held = { key, item, bytes: bytes + HELD_BYTES };
    const excess = this.count - this.wanted;
    const isFull = this.isFull(held.bytes);
    if ((isFull && excess > this.wanted * EXCESS_SHARE_MIN) || excess >= this.wanted + HELD_EXCESS) {
      return this.keepFirst().then(() => this.put(held));
    }
    if (isFull && this.maySpill()) return this.spill().then(() => this.put(held));
    this.put(held);
    return undefined;
  }

  /** What was found, in order. Nothing may be added any more. */
  inOrder(): OrderedDocuments<T> {
    this.endRun();
    this.memory.removeHolder(this);
    this.staysInMemory = true;
    const { files, room, memory } = this;
    const sources: Source<T>[] = [];
    if (files.length > 0) {
      const bytes = windowBytes(room.memory, files.length);
      memory.take(bytes * files.length);
      for (const file of files) sources.push(new FileSource(file.reader(bytes), this.sorter.partCount, this.form));
    }
    return new OrderedDocuments(this.merge(sources), this.wanted);
  }

  /** Gives back what it has taken. Safe to call twice. */
  release(): void {
    this.isReleased = true;
    this.memory.removeHolder(this);
    this.memory.release();
    this.runs = [];
    this.run = [];
    for (const file of this.files) file.close();
    this.files.length = 0;
  }

  /** Somebody else needs the memory. */
  giveBack(): void {
    if (!this.maySpill()) return;
    for (const _ of this.written());
  }

  private isFull(bytes: number): boolean {
    const { memory, room, heldBytes } = this;
    if (bytes > memory.leftBytes) return true;
    return !this.staysInMemory && isCrowded(room, heldBytes + bytes);
  }

  private maySpill(): boolean {
    return !this.staysInMemory && this.heldBytes >= this.room.memory.limitBytes * SPILLED_SHARE_MIN;
  }

  private put(held: Held<T>): void {
    this.memory.take(held.bytes);
    this.heldBytes += held.bytes;
    this.count++;
    this.run.push(held);
    if (this.run.length >= RUN_DOCUMENTS) this.endRun();
  }

  private endRun(): void {
    if (this.run.length === 0) return;
    this.runs.push(this.run.sort((a, b) => this.sorter.compare(a.key, b.key)));
    this.run = [];
  }

  private merge(sources: Source<T>[]): Merged<Source<T>> {
    for (const run of this.runs) sources.push(new RunSource(run));
    return new Merged(sources, (a, b) => this.sorter.compare(a.key, b.key));
  }

  /** Lets go of what is not among the first. */
  private async keepFirst(): Promise<void> {
    this.endRun();
    const merged = this.merge([]);
    const kept: Held<T>[] = [];
    let bytes = 0;
    while (kept.length < this.wanted) {
      const { key, item, heldBytes } = merged.next() as RunSource<T>;
      bytes += heldBytes;
      kept.push({ key, item, bytes: heldBytes });
      if (kept.length % DOCUMENTS_PER_LOOK === 0 && this.isOverdue()) await this.rested();
      if (this.isReleased) return;
    }
    this.memory.give(this.heldBytes - bytes);
    this.heldBytes = bytes;
    this.count = kept.length;
    this.runs = [kept];
    this.last = kept.at(-1)?.key;
  }

  private isOverdue(): boolean {
    return performance.now() > this.sliceEnd;
  }

  private async rested(): Promise<void> {
    await this.rest();
    this.sliceEnd = performance.now() + SLICE_MS;
  }

  private async spill(): Promise<void> {
    for (const _ of this.written()) if (this.isOverdue()) await this.rested();
  }

  /** Writes what is held into a file, and stops here and there on its way. */
  private *written(): Generator<void, void> {
    const { room, form } = this;
    if (room.scratch === undefined) return;
    this.endRun();
    this.staysInMemory = true;
    const file = new EntryFile(room.scratch, 'sort');
    this.files.push(file);
    const merged = this.merge([]);
    try {
      for (let source = merged.next(); source !== undefined; source = merged.next()) {
        const { key, item } = source;
        file.append((writer) => {
          for (const part of key) writeSpilled(writer, part);
          form.write(writer, item);
        });
        if (file.count % DOCUMENTS_PER_LOOK === 0) yield;
        if (this.isReleased) return;
      }
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      this.files.pop();
      file.close();
      return;
    }
    this.staysInMemory = false;
    this.memory.give(this.heldBytes);
    this.heldBytes = 0;
    this.count = 0;
    this.runs = [];
  }
}

/** A run, by its documents. */
interface Source<T> extends SortedSource {
  readonly key: SortKey;
  readonly item: T;
  readonly fileBytes: number;
}

class RunSource<T> implements Source<T> {
  readonly fileBytes = 0;
  private readonly run: readonly Held<T>[];
  private at = -1;

  constructor(run: readonly Held<T>[]) {
    this.run = run;
  }

  get key(): SortKey {
    return this.held.key;
  }

  get item(): T {
    return this.held.item;
  }

  get heldBytes(): number {
    return this.held.bytes;
  }

  next(): boolean {
    return ++this.at < this.run.length;
  }

  private get held(): Held<T> {
    return this.run[this.at] as Held<T>;
  }
}

class FileSource<T> implements Source<T> {
  key: SortKey = [];
  private readonly entries: EntryFileReader;
  private readonly keyParts: number;
  private readonly form: SpilledForm<T>;
  private itemAt = 0;

  constructor(entries: EntryFileReader, keyParts: number, form: SpilledForm<T>) {
    this.entries = entries;
    this.keyParts = keyParts;
    this.form = form;
  }

  get item(): T {
    const { buffer, end } = this.entries;
    return this.form.read(buffer, this.itemAt, end);
  }

  get fileBytes(): number {
    return this.entries.end - this.entries.start;
  }

  next(): boolean {
    const { entries } = this;
    if (!entries.next()) return false;
    const values = new SpilledValues(entries.buffer, entries.start);
    this.key = Array.from({ length: this.keyParts }, () => values.next());
    this.itemAt = values.at;
    return true;
  }
}
