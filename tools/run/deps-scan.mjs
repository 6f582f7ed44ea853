// Known vulnerabilities in what we ship, and secrets in what we wrote.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installTool } from './bootstrap.mjs';
import { environment, onWindows, root, runForCode } from './process.mjs';

const secretlintVersion = '11.7.1';

/** Exits with 1 when either finds something. Says so when the registry serves no advisories, which proves nothing. */
export async function scanDependencies() {
  const audit = await scanAdvisories();
  const secrets = await scanSecrets();
  console.log(`advisories: ${audit}\nsecrets: ${secrets}`);
  if (audit === 'FOUND' || secrets === 'FOUND') process.exit(1);
}

async function scanAdvisories() {
  const lines = [];
  const code = await runForCode('pnpm', ['audit', '--prod'], { onLine: (line) => lines.push(line) });
  const output = lines.join('\n');
  if (code === 0) return 'none known';
  if (/ERR_PNPM_AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/.test(output)) {
    return `NOT SCANNED, the registry serves no advisories (${/responded with (\d+)/.exec(output)?.[1] ?? 'no answer'})`;
  }
  console.log(output);
  return 'FOUND';
}

async function scanSecrets() {
  const home = join(root, '.tools', `secretlint-${secretlintVersion}`);
  const bin = join(home, 'node_modules', '.bin');
  const preset = '@secretlint/secretlint-rule-preset-recommend';
  if (!existsSync(join(bin, onWindows ? 'secretlint.cmd' : 'secretlint'))) {
    await installTool(home, `secretlint@${secretlintVersion}`, `${preset}@${secretlintVersion}`);
  }
  const settings = { rules: [{ id: join(home, 'node_modules', preset) }] };
  const args = [
    '--secretlintrcJSON',
    JSON.stringify(settings),
    '--secretlintignore',
    '.gitignore',
    '**/*',
    '.ci/**',
    '.github/**',
    '.changeset/**',
  ];
  const code = await runForCode('secretlint', args, { env: environment({}, [bin]) });
  return code === 0 ? 'none found' : 'FOUND';
}
