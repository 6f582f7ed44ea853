/**
 * Reading: plan, scan, filter, sort, skip, limit, project. One reader is one query's run; it hands out documents in batches and between
 * them gives the process a turn, so a long query holds nobody up.
 *
 * A filter that reads few fields is asked of those alone; only what matches is decoded whole.
 */
import { PhantomError, SLICE_MS, eventLoop } from '@phantom/base';
import type { DocumentPolicies } from '@phantom/catalog';
import { ByteSlot, CursorBatch, type KeyRange } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import { CachedDocument, CachedReads } from './document-cache.js';
import { fieldBytes } from './field-names.js';
import { type CompiledFilter, matchesAll } from './filter/filter.js';
import { documentBytes } from './memory-bytes.js';
import type { PlainObject } from './order.js';
import { turnIsLong } from './long-turns.js';
import { type Plan, planScan } from './planner.js';
import { type DocumentPorts, roomFor } from './ports.js';
import type { Projection } from './projection.js';
import { type ReadingCommand, isSeen, policiesOf } from './row-security.js';
import { IndexScan, KeyScan, LookupScan, type Scan, type ScanCounters, SpaceScan } from './scan.js';
import { SeenRows } from './seen-rows.js';
import { type SortPart, Sorter } from './sort.js';
import { type OrderedDocuments, SortedDocuments, type SpilledForm } from './sorted-documents.js';
import { rowForm } from './spill/document-form.js';
import type { Room } from './spill/room.js';
import { TextMatcher } from './text-matcher.js';
import { passTextScore } from './text-score.js';
import type { DocumentTransaction } from './transaction.js';
import { parseSearch } from './words.js';

const DOCUMENTS_PER_CLOCK = 128;
/** Bytes of stored documents after which a batch is handed on with fewer than were asked for. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** What a sort holds of a document: its row, where it can be decoded when it is handed out. */
type Sortable = PlainObject | CachedDocument | Uint8Array;
/** A kept document is written as any other. */
const sortableForm: SpilledForm<Sortable> = {
  ...rowForm,
  write: (writer, item) => rowForm.write(writer, item instanceof CachedDocument ? item.document : item),
};
const outputRow = new ByteSlot();
/** For whoever only counts: nobody looks into it. */
const counted = new CursorBatch(DOCUMENTS_PER_CLOCK);
counted.valueless = true;
counted.keyless = true;
/** The same where it has to be remembered what was read. */
const remembered = new CursorBatch(DOCUMENTS_PER_CLOCK);
/** Stands for fields of any name. */
const ALL_FIELDS: readonly Uint8Array[] = [];

export interface Query {
  readonly filter: CompiledFilter;
  readonly sort: readonly SortPart[];
  readonly skip: number;
  /** 0: all. */
  readonly limit: number;
  readonly projection: Projection | undefined;
  readonly hint: string | undefined;
  /** Top-level fields that the caller reads; undefined: all. */
  readonly fields?: ReadonlySet<string> | undefined;
  /** What becomes of what is found: policies may let it be read and not changed. Default `select`. */
  readonly command?: ReadingCommand;
}

/** What `explain` tells. */
export interface Explanation {
  readonly stage: 'IDHACK' | 'COLLSCAN' | 'IXSCAN' | 'TEXT' | 'OR';
  /** Name of the index, where one was used. */
  readonly index?: string;
  readonly indexes?: readonly string[];
  readonly bounds: readonly string[];
  readonly direction: 'forward' | 'backward';
  /** Sorted in memory. */
  readonly sort: boolean;
  readonly multikey?: boolean;
  readonly estimatedKeys: number;
  readonly keysExamined: number;
  readonly documentsExamined: number;
  readonly returned: number;
}

