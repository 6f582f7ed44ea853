/**
 * The sync thread of `@phantom/vfs` started from every packaging: an ES module, CommonJS, and bundles of both, where no file of
 * the package is beside the program any more. A write has to be synced through the thread in both ways, awaited and waited for,
 * and the process has to end by itself afterwards.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBundles } from './entry-points.js';
import { runNode, said } from './exec.js';
import { verdict, type Verdict } from './verdict.js';

export const syncThreadPackage = '@phantom/vfs';

const use = `(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'phantom-sync-'));
  try {
    const vfs = createNodeVfs();
    const file = vfs.open(path.join(folder, 'file'), { mode: 'create', syncLane: 'log' });
    file.writeAt(0, new Uint8Array([1, 2, 3]));
    await file.sync();
    file.syncNow();
    file.close();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
})().catch((error) => { console.error(error); process.exit(1); });`;

const asModule = `import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createNodeVfs } from '${syncThreadPackage}';
${use}`;

const asCommonJs = `const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { createNodeVfs } = require('${syncThreadPackage}');
${use}`;

/** Four verdicts: two direct, two bundled. */
export async function checkSyncThread(project: string): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const [name, code] of [
    ['sync-thread.mjs', asModule],
    ['sync-thread.cjs', asCommonJs],
  ] as const) {
    writeFileSync(join(project, name), code);
    const result = await runNode(join(project, name), { cwd: project, timeoutMs: 20_000 });
    verdicts.push(verdict(name, result.status === 0 ? undefined : said(result)));
  }
  return [...verdicts, ...(await checkBundles(project, [{ name: 'sync-thread', code: asModule }]))];
}
