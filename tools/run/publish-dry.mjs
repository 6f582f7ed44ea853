// What a release would publish, without publishing: pending versions, the packages pnpm would send, and how their types resolve.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runForCode } from './process.mjs';

const published = ['--filter', './packages/*', '--filter', './apps/*'];

/** Expects built packages. Exits with 1 when a package could not be published or its types mislead a resolver. */
export async function publishDry() {
  await run('changeset', ['status']);
  await run('pnpm', ['publish', '--recursive', '--dry-run', '--no-git-checks']);
  const folder = mkdtempSync(join(tmpdir(), 'phantom-publish-'));
  let failed = 0;
  try {
    await run('pnpm', ['--recursive', ...published, 'pack', '--json', '--pack-destination', folder], {
      onLine: () => {},
    });
    for (const name of readdirSync(folder).sort()) {
      // A program has no types to resolve.
      if (name.startsWith('phantom-phantomd-')) continue;
      const lines = [];
      const args = [join(folder, name), '--profile', 'node16', '--no-emoji', '--no-color'];
      const code = await runForCode('attw', args, { onLine: (line) => lines.push(line) });
      console.log(`types of ${name}: ${code === 0 ? 'resolve everywhere' : 'MISLEAD'}`);
      if (code !== 0) {
        failed++;
        console.log(lines.join('\n'));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (failed > 0) process.exit(1);
}
