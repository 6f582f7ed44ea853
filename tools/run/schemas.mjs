// The JSON-Schema-Test-Suite through the validator of collections.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { environment, root, run } from './process.mjs';

const SUITE = 'https://github.com/json-schema-org/JSON-Schema-Test-Suite';

/** The suite lies in the folder that is given, or is fetched into one that goes afterwards. */
export async function runSchemas([folder]) {
  const fetched = folder === undefined ? mkdtempSync(join(tmpdir(), 'schemas-')) : undefined;
  try {
    if (fetched !== undefined) await run('git', ['clone', '--quiet', '--depth', '1', SUITE, fetched]);
    const env = environment({ PHANTOM_SCHEMA_SUITE: resolve(fetched ?? folder) });
    await run('vitest', ['run', 'test/schema-suite.test.ts', '--root', join(root, 'packages/docs-model')], { env });
  } finally {
    if (fetched !== undefined) rmSync(fetched, { recursive: true, force: true });
  }
}
