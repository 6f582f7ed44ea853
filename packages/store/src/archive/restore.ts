/**
 * Restoring from an archive: the newest base that is not past the target is copied into a new directory, and the archived commits behind it
 * are made again, in their order, through the copy's own write path.
 *
 *   base 100   101 102 103 ... 249 250 251 ...        to 250: base, then 101 to 250
 *
 * Everything is read twice: first it is proven that all of it is there and whole, without anything being written; then it is copied. So
 * a damaged or missing part is named before the work begins, and nothing is passed over: who wants the commits before it asks for them.
 *
 * Commits that lie side by side are made as one, since nobody sees the moments between; the last one has the seq of the target (or a later
 * one, where bulk loads became more commits than there had been until then).
 *
 * Invariants:
 *   1. The archive is only read: its disk may be full, or be one that cannot be written.
 *   2. The new directory is a store that opens once everything is durable in it and was read back, and not before.
 *   3. The new store has an identity of its own, hands out no space number that its original may have used, and has exactly the
 *      commits up to the target.
 */
import {
  type Checksums,
  type Identity,
  type Logger,
  PhantomError,
  SqlState,
  corruptionError,
  eventLoop,
  isPhantomError,
  loadChecksums,
} from '@phantom/base';
import { BatchReader, OperationKind, type Seq, WriteBatch, engineOfKey } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import { openUnlocked } from '../open-store.js';
import { type CopyExtension, type CopyProgress, copyExtended } from '../store-copy.js';
import type { EngineFactory, Store } from '../types.js';
import { type ArchivedRecord, CommitsReader } from './commits-reader.js';
import { type ArchiveContents, type CommitsFile, type FoundBase, ownerOf, readContents } from './contents.js';
import { baseName } from './format.js';
import type { RestorePoint } from './points.js';

/** Commits are made together up to so many bytes. */
const GROUP_BYTES = 2 * 1024 * 1024;

export interface RestoreOptions {
  /** The last commit that the new store is to have. One target, or none: everything that there is. */
  readonly toSeq?: Seq;
  /** The last moment: commits up to it, milliseconds since 1970. */
  readonly toTimeMs?: number;
  /** Instead: the commit that has this name. */
  readonly toName?: string;
  /** Makes those of the store that have files, for this alone. */
  makeEngines(): readonly EngineFactory[];
  /** The disk of both directories. */
  readonly vfs: Vfs;
  readonly logger?: Logger;
  /** Told now and then; what it throws ends the restore. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

export interface RestoreProgress {
  /** The archive is proven to be whole; the base is copied and read back; commits are made. */
  readonly phase: 'verify' | 'copy' | 'commits';
  /** Of this phase: commits, or entries of the base. */
  readonly done: number;
  readonly expected: number;
}

export interface RestoreResult {
  /** The last commit that was restored. */
  readonly seq: Seq;
  /** When it was committed, milliseconds since 1970; of a base without later commits, the moment it was made at. */
  readonly timeMs: number;
  readonly baseSeq: Seq;
  /** Commits that were made behind the base. */
  readonly commits: number;
}

/** What is to be made again. */
interface Plan {
  readonly base: FoundBase;
  readonly seq: Seq;
  readonly timeMs: number;
  /** How many the commits become when they are made together. */
  readonly groups: number;
  readonly spaceLimit: number;
}

/**
 * Makes a store of an archive, in a directory that is empty or not there. 22023 for targets that cannot be, or when something is in the
 * directory; 55000 when the archive does not reach the target, or has a gap before it; XX001 for damage, which is named; 58P01 when there
 * is no archive; 53100, 58030 from the disk. On an error nothing is left but empty folders.
 */
export async function restoreStore(
  archive: string,
  directory: string,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { vfs } = options;
  const checksums = await loadChecksums();
  const contents = readContents(vfs, archive, checksums);
  const owner = ownerOf(vfs, contents, checksums);
  if (owner === undefined) {
    throw new PhantomError(SqlState.UndefinedFile, `there is no archive in "${archive}"`, { family: 'state' });
  }
  const restoring = new Restoring(archive, contents, owner, options, checksums);
  const plan = await restoring.plan();
  return restoring.carryOut(plan, directory);
}

class Restoring {
  private readonly archive: string;
  private readonly contents: ArchiveContents;
  private readonly owner: Identity;
  private readonly options: RestoreOptions;
  private readonly checksums: Checksums;
  private readonly toSeq: Seq | undefined;
  private readonly toTimeMs: number | undefined;
  /** Bits of those that have files. */
  private readonly engines: number;