export class Reader {
  readonly counters: ScanCounters = { keysExamined: 0, documentsExamined: 0 };
  readonly plan: Plan;
  returned = 0;
  private readonly view: CollectionView;
  private readonly transaction: DocumentTransaction;
  private readonly query: Query;
  private readonly scan: Scan;
  private readonly asksFilter: boolean;
  private readonly filterFields: readonly Uint8Array[] | undefined;
  /** What of a document is decoded in the end; undefined: all. */
  private readonly outputFields: readonly Uint8Array[] | undefined;
  /** What of a document the filter reads, for nextRow. */
  private rowFields: readonly Uint8Array[] | undefined;
  private readonly text: TextMatcher | undefined;
  private readonly policies: DocumentPolicies | undefined;
  private readonly command: ReadingCommand;
  /** Where what is decoded whole is kept, if it is to be. */
  private readonly reads: CachedReads | undefined;
  /** Its transaction may begin another statement before all is read: that must not change what is met. */
  private readonly mayBeLeft: boolean;
  private readonly room: Room;
  private sorted: SortedDocuments<Sortable> | undefined;
  private ordered: OrderedDocuments<Sortable> | undefined;
  /** Stored bytes of the document that came out of a sort last; 0 where the sort itself holds it. */
  private orderedBytes = 0;
  private skipped = 0;
  private isClosed = false;
  /** nextMatch or nextRow gave nothing because others need a turn. */
  paused = false;
  private clock = 0;
  private sliceEnd = performance.now() + SLICE_MS;

  /** What a sort holds is taken from the room, and given back when the reader is closed. */
  constructor(
    ports: DocumentPorts,
    view: CollectionView,
    transaction: DocumentTransaction,
    query: Query,
    room: Room = roomFor(ports),
  ) {
    this.room = room;
    this.view = view;
    this.transaction = transaction;
    this.query = query;
    const { filter, sort, skip, limit, hint, command = 'select' } = query;
    this.command = command;
    const { readOnly, isolation } = transaction.storage;
    this.mayBeLeft = command === 'select' && !(readOnly && isolation !== 'read committed');
    this.policies = policiesOf(ports, view, transaction);
    this.plan = planScan({
      view,
      transaction: transaction.storage,
      filter,
      sort,
      wanted: limit === 0 ? undefined : skip + limit,
      hint,
      estimate: (range) => ports.estimate(range),
    });
    const reads = this.policies === undefined && command === 'select' ? readsOf(ports, transaction) : undefined;
    this.scan = this.keptLookup(reads) ?? openScan(this.plan, view, transaction, this.counters, reads);
    this.reads = this.scan.mayComeAgain ? reads : undefined;
    this.text = filter.text === undefined ? undefined : new TextMatcher(view, parseSearch(filter.text.search));
    this.asksFilter = this.plan.answersFilter !== true;
    const exact = this.plan.access.kind === 'keys' || this.text !== undefined || !this.asksFilter;
    const fields = filter.fields;
    this.outputFields = neededFields(query);
    this.filterFields = exact || fields === undefined || fields.size === 0 ? undefined : fieldBytes(fields);
  }

  /** The look-up that answers the plan, where it is kept. */
  private keptLookup(reads: CachedReads | undefined): Scan | undefined {
    const { plan } = this;
    if (reads === undefined || plan.isLookup !== true || plan.access.kind !== 'index') return undefined;
    const lookup = reads.findLookup((plan.access.ranges[0] as KeyRange).lower);
    return lookup === undefined ? undefined : new LookupScan(lookup, this.counters);
  }

  /** The next documents, fewer than asked for where they are large, none at the end. A promise where they have to be sorted first, and where others need a turn on the way. */
  batch(documentsMax: number): PlainObject[] | Promise<PlainObject[]> {
    if (this.isClosed) return [];
    if (this.ordered === undefined && !this.plan.sorted) return this.sortAll().then(() => this.fill([], documentsMax));
    return this.fill([], documentsMax);
  }

  private fill(batch: PlainObject[], documentsMax: number): PlainObject[] | Promise<PlainObject[]> {
    const { query, scan } = this;
    let bytes = 0;
    if (this.isClosed) return batch;
    while (batch.length < documentsMax && bytes < BATCH_BYTES && (query.limit === 0 || this.returned < query.limit)) {
      const document = this.ordered === undefined ? this.nextMatch() : this.nextOrdered();
      if (document === undefined) {
        if (!this.paused) break;
        return this.rest().then(() => {
          if (!this.isClosed) this.checkActive();
          return this.fill(batch, documentsMax);
        });
      } else if (this.skipped < query.skip) {
        this.skipped++;
      } else {
        this.returned++;
        batch.push(query.projection === undefined ? document : query.projection.apply(document));
        bytes +=
          this.ordered === undefined ? (scan.cached?.storedBytes ?? scan.row.end - scan.row.start) : this.orderedBytes;
      }
    }
    if (batch.length === 0) this.close();
    else if (this.returned === query.limit && this.ordered === undefined) this.scan.satisfied?.();
    else if (this.mayBeLeft && (batch.length === documentsMax || bytes >= BATCH_BYTES)) this.scan.hold?.();
    return batch;
  }

