// `node tools/run.mjs clients NAME [FOLDER|TAG]`: a client's own tests (suite-table.mjs) against the built daemon. Its repository
// is a folder that is named, or fetched at a tag. What the tests need is installed beside the copy of the checkout.
//
// A test that fails must be one that the table expects to fail, and what the table expects must fail. With PHANTOM_POSTGRES_URL
// (a superuser without a password, whose databases of these names are made anew) the same tests run before that server first,
// and only those that pass there count.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientFolder, importerOf } from './client-folder.mjs';
import { startDaemon } from './daemon.mjs';
import { run } from './process.mjs';
import { suites } from './suite-table.mjs';

const FILE_TIMEOUT_MS = 60_000;
const SUITE_TIMEOUT_MS = 1_800_000;
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const REPORTER = fileURLToPath(new URL('suite-results.cjs', import.meta.url));

export async function runClientSuite(name, folderOrTag) {
  const suite = suites[name];
  if (suite === undefined) throw new Error(`suites are: ${Object.keys(suites).join(', ')}`);
  const { home, checkout } = await checkOut(name, suite, folderOrTag);
  const reference = process.env.PHANTOM_POSTGRES_URL;
  const before =
    reference === undefined ? undefined : await results(suite, home, checkout, serverOf(new URL(reference)));
  const daemon = await startDaemon(suite.settings?.(checkout) ?? []);
  let found;
  try {
    found = await results(suite, home, checkout, serverOf(new URL(`postgres://phantom@${daemon.address}/phantom`)));
  } finally {
    await daemon.stop();
  }
  const { text, held } = judge(name, suite, found, before);
  console.log(text);
  process.exit(held ? 0 : 1);
}

/** The checkout, as fresh as it came, and the folder above it in which its packages are found. */
async function checkOut(name, suite, folderOrTag = suite.tag) {
  const isFolder = existsSync(folderOrTag);
  const source = isFolder ? resolve(folderOrTag) : mkdtempSync(join(tmpdir(), `${name}-`));
  if (!isFolder) {
    const clone = ['clone', '--quiet', '--depth', '1', '--branch', folderOrTag, '-c', 'advice.detachedHead=false'];
    await run('git', [...clone, suite.source, source]);
  }
  const from = join(source, suite.checkout ?? '.');
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  const needs = { ...(suite.ownDependencies === false ? {} : manifest.dependencies) };
  for (const [need, version] of Object.entries(suite.needs))
    needs[need] = version === true ? manifest.devDependencies[need] : version;
  const home = await clientFolder(join('suites', name), needs);
  const checkout = join(home, 'checkout');
  rmSync(checkout, { recursive: true, force: true });
  const isKept = (path) => !['node_modules', '.git'].includes(basename(path));
  cpSync(from, checkout, { recursive: true, filter: isKept });
  if (!isFolder) rmSync(source, { recursive: true, force: true });
  return { home, checkout };
}

function serverOf({ hostname: host, port, username: user, pathname }) {
  return {
    host,
    port,
    user,
    database: pathname.slice(1),
    url: (database) => `postgres://${user}@${host}:${port}/${database}`,
  };
}

/** What became of each test before a server: a map from its title to undefined, or to what went wrong. */
async function results(suite, home, checkout, server) {
  await makeDatabases(suite, server);
  suite.prepare?.(checkout, server, home);
  const options = { cwd: checkout, encoding: 'utf8', timeout: SUITE_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  for (const [program, ...parts] of suite.build?.(checkout) ?? []) {
    const built = spawnSync(program, parts, options);
    if (built.status !== 0) throw new Error(`${program} ${parts.join(' ')}: ${built.stdout}${built.stderr}`);
  }
  const { form, files, arguments: parts, environment } = suite.tests(checkout, server, home);
  const env = { ...process.env, ...environment };
  if (form === 'files') {
    return new Map(
      files.map((file) => {
        const ended = spawnSync(process.execPath, [file], { env, encoding: 'utf8', timeout: FILE_TIMEOUT_MS });
        return [basename(file), ended.status === 0 ? undefined : ended.stdout + ended.stderr];
      }),
    );
  }
  const file = join(home, 'results.json');
  rmSync(file, { force: true });
  const program =
    form === 'mocha'
      ? [join(home, 'node_modules/mocha/bin/_mocha'), '--exit', '--reporter', REPORTER, ...parts]
      : [join(home, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json', `--outputFile=${file}`, ...parts];
  const ended = spawnSync(process.execPath, program, { ...options, env: { ...env, SUITE_RESULTS: file } });
  if (!existsSync(file)) throw new Error(`the tests gave no results: ${ended.stdout}${ended.stderr}`);
  const found = JSON.parse(readFileSync(file, 'utf8'));
  return form === 'mocha' ? byTitle(found) : byTitle(found.testResults.flatMap(ofVitest));
}

function ofVitest({ assertionResults }) {
  return assertionResults
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ fullName, status, failureMessages }) => ({
      title: fullName,
      passed: status === 'passed',
      message: failureMessages?.join('\n'),
    }));
}

/** Titles that several tests have are numbered. */
function byTitle(found) {
  const map = new Map();
  for (const { title, passed, message } of found) {
    let key = title;
    for (let i = 2; map.has(key); i++) key = `${title} (${i})`;
    map.set(key, passed ? undefined : (message ?? 'failed'));
  }
  return map;
}

async function makeDatabases({ databases, roles = {} }, { url, database }) {
  const folder = await clientFolder('clients-of-suites', { pg: '8.23.1' });
  const { Client } = (await importerOf(folder)('pg')).default;
  const client = new Client({ connectionString: url(database) });
  await client.connect();
  try {
    for (const name of databases) {
      if (name !== 'template1') await client.query(`drop database if exists ${name}`);
      const { rows } = await client.query('select from pg_database where datname = $1', [name]);
      if (rows.length === 0) await client.query(`create database ${name}`);
    }
    for (const [role, password] of Object.entries(roles)) {
      const { rows } = await client.query('select from pg_roles where rolname = $1', [role]);
      if (rows.length === 0) await client.query(`create role ${role} login password '${password}'`);
    }
  } finally {
    await client.end();
  }
}

/** A line that counts, and what was not expected; `held` without anything of that. */
function judge(name, { tag, failing }, found, before) {
  const counted =
    before === undefined ? [...found.keys()] : [...before].filter(([, bad]) => !bad).map(([title]) => title);
  const failed = counted.filter((title) => !found.has(title) || found.get(title) !== undefined);
  const reasons = new Map(Object.keys(failing).map((beginning) => [beginning, 0]));
  const lines = [];
  for (const title of failed) {
    const beginning = [...reasons.keys()].find((candidate) => title.startsWith(candidate));
    if (beginning === undefined) lines.push(`${title}: FAILED\n${found.get(title) ?? 'it was not run'}`);
    else reasons.set(beginning, reasons.get(beginning) + 1);
  }
  const unexpected = lines.length;
  for (const [beginning, count] of reasons) {
    if (count > 0) lines.push(`${count} as expected: ${beginning}: ${failing[beginning]}`);
    else lines.push(`${beginning}: passes, and the table expects it to fail`);
  }
  const isHeld = unexpected === 0 && ![...reasons.values()].includes(0);
  lines.push(`${name} ${tag}: ${counted.length - failed.length} of ${counted.length} passed`);
  return { text: lines.join('\n'), held: isHeld };
}
