/**
 * Bulk loads under power cuts and failing disks: a small life of a tree alone, with loads between its other writes, a log
 * that rotates and files that are flushed and merged. After every operation on the disk, and whichever one fails, the tree
 * opens again with what was acknowledged, each write whole or absent, in order, and finds nothing wrong with itself.
 */
import { isPhantomError } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { FaultyVfs, MemoryVfs, counting, failAt } from '@phantom/vfs/testing';
import { filesBelow } from './files-below.js';

/** What the sweeps need of a tree. */
export interface LoadableTree {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  deleteRange(bounds: { gte: Uint8Array; lt: Uint8Array }): Promise<unknown>;
  load(entries: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>): Promise<unknown>;
  scan(): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
  flush(): Promise<void>;
  check(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Opens the tree in a directory of the disk, with memory, files and segments so small that a few hundred entries fill several. */
export type OpenTree = (directory: string, vfs: Vfs) => Promise<LoadableTree>;

const DIRECTORY = '/data/tree';
const CHANGES = new Set(['open', 'write', 'sync', 'truncate', 'remove', 'rename', 'syncDir']);
const LOADED = 30;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = (number: number): string => `key ${String(number).padStart(4, '0')}`;

/** What the tree holds after each of its commits. */
type State = ReadonlyMap<string, string>;

class Life {
  /** By number of commits. */
  readonly states: State[] = [new Map()];
  /** Commits that were acknowledged. */
  acknowledged = 0;

  async run(tree: LoadableTree): Promise<void> {
    await this.put(tree, 5, 'before');
    await this.load(tree, 0, 'first');
    await this.put(tree, 7, 'over the first');
    await this.load(tree, 1, 'between');
    await tree.flush();
    await this.load(tree, 0, 'second');
    await this.remove(tree, 20, 30);
    await this.put(tree, 30, 'again');
    await tree.flush();
    await this.load(tree, 2, 'last');
  }

  private put(tree: LoadableTree, number: number, value: string): Promise<void> {
    const key = keyOf(number);
    return this.commit(
      (state) => state.set(key, value),
      () => tree.put(bytes(key), bytes(value)),
    );
  }

  /** Every third key. */
  private load(tree: LoadableTree, from: number, value: string): Promise<void> {
    const keys = Array.from({ length: LOADED }, (_, i) => keyOf(from + 3 * i));
    const text = (key: string): string => `${value} of ${key}`;
    return this.commit(
      (state) => keys.forEach((key) => state.set(key, text(key))),
      () => tree.load(keys.map((key) => ({ key: bytes(key), value: bytes(text(key)) }))),
    );
  }

  private remove(tree: LoadableTree, from: number, to: number): Promise<void> {
    const [first, last] = [keyOf(from), keyOf(to)];
    return this.commit(
      (state) => [...state.keys()].filter((key) => key >= first && key < last).forEach((key) => state.delete(key)),
      () => tree.deleteRange({ gte: bytes(first), lt: bytes(last) }),
    );
  }

  private async commit(change: (state: Map<string, string>) => unknown, write: () => Promise<unknown>): Promise<void> {
    const state = new Map(this.states.at(-1));
    change(state);
    this.states.push(state);
    await write();
    this.acknowledged++;
  }
}

/** Cuts the power after every change of the disk, or one in `stride` of them. Throws what it finds; how many changes there were. */
export async function cutLoads(open: OpenTree, stride = 1): Promise<number> {
  const disk = new MemoryVfs();
  const life = new Life();
  const cuts: { readonly left: MemoryVfs; readonly acknowledged: number; readonly after: string }[] = [];
  let changes = 0;
  disk.onOperation = ({ operation, path }) => {
    if (!CHANGES.has(operation) || changes++ % stride !== 0) return;
    const after = `operation ${disk.operations}, ${operation} ${path}`;
    cuts.push({ left: disk.crashClone(cuts.length), acknowledged: life.acknowledged, after });
  };
  const tree = await open(DIRECTORY, disk);
  await life.run(tree);
  await tree.close();
  disk.onOperation = undefined;
  for (const { left, acknowledged, after } of cuts)
    await expectWhole(open, left, life, acknowledged, `the cut after ${after}`);
  return changes;
}

const FAULTS = ['EIO', 'ENOSPC', 'short-write'] as const;

/** Lets the nth operation fail, for every n (or one in `stride`) until none does, in three ways by turns; how many there were. */
export async function failLoads(open: OpenTree, stride = 1): Promise<number> {
  for (let n = 0; ; n += stride) {
    const disk = new MemoryVfs();
    const vfs = new FaultyVfs(disk, counting());
    const fault = failAt(n, FAULTS[n % FAULTS.length] as (typeof FAULTS)[number]);
    const life = new Life();
    vfs.injector = fault;
    const what = `the failure of operation ${n}`;
    let tree: LoadableTree | undefined;
    try {
      tree = await open(DIRECTORY, vfs);
      await life.run(tree);
    } catch (error) {
      if (!isPhantomError(error)) throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
    await tree?.close().catch((error: unknown) => {
      if (!isPhantomError(error)) throw error;
    });
    const left = (n / stride) % 2 === 0 ? disk.killClone() : disk.crashClone(n);
    await expectWhole(open, left, life, life.acknowledged, what);
    if (!fault.fired) return n;
  }
}

/** Opens what is left: a state that is no older than what was acknowledged, twice the same, and in order. */
async function expectWhole(
  open: OpenTree,
  left: MemoryVfs,
  life: Life,
  acknowledged: number,
  after: string,
): Promise<void> {
  try {
    for (let time = 0; time < 2; time++) {
      const tree = await open(DIRECTORY, left);
      const found = textOf(tree.scan());
      const allowed = life.states.slice(acknowledged).map(textOfState);
      if (!allowed.includes(found)) throw new Error(`it holds what it never held: ${found.slice(0, 300)}`);
      // The first opening may have found a half-written slot of the superblock, of which there are two.
      const findings = time === 0 ? [] : await tree.check();
      if (findings.length > 0) throw new Error(`check says ${JSON.stringify(findings)}`);
      await tree.close();
      const strays = filesBelow(left, DIRECTORY).filter((path) => path.includes('load-'));
      if (strays.length > 0) throw new Error(`${strays.join()} was left behind`);
    }
  } catch (error) {
    throw new Error(`${after}: ${(error as Error).message}`, { cause: error });
  }
}

function textOf(entries: ReturnType<LoadableTree['scan']>): string {
  return [...entries].map(({ key, value }) => `${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`).join();
}

function textOfState(state: State): string {
  return [...state]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join();
}