  /**
   * The next document that matches; sorts and limits left aside, for updates and deletes. Undefined at the end, and when the
   * process needs a turn (`paused`): then `rest`, and ask again.
   */
  nextMatch(): PlainObject | undefined {
    this.checkActive();
    const { scan, view, filterFields, outputFields, asksFilter } = this;
    const { matches } = this.query.filter;
    for (;;) {
      if (!this.nextSeen()) return undefined;
      const { cached } = scan;
      if (cached !== undefined) {
        if (this.text !== undefined && !this.text.matches(cached.document)) continue;
        if (!asksFilter || matches(cached.document)) return this.scored(cached.document, cached.copy());
        continue;
      }
      if (outputFields !== undefined) {
        const part = view.layout.decodeFields(scan.row, outputFields);
        if (!asksFilter || matches(part)) return part;
        continue;
      }
      if (filterFields !== undefined) {
        if (matches(view.layout.decodeFields(scan.row, filterFields))) return this.kept(view.layout.decode(scan.row));
        continue;
      }
      const document = view.layout.decode(scan.row);
      if (this.text !== undefined && !this.text.matches(document)) continue;
      if (!asksFilter || matches(document)) return this.kept(document);
    }
  }

  /** The document of the present row, to be handed out; it may be kept. */
  private kept(document: PlainObject): PlainObject {
    const { reads, scan } = this;
    // Whoever has written since the query began may have met what is not committed.
    if (reads === undefined || this.transaction.storage.committedView === undefined) return document;
    return this.scored(document, reads.note(scan.key, scan.row, document, scan.cameAgain));
  }

  /** What is handed out in the place of the document that was looked at, with its score. */
  private scored(document: PlainObject, given: PlainObject): PlainObject {
    if (this.text !== undefined) passTextScore(document, given);
    return given;
  }

  /** As nextMatch, for whoever wants the row alone (`matchKey`, `matchRow`): no more is decoded than the filter reads. */
  nextRow(): boolean {
    this.checkActive();
    const { matches, fields } = this.query.filter;
    const isText = this.text !== undefined;
    if (!isText && (!this.asksFilter || matches === matchesAll)) return this.nextSeen();
    this.rowFields ??= isText || fields === undefined ? ALL_FIELDS : fieldBytes(fields);
    return this.nextPart(this.rowFields) !== undefined;
  }

  /** As nextMatch, for whoever reads some fields of it, and nothing else; those that the filter reads have to be among them. */
  private nextPart(fields: readonly Uint8Array[]): PlainObject | undefined {
    this.checkActive();
    const { scan, text, asksFilter } = this;
    const { layout } = this.view;
    const { matches } = this.query.filter;
    while (this.nextSeen()) {
      const { row, cached } = scan;
      const part = cached?.document ?? (fields === ALL_FIELDS ? layout.decode(row) : layout.decodeFields(row, fields));
      if (text?.matches(part) !== false && (!asksFilter || matches(part))) return part;
    }
    return undefined;
  }

  /** Moves to the next document that no policy hides. False at the end, and when the process needs a turn. */
  private nextSeen(): boolean {
    const { scan, policies, command } = this;
    do {
      if (this.needsTurn() || !scan.next()) return false;
    } while (policies !== undefined && !isSeen(policies, command, scan.row));
    return true;
  }

  /** Pauses when the process needs a turn. */
  private needsTurn(): boolean {
    if (++this.clock < DOCUMENTS_PER_CLOCK && !turnIsLong()) return false;
    this.clock = 0;
    this.paused = performance.now() > this.sliceEnd;
    return this.paused;
  }

  /** Lets timers, sockets and other queries run; then this one may go on for a slice. */
  async rest(): Promise<void> {
    if (this.mayBeLeft) this.scan.hold?.();
    await eventLoop.giveWay(SLICE_MS);
    this.paused = false;
    this.sliceEnd = performance.now() + SLICE_MS;
  }

