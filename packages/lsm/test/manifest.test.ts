/** The manifest: what it accepts, what it refuses, and that refusing leaves everything as it was. */
import { type Checksums, isPhantomError, loadChecksums, toHex, writeU16, writeU32 } from '@phantom/base';
import { Job } from '@phantom/runs';
import { FaultyVfs, MemoryVfs, counting, failAt, failFrom, onOperation, pathMatch } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_HEADER_BYTES, RecordKind, manifestName } from '../src/format.js';
import { LsmEngine } from '../src/index.js';
import { Manifest } from '../src/manifest.js';
import { type Edit, type RunEntry, encodeHeader, encodeRecord, parseManifest } from '../src/manifest-codec.js';
import { TEST_IDENTITY, type TestContext, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const entry = (number: number, level = 0): RunEntry => ({
  number,
  bytes: 100 + number,
  identity: 7_000_000 + number,
  seqBase: number % 2 === 0 ? undefined : number * 3,
  level,
  age: number,
});

const edit = (generation: number, removed: number[] = [], added: RunEntry[] = []): Edit => ({
  generation,
  flushedSeq: generation * 10,
  nextNumber: generation * 2,
  removed,
  added,
});

/** The bytes of a manifest with these edits, the first of them as its snapshot. */
function manifestBytes(
  number: number,
  edits: readonly Edit[],
  engine = 99,
  identity: Uint8Array | undefined = TEST_IDENTITY,
): Uint8Array {
  const parts = [encodeHeader(number, engine, checksums)];
  let offset = MANIFEST_HEADER_BYTES;
  edits.forEach((item, i) => {
    const kind = i === 0 ? RecordKind.Snapshot : RecordKind.Edit;
    const record = encodeRecord(kind, item, { number, engine, identity }, offset, checksums);
    parts.push(record);
    offset += record.length;
  });
  return Uint8Array.from(Buffer.concat(parts));
}

const parse = (bytes: Uint8Array, number = 3): ReturnType<typeof parseManifest> =>
  parseManifest(bytes, 'manifest', number, checksums);

describe('the bytes of a manifest', () => {
  it('say which runs there are after every edit', () => {
    const edits = [
      edit(5, [], [entry(1), entry(2, 6)]),
      edit(6, [1], [entry(3), entry(4)]),
      edit(7, [3], [entry(3, 4)]),
    ];
    const bytes = manifestBytes(3, edits);
    const parsed = parse(bytes);
    expect(parsed).toMatchObject({ number: 3, engine: 99, end: bytes.length, isWhole: true });
    expect(parsed?.state).toMatchObject({ generation: 7, flushedSeq: 70, nextNumber: 14 });
    expect([...(parsed?.state.runs.values() ?? [])]).toEqual([entry(2, 6), entry(4), entry(3, 4)]);
  });

  it('are believed up to the last whole record, wherever they are cut or changed', () => {
    const edits = [edit(5, [], [entry(1)]), edit(6, [1], [entry(2)]), edit(7, [2], [entry(3, 1)])];
    const bytes = manifestBytes(3, edits);
    const ends = edits.map((_, i) => manifestBytes(3, edits.slice(0, i + 1)).length);
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length;
      const parsed = parse(bytes.slice(0, length));
      expect(parsed?.state.generation).toBe(whole === 0 ? undefined : 4 + whole);
      expect(parsed?.isWhole).toBe(whole === 0 ? undefined : ends.includes(length));
    }
    for (let at = 0; at < bytes.length; at++) {
      const whole = ends.filter((end) => end <= at).length;
      const parsed = parse(bytes.with(at, (bytes[at] as number) ^ 0x10));
      expect(parsed?.state.generation).toBe(whole === 0 ? undefined : 4 + whole);
    }
  });

  it('are nothing under another number', () => {
    expect(parse(manifestBytes(3, [edit(1)]), 4)).toBeUndefined();
  });

  it('are corrupt when whole records contradict each other', () => {
    const contradictions: readonly (readonly Edit[])[] = [
      [edit(5), edit(7)],
      [edit(5), edit(6, [1])],
      [edit(5, [], [entry(1)]), edit(6, [], [entry(1)])],
      [edit(5, [], [entry(1, 7)])],
    ];
    for (const edits of contradictions) expect(() => parse(manifestBytes(3, edits))).toThrow(/manifest/);
    const { length } = manifestBytes(3, [edit(5)]);
    const second = encodeRecord(
      RecordKind.Snapshot,
      edit(6),
      { number: 3, engine: 99, identity: undefined },
      length,
      checksums,
    );
    const bytes = Uint8Array.from(Buffer.concat([manifestBytes(3, [edit(5)]), second]));
    expect(() => parse(bytes)).toThrow('out of place');
  });

  it('are a value or an error, whatever they are', () => {
    const sample = manifestBytes(3, [edit(5, [], [entry(1), entry(2)]), edit(6, [1])]);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(sample.length - 1),
        fc.boolean(),
        (noise, at, fixesChecksum) => {
          const bytes = sample.slice();
          bytes.set(noise.subarray(0, bytes.length - at), at);
          const end = manifestBytes(3, [edit(5, [], [entry(1), entry(2)])]).length - 8;
          if (fixesChecksum && at >= MANIFEST_HEADER_BYTES + 16 && at < end) fixSnapshot(bytes, end);
          expect(isParsedOrRefused(bytes)).toBe(true);
        },
      ),
      { numRuns: 1500, seed: 1 },
    );
  });
});

