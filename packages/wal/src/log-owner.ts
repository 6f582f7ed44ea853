/**
 * What the owner of a log knows of it, and what follows when the files say otherwise.
 *
 * The end of a log is where its records end, so a log alone cannot tell that its newest file is gone, or that all of it is an
 * older copy: it looks like a log that ends earlier. Somebody else has to remember how far it went. The owner does, at
 * no cost for a commit: it is told once for each segment, after the first sync that covers records in it and before anybody
 * is told that these are durable. What it writes for reasons of its own takes the position along that is durable then.
 *
 *      sync of the first records in segment n ──► the owner has n and the position behind them durably ──► acknowledged
 *
 * The order is what makes a crash harmless: the owner never remembers more than what is on the platter. Segments count up
 * and positions stay what they are when a tail is written again, so what the owner remembers holds through any opening.
 *
 * Invariants:
 *   1. No record is acknowledged as durable in a segment that the owner does not know (durability `fsync`).
 *   2. A log that has less than its owner remembers, and a segment of another owner, is an error and changes nothing.
 *
 * Left out: the position of every commit. Of the newest segment only what was durable when the owner last wrote is known to
 * have been there; cut behind that place, the segment looks like one whose last records were never synced. How much that can be is
 * the owner's to decide: the store writes a second after a commit at the latest.
 */
import { corruptionError, foreignFileError, sameIdentity } from '@phantom/base';
import { joinPath } from '@phantom/vfs';
import { FORMAT_VERSION, SEGMENT_HEADER_BYTES, type SegmentHeader, segmentName } from './format.js';
import type { LogPicture } from './log-scan.js';
import type { LogOwner } from './wal-types.js';

const HINT = 'Put all files of the log back as they were, or restore a backup; nothing was changed.';

/** Refuses a segment that is not the owner's. One without identity may be older than that. */
export function checkOwnership(header: SegmentHeader, path: string, owner: LogOwner | undefined): void {
  if (owner === undefined) return;
  const isOlder = header.version === FORMAT_VERSION && header.firstLsn < owner.identifiedFrom;
  if (!isOlder && !sameIdentity(header.identity, owner.identity)) {
    throw foreignFileError(path, owner.identity, header.identity);
  }
}

/** Refuses a log that has less than its owner remembers, or more than was written while this owner's memory was kept. */
export function checkAgainstOwner(picture: LogPicture, directory: string, owner: LogOwner | undefined): void {
  if (owner === undefined) return;
  const last = picture.segments.at(-1);
  if ((last?.number ?? 0) < owner.segment) {
    throw corruptionError(`Log segment ${owner.segment} is missing, empty or not whole`, {
      file: joinPath(directory, segmentName(owner.segment)),
      expected: 'a segment that was in use',
      found: last === undefined ? 'no log' : `a log that ends in segment ${last.number}`,
    }).with({ hint: HINT });
  }
  if (last === undefined) return;
  const at = { file: last.path, offset: SEGMENT_HEADER_BYTES + picture.end - last.header.firstLsn };
  if (picture.end < owner.end) {
    throw corruptionError('The log ends before records that were durable: they are lost, or this is an older copy', {
      ...at,
      expected: `records to LSN ${owner.end}`,
      found: `the last one ends at LSN ${picture.end}`,
    }).with({ hint: HINT });
  }
  if (owner.epoch !== undefined && picture.writtenEpoch > owner.epoch) {
    throw corruptionError('The log was written on after what its owner knows: an older superblock lies beside it', {
      ...at,
      expected: `epoch ${owner.epoch} at most`,
      found: `epoch ${picture.writtenEpoch}`,
    }).with({ hint: 'Put the superblock back that belongs to this log, or restore a backup; nothing was changed.' });
  }
}
