/**
 * The format as docs/formats/lsm.md draws it: a reader that knows nothing else reads what is written; and files that were
 * written by version 1 are read for ever.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Checksums, loadChecksums, toHex } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, Model } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_HEADER_BYTES, RecordKind } from '../src/format.js';
import { encodeRecord } from '../src/manifest-codec.js';
import { LsmEngine } from '../src/index.js';
import { testContext } from '@phantom/testkit/engine';
import { type Fixture, filesOf, makeFixture } from './fixture.js';
import { readDirectory } from './format-reader.js';
import { SMALL } from './small-options.js';
import { Workload } from './workload.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});
const hash = (bytes: Uint8Array, seed: bigint): bigint => checksums.h64(bytes, 0, bytes.length, seed);

describe('the format of a manifest', () => {
  it('can be read by the page that draws it', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const context = await testContext(vfs);
    const engine = await LsmEngine.open(context, SMALL);
    await new Workload(engine, { seed: 3, rounds: 8, vfs }).run();
    await engine.flush();
    await engine.settled();
    const { levels } = engine.stats();
    await engine.close();
    const files = filesOf(vfs);
    const manifest = readDirectory(files, hash);
    expect(manifest).toMatchObject({ generation: context.generation.value, flushedSeq: engine.flushedSeq() });
    const runs = manifest?.runs ?? [];
    for (let level = 0; level < 7; level++) {
      const here = runs.filter((run) => run.level === level);
      expect(here.length).toBe(levels[level]?.runs);
      expect(here.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(levels[level]?.bytes);
    }
    for (const { number, bytes, identity } of runs) {
      const file = files.get(`${String(number).padStart(16, '0')}.run`) as Uint8Array;
      const footer = new DataView(file.buffer, file.byteOffset + file.length - 48);
      expect([file.length, Number(footer.getBigUint64(16, true))]).toEqual([bytes, identity]);
    }
  });

  it('looks as the example says', () => {
    const added = [{ number: 1, bytes: 300, identity: 5 * 2 ** 32 + 1, seqBase: undefined, level: 0, age: 1 }];
    const snapshot = { generation: 1, flushedSeq: 0, nextNumber: 1, removed: [], added: [] };
    const manifest = { number: 1, engine: 5, identity: Uint8Array.from({ length: 16 }, (_, at) => 0xa0 + at) };
    const first = encodeRecord(RecordKind.Snapshot, snapshot, manifest, MANIFEST_HEADER_BYTES, checksums);
    expect(MANIFEST_HEADER_BYTES + first.length).toBe(92);
    const edit = { generation: 2, flushedSeq: 7, nextNumber: 2, removed: [], added };
    const record = encodeRecord(RecordKind.Edit, edit, manifest, 92, checksums);
    const head = '0f000000 02000000 0200000000000000 07 02 00 01 01 ac02 818080805000 00 01';
    expect(toHex(record, 0, record.length - 8)).toBe(head.replaceAll(' ', ''));
  });
});

const FIXTURE = join(import.meta.dirname, 'fixtures', 'v1.json');

describe('files of version 1', () => {
  it('are read as they were written', async () => {
    const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
    const vfs = new MemoryVfs({ losesPower: false });
    vfs.makeDir('engine');
    for (const [name, text] of Object.entries(fixture.files)) {
      const file = vfs.open(`engine/${name}`, { mode: 'create-new' });
      file.writeAt(0, Uint8Array.from(Buffer.from(text, 'base64')));
      file.close();
    }
    const engine = await LsmEngine.open(
      await testContext(vfs, { generation: { value: fixture.generation }, isIdentified: false }),
      SMALL,
    );
    expect(engine.flushedSeq()).toBe(fixture.seq);
    expect(engine.stats().runs).toBe(4);
    expect((await makeFixture()).entries).toEqual(fixture.entries);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
    driver.seq = fixture.seq;
    driver.model = Model.of(
      Object.entries(fixture.entries).map(([key, value]) => [Buffer.from(key, 'hex'), Buffer.from(value, 'hex')]),
    );
    driver.compareNow();
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });
});
