/**
 * The superblock: the few facts that must be known before anything else can be opened. format.ts draws its bytes.
 *
 * Both slots hold the same state. An update writes slot 0, syncs, then writes slot 1, syncs, and only then is done:
 *
 *      slot 0     slot 1      a crash here finds
 *      N          N           N
 *      N+1 torn   N           N       nobody was told of N+1 yet
 *      N+1        N           N+1     complete, though nobody was told
 *      N+1        N+1 torn    N+1
 *      N+1        N+1         N+1
 *
 * So a bit that flips later in one slot is harmless: the other one has the same accepted state. With two slots written in
 * turn (the usual way) it would have been a silent step back to the state before. The price is a second sync for an
 * update; updates happen at an opening, at a checkpoint and when an engine accepts a new generation, never per commit.
 *
 * Invariants:
 *   1. Slot 1 is written only with bytes that slot 0 has durably.
 *   2. Updates are whole: concurrent ones are written together, each is done once both slots have it.
 *   3. A failed sync fails the store. A failed write does not: the other slot is whole, and the next update writes again.
 */
import { type Checksums, PhantomError, SqlState, assert, corruptionError } from '@phantom/base';
import { type Vfs, type VfsFile, replaceFile } from '@phantom/vfs';
import { SLOT_BYTES, type SuperblockState, decodeSlot, encodeSlot } from './format.js';

/** Makes the superblock of a new store, in a directory that is there, durably once resolved. */
export async function createSuperblock(
  vfs: Vfs,
  path: string,
  checksums: Checksums,
  state: SuperblockState,
): Promise<void> {
  const bytes = new Uint8Array(2 * SLOT_BYTES);
  encodeSlot(state, checksums, bytes);
  bytes.copyWithin(SLOT_BYTES, 0, SLOT_BYTES);
  await replaceFile(vfs, path, bytes);
}

export class Superblock {
  readonly state: SuperblockState;
  /** What was wrong with a slot when it was opened; the other slot had everything. */
  readonly damage: readonly string[];
  /** Adds to the state what is known by the time it is written. */
  beforeWrite: (state: SuperblockState) => void = () => undefined;
  private readonly file: VfsFile;
  private readonly checksums: Checksums;
  private readonly onSyncFailed: (error: unknown) => void;
  private readonly image = new Uint8Array(SLOT_BYTES);
  /** Changes made to `state`, and how many of them both slots have. */
  private changes = 0;
  private written = 0;
  private writing: Promise<void> | undefined;

  private constructor(
    file: VfsFile,
    checksums: Checksums,
    state: SuperblockState,
    damage: readonly string[],
    onSyncFailed: (error: unknown) => void,
  ) {
    this.file = file;
    this.checksums = checksums;
    this.state = state;
    this.damage = damage;
    this.onSyncFailed = onSyncFailed;
  }

  /** Throws XX001 when neither slot can be read, 0A000 when a newer release wrote them, an I/O error otherwise. */
  static open(
    vfs: Vfs,
    path: string,
    checksums: Checksums,
    readOnly: boolean,
    onSyncFailed: (error: unknown) => void,
  ): Superblock {
    const file = vfs.open(path, { mode: readOnly ? 'read' : 'write' });
    try {
      const { state, damage } = readSlots(file, path, checksums);
      return new Superblock(file, checksums, state, damage, onSyncFailed);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Changes the state and makes it durable; resolves once both slots have it. */
  async update(change: (state: SuperblockState) => void): Promise<void> {
    change(this.state);
    const target = ++this.changes;
    // Whoever comes while slots are being written waits for that to end, then writes for all who have come since.
    while (this.written < target) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined;
      });
      await this.writing;
    }
  }

  /** As update, on this thread. */
  updateNow(change: (state: SuperblockState) => void): void {
    change(this.state);
    const target = ++this.changes;
    this.encode();
    this.file.writeAt(0, this.image);
    this.syncNow();
    this.file.writeAt(SLOT_BYTES, this.image);
    this.syncNow();
    this.written = Math.max(this.written, target);
  }

  /** Reads both slots again and says what is wrong with them. */
  check(): string[] {
    return readSlots(this.file, this.file.path, this.checksums).damage;
  }

  /** Whether the next opening would find it. */
  isInPlace(): boolean {
    return this.file.isInPlace();
  }

  close(): void {
    this.file.close();
  }

  private encode(): void {
    this.beforeWrite(this.state);
    this.state.generation++;
    encodeSlot(this.state, this.checksums, this.image);
  }

  private async write(): Promise<void> {
    const target = this.changes;
    this.encode();
    this.file.writeAt(0, this.image);
    await this.sync();
    // updateNow may have come in between: then the image is its newer one, which slot 0 has durably as well.
    this.file.writeAt(SLOT_BYTES, this.image);
    await this.sync();
    this.written = Math.max(this.written, target);
  }

  private async sync(): Promise<void> {
    try {
      await this.file.sync();
    } catch (error) {
      this.onSyncFailed(error);
      throw error;
    }
  }

  private syncNow(): void {
    try {
      this.file.syncNow();
    } catch (error) {
      this.onSyncFailed(error);
      throw error;
    }
  }
}

function readSlots(file: VfsFile, path: string, checksums: Checksums): { state: SuperblockState; damage: string[] } {
  const bytes = new Uint8Array(2 * SLOT_BYTES);
  const count = file.readAt(0, bytes);
  const damage: string[] = [];
  let newest: SuperblockState | undefined;
  for (let slot = 0; slot < 2; slot++) {
    const start = Math.min(slot * SLOT_BYTES, count);
    const found = decodeSlot(bytes.subarray(start, Math.min(start + SLOT_BYTES, count)), checksums, path);
    if (typeof found === 'string') damage.push(`slot ${slot} is unreadable: ${found}`);
    else if (newest === undefined || found.generation > newest.generation) newest = found;
  }
  if (newest === undefined) {
    throw corruptionError(`neither slot of the superblock can be read (${damage.join('; ')})`, {
      file: path,
      offset: 0,
    });
  }
  assert(newest.generation >= 1, 'a superblock has a generation from 1 on');
  return { state: newest, damage };
}

/** Why a directory without a superblock is not opened. */
export function noStoreError(directory: string, detail: string): PhantomError {
  return new PhantomError(SqlState.UndefinedFile, `there is no store in "${directory}"`, { detail, family: 'state' });
}
