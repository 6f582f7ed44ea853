// `node tools/run.mjs clients record`: what clients send when they start, and the form of what PostgreSQL answers, through a
// proxy before the server of PHANTOM_POSTGRES_URL (a superuser without a password). packages/server/test/start-ups.test.ts
// sends it again to the server here and expects answers of the same form.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { importerOf } from './client-folder.mjs';
import { root } from './process.mjs';

const FILE = join(root, 'packages/server/test/recorded/start-ups.json');
/** Messages that a server may send at any time, and rows, of which another database has another number. */
const UNCOUNTED = /[SND]/g;

/** What each client does first. */
const START_UPS = {
  async pg({ load, url }) {
    const client = new (await load('pg')).default.Client({ connectionString: url });
    await client.connect();
    await client.query('select $1::int as n', [1]);
    await client.end();
  },
  async postgres({ load, url }) {
    const sql = (await load('postgres')).default(url, { max: 1 });
    await sql`select ${1}::int as n, ${'a'} as t`;
    await sql.end();
  },
  async kysely({ load, url }) {
    const { Kysely, PostgresDialect } = await load('kysely');
    const pool = new (await load('pg')).default.Pool({ connectionString: url, max: 1 });
    const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
    await db.introspection.getTables();
    await db.destroy();
  },
  async 'drizzle-orm'({ load, url }) {
    const { drizzle } = await load('drizzle-orm/node-postgres');
    const { sql } = await load('drizzle-orm');
    const pool = new (await load('pg')).default.Pool({ connectionString: url, max: 1 });
    const db = drizzle(pool);
    await db.transaction((transaction) => transaction.execute(sql`select ${1}::int as n`));
    await pool.end();
  },
  async 'drizzle-kit'({ url, folder }) {
    const program = join(folder, 'drizzle-pull');
    mkdirSync(program, { recursive: true });
    const config = { dialect: 'postgresql', out: './pulled', dbCredentials: { url } };
    writeFileSync(join(program, 'drizzle.config.json'), JSON.stringify(config));
    const kit = join(folder, 'node_modules', 'drizzle-kit', 'bin.cjs');
    await promisify(execFile)(process.execPath, [kit, 'pull'], { cwd: program });
  },
  async knex({ load, url }) {
    const knex = (await load('knex')).default({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
    await knex.schema.hasTable('knex_migrations');
    await knex.destroy();
  },
  async typeorm({ load, url }) {
    const typeorm = await load('typeorm');
    const { DataSource } = typeorm.default ?? typeorm;
    const source = new DataSource({ type: 'postgres', url, entities: [] });
    await source.initialize();
    await source.showMigrations();
    await source.destroy();
  },
  async sequelize({ load, url }) {
    const { Sequelize } = (await load('sequelize')).default;
    const sequelize = new Sequelize(url, { logging: false, pool: { max: 1 } });
    await sequelize.authenticate();
    await sequelize.getQueryInterface().showAllTables();
    await sequelize.close();
  },
  async psql({ url }) {
    await tool('psql', '-X', '-c', String.raw`\d`, '-c', String.raw`\l`, '-c', String.raw`\du`, url);
  },
  async pg_dump({ url }) {
    await tool('pg_dump', '-s', url);
  },
  async pgbench({ url, folder }) {
    const script = join(folder, 'pgbench.sql');
    writeFileSync(script, '\\set n 1\nbegin;\nselect :n;\nend;\n');
    await tool('pgbench', '-n', '-t', '1', '-M', 'prepared', '-f', script, url);
  },
};

/** In a process of its own, which the proxy in this one has to serve meanwhile. */
async function tool(name, ...args) {
  await promisify(execFile)(name, args, { env: { ...process.env, PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' } });
}

/** Length of the message at the beginning, 0 while it is not all there. */
function messageBytes(bytes, hasType) {
  const head = hasType ? 5 : 4;
  if (bytes.length < head) return 0;
  const length = bytes.readUInt32BE(head - 4) + head - 4;
  return bytes.length < length ? 0 : length;
}

/** Writes down a conversation: what the client sends until the server is ready, and the types of what it answers. */
function record(socket, server, steps) {
  let sent = Buffer.alloc(0);
  let answer = Buffer.alloc(0);
  let types = '';
  socket.on('data', (chunk) => {
    sent = Buffer.concat([sent, chunk]);
    server.write(chunk);
  });
  server.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk]);
    for (let bytes = messageBytes(answer, true); bytes > 0; bytes = messageBytes(answer, true)) {
      const type = String.fromCharCode(answer[0]);
      types += type;
      answer = answer.subarray(bytes);
      if (type !== 'Z') continue;
      steps.push({ send: sent.toString('base64'), answer: types.replaceAll(UNCOUNTED, '') });
      sent = Buffer.alloc(0);
      types = '';
    }
    socket.write(chunk);
  });
  for (const [one, other] of [
    [socket, server],
    [server, socket],
  ]) {
    one.on('end', () => other.end());
    one.on('error', () => other.destroy());
  }
}

/** Records them all into the file of the test. */
export async function recordStartUps(folder, versions) {
  const target = new URL(process.env.PHANTOM_POSTGRES_URL);
  const load = importerOf(folder);
  const recorded = [];
  for (const [client, start] of Object.entries(START_UPS)) {
    const conversations = [];
    const proxy = createServer((socket) => {
      const steps = [];
      conversations.push(steps);
      record(socket, connect(Number(target.port), target.hostname), steps);
    });
    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `postgres://${target.username}@127.0.0.1:${proxy.address().port}${target.pathname}`;
    await start({ load, url, folder });
    proxy.close();
    recorded.push({ client, version: versions[client] ?? 'as installed', conversations });
    console.log(`${client}: ${conversations.map((steps) => steps.length).join(' + ')} steps`);
  }
  writeFileSync(FILE, `${JSON.stringify(recorded, undefined, 1)}\n`);
}
