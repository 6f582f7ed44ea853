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

const use = `
    const vfs = createNodeVfs();
    const file = vfs.open(path.join(folder, 'file'), { mode: 'create', syncLane: 'log' });
    file.writeAt(0, new Uint8Array([1, 2, 3]));
    await file.sync();
    file.syncNow();
    file.close();`;

/** Four verdicts: two direct, two bundled. */
export function checkSyncThread(project: string): Promise<Verdict[]> {
  return checkEveryPackaging(project, 'sync-thread', { from: syncThreadPackage, name: 'createNodeVfs', use });
}

/** A program that uses one export of a package, with a `folder` of its own. */
export interface ThreadProgram {
  readonly from: string;
  readonly name: string;
  readonly use: string;
}

/** Runs the program from an ES module, CommonJS, and bundles of both; it must end by itself, with 0. */
export async function checkEveryPackaging(project: string, title: string, program: ThreadProgram): Promise<Verdict[]> {
  const { from, name, use: body } = program;
  const main = `(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'phantom-${title}-'));
  try {
${body}
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
})().catch((error) => { console.error(error); process.exit(1); });`;
  const asModule = `import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ${name} } from '${from}';
${main}`;
  const asCommonJs = `const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ${name} } = require('${from}');
${main}`;
  const verdicts: Verdict[] = [];
  for (const [file, code] of [
    [`${title}.mjs`, asModule],
    [`${title}.cjs`, asCommonJs],
  ] as const) {
    writeFileSync(join(project, file), code);
    const result = await runNode(join(project, file), { cwd: project, timeoutMs: 20_000 });
    verdicts.push(verdict(file, result.status === 0 ? undefined : said(result)));
  }
  return [...verdicts, ...(await checkBundles(project, [{ name: title, code: asModule }]))];
}