function isParsedOrRefused(bytes: Uint8Array): boolean {
  try {
    parse(bytes);
    return true;
  } catch (error) {
    return isPhantomError(error) && ['XX001', '0A000'].includes(error.code);
  }
}

/** Gives the snapshot record, whose checksum lies at an offset, the right one. */
function fixSnapshot(bytes: Uint8Array, end: number): void {
  const empty = encodeRecord(
    RecordKind.Snapshot,
    edit(1),
    { number: 3, engine: 99, identity: undefined },
    MANIFEST_HEADER_BYTES,
    checksums,
  );
  expect(empty.length).toBeGreaterThan(24);
  const seed =
    (99n * 0x9e3779b97f4a7c15n + 3n * 0xc2b2ae3d27d4eb4fn + BigInt(MANIFEST_HEADER_BYTES)) & 0xffff_ffff_ffff_ffffn;
  const checksum = checksums.h64(bytes, MANIFEST_HEADER_BYTES, end, seed);
  writeU32(bytes, end, Number(checksum & 0xffffffffn));
  writeU32(bytes, end + 4, Number(checksum >> 32n));
}

const run = async (manifest: Manifest, item: Edit, whole: Edit = item): Promise<void> =>
  new Job(manifest.append(item, () => whole)).ended;

async function place(vfs: MemoryVfs, number: number, bytes: Uint8Array): Promise<void> {
  if (!vfs.exists('engine')) vfs.makeDir('engine');
  const file = vfs.open(`engine/${manifestName(number)}`, { mode: 'create' });
  file.truncate(0);
  file.writeAt(0, bytes);
  file.close();
}

const contextOf = (vfs: MemoryVfs | FaultyVfs, generation = 0, readOnly = false): Promise<TestContext> =>
  testContext(vfs, { generation: { value: generation }, readOnly });

