// Random histories for long: through the package, through SQL sessions, and through sockets of a daemon that is killed; and
// random schedules of locks and of serializable transactions.
import { join } from 'node:path';
import { jobOptions, positiveNumber } from './job-options.mjs';
import { environment, root, run } from './process.mjs';

const folders = ['packages/mvcc', 'packages/db', 'apps/phantomd'];
const tests = ['test/histories.test.ts', 'test/lock-schedules.test.ts', 'test/serializable-schedules.test.ts'];
const USAGE = `usage: npm run histories -- [--minutes N] [--seed S]
  --minutes N  how long, shared by the package, SQL sessions and sockets (default 1)
  --seed S     the first seed; each history takes the next (default 1)`;
const OPTIONS = { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } };

/** `--minutes N` (1 by default) are shared by all; seeds count up from `--seed S` (1). Exits with 1 when a history is not sound. */
export async function runHistories(args) {
  const values = jobOptions(USAGE, OPTIONS, args);
  const minutes = positiveNumber(USAGE, 'minutes', values.minutes) / folders.length;
  const env = environment({ PHANTOM_HISTORIES_MINUTES: String(minutes), PHANTOM_HISTORIES_SEED: values.seed });
  for (const folder of folders) {
    await run('vitest', ['run', ...tests, '--root', join(root, folder)], { env });
  }
}
