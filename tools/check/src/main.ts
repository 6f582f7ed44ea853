/**
 * `check source` judges the sources, `check tarballs` what is packed from them. Exit code 0 when all held, 1 when a rule was broken,
 * 2 for a wrong call. The last line of stdout is a count that the runner adds up.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProblem } from './problem.js';
import { checkSource } from './source/check-source.js';
import { checkTarballs, publishedMembers } from './tarballs/check-tarballs.js';
import { packedContentHash, readStamp, writeStamp } from './tarballs/stamp.js';

const root = process.cwd();

function source(): number {
  const { fileCount, problems } = checkSource(root);
  for (const problem of problems) console.log(formatProblem(problem));
  console.log(`check source: ${fileCount} files, ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

async function tarballs(): Promise<number> {
  const stampFile = join(root, 'node_modules', '.cache', 'phantom', 'tarballs.json');
  const hash = packedContentHash(root, publishedMembers(root), [fileURLToPath(import.meta.url)]);
  const checks = readStamp(stampFile, hash);
  if (checks !== undefined) {
    console.log(`check tarballs: ${checks} passed, 0 problems (unchanged since they last ran)`);
    return 0;
  }
  const startedAt = Date.now();
  const verdicts = await checkTarballs(root, (line) => {
    console.log(`  ${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${line}`);
  });
  const failed = verdicts.filter(({ failure }) => failure !== undefined);
  for (const { name, failure } of failed) console.log(`FAILED ${name}\n${failure}`);
  console.log(`check tarballs: ${verdicts.length - failed.length} passed, ${failed.length} problems`);
  if (failed.length === 0) writeStamp(stampFile, hash, verdicts.length);
  return failed.length === 0 ? 0 : 1;
}

const job = process.argv[2];
if (job === 'source') process.exitCode = source();
else if (job === 'tarballs') process.exitCode = await tarballs();
else {
  console.error('usage: check source | tarballs');
  process.exitCode = 2;
}
