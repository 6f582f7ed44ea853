/** How the fixture of this format version was made; kept so that the next version's can be made alike. */
import { Random } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { LsmEngine } from '../src/index.js';
import { testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';

export interface Fixture {
  readonly seq: number;
  readonly generation: number;
  /** By name, base64. */
  readonly files: Readonly<Record<string, string>>;
  /** Live entries, in hexadecimal. */
  readonly entries: Readonly<Record<string, string>>;
}

/** The files of the engine's directory, by name. */
export function filesOf(vfs: MemoryVfs): Map<string, Uint8Array> {
  return new Map(vfs.list('engine').map((name) => [name, vfs.readFile(`engine/${name}`)]));
}

/** A small tree: several levels, removals, a range tombstone, blocks of every codec. */
export async function makeFixture(): Promise<Fixture> {
  const vfs = new MemoryVfs({ losesPower: false });
  const context = await testContext(vfs);
  const engine = await LsmEngine.open(context, {
    ...SMALL,
    runBytesMax: 700,
    levelBytes: 120,
    bottomCompression: 'deflate',
  });
  const driver = new EngineDriver(engine, EngineCode.Lsm);
  const random = new Random(1);
  for (let round = 0; round < 8; round++) {
    const puts = [];
    for (let i = round; i < 60; i += 3) {
      const key = String(i).padStart(4, '0');
      puts.push(random.chance(0.1) ? driver.remove(key) : driver.put(key, `value ${i} of round ${round} `.repeat(3)));
    }
    if (round === 7) puts.push(driver.removeRange('0010', '0015'));
    await driver.commit(puts);
    await engine.flush();
    if (round < 7) await engine.settled();
  }
  await engine.close();
  const files = [...filesOf(vfs)].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  const entries = driver.model
    .entries(new Uint8Array(0), undefined)
    .map(({ key, value }) => [key, Buffer.from(value).toString('hex')]);
  return {
    seq: driver.seq,
    generation: context.generation.value,
    files: Object.fromEntries(files) as Record<string, string>,
    entries: Object.fromEntries(entries) as Record<string, string>,
  };
}
