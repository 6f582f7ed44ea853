/**
 * Opening a log: hold the directory, read what is there, make the end of it safe to write behind, and put the parts together.
 *
 * Behind the end one may write on in place only if everything before it is proved durable and nothing of an earlier writer
 * lies behind it: after a clean close, whose mark says so. Otherwise the tail is rewritten first (tail-rewrite.ts), and what
 * is visible is durable from then on.
 */
import { PhantomError, SqlState, sameIdentity } from '@phantom/base';
import { type DirectoryLock, makeDirectoryDurable } from '@phantom/vfs';
import { FileWal } from './file-wal.js';
import { ownershipOf } from './format.js';
import { GroupCommit } from './group-commit.js';
import { LogAppender, type LogSegment } from './log-appender.js';
import { LogHealth } from './log-health.js';
import type { FoundSegment } from './log-files.js';
import { checkAgainstOwner } from './log-owner.js';
import { type LogPicture, scanLog } from './log-scan.js';
import { WalMeters } from './meters.js';
import { type Settings, settingsOf } from './options.js';
import { Retentions } from './retention.js';
import { SegmentFile, SegmentSupply } from './segment-supply.js';
import { rewriteTail } from './tail-rewrite.js';
import type { Wal, WalOptions } from './wal-types.js';

/**
 * Opens the log of a directory, and makes directory and log when they are not there (unless `readOnly`). Once resolved, all
 * that `replay` will show is durable, as far as the durability goes. Throws 55006 when somebody holds the directory, XX001
 * for broken records that were durable and for files that are missing or another owner's, 0A000 for a newer format, 58P01 for
 * reading where no log is; then nothing has been changed.
 */
export async function openWal(options: WalOptions): Promise<Wal & { syncNow(): number }> {
  const settings = settingsOf(options);
  if (settings.readOnly) return openForReading(settings);
  // The disk makes it durable while the log is read.
  const named = makeDirectoryDurable(settings.vfs, settings.directory);
  // Heard of below, which may be some turns later.
  named.catch(() => undefined);
  let lock: DirectoryLock | undefined;
  try {
    lock = await lockDirectory(settings);
    return await openForWriting(settings, lock, named);
  } catch (error) {
    await lock?.release();
    // A directory that could not be made is the reason of what failed in it.
    await named;
    throw error;
  }
}

async function lockDirectory(settings: Settings): Promise<DirectoryLock | undefined> {
  if (!settings.lockDirectory) return undefined;
  return settings.vfs.lock(settings.directory, { pid: process.pid, description: 'a write-ahead log' });
}

function openForReading(settings: Settings): FileWal {
  const picture = readPicture(settings);
  const last = picture.segments.at(-1);
  if (last === undefined) {
    throw new PhantomError(SqlState.UndefinedFile, `there is no log in "${settings.directory}"`);
  }
  const file = settings.vfs.open(last.path, { mode: 'read' });
  const current = new SegmentFile(last.number, last.path, file, settings.segmentBytes);
  const segments = picture.segments.map(logSegment);
  return assemble(settings, supplyOf(settings), segments, current, picture, picture.epochMax, false, undefined);
}

async function openForWriting(
  settings: Settings,
  lock: DirectoryLock | undefined,
  named: Promise<void>,
): Promise<FileWal> {
  const { vfs, durability, logger } = settings;
  // A process that was killed between making a name and syncing it left one that is there and not durable.
  const listed = durability === 'memory' ? Promise.resolve() : vfs.syncDirLater(settings.directory);
  listed.catch(() => undefined);
  const picture = readPicture(settings);
  await Promise.all([named, listed]);
  const supply = supplyOf(settings);
  for (const path of picture.removable) vfs.remove(path);
  for (const path of picture.reusable) supply.giveBack(path);
  const segments = picture.segments.map(logSegment);
  const last = segments.at(-1);
  const provedToEnd = picture.durable === picture.end || durability === 'memory';
  const identity = settings.owner?.identity ?? last?.header.identity;
  const isOwn = last !== undefined && sameIdentity(last.header.identity, identity);
  const inPlace = isOwn && picture.endIsClean && provedToEnd;
  const epoch = Math.max(picture.epochMax, settings.owner?.epoch ?? 0) + 1;
  if (!inPlace) {
    // What was never proved but has been dropped since needs no proof, and what nobody has read may be anything.
    const proved = Math.max(picture.durable, picture.floor, picture.skippedTo, segments[0]?.header.firstLsn ?? 0);
    const from = durability === 'memory' ? picture.end : proved;
    const rewrite = {
      from,
      number: (last?.number ?? 0) + 1,
      ownership: ownershipOf(identity, last?.header.timeline),
      epoch,
    };
    const added = await rewriteTail(settings, picture, rewrite);
    for (const segment of segments) segment.limit = Math.min(segment.limit, from);
    segments.push(added);
    if (from < picture.end) logger.info('rewrote the end of the log', { from, end: picture.end, path: added.path });
  }
  const newest = segments.at(-1) as LogSegment;
  const file = vfs.open(newest.path, { mode: 'write', syncLane: 'log' });
  const capacityBytes = Math.max(settings.segmentBytes, file.size());
  const current = new SegmentFile(newest.number, newest.path, file, capacityBytes);
  return assemble(settings, supply, segments, current, picture, epoch, inPlace, lock);
}

function assemble(
  settings: Settings,
  supply: SegmentSupply,
  segments: LogSegment[],
  current: SegmentFile,
  picture: LogPicture,
  epoch: number,
  markDue: boolean,
  lock: DirectoryLock | undefined,
): FileWal {
  const health = new LogHealth(settings.readOnly);
  const meters = new WalMeters(settings.metrics);
  const retentions = new Retentions(settings.logger);
  const proved = settings.durability !== 'memory' && !settings.readOnly;
  const appender = new LogAppender(settings, health, supply, meters, segments, current, {
    end: picture.end,
    // The newest segment is there for good, and so is what begins it.
    recordsEnd: Math.max(picture.recordsEnd, (segments.at(-1) as LogSegment).header.firstLsn),
    synced: proved ? picture.end : picture.durable,
    floor: picture.floor,
    epoch,
    lastSeq: picture.lastSeq,
    markDue,
  });
  const commit = new GroupCommit(settings, appender, health, meters);
  const parts = { settings, health, appender, commit, supply, retentions, meters, lock };
  return new FileWal(parts, picture.scanned);
}

function supplyOf(settings: Settings): SegmentSupply {
  const { vfs, directory, segmentBytes, recycledSegmentsMax, durability, logger } = settings;
  return new SegmentSupply({
    vfs,
    directory,
    segmentBytes,
    recycledSegmentsMax,
    syncs: durability !== 'memory',
    logger,
  });
}

function logSegment(found: FoundSegment): LogSegment {
  return { number: found.number, path: found.path, header: found.header, limit: found.limit };
}

/** What the files say, where that agrees with what the owner knows. */
function readPicture(settings: Settings): LogPicture {
  const { vfs, directory, checksums, droppedBefore, owner } = settings;
  const picture = scanLog(vfs, directory, checksums, droppedBefore, owner);
  checkAgainstOwner(picture, directory, owner);
  return picture;
}
