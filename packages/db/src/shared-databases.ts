/**
 * The databases that this process has open in directories: whoever opens one again gets a handle on the same. A directory belongs to
 * one process at a time, and within that process a second opener (a module that was loaded anew, a library beside the application) has
 * no way to ask who else has it.
 *
 *   open('shop') ──► handle ─┐
 *   open('./shop') ► handle ─┴─► parts ──► directory        the last handle that is closed closes the parts
 *
 * Invariants:
 *   1. A directory is known by device and inode, as its lock is, and by its path while there is no directory yet.
 *   2. An opener that says nothing of an option takes it as it is; one that says something else than what holds is refused (55006).
 *   3. Who comes while the last handle is being closed waits for that, and opens anew.
 *
 * Left out: two copies of this module in one process (ESM and CommonJS) do not know of each other; the second finds the directory taken.
 */
import { resolve } from 'node:path';
import { PhantomError, SqlState } from '@phantom/base';
import { directoryIdentity } from '@phantom/vfs';
import { type Database, makeHandle } from './database.js';
import { type DatabaseOptions, OPTION_DEFAULTS } from './options.js';
import { type DatabaseParts, closeParts } from './parts.js';

interface Shared {
  readonly path: string;
  readonly opened: Promise<DatabaseParts>;
  identity: string | undefined;
  handles: number;
  closed: Promise<void> | undefined;
}

const databases = new Set<Shared>();

/** A handle on what is open in the directory, or on what `make` opens there. */
export async function openShared(
  directory: string,
  options: DatabaseOptions,
  make: () => Promise<DatabaseParts>,
): Promise<Database> {
  const path = resolve(directory);
  for (;;) {
    const found = find(path);
    const shared = found ?? begin(path, make());
    // That somebody else could not open it is told to them; this one may have other options.
    const parts = await (found === undefined ? shared.opened : shared.opened.catch(() => undefined));
    if (parts === undefined) continue;
    if (shared.closed === undefined) {
      refuseOthers(parts, options);
      return handle(shared, parts);
    }
    await shared.closed.catch(() => undefined);
  }
}

function begin(path: string, opened: Promise<DatabaseParts>): Shared {
  const shared: Shared = { path, opened, identity: identityOf(path), handles: 0, closed: undefined };
  databases.add(shared);
  opened.then(
    () => (shared.identity = identityOf(path)),
    () => databases.delete(shared),
  );
  return shared;
}

function handle(shared: Shared, parts: DatabaseParts): Promise<Database> {
  shared.handles++;
  return makeHandle(parts, async () => {
    if (--shared.handles > 0) return;
    shared.closed = closeParts(parts).finally(() => databases.delete(shared));
    await shared.closed;
  });
}

function find(path: string): Shared | undefined {
  const identity = identityOf(path);
  for (const shared of databases) {
    if (shared.identity === undefined ? shared.path === path : shared.identity === identity) return shared;
  }
  return undefined;
}

/** Of a directory; undefined where there is none yet, or none that can be looked at: opening it will say why. */
function identityOf(path: string): string | undefined {
  try {
    return directoryIdentity(path);
  } catch {
    return undefined;
  }
}

function refuseOthers(parts: DatabaseParts, options: DatabaseOptions): void {
  const { database, user } = parts;
  const holding: DatabaseOptions = { ...OPTION_DEFAULTS, ...parts.options, database, user };
  for (const name of Object.keys(options) as (keyof DatabaseOptions)[]) {
    // Whether it may be made is no question where it is.
    if (name === 'create' || options[name] === undefined || options[name] === holding[name]) continue;
    if (name === 'archive' && JSON.stringify(options.archive) === JSON.stringify(holding.archive)) continue;
    throw new PhantomError(
      SqlState.ObjectInUse,
      `the database in "${parts.store.directory}" is open with another ${name}`,
      {
        detail: 'It was opened by this process.',
        hint: 'Leave the option out to share what is open, or close that first.',
      },
    );
  }
}