describe('opening', () => {
  it('takes the newest generation, and leaves doubt where the store does not know it yet', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    await place(vfs, 1, manifestBytes(1, [edit(3), edit(4)]));
    await place(vfs, 2, manifestBytes(2, [edit(5)]));
    expect(Manifest.open(await contextOf(vfs, 4))).toMatchObject({ state: { generation: 5 }, isInDoubt: true });
    expect(vfs.list('engine')).toHaveLength(2);
    expect(Manifest.open(await contextOf(vfs, 5))).toMatchObject({ state: { generation: 5 }, isInDoubt: false });
    expect(vfs.list('engine')).toEqual([manifestName(2)]);
  });

  it('gets no further ahead of the store, however often it is cut off', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    await place(vfs, 1, manifestBytes(1, [edit(5)]));
    const context = await contextOf(vfs, 4);
    const cutOff = { ...context, recordGeneration: () => Promise.reject(new Error('cut off')) };
    for (let i = 0; i < 3; i++) await expect(LsmEngine.open(cutOff, SMALL)).rejects.toThrow('cut off');
    expect(vfs.list('engine').length).toBeGreaterThan(1);
    const engine = await LsmEngine.open(context, SMALL);
    expect([context.generation.value, engine.flushedSeq()]).toEqual([5, 50]);
    await engine.close();
    expect(vfs.list('engine')).toHaveLength(1);
  });

  it('goes back to an older file when the newest was never finished', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    await place(vfs, 1, manifestBytes(1, [edit(3), edit(4)]));
    await place(vfs, 2, manifestBytes(2, [edit(5)]).slice(0, -3));
    const { manifest, state, isInDoubt } = Manifest.open(await contextOf(vfs, 4));
    expect([state.generation, isInDoubt]).toEqual([4, true]);
    await run(manifest, edit(5), edit(5));
    expect(vfs.list('engine')).toEqual([manifestName(3)]);
    manifest.close();
  });

  it('says that it is corruption when nothing is as new as the store knows', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const context = await contextOf(vfs, 1);
    expect(() => Manifest.open(context)).toThrow('older than what was made durable');
    await place(vfs, 1, manifestBytes(1, [edit(3), edit(4)]));
    const later = await contextOf(vfs, 5);
    expect(() => Manifest.open(later)).toThrow('expected generation 5 or later, found generation 4');
    await place(vfs, 2, manifestBytes(2, [edit(5), edit(6, [1])]));
    expect(() => Manifest.open(later)).toThrow('removes a run that is not there');
    const earlier = await contextOf(vfs, 4);
    expect(Manifest.open(earlier).state.generation).toBe(4);
  });

  it('refuses a newer format and touches nothing', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const bytes = manifestBytes(1, [edit(3)]);
    writeU16(bytes, 8, 3);
    const checksum = checksums.h64(bytes, 0, 40, 0n);
    writeU32(bytes, 40, Number(checksum & 0xffffffffn));
    writeU32(bytes, 44, Number(checksum >> 32n));
    await place(vfs, 1, bytes);
    const context = await contextOf(vfs);
    expect(() => Manifest.open(context)).toThrow('LSM-tree format 3');
    expect(vfs.readFile(`engine/${manifestName(1)}`)).toEqual(bytes);
  });

  it('makes nothing when it may only read', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const context = await contextOf(vfs, 0, true);
    expect(() => Manifest.open(context)).toThrow('there is no LSM-tree');
    await place(vfs, 1, manifestBytes(1, [edit(1)]).slice(0, -1));
    expect(() => Manifest.open(context)).toThrow('there is no LSM-tree');
    await place(vfs, 1, manifestBytes(1, [edit(1)]));
    expect(Manifest.open(context).state.generation).toBe(1);
  });

  it('refuses the manifest of another store, wherever it lies, and one that the superblock is too old for', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const other = TEST_IDENTITY.map((byte) => byte + 100);
    const context = await contextOf(vfs, 5);
    await place(vfs, 1, manifestBytes(1, [edit(5)]));
    await place(vfs, 2, manifestBytes(2, [edit(4)], 99, other));
    expect(() => Manifest.open(context)).toThrow(
      expect.objectContaining({
        code: 'XX001',
        data: { file: `engine/${manifestName(2)}`, expected: toHex(TEST_IDENTITY), found: toHex(other) },
      }),
    );
    await place(vfs, 2, manifestBytes(2, [edit(6)]));
    expect(Manifest.open(context).state.generation).toBe(6);
    await place(vfs, 3, manifestBytes(3, [edit(7)]));
    expect(() => Manifest.open(context)).toThrow('an older superblock lies beside them');
  });

  it('takes one without identity until its engine is known to have one, and writes it anew', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    await place(vfs, 1, manifestBytes(1, [edit(5)], 99, new Uint8Array(16)));
    const before = await testContext(vfs, { generation: { value: 5 }, isIdentified: false });
    const { manifest, isInDoubt } = Manifest.open(before);
    expect(isInDoubt).toBe(true);
    // What a crash kept from being removed is no matter beside the new one.
    const left = vfs.readFile(`engine/${manifestName(1)}`).slice();
    await run(manifest, edit(6));
    manifest.close();
    await place(vfs, 1, left);
    expect(Manifest.open(await contextOf(vfs, 6))).toMatchObject({ state: { generation: 6 }, isInDoubt: false });
    const alone = new MemoryVfs({ losesPower: false });
    await place(alone, 1, left);
    const context = await contextOf(alone, 5);
    expect(() => Manifest.open(context)).toThrow('does not belong to this store');
  });
});

