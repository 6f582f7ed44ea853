/** The layers of a view as another thread gets them: the same answers, and runs that are held as long as somebody asks for them. */
import { type Checksums, loadChecksums } from '@phantom/base';
import { BatchReader, ByteSlot, EngineCode, makeSpaceId, writeSpace } from '@phantom/kv';
import { encode } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { AttachedRuns, BlockCache, Delta, type Layer, Lookup, type Run, shareLayers } from '../src/index.js';
import { writeModel } from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8);
  writeSpace(key, 0, makeSpaceId(EngineCode.Lsm, 1));
  new DataView(key.buffer).setUint32(4, number);
  return key;
}

function deltaOf(number: number, seq: number): Delta {
  const delta = new Delta();
  const batch = encode([{ kind: 'put', key: keyOf(number), value: Uint8Array.of(seq) }]);
  delta.apply(new BatchReader().setBatch(batch), seq, Number.POSITIVE_INFINITY, EngineCode.Lsm);
  return delta;
}

function runOf(vfs: MemoryVfs, path: string, number: number): Run {
  return writeModel([{ key: keyOf(number), seq: 1, value: Uint8Array.of(1) }], [], { checksums, vfs, path });
}

function firstByte(layers: readonly Layer[], number: number, seq: number): number | undefined {
  const slot = new ByteSlot();
  const key = keyOf(number);
  for (const layer of layers) {
    if (layer.get(key, 0, key.length, seq, slot) === Lookup.Found) return slot.copy()[0];
  }
  return undefined;
}

describe('layers for another thread', () => {
  it('answer as they do here, and show nothing that comes to an active delta later', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const active = deltaOf(1, 3);
    const frozen = deltaOf(2, 2);
    frozen.freeze();
    const run = runOf(vfs, 'run', 3);
    const shared = await shareLayers([active, frozen, run]);
    expect(shared.layers.map(({ kind }) => kind)).toEqual(['delta', 'delta', 'run']);
    const batch = encode([{ kind: 'put', key: keyOf(1), value: Uint8Array.of(9) }]);
    active.apply(new BatchReader().setBatch(batch), 4, Number.POSITIVE_INFINITY, EngineCode.Lsm);
    const attached = new AttachedRuns({ vfs, checksums, cache: new BlockCache(1 << 20) });
    const layers = attached.layers(shared.layers);
    expect([1, 2, 3, 4].map((number) => firstByte(layers, number, 3))).toEqual([3, 2, 1, undefined]);
    expect(firstByte([active], 1, 4)).toBe(9);
    shared.release();
    (layers[2] as Run).release();
    attached.rest();
    run.release();
  });

  it('refuse a layer that is neither, and give back what was copied before', async () => {
    const other = { get: () => Lookup.Absent } as unknown as Layer;
    await expect(shareLayers([deltaOf(1, 1), other])).rejects.toThrow('a layer is a delta or a run');
  });

  it('hold a run that the next view has, too, and close one that it has not once nobody reads it', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const [first, second] = [runOf(vfs, 'first', 1), runOf(vfs, 'second', 2)];
    const attached = new AttachedRuns({ vfs, checksums, cache: new BlockCache(1 << 20) });
    const mine = attached.open(first.descriptor());
    attached.open(second.descriptor()).release();
    attached.settle();
    expect(attached.open(first.descriptor())).toBe(mine);
    mine.release();
    attached.settle();
    const again = attached.open(second.descriptor());
    expect([firstByte([mine], 1, 1), firstByte([again], 2, 1)]).toEqual([1, 1]);
    attached.rest();
    expect(attached.open(first.descriptor())).not.toBe(mine);
    attached.rest();
    first.release();
    second.release();
  });
});