  /** Key of the document that was met last; borrowed until the next. */
  get matchKey(): ByteSlot {
    return this.scan.key;
  }

  /** Row of the document that was met last; borrowed until the next. */
  get matchRow(): ByteSlot {
    return this.scan.row;
  }

  /** How many match, skip and limit kept. */
  async count(): Promise<number> {
    const { skip, limit } = this.query;
    const most = limit === 0 ? Number.POSITIVE_INFINITY : skip + limit;
    const ranges = this.countedRanges();
    const count = ranges === undefined ? await this.countRows(most) : await this.countEntries(ranges, most);
    this.close();
    return Math.max(0, Math.min(count, most) - skip);
  }

  private async countRows(most: number): Promise<number> {
    let count = 0;
    while (count < most) {
      if (this.nextRow()) count++;
      else if (this.paused) await this.rest();
      else break;
    }
    return count;
  }

  /** Where the entries of an index are the documents asked for, one each: then nobody needs to see those. */
  private countedRanges(): readonly KeyRange[] | undefined {
    const { plan, policies } = this;
    const { access } = plan;
    const isDecided = access.kind === 'index' && !access.repeats && !this.asksFilter && policies === undefined;
    if (!isDecided || access.index.definition.kind === 'text') return undefined;
    return access.ranges;
  }

  private async countEntries(ranges: readonly KeyRange[], most: number): Promise<number> {
    const { storage } = this.transaction;
    let count = 0;
    for (const range of ranges) {
      const cursor = storage.cursor(range);
      const batch = storage.tracksReads ? remembered : counted;
      try {
        for (let met = cursor.fill(batch); met > 0 && (count += met) < most; met = cursor.fill(batch)) {
          if (performance.now() <= this.sliceEnd) continue;
          await this.rest();
          this.checkActive();
        }
      } finally {
        cursor.close();
      }
      if (count >= most) break;
    }
    this.counters.keysExamined += count;
    return count;
  }

  close(): void {
    this.plan.choice?.tell(this.counters.keysExamined);
    this.scan.close();
    this.sorted?.release();
    this.ordered = undefined;
    this.isClosed = true;
  }

  explain(): Explanation {
    const { plan, counters } = this;
    return {
      ...stageOf(plan),
      bounds: plan.bounds.map(({ path, operator, value }) => `${path} ${operator} ${boundText(value)}`),
      direction: plan.backwards ? 'backward' : 'forward',
      sort: !plan.sorted,
      estimatedKeys: plan.keys,
      keysExamined: counters.keysExamined,
      documentsExamined: counters.documentsExamined,
      returned: this.returned,
    };
  }

  /** Reads everything and sorts it; with a limit it keeps only so many. */
  private async sortAll(): Promise<void> {
    const { query, scan, view } = this;
    const sorter = new Sorter(query.sort);
    const most = query.limit === 0 ? Number.POSITIVE_INFINITY : query.skip + query.limit;
    const sorted = new SortedDocuments(sorter, most, this.room, 'a sort', sortableForm, () => this.rest());
    this.sorted = sorted;
    const fields = this.sortedFields(sorter);
    for (;;) {
      const document = fields === undefined ? this.nextMatch() : this.nextPart(fields);
      if (document === undefined) {
        if (!this.paused) break;
        await this.rest();
        continue;
      }
      const key = sorter.keyOf(document);
      if (!sorted.wants(key)) continue;
      let wait: Promise<void> | undefined;
      if (fields === undefined) wait = sorted.add(key, document, documentBytes(document));
      else if (scan.cached !== undefined) wait = sorted.add(key, scan.cached, scan.cached.storedBytes);
      else wait = sorted.add(key, scan.row.copy(), view.layout.documentBytes(scan.row));
      if (wait !== undefined) await wait;
    }
    this.ordered = sorted.inOrder();
  }

  /** What is decoded to sort, where the rest of a document can wait until it is handed out; undefined: all that is ever decoded. */
  private sortedFields(sorter: Sorter): readonly Uint8Array[] | undefined {
    const { fields } = this.query.filter;
    const isLate = this.outputFields === undefined && this.text === undefined && this.reads === undefined;
    return isLate && fields !== undefined ? fieldBytes(new Set([...fields, ...sorter.fields])) : undefined;
  }

