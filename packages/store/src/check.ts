/**
 * Walks everything a store has on disk and says what is wrong: both slots of the superblock, every record of the log that
 * can still be replayed (that it is a whole batch, and that no commit is skipped), and what each engine finds in its own files.
 */
import { isPhantomError } from '@phantom/base';
import { BatchReader, type Finding } from '@phantom/kv';
import { joinPath } from '@phantom/vfs';
import { LOG_DIRECTORY, RecordKind, SUPERBLOCK_FILE } from './format.js';
import { decodeLoads } from './load-record.js';
import { SeqOrder, newestFlushedSeq } from './recovery.js';
import { decodeSpaceLimit } from './space-catalog.js';
import type { StoreParts } from './store-parts.js';

export async function* checkStore(parts: StoreParts): AsyncGenerator<Finding> {
  yield* checkSuperblock(parts);
  yield* checkLog(parts);
  for (const { engine } of parts.catalog.engines) {
    yield* engine.check();
  }
}

/** A power cut while a slot was written leaves it so: the other one has everything, and the next update writes both. */
function* checkSuperblock({ superblock, directory }: StoreParts): Iterable<Finding> {
  const file = joinPath(directory, SUPERBLOCK_FILE);
  if (!superblock.isInPlace()) yield replacedFile(file);
  const damage = new Set(superblock.damage);
  try {
    for (const message of superblock.check()) damage.add(message);
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    yield { severity: 'corruption', file, message: error.message };
  }
  for (const message of damage) yield { severity: 'note', file, message: `${message} (half written?)` };
}

/** Of a file that is read and written here, and that the next opening will not find. */
function replacedFile(file: string): Finding {
  return {
    severity: 'corruption',
    file,
    message: 'another file lies in its place, or none: it was removed, moved or replaced',
  };
}

async function* checkLog({ wal, catalog, directory, superblock }: StoreParts): AsyncGenerator<Finding> {
  const file = joinPath(directory, LOG_DIRECTORY);
  const reader = new BatchReader();
  const { logStart, logStartSeq } = superblock.state;
  const order = new SeqOrder(logStartSeq, newestFlushedSeq(catalog));
  try {
    for await (const batch of wal.replay(Math.max(wal.start, logStart))) {
      for (const record of batch.records) {
        if (record.flags === RecordKind.SpaceLimit) {
          decodeSpaceLimit(record.payload);
          continue;
        }
        order.next(record.seq, record.lsn);
        if (record.flags === RecordKind.Load) {
          decodeLoads(record.payload);
          continue;
        }
        reader.setBatch(record.bytes, record.payloadStart, record.payloadEnd);
        while (reader.next());
      }
    }
  } catch (error) {
    yield { severity: 'corruption', file, message: error instanceof Error ? error.message : String(error) };
  }
}
