// The limits that only gigabytes of memory reach; the others are tried by every run of the tests.
import { join } from 'node:path';
import { environment, root, run } from './process.mjs';

export async function tryLargeLimits() {
  const env = environment({ PHANTOM_LIMITS_LARGE: '1' });
  await run('vitest', ['run', 'test/limits.test.ts', '--root', join(root, 'packages/server')], { env });
}
