// Known vulnerabilities in what we ship, and secrets in what we wrote.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installTool } from './bootstrap.mjs';
import { bundledPackages } from './bundled.mjs';
import { environment, onWindows, root, runForCode } from './process.mjs';

const secretlintVersion = '11.7.1';

/** Exits with 1 when either finds something. Says so when the registry serves no advisories, which proves nothing. */
export async function scanDependencies() {
  const audit = await scanAdvisories();
  const secrets = await scanSecrets();
  console.log(`advisories: ${audit}\nsecrets: ${secrets}`);
  if (audit === 'FOUND' || secrets === 'FOUND') process.exit(1);
}

/** What manifests that ship ask for, and what has been copied into builds: that is among what only the development asks for. */
async function scanAdvisories() {
  const bundled = bundledPackages();
  console.log(`bundled into builds: ${bundled.join(', ')}`);
  const [shipped, development] = [await audit('--prod'), await audit('--dev')];
  for (const { refusal } of [shipped, development]) if (refusal !== undefined) return `NOT SCANNED, ${refusal}`;
  const found = [...shipped.advisories, ...development.advisories.filter((advisory) => concerns(advisory, bundled))];
  for (const { module_name: name, findings, severity, title, url } of found)
    console.log(`${name} ${findings.map(({ version }) => version).join(', ')}: ${severity}, ${title} (${url})`);
  return found.length === 0 ? 'none known' : 'FOUND';
}

async function audit(dependencies) {
  const lines = [];
  await runForCode('pnpm', ['audit', dependencies, '--json'], { onLine: (line) => lines.push(line) });
  const report = lines.slice(lines.indexOf('{'), lines.lastIndexOf('}') + 1).join('\n');
  if (report !== '') return { advisories: Object.values(JSON.parse(report).advisories) };
  const output = lines.join('\n');
  if (!/ERR_PNPM_AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/.test(output))
    throw new Error(`pnpm audit was not understood:\n${output}`);
  return { refusal: `the registry serves no advisories (${/responded with (\d+)/.exec(output)?.[1] ?? 'no answer'})` };
}

function concerns({ module_name: name, findings }, bundled) {
  return findings.some(({ version }) => bundled.includes(`${name}@${version}`));
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