  constructor(
    archive: string,
    contents: ArchiveContents,
    owner: Identity,
    options: RestoreOptions,
    checksums: Checksums,
  ) {
    this.archive = archive;
    this.contents = contents;
    this.owner = owner;
    this.options = options;
    this.checksums = checksums;
    const { toSeq, toTimeMs, toName } = options;
    if ([toSeq, toTimeMs, toName].filter((target) => target !== undefined).length > 1) {
      throw badTarget('a restore has one target: a commit, a moment or a name');
    }
    this.toSeq = toName === undefined ? toSeq : pointOf(contents, toName).seq;
    this.toTimeMs = toTimeMs;
    this.engines = options.makeEngines().reduce((bits, { code }) => bits | (1 << code), 0);
  }

  /** Proves that everything that is needed is there and whole. */
  async plan(): Promise<Plan> {
    const { toSeq, toTimeMs } = this;
    for (const target of [toSeq, toTimeMs]) {
      if (target === undefined || (Number.isSafeInteger(target) && target >= 0)) continue;
      throw badTarget(`the target of a restore is a whole number, not ${target}`);
    }
    const base = this.base();
    const group = new CommitGroup(this.engines);
    let plan: Plan = { base, seq: base.seq, timeMs: base.timeMs, groups: 0, spaceLimit: 0 };
    let isPassed = toSeq === base.seq || toTimeMs === base.timeMs;
    let { groups } = plan;
    let wholeFrom = 0;
    for await (const record of this.records(base, toSeq ?? Number.POSITIVE_INFINITY)) {
      if (toTimeMs !== undefined && record.commitTimeMs > toTimeMs) {
        isPassed = true;
        break;
      }
      group.add(record);
      if (group.isFull) groups += group.clear();
      if (record.isContinued) continue;
      const { seq, commitTimeMs: timeMs } = record;
      wholeFrom = Math.max(wholeFrom, record.wholeFrom);
      const spaceLimit = Math.max(plan.spaceLimit, record.spaceLimit);
      plan = { base, seq, timeMs, groups: groups + (group.isEmpty ? 0 : 1), spaceLimit };
      isPassed ||= seq === toSeq || timeMs === toTimeMs;
      this.tell('verify', seq - base.seq, (toSeq ?? seq) - base.seq);
    }
    if ((toSeq !== undefined || toTimeMs !== undefined) && !isPassed) throw this.outOfReach(plan);
    if (plan.seq < wholeFrom) throw withinLoad(plan.seq, wholeFrom);
    return plan;
  }

  async carryOut(plan: Plan, directory: string): Promise<RestoreResult> {
    const { archive, options } = this;
    const { base, seq, timeMs } = plan;
    const logger = options.logger === undefined ? {} : { logger: options.logger };
    const common = { vfs: options.vfs, ...logger };
    const original = await openUnlocked(joinPath(archive, baseName(base.place)), {
      ...common,
      engines: options.makeEngines(),
      readOnly: true,
      create: false,
    });
    try {
      if (original.visibleSeq !== base.seq) {
        const file = original.directory;
        throw corruptionError('a base is not the one that was made', {
          file,
          expected: base.seq,
          found: original.visibleSeq,
        });
      }
      const extension: CopyExtension = {
        seq: seq - plan.groups,
        spaceLimit: plan.spaceLimit,
        extend: (copy) => this.makeCommits(plan, copy),
      };
      const onProgress = ({ phase, entries, entriesExpected }: CopyProgress): void =>
        this.tell('copy', phase === 'copy' ? entries : entriesExpected + entries, 2 * entriesExpected);
      await copyExtended(original, directory, { ...common, engines: options.makeEngines(), onProgress }, extension);
      return { seq, timeMs, baseSeq: base.seq, commits: seq - base.seq };
    } finally {
      // Nothing was written by it.
      await original.close().catch(() => undefined);
    }
  }

  private async makeCommits({ base, seq }: Plan, copy: Store): Promise<void> {
    const group = new CommitGroup(this.engines);
    for await (const record of this.records(base, seq)) {
      group.add(record);
      if (!group.isFull) continue;
      await group.commitTo(copy);
      this.tell('commits', record.seq - base.seq, seq - base.seq);
    }
    await group.commitTo(copy);
    this.tell('commits', seq - base.seq, seq - base.seq);
  }

