// `node tools/run.mjs clients [NAME ...]`: clients people use, in the versions below, against the built daemon. They are installed
// into a folder of their own, outside of the workspace, the first time. A line for each; exit code 1 when one fails.
// `clients suite NAME [FOLDER|TAG]` is another thing: a client's own tests (client-suites.mjs); and so is `clients record`
// (record-start-ups.mjs).
import { clientFolder, importerOf } from './client-folder.mjs';
import { conversations } from './client-conversations.mjs';
import { runClientSuite } from './client-suites.mjs';
import { startDaemon } from './daemon.mjs';
import { recordStartUps } from './record-start-ups.mjs';

const VERSIONS = {
  'drizzle-kit': '0.31.11',
  'drizzle-orm': '0.45.4',
  knex: '3.3.0',
  kysely: '0.29.9',
  pg: '8.23.1',
  postgres: '3.4.9',
  'reflect-metadata': '0.2.2',
  sequelize: '6.37.8',
  typeorm: '1.1.1',
};

export async function talkToClients(names) {
  if (names[0] === 'suite') return runClientSuite(...names.slice(1));
  const folder = await clientFolder('clients', VERSIONS);
  if (names[0] === 'record') return recordStartUps(folder, VERSIONS);
  const load = importerOf(folder);
  const daemon = await startDaemon();
  let failed = false;
  try {
    const url = `postgres://phantom@${daemon.address}/phantom`;
    for (const [name, talk] of Object.entries(conversations)) {
      if (names.length > 0 && !names.includes(name)) continue;
      try {
        await talk({ load, url, folder });
        console.log(`${name} ${VERSIONS[name] ?? ''}: passed`);
      } catch (error) {
        failed = true;
        console.log(`${name} ${VERSIONS[name] ?? ''}: FAILED\n${error instanceof Error ? error.stack : error}`);
      }
    }
  } finally {
    await daemon.stop();
  }
  process.exit(failed ? 1 : 0);
}
