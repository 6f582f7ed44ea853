/**
 * Change streams: what `collection.watch()` gives. The events of every commit that touches the collection, each once, in the order of
 * commits and within one in the order of writes; they come out of the log (mvcc.changes), so they are those of SQL as well.
 *
 *   log ──► change feed ──► events of a commit ──► pipeline ──► whoever reads
 *
 * Nothing is read until somebody asks, and one commit at a time. A stream begins with what is committed after `watch` was called;
 * of a collection that does not exist yet, with its first document.
 *
 * It ends with its collection: `drop`, then `invalidate`. What was made under the name later is another collection.
 */
import { eventLoop, unsupportedError } from '@phantom/base';
import { KeyKind, type Oid, type TableDescriptor, policiesFor } from '@phantom/catalog';
import { type KeyRange, type Seq, type SpaceId, prefixRange, spaceRange } from '@phantom/kv';
import type { Change, ChangeFeed, ChangeFeedOptions } from '@phantom/mvcc';
import { compileEventPipeline } from '../aggregate/pipeline.js';
import { findCollection } from '../definition.js';
import { badArgument } from '../errors.js';
import type { DocumentModel } from '../model.js';
import { requireRights } from '../rights.js';
import type { PlainObject } from '../order.js';
import type { ChangeEvent, WatchOptions } from './change-event.js';
import { CommitEvents } from './commit-events.js';
import { INVALIDATION, type ResumePlace, parseResumeToken, resumeToken } from './resume-token.js';

/** Where a feed begins. */
type ChangeStart = Pick<ChangeFeedOptions, 'after' | 'fromTimeMs'>;

/** Events that go through the pipeline together. */
const EVENTS_PER_BATCH = 64;

export class ChangeStream<T> implements AsyncIterableIterator<ChangeEvent<T>> {
  private readonly model: DocumentModel;
  private readonly name: string;
  private readonly options: WatchOptions;
  /** Behind what it begins; undefined for a stream that begins now, or at a moment. */
  private readonly resumed: ResumePlace | undefined;
  private readonly output: AsyncIterator<readonly PlainObject[], unknown>;
  /** Events that have passed the pipeline and were not given out. */
  private queue: readonly PlainObject[] = [];
  private queueNext = 0;
  private events: CommitEvents<T> | undefined = undefined;
  private feed: ChangeFeed;
  private place: ResumePlace | undefined = undefined;
  /** Everything up to the feed's seq has been given out. */
  private isIdle = true;

  constructor(model: DocumentModel, name: string, pipeline: readonly unknown[], options: WatchOptions) {
    checkOptions(options);
    const compiled = compileEventPipeline(pipeline);
    this.model = model;
    this.name = name;
    this.options = options;
    const token = options.startAfter ?? options.resumeAfter;
    this.resumed = token === undefined ? undefined : parseResumeToken(token);
    this.feed = this.begin();
    this.output = compiled(this.read())[Symbol.asyncIterator]();
  }

