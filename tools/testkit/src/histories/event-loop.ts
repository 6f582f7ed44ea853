import type { Random } from '@phantom/base';

const TURNS_MAX = 3;

/** A random number of turns of the event loop, in which others go on. */
export async function pause(random: Random): Promise<void> {
  for (let turns = random.below(TURNS_MAX + 1); turns > 0; turns--)
    await new Promise((resolve) => setImmediate(resolve));
}
