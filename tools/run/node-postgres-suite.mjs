// node-postgres' own integration tests against the built daemon, with TLS and a role that has a password, so that none of its
// files has a reason to skip anything. Each file is a program that exits with 0 when it is content.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { clientFolder, importerOf } from './client-folder.mjs';
import { startDaemon } from './daemon.mjs';
import { run } from './process.mjs';

const SOURCES = 'https://github.com/brianc/node-postgres';
const TAG = 'pg@8.23.0';
/** The client, and what its tests use. */
const VERSIONS = { async: '2.6.4', bluebird: '3.7.2', co: '4.6.0', pg: '8.23.1', 'pg-copy-streams': '0.3.0' };
/** Roles that have to prove who they are: one whose password is the same before and after SASLprep, and one whose is not. */
const PASSWORDS = { scram_test: 'test4scram', scram_unicode_test: 'IX-\u2168' };
const FILE_TIMEOUT_MS = 60_000;

/** The sources lie in the folder that is given, or are fetched into one that goes afterwards. A line for each file that fails. */
export async function runNodePostgresSuite(given) {
  const folder = await clientFolder('node-postgres', VERSIONS);
  const fetched = given === undefined ? mkdtempSync(join(tmpdir(), 'node-postgres-')) : undefined;
  if (fetched !== undefined) {
    const clone = ['clone', '--quiet', '--depth', '1', '--branch', TAG, '-c', 'advice.detachedHead=false'];
    await run('git', [...clone, SOURCES, fetched]);
  }
  // They look for the client in the folder above their own.
  const tests = join(folder, 'node_modules', 'pg', 'test');
  rmSync(tests, { recursive: true, force: true });
  cpSync(join(resolve(fetched ?? given), 'packages', 'pg', 'test'), tests, { recursive: true });
  if (fetched !== undefined) rmSync(fetched, { recursive: true, force: true });

  const tls = (name) => join(tests, 'tls', name);
  // One test leaves a connection behind in the middle of its authentication and ends when the server ends that.
  const patience = ['--authentication-timeout-ms', '5000'];
  const daemon = await startDaemon([
    '--tls-cert',
    tls('test-server.crt'),
    '--tls-key',
    tls('test-server.key'),
    ...patience,
  ]);
  let failures = 0;
  try {
    const environment = await prepare(folder, daemon.address);
    const files = readdirSync(join(tests, 'integration'), { recursive: true })
      .filter((name) => name.endsWith('-tests.js'))
      .sort();
    // One after the other: some of them end every other session that rests.
    for (const file of files) {
      const path = join(tests, 'integration', file);
      const options = { env: environment, encoding: 'utf8', timeout: FILE_TIMEOUT_MS };
      const { status, stdout, stderr } = spawnSync(process.execPath, [path], options);
      if (status === 0) continue;
      failures++;
      console.log(`${file}: FAILED\n${stdout}${stderr}`);
    }
    console.log(`node-postgres ${VERSIONS.pg}: ${files.length - failures} of ${files.length} files passed`);
  } finally {
    await daemon.stop();
  }
  process.exit(failures === 0 ? 0 : 1);
}

/** What the tests expect to find on the server; the environment that leads them there. */
async function prepare(folder, address) {
  const { Client } = (await importerOf(folder)('pg')).default;
  const client = new Client({ connectionString: `postgres://phantom@${address}/phantom` });
  await client.connect();
  for (const [role, password] of Object.entries(PASSWORDS))
    await client.query(`create role ${role} login password '${password}'`);
  // One test sends psql there.
  await client.query('create database template1');
  await client.end();
  const [host, port] = address.split(':');
  return {
    ...process.env,
    PGHOST: host,
    PGPORT: port,
    PGUSER: 'phantom',
    PGDATABASE: 'phantom',
    SCRAM_TEST_PGUSER: 'scram_test',
    SCRAM_TEST_PGPASSWORD: PASSWORDS.scram_test,
    SCRAM_TEST_PGUSER_UNICODE: 'scram_unicode_test',
    SCRAM_TEST_PGPASSWORD_UNICODE: PASSWORDS.scram_unicode_test,
  };
}