describe('appending', () => {
  it('begins a new file when the present one has become long', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const context = await contextOf(vfs);
    const { manifest } = Manifest.open(context);
    const added = Array.from({ length: 200 }, (_, i) => entry(i + 1));
    const names = new Set<string>();
    for (let generation = 1; generation < 60; generation++) {
      const even = generation % 2 === 0;
      const numbers = added.map(({ number }) => number);
      await run(
        manifest,
        edit(generation, even ? numbers : [], even ? [] : added),
        edit(generation, [], even ? [] : added),
      );
      for (const name of vfs.list('engine')) names.add(name);
      expect(vfs.list('engine')).toHaveLength(1);
      expect(context.generation.value).toBe(generation);
    }
    manifest.close();
    expect(names.size).toBeGreaterThan(1);
    const again = Manifest.open(await contextOf(vfs, 59));
    expect([again.state.generation, again.state.runs.size, again.isInDoubt]).toEqual([59, 200, false]);
    again.manifest.close();
  });

  it('takes another file after a write that failed, and is in doubt after a sync that did', async () => {
    const disk = new MemoryVfs({ losesPower: false });
    const vfs = new FaultyVfs(disk, counting());
    const { manifest } = Manifest.open(await contextOf(vfs));
    await run(manifest, edit(1));
    vfs.injector = onOperation('write', failAt(0, 'short-write'));
    await expect(run(manifest, edit(2))).rejects.toThrow('injected');
    expect(manifest.isInDoubt).toBe(false);
    vfs.injector = pathMatch(/manifest/, failFrom(0, 'ENOSPC'));
    await expect(run(manifest, edit(2))).rejects.toThrow('injected');
    expect(manifest.isInDoubt).toBe(false);
    vfs.injector = counting();
    await run(manifest, edit(2));
    expect(disk.list('engine')).toEqual([manifestName(2)]);
    vfs.injector = onOperation('sync', failAt(0, 'ENOSPC'));
    await expect(run(manifest, edit(3))).rejects.toThrow('injected');
    expect(manifest.isInDoubt).toBe(true);
    manifest.close();
  });

  it('does not mind an old file that cannot be removed', async () => {
    const disk = new MemoryVfs({ losesPower: false });
    await place(disk, 1, manifestBytes(1, [edit(3)]));
    const vfs = new FaultyVfs(disk, onOperation(['remove', 'list'], failFrom(2, 'EIO')));
    const { manifest } = Manifest.open(await contextOf(vfs, 2));
    await run(manifest, edit(4));
    expect(disk.list('engine')).toEqual([manifestName(1), manifestName(2)]);
    manifest.close();
    expect(Manifest.open(await contextOf(disk, 4)).state.generation).toBe(4);
    expect(disk.list('engine')).toEqual([manifestName(2)]);
  });
});
