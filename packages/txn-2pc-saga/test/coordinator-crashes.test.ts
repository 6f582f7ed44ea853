/**
 * The power is cut at every point of the protocol: before and after each question and each write of the log, at the coordinator, at
 * a participant (the other is its mirror image), and at all of them at once. Once those that fell have come back, all hold the transaction or none does, it is
 * there when it was acknowledged and not there when it was refused, nothing is left prepared and no decision kept.
 */
import { isPhantomError } from '@phantom/base';
import type { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it, vi } from 'vitest';
import type { Coordinator } from '../src/index.js';
import { DECISION_SPACE, Node, Remote, contentOf, coordinatorOf, put } from './support.js';

type Victim = 'home' | 'billing' | 'all';
type Outcome = 'committed' | 'refused' | 'unknown';

interface World {
  readonly points: string[];
  readonly outcome: Outcome;
  readonly equal: readonly string[];
  readonly left: readonly unknown[];
}

const never = (): Promise<never> => new Promise(() => undefined);

/** One transaction over three databases, with the power cut at the victim when the point `at` is reached. */
async function run(victim: Victim, at: number): Promise<World> {
  const points: string[] = [];
  const nodes = new Map<string, Node>();
  for (const name of ['home', 'billing', 'stock']) nodes.set(name, await Node.open());
  const fallen = new Map<string, MemoryVfs>();
  let atHome = (): void => undefined;
  const homeFell = new Promise<void>((resolve) => (atHome = resolve));
  const cut = (name: string): void => {
    fallen.set(name, (nodes.get(name) as Node).vfs.crashClone(at * 7 + name.length));
    if (name === 'home') atHome();
    for (const remote of remotes) if (remote.name === name) remote.node = undefined;
  };
  const point = async (what: string): Promise<void> => {
    // Nobody speaks for a coordinator that is gone.
    if (fallen.has('home')) return never();
    if (points.push(what) !== at + 1) return;
    for (const name of victim === 'all' ? nodes.keys() : [victim]) cut(name);
    if (fallen.has('home')) return never();
  };
  const remotes = ['billing', 'stock'].map((name) => new Remote(name, nodes.get(name) as Node, point));
  const home = nodes.get('home') as Node;
  const coordinator = coordinatorOf(home);
  for (const remote of remotes) coordinator.register(remote);

  const outcome = await Promise.race([
    transfer(coordinator, home, remotes, point),
    homeFell.then((): Outcome => 'unknown'),
  ]);
  if (!fallen.has('home')) await coordinator.close();
  for (const [name, vfs] of fallen) nodes.set(name, await Node.open(vfs));
  return afterwards(nodes, points, outcome);
}

async function transfer(
  coordinator: Coordinator,
  home: Node,
  remotes: readonly Remote[],
  point: (what: string) => Promise<void>,
): Promise<Outcome> {
  const branches = remotes.map((remote) => {
    const { transaction, branch } = remote.begin();
    put(transaction, 'x', 'new');
    return branch;
  });
  try {
    await coordinator.commit(branches, async (write) => {
      await point('before the decision');
      await home.mvcc.run((transaction) => {
        put(transaction, 'x', 'new');
        write?.(transaction);
      });
      await point('after the decision');
    });
    await point('when it is acknowledged');
    return 'committed';
  } catch (error) {
    return isPhantomError(error) && error.family === 'outcome-unknown' ? 'unknown' : 'refused';
  }
}

/** All are up again: a coordinator in the home store asks and tells. */
async function afterwards(nodes: ReadonlyMap<string, Node>, points: string[], outcome: Outcome): Promise<World> {
  const home = nodes.get('home') as Node;
  const coordinator = coordinatorOf(home);
  for (const name of ['billing', 'stock']) coordinator.register(new Remote(name, nodes.get(name) as Node));
  // What the coordinator that fell had asked for may still be under way there (55006).
  await vi.waitFor(() => coordinator.resolve());
  await coordinator.close();
  const equal = Array.from(nodes.values(), ({ mvcc }) => contentOf(mvcc)['x'] ?? 'old');
  const prepared = Array.from(nodes.values(), ({ mvcc }) => mvcc.prepared()).flat();
  const decisions = Object.keys(contentOf(home.mvcc, DECISION_SPACE)).filter((key) => key.startsWith('\u0002'));
  for (const node of nodes.values()) await node.close();
  return { points, outcome, equal, left: [...prepared, ...decisions] };
}

it.each(['home', 'billing', 'all'] as const)('all end equal wherever the power of %s is cut', async (victim) => {
  const whole = await run(victim, Number.MAX_SAFE_INTEGER);
  expect(whole).toMatchObject({ outcome: 'committed', equal: ['new', 'new', 'new'], left: [] });
  expect(whole.points).toHaveLength(11);
  for (let at = 0; at < whole.points.length; at++) {
    const { outcome, equal, left } = await run(victim, at);
    const where = `${victim} at ${at}: ${whole.points[at]}`;
    expect([where, new Set(equal).size, left]).toEqual([where, 1, []]);
    if (outcome !== 'unknown') expect([where, equal[0]]).toEqual([where, outcome === 'committed' ? 'new' : 'old']);
  }
});
