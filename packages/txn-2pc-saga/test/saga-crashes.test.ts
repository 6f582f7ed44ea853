/**
 * The power is cut after every commit of a saga's journal and after every effect elsewhere: of a saga of five steps that succeeds, and of those
 * that fail for good at each of them. Opened again it goes on by itself, and ends done or undone as a whole; what local steps do happens exactly
 * once, and what remote ones do once by their key.
 */
import type { MvccTransaction } from '@phantom/mvcc';
import { expect, it } from 'vitest';
import { type SagaRunner, defineSaga } from '../src/index.js';
import { Node, contentOf, put, read, runnerOf } from './support.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const REMOTE = new Set<string>(['b', 'd']);

/** What another system has done, by keys. */
type Elsewhere = Set<string>;

interface Cut {
  readonly node: () => Promise<Node>;
  readonly elsewhere: Elsewhere;
}

/** A saga of which the step `fails` gives up; -1: none. Local steps count how often they have had an effect. */
function define(runner: SagaRunner<MvccTransaction>, fails: number, elsewhere: Elsewhere, effect: () => void): void {
  const count = (tx: MvccTransaction, name: string, by: number): void =>
    put(tx, name, String(Number(read(tx, name) ?? '0') + by));
  const steps = NAMES.map((name, index) => {
    const retry = { delayMs: 0 };
    if (!REMOTE.has(name)) {
      return {
        kind: 'local' as const,
        name,
        retry,
        run: (tx: MvccTransaction, { giveUp }: { giveUp(reason: string): never }): unknown =>
          index === fails ? giveUp('it cannot be') : count(tx, name, 1),
        compensate: (tx: MvccTransaction): void => {
          count(tx, name, -1);
          count(tx, `undone ${name}`, 1);
        },
      };
    }
    return {
      kind: 'remote' as const,
      name,
      retry,
      run: ({ idempotencyKey, giveUp }: { idempotencyKey: string; giveUp(reason: string): never }): void => {
        if (index === fails) giveUp('it cannot be');
        elsewhere.add(idempotencyKey);
        effect();
      },
      compensate: ({ idempotencyKey }: { idempotencyKey: string }): void => {
        elsewhere.delete(idempotencyKey.replace('/compensate', ''));
        effect();
      },
    };
  });
  runner.define(defineSaga<unknown, MvccTransaction>({ name: 'order', steps }));
}

async function finish(node: Node, fails: number, elsewhere: Elsewhere): Promise<unknown> {
  const runner = runnerOf(node);
  define(runner, fails, elsewhere, () => undefined);
  const status = await runner.finished('one');
  await runner.close();
  const counts = Object.entries(contentOf(node.mvcc)).map(([key, value]) => [key, Number(value)]);
  await node.close();
  return { state: status.state, content: Object.fromEntries(counts), elsewhere: [...elsewhere].toSorted() };
}

it.each([-1, 0, 1, 2, 3, 4])('a saga whose step %i fails ends as a whole, wherever the power is cut', async (fails) => {
  const node = await Node.open();
  const elsewhere: Elsewhere = new Set();
  const cuts: Cut[] = [];
  const cut = (): void => {
    const disk = node.vfs.crashClone(cuts.length * 5 + fails);
    cuts.push({ node: () => Node.open(disk), elsewhere: new Set(elsewhere) });
  };
  const runner = runnerOf(node);
  define(runner, fails, elsewhere, cut);
  await runner.start('order', 'one', null);
  node.vfs.onOperation = ({ operation }) => {
    if (operation === 'sync') cut();
  };
  await runner.finished('one');
  node.vfs.onOperation = undefined;
  await runner.close();

  const done = { state: 'done', content: { a: 1, c: 1, e: 1 }, elsewhere: ['one/b', 'one/d'] };
  const local = NAMES.slice(0, Math.max(fails, 0)).filter((name) => !REMOTE.has(name));
  const undone = {
    state: 'compensated',
    content: Object.fromEntries(
      local.flatMap((name) => [
        [name, 0],
        [`undone ${name}`, 1],
      ]),
    ),
    elsewhere: [],
  };
  const expected = fails < 0 ? done : undone;
  expect(cuts.length).toBeGreaterThan(fails < 0 ? 8 : fails);
  for (const [at, { node: open, elsewhere: then }] of cuts.entries()) {
    expect([at, await finish(await open(), fails, then)]).toEqual([at, expected]);
  }
  await node.close();
});