  /** The token of the last event given out, or of the last commit that was passed over; undefined before there is a collection. */
  get resumeToken(): string | undefined {
    if (this.events === undefined) return undefined;
    const { seq } = this.feed;
    if (this.isIdle && (this.place === undefined || seq > this.place.seq)) {
      return this.events.tokenBehind(seq);
    }
    return this.place === undefined ? undefined : resumeToken(this.place);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event: waits for it. Done once the collection was dropped, or the stream or the database was closed. */
  async next(): Promise<IteratorResult<ChangeEvent<T>, undefined>> {
    while (this.queueNext === this.queue.length) {
      const step = await this.output.next();
      if (step.done === true) {
        this.close();
        return { done: true, value: undefined };
      }
      this.queue = step.value;
      this.queueNext = 0;
    }
    const value = this.queue[this.queueNext++] as unknown as ChangeEvent<T>;
    if (typeof value._id !== 'string') throw badArgument('the pipeline of a change stream must keep _id as it is');
    this.place = parseResumeToken(value._id);
    return { done: false, value };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  /** Lets go of the log; a `next` that waits ends. Safe to call twice. */
  close(): void {
    this.feed.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** The feed of the collection; or, while there is none, of the objects in the catalog. */
  private begin(): ChangeFeed {
    const { resumed } = this;
    const { startAtOperationTime, startAfter } = this.options;
    if (resumed !== undefined) {
      if (resumed.operation !== INVALIDATION) return this.follow(resumed.space, resumed.oid, placeAfter(resumed));
      if (startAfter === undefined) {
        throw badArgument('the stream ended here, since its collection was dropped', 'startAfter begins a new one.');
      }
    }
    const table = this.table();
    const start: ChangeStart =
      resumed !== undefined
        ? placeAfter(resumed)
        : startAtOperationTime !== undefined
          ? { fromTimeMs: startAtOperationTime.getTime() }
          : {};
    if (table !== undefined) return this.follow(table.space, table.oid, start);
    return this.open(prefixRange(this.model.ports.catalog.keys.kind(KeyKind.Object)), start);
  }

  /** The collection, once somebody has made it. */
  private table(): TableDescriptor | undefined {
    const { ports } = this.model;
    const table = findCollection(ports, ports.catalog.committed, this.name);
    return table?.collection?.implied === true ? undefined : table;
  }

  /** Follows a collection, whose rows are in this space at first. It may be gone by now. */
  private follow(space: SpaceId, oid: Oid, start: ChangeStart): ChangeFeed {
    const { name, model, options } = this;
    const { catalog, databaseOid, roleOid } = model.ports;
    const named = catalog.committed.object(oid);
    if (named?.kind === 'table') {
      requireRights(catalog.committed, roleOid, named, ['select']);
      if (policiesFor(catalog.committed, named, roleOid) !== undefined)
        throw unsupportedError('change streams of a collection whose policies hide documents from the user');
    }
    if (named !== undefined && named.name !== name) throw badArgument('the resume token is that of another collection');
    this.events = new CommitEvents<T>({
      ns: { db: catalog.committed.object(databaseOid)?.name ?? '', coll: name },
      oid,
      catalogKey: catalog.keys.object(oid),
      space,
      withDocuments: (options.fullDocument ?? 'default') !== 'default',
    });
    return this.open(spaceRange(space), start);
  }

  private open(range: KeyRange, start: ChangeStart): ChangeFeed {
    const { logBytesMax } = this.options;
    return this.model.ports.mvcc.changes({
      name: `watch ${this.name}`,
      ranges: [range],
      ...start,
      ...(logBytesMax === undefined ? {} : { logBytesMax }),
    });
  }

  /** Events in batches, until the collection is dropped. */
  private async *read(): AsyncGenerator<readonly PlainObject[], void> {
    if (this.events === undefined && !(await this.untilMade())) return;
    const events = this.events as CommitEvents<T>;
    let { space } = events;
    while (!events.isDropped) {
      const change = await this.nextChange();
      if (change === undefined) return;
      events.begin(change, change.seq === this.resumed?.seq ? this.resumed.operation : 0);
      for (;;) {
        if (eventLoop.isOverdue()) await eventLoop.nextTurn();
        const batch = batchOf(events);
        if (batch.length === 0) break;
        yield batch;
      }
      if (events.space !== space) this.turnTo((space = events.space), change.seq);
    }
    yield [events.invalidation() as unknown as PlainObject];
  }

  /** Waits until the collection is made, and follows it from there. False when the stream is closed before. */
  private async untilMade(): Promise<boolean> {
    for (;;) {
      const change = await this.nextChange();
      if (change === undefined) return false;
      const table = this.table();
      if (table === undefined) continue;
      const names = this.feed;
      this.feed = this.follow(table.space, table.oid, { after: change.seq - 1 });
      names.close();
      return true;
    }
  }

  /** The collection goes on in another space behind this commit. */
  private turnTo(space: SpaceId, after: Seq): void {
    this.feed.close();
    this.feed = this.open(spaceRange(space), { after });
  }

  private async nextChange(): Promise<Change | undefined> {
    this.isIdle = true;
    const step = await this.feed.next();
    this.isIdle = false;
    return step.value;
  }
}

/** The next events of a commit, none at its end. */
function batchOf<T>(events: CommitEvents<T>): PlainObject[] {
  const batch: PlainObject[] = [];
  while (batch.length < EVENTS_PER_BATCH) {
    const event = events.next();
    if (event === undefined) break;
    batch.push(event as unknown as PlainObject);
  }
  return batch;
}

/** Behind the commit, or within it. */
function placeAfter({ seq, operation }: ResumePlace): ChangeStart {
  return { after: operation >= INVALIDATION ? seq : seq - 1 };
}

/** 22023 for options that cannot be together, 0A000 for what is not there. */
function checkOptions(options: WatchOptions): void {
  const { resumeAfter, startAfter, startAtOperationTime, fullDocument = 'default' } = options;
  if ([resumeAfter, startAfter, startAtOperationTime].filter((start) => start !== undefined).length > 1) {
    throw badArgument('a stream takes one of resumeAfter, startAfter and startAtOperationTime');
  }
  if (startAtOperationTime !== undefined && Number.isNaN(new Date(startAtOperationTime).getTime())) {
    throw badArgument('startAtOperationTime must be a Date');
  }
  if (!FULL_DOCUMENTS.has(fullDocument)) throw badArgument(`fullDocument cannot be ${JSON.stringify(fullDocument)}`);
  for (const name of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(name)) throw unsupportedError(`option ${name} of a change stream`);
  }
}

const FULL_DOCUMENTS: ReadonlySet<string> = new Set(['default', 'updateLookup', 'whenAvailable', 'required']);
const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'resumeAfter',
  'startAfter',
  'startAtOperationTime',
  'fullDocument',
  'logBytesMax',
]);
