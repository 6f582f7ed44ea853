/** Opening an archive: whose it is, and whether the store can go on with it, is known before anything is written to it. */
import { PhantomError, SqlState, identityText, loadChecksums, sameIdentity } from '@phantom/base';
import { makeDirectoryDurable } from '@phantom/vfs';
import type { Store } from '../types.js';
import { Archiver } from './archiver.js';
import { ownerOf, readContents } from './contents.js';
import { type ArchiveOptions, type ArchivePorts, resolveArchiveOptions } from './options.js';

/**
 * Opens the archive of a store and begins to follow it; to be called before anything is committed. Resolves before the first base is
 * made. 55006 when somebody else writes to it, 55000 when it is of another store or ahead of this one, 25006 when the store is
 * read-only, 22023 for settings, XX001 when it cannot be told whose it is, 53100 and 58030 from its disk.
 */
export async function openArchive(store: Store, options: ArchiveOptions, ports: ArchivePorts): Promise<Archiver> {
  const resolved = resolveArchiveOptions(options);
  const { directory } = resolved;
  const { vfs } = ports;
  const { identity } = store;
  if (identity === undefined || store.readOnly) {
    throw new PhantomError(SqlState.ReadOnlyTransaction, 'a store that is open read-only has nothing to archive');
  }
  await makeDirectoryDurable(vfs, directory);
  const description = `process ${process.pid}, which archives "${store.directory}"`;
  const lock = await vfs.lock(directory, { pid: process.pid, description });
  try {
    const checksums = await loadChecksums();
    const contents = readContents(vfs, directory, checksums);
    const owner = ownerOf(vfs, contents, checksums) ?? identity;
    if (!sameIdentity(owner, identity)) {
      throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `"${directory}" is the archive of another store`, {
        detail: `It is of ${identityText(owner)}, this store is ${identityText(identity)}.`,
        hint: 'Name an empty directory: a store that was restored begins an archive of its own.',
      });
    }
    for (const { message } of contents.damaged)
      ports.logger.error('a part of the archive is damaged', { reason: message });
    const ends = [
      ...contents.bases.map(({ seq }) => seq),
      ...contents.files.map(({ first, last }) => last ?? first - 1),
    ];
    const last = Math.max(0, ...ends);
    if (last > store.visibleSeq) {
      throw new PhantomError(
        SqlState.ObjectNotInPrerequisiteState,
        `the archive in "${directory}" is ahead of the store`,
        {
          detail: `It has commit ${last}; the last one of the store is ${store.visibleSeq}.`,
          hint: 'The store has lost commits, or is an older copy: restore it from the archive, or name an empty directory.',
        },
      );
    }
    return new Archiver(store, identity, resolved, ports, lock, checksums);
  } catch (error) {
    await lock.release();
    throw error;
  }
}
