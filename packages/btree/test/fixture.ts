/** How the fixture of this format version was made; kept so that the next version's can be made alike. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Random } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, Model } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { BtreeEngine } from '../src/index.js';
import { testContext } from '@phantom/testkit/engine';

export interface Fixture {
  readonly seq: number;
  readonly generation: number;
  /** By name: deflated, base64. */
  readonly files: Readonly<Record<string, string>>;
  /** Live entries, in hexadecimal: JSON, deflated, base64. */
  readonly entries: string;
}

/** A small tree: two levels, a long value, free pages, a run with removals and a range tombstone. */
export async function makeFixture(): Promise<Fixture> {
  const vfs = new MemoryVfs({ losesPower: false });
  const context = await testContext(vfs);
  const engine = await BtreeEngine.open(context, { idleMergeMs: 1e9 });
  const driver = new EngineDriver(engine, EngineCode.Btree);
  const random = new Random(1);
  const key = (i: number): string => `a key with a prefix ${String(i).padStart(4, '0')}`;
  for (let round = 0; round < 3; round++) {
    const puts = Array.from({ length: 300 }, (_, i) =>
      driver.put(key(i * (round + 1)), `value ${i} of round ${round}`),
    );
    await driver.commit([...puts, driver.put(key(450), new Uint8Array(9000).fill(round))]);
    await engine.merge();
  }
  const operations = Array.from({ length: 40 }, (_, i) => {
    const at = key(random.below(900));
    return i % 4 === 0 ? driver.remove(at) : driver.put(at, `later ${i}`);
  });
  await driver.commit([...operations, driver.removeRange(key(100), key(130))]);
  await engine.flush();
  await engine.close();
  const files = vfs.list('engine').map((name) => {
    const bytes = deflateRawSync(vfs.readFile(`engine/${name}`));
    return [name, bytes.toString('base64')];
  });
  const entries = driver.model
    .entries(new Uint8Array(0), undefined)
    .map(({ key: name, value }) => [name, Buffer.from(value).toString('hex')]);
  return {
    seq: driver.seq,
    generation: context.generation.value,
    files: Object.fromEntries(files) as Fixture['files'],
    entries: deflateRawSync(JSON.stringify(Object.fromEntries(entries))).toString('base64'),
  };
}

/** A disk with the fixture's files. */
export function diskOf(fixture: Fixture): MemoryVfs {
  const vfs = new MemoryVfs({ losesPower: false });
  vfs.makeDir('engine');
  for (const [name, text] of Object.entries(fixture.files)) {
    const file = vfs.open(`engine/${name}`, { mode: 'create-new' });
    file.writeAt(0, inflateRawSync(Buffer.from(text, 'base64')));
    file.close();
  }
  return vfs;
}

/** What must be in it. */
export function modelOf(fixture: Fixture): Model {
  const text = inflateRawSync(Buffer.from(fixture.entries, 'base64')).toString();
  const entries = Object.entries(JSON.parse(text) as Record<string, string>);
  return Model.of(entries.map(([key, value]) => [Buffer.from(key, 'hex'), Buffer.from(value, 'hex')]));
}