  /** The newest base that is not past the target. */
  private base(): FoundBase {
    const { toSeq = Number.POSITIVE_INFINITY, toTimeMs = Number.POSITIVE_INFINITY } = this;
    const { bases, damaged } = this.contents;
    const base = bases.findLast(({ seq, timeMs }) => seq <= toSeq && timeMs <= toTimeMs);
    if (base !== undefined) {
      for (const { message } of damaged)
        this.options.logger?.warn('a part of the archive is damaged', { reason: message });
      return base;
    }
    if (damaged[0] !== undefined) throw damaged[0];
    const [first] = bases;
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the archive begins behind the target', {
      detail: first === undefined ? 'It has no base yet.' : `Its first base has commit ${placeText(first)}.`,
    });
  }

  /** The records behind the base up to a commit, each proven, in turns of the event loop. 55000 for a gap before what it has last. */
  private async *records(base: FoundBase, last: Seq): AsyncGenerator<ArchivedRecord> {
    const files = this.contents.files.filter((file) => (file.last ?? Number.POSITIVE_INFINITY) > base.seq);
    let next = base.seq + 1;
    for (const file of files) {
      if (next > last) return;
      if (file.first > next) throw missingCommits(next, file);
      const reader = this.open(file);
      try {
        for (let record = reader.read(); record !== undefined && next <= last; record = reader.read()) {
          if (record.seq < next) continue;
          yield record;
          if (!record.isContinued) next = record.seq + 1;
          if (eventLoop.isOverdue()) await eventLoop.nextTurn();
        }
      } finally {
        reader.close();
      }
    }
  }

  /** A file that was open may have been closed since it was listed: the archive may be in use. */
  private open(file: CommitsFile): CommitsReader {
    const { checksums, owner, archive } = this;
    const { vfs } = this.options;
    try {
      return new CommitsReader(vfs, file, owner, checksums);
    } catch (error) {
      if (file.last !== undefined || !isPhantomError(error) || error.code !== SqlState.UndefinedFile) throw error;
      const closed = readContents(vfs, archive, checksums).files.find(({ first }) => first === file.first);
      if (closed === undefined) throw error;
      return new CommitsReader(vfs, closed, owner, checksums);
    }
  }

  private outOfReach(plan: Plan): PhantomError {
    return new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the archive ends before the target', {
      detail: `The last commit that it has is ${placeText(plan)}.`,
      hint: 'Without a target everything that there is is restored.',
    });
  }

  private tell(phase: RestoreProgress['phase'], done: number, expected: number): void {
    this.options.onProgress?.({ phase, done, expected });
  }
}

/** Commits that are made as one. */
class CommitGroup {
  private readonly batch = new WriteBatch(GROUP_BYTES);
  private readonly reader = new BatchReader();
  private readonly engines: number;

  /** `engines`: the bits of those that take part; what others held ended with their process. */
  constructor(engines: number) {
    this.engines = engines;
  }

  get isEmpty(): boolean {
    return this.batch.count === 0;
  }

  get isFull(): boolean {
    return this.batch.bytes >= GROUP_BYTES;
  }

  /** XX001 when its payload is no batch. */
  add({ payload }: ArchivedRecord): void {
    const { batch, reader, engines } = this;
    reader.setBatch(payload);
    while (reader.next()) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = reader;
      if (((1 << engineOfKey(bytes, keyStart)) & engines) === 0) continue;
      if (reader.kind === OperationKind.Put) batch.put(bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
      else if (reader.kind === OperationKind.Remove) batch.remove(bytes, keyStart, keyEnd);
      else batch.removeRange(bytes.slice(keyStart, keyEnd), bytes.slice(valueStart, valueEnd));
    }
  }

  /** Forgets them; returns how many commits they would have become. */
  clear(): number {
    const commits = this.isEmpty ? 0 : 1;
    this.batch.reset();
    return commits;
  }

  /** The copy's last checkpoint makes them durable. */
  async commitTo(copy: Store): Promise<void> {
    const { batch } = this;
    if (this.isEmpty) return;
    await copy.admit(batch);
    await new Promise((published, unknown) =>
      copy.submit(batch, { published, unknown }, { durability: 'os', borrow: true }),
    );
    this.clear();
  }
}

function pointOf({ points, damaged }: ArchiveContents, name: string): RestorePoint {
  const point = points.find((found) => found.name === name);
  if (point !== undefined) return point;
  if (damaged[0] !== undefined) throw damaged[0];
  throw new PhantomError(SqlState.InvalidParameterValue, `the archive has no restore point "${name}"`, {
    detail: points.length === 0 ? 'It has none.' : `It has ${points.map((found) => `"${found.name}"`).join(', ')}.`,
  });
}

function badTarget(message: string): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, message);
}

function placeText({ seq, timeMs }: { readonly seq: Seq; readonly timeMs: number }): string {
  return `${seq}, of ${new Date(timeMs).toISOString()}`;
}

function missingCommits(next: Seq, { first, name }: CommitsFile): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, `the archive has no commits ${next} to ${first - 1}`, {
    detail: `The next file of commits is "${name}": a file is missing, or they were never archived.`,
    hint: `Restore to commit ${next - 1} or before, or to one behind the next base.`,
    data: { from: next, to: first - 1 },
  });
}

function withinLoad(seq: Seq, wholeFrom: Seq): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, `the archive cannot bring back commit ${seq}`, {
    detail: `A bulk load before it was archived as it was at commit ${wholeFrom}, with what others had written by then.`,
    hint: `Restore to commit ${wholeFrom} or behind.`,
  });
}
