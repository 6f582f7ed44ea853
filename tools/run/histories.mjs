// Random histories for long: through the package, through SQL sessions, and through sockets of a daemon that is killed; and
// random schedules of locks.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { environment, root, run } from './process.mjs';

const folders = ['packages/mvcc', 'packages/db', 'apps/phantomd'];
const tests = ['test/histories.test.ts', 'test/lock-schedules.test.ts'];

/** `--minutes N` (1 by default) are shared by all; seeds count up from `--seed S` (1). Exits with 1 when a history is not sound. */
export async function runHistories(args) {
  const { values } = parseArgs({ args, options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
  const minutes = Number(values.minutes ?? 1) / folders.length;
  const env = environment({ PHANTOM_HISTORIES_MINUTES: String(minutes), PHANTOM_HISTORIES_SEED: values.seed ?? '1' });
  for (const folder of folders) {
    await run('vitest', ['run', ...tests, '--root', join(root, folder)], { env });
  }
}