  private nextOrdered(): PlainObject | undefined {
    const ordered = this.ordered as OrderedDocuments<Sortable>;
    if (this.needsTurn()) return undefined;
    const value = ordered.next();
    if (value === undefined) return undefined;
    this.orderedBytes =
      value instanceof CachedDocument
        ? value.storedBytes
        : value instanceof Uint8Array
          ? value.length
          : ordered.fileBytes;
    if (value instanceof CachedDocument) return value.copy();
    if (!(value instanceof Uint8Array)) return value;
    outputRow.set(value, 0, value.length);
    return this.view.layout.decode(outputRow);
  }

  private checkActive(): void {
    if (this.transaction.storage.status !== 'active') {
      throw new PhantomError('25P01', 'the cursor outlived its transaction');
    }
  }
}

/** The fields that filter, sort and caller read together, where all of them say which. */
function neededFields({ fields, filter, sort, projection }: Query): readonly Uint8Array[] | undefined {
  const output = fields ?? projection?.fields;
  if (output === undefined || filter.fields === undefined || filter.text !== undefined) return undefined;
  const needed = new Set([...output, ...filter.fields]);
  for (const { path } of sort) needed.add(path.split('.', 1)[0] as string);
  return fieldBytes(needed);
}

/** The documents that are kept, for who reads what is committed and nothing else. */
function readsOf({ cache }: DocumentPorts, { storage }: DocumentTransaction): CachedReads | undefined {
  const view = cache === undefined ? undefined : storage.committedView;
  return cache === undefined || view === undefined ? undefined : new CachedReads(cache, view.seq);
}

function openScan(
  plan: Plan,
  view: CollectionView,
  transaction: DocumentTransaction,
  counters: ScanCounters,
  reads: CachedReads | undefined,
): Scan {
  const { storage } = transaction;
  const { access, backwards, isLookup = false } = plan;
  switch (access.kind) {
    case 'keys':
      return new KeyScan(view, storage, access.keys, counters, reads);
    case 'space':
      return new SpaceScan(storage, access.ranges, backwards, counters);
    case 'index':
      return new IndexScan(
        view,
        storage,
        access.index,
        access.ranges,
        backwards,
        access.repeats,
        counters,
        reads,
        isLookup,
      );
    default:
      return new EitherScan(access.parts.map((part) => openScan(part, view, transaction, counters, reads)));
  }
}

/** One scan after the other, each document once. */
class EitherScan implements Scan {
  private readonly scans: readonly Scan[];
  private readonly seen = new SeenRows();
  private current = 0;
  readonly mayComeAgain: boolean;
  readonly cameAgain = false;

  constructor(scans: readonly Scan[]) {
    this.scans = scans;
    this.mayComeAgain = scans.every((scan) => scan.mayComeAgain);
  }

  get cached(): Scan['cached'] {
    return (this.scans[this.current] as Scan).cached;
  }

  get key(): Scan['key'] {
    return (this.scans[this.current] as Scan).key;
  }

  get row(): Scan['row'] {
    return (this.scans[this.current] as Scan).row;
  }

  next(): boolean {
    for (; ; this.current++) {
      const scan = this.scans[this.current] as Scan;
      while (scan.next()) if (this.seen.isNew(scan.key)) return true;
      if (this.current === this.scans.length - 1) return false;
    }
  }

  hold(): void {
    for (const scan of this.scans) scan.hold?.();
  }

  close(): void {
    for (const scan of this.scans) scan.close();
  }
}

function stageOf({ access }: Plan): Pick<Explanation, 'stage' | 'index' | 'indexes' | 'multikey'> {
  switch (access.kind) {
    case 'keys':
      return { stage: 'IDHACK', index: '_id_' };
    case 'space':
      return { stage: 'COLLSCAN' };
    case 'index': {
      const { name } = access.index.index;
      if (access.index.definition.kind === 'text') return { stage: 'TEXT', index: name };
      return { stage: 'IXSCAN', index: name, multikey: access.repeats };
    }
    default:
      return { stage: 'OR', indexes: access.parts.map((part) => stageOf(part).index ?? 'COLLSCAN') };
  }
}

function boundText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one)) ?? String(value);
}
