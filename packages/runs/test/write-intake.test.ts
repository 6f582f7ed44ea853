/** The way of batches into memory and out of it, with a flusher that does what it is told. */
import { describe, expect, it } from 'vitest';
import { Admission, type Flusher, type FrozenLayer, type Run, WriteIntake } from '../src/index.js';

const ROOM = 600;

/** Memory of which only the sums count. */
class Memory {
  applied = 3;
  applying = 0;
  isDirty = true;
  freezes = 0;
  readonly frozen: FrozenLayer<{ readonly run: Run }>[] = [];
  unfrozen = true;

  mustFreeze(): boolean {
    return this.unfrozen;
  }

  isActiveFull(): boolean {
    return false;
  }

  freeze(): void {
    this.freezes++;
    this.frozen.push({ delta: undefined, ingested: [], lastSeq: this.applied });
  }
}

class ToldFlusher implements Flusher {
  failure: Error | undefined = undefined;
  refusal: Error | undefined = undefined;
  isFlushing = false;
  starts = 0;
  handOvers = 0;
  /** What a flush that ends does. */
  end: () => void = () => undefined;

  startFlush(): void {
    this.starts++;
    this.isFlushing = true;
  }

  retryNow(): void {
    this.startFlush();
  }

  async flushed(): Promise<void> {
    await Promise.resolve();
    this.finishFlushNow();
  }

  handOver(): void {
    this.handOvers++;
  }

  finishFlushNow(): void {
    this.isFlushing = false;
    this.end();
  }
}

function open(readOnly = false) {
  const memory = new Memory();
  const flusher = new ToldFlusher();
  const files = { flushedSeq: 1 };
  const held = { bytes: 0 };
  const admission = new Admission(
    () => ROOM,
    () => held.bytes,
  );
  const intake = new WriteIntake({ memory, admission, deltaBytesMax: () => ROOM, flusher, files, readOnly });
  return { memory, flusher, files, held, admission, intake };
}

describe('a batch', () => {
  it('that finds no room freezes what there is, and is let in when that is flushed', async () => {
    const { memory, flusher, held, admission, intake } = open();
    held.bytes = ROOM;
    const admitted = intake.admit(ROOM, false);
    expect([memory.freezes, flusher.starts]).toEqual([1, 1]);
    held.bytes = 0;
    admission.grant();
    await admitted;
    expect(intake.admit(1, false)).toBeInstanceOf(Promise);
  });

  it('that cannot wait has the flush ended here, and is told when there is none to wait for', () => {
    const { flusher, held, intake } = open();
    held.bytes = ROOM;
    flusher.end = () => void (held.bytes = 0);
    intake.admitNow(ROOM, false);
    flusher.startFlush = () => undefined;
    expect(() => intake.admitNow(ROOM, false)).toThrow('reserved by other transactions');
  });

  it('freezes at its end when somebody wanted room while it was applied', () => {
    const { memory, held, flusher, intake } = open();
    held.bytes = ROOM;
    memory.applying = 4;
    void intake.admit(ROOM, false);
    expect(memory.freezes).toBe(0);
    memory.applying = 0;
    intake.applied(0, true);
    intake.applied(0, false);
    expect([memory.freezes, flusher.handOvers]).toEqual([1, 1]);
  });

  it('is refused while the disk is full, unless it gives room back, and for good after a failure', async () => {
    const { flusher, intake } = open();
    flusher.refusal = new Error('full');
    await expect(intake.admit(1, false)).rejects.toThrow('full');
    expect(intake.admit(ROOM, true)).toBeUndefined();
    flusher.failure = new Error('lost');
    await expect(intake.admit(1, true)).rejects.toThrow('lost');
    await expect(intake.flush()).rejects.toThrow('lost');
    expect(() => intake.flushNow()).toThrow('lost');
  });

  it('that only removes finds room on a full disk where memory is full as well, and where it waited already', async () => {
    const { flusher, held, admission, intake } = open();
    held.bytes = ROOM;
    const [put, removal, large] = [intake.admit(1, false), intake.admit(1, true), intake.admit(ROOM, true)];
    const full = new Error('full');
    flusher.refusal = full;
    admission.refuseWrites(full);
    await expect(put).rejects.toThrow('full');
    await expect(removal).resolves.toBeUndefined();
    await expect(large).rejects.toThrow('full');
    intake.admitNow(1, true);
    expect(() => intake.admitNow(ROOM, true)).toThrow('full');
  });

  it('that waits gets the room of what others applied or gave back, when nothing else brings a flush', async () => {
    const { memory, flusher, held, admission, intake } = open();
    expect(intake.admit(400, false)).toBeUndefined();
    expect(intake.admit(100, false)).toBeUndefined();
    const waiting = intake.admit(500, false);
    flusher.end = () => void memory.frozen.splice(0);
    flusher.finishFlushNow();
    expect([memory.freezes, flusher.starts]).toEqual([1, 1]);
    // Less than a full delta was written, and more than leaves room.
    held.bytes = 150;
    intake.applied(400, false);
    expect([memory.freezes, flusher.starts]).toEqual([2, 2]);
    flusher.finishFlushNow();
    intake.unadmit(100);
    expect([memory.freezes, flusher.starts]).toEqual([3, 3]);
    held.bytes = 0;
    admission.grant();
    await waiting;
    intake.unadmit(500);
    expect(flusher.starts).toBe(3);
  });

  it('is turned away once the store takes no more writes, and whoever comes then', async () => {
    const { memory, held, intake } = open();
    held.bytes = ROOM;
    const waiting = intake.admit(ROOM, false) as Promise<void>;
    const reason = new Error('the log is lost');
    // A batch that will never be applied to its end.
    memory.applying = 4;
    const flush = intake.flush();
    intake.refuseWrites(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(intake.admit(1, true)).rejects.toBe(reason);
    expect(() => intake.admitNow(1, true)).toThrow(reason);
    await expect(flush).rejects.toBe(reason);
  });

  it('is turned away once the engine is closed', async () => {
    const { held, intake } = open();
    held.bytes = ROOM;
    const waiting = intake.admit(ROOM, false) as Promise<void>;
    intake.close();
    await expect(waiting).rejects.toMatchObject({ code: '57P01' });
    await expect(intake.admit(1, false)).rejects.toMatchObject({ code: '57P01' });
  });
});

describe('a flush', () => {
  it('goes on until the files hold what was applied when it began', async () => {
    const { memory, flusher, files, intake } = open();
    flusher.end = () => void files.flushedSeq++;
    expect(await intake.flush()).toBe(3);
    files.flushedSeq = 1;
    expect(intake.flushNow()).toBe(3);
    memory.isDirty = false;
    memory.applied = 9;
    expect(await intake.flush()).toBe(9);
  });

  it('freezes no more while what it wants flushed is frozen already', async () => {
    const { memory, flusher, files, intake } = open();
    memory.unfrozen = false;
    flusher.end = () => void files.flushedSeq++;
    expect(await intake.flush()).toBe(3);
    expect(memory.freezes).toBe(0);
  });

  it('does nothing where nothing may be written', async () => {
    const { flusher, intake } = open(true);
    expect([await intake.flush(), intake.flushNow(), flusher.starts]).toEqual([1, 1, 0]);
  });
});
