/**
 * The daemon beside PostgreSQL, both through sockets, driven in turns by the same program: pgbench, which costs least beside a
 * server on two cores. Both commit durably. The column of processor time counts all of the server and none of the client.
 *
 *   idle          memory of the daemon for each connection that rests, before anything else has been asked of it
 *   select        one row by key, prepared, from 1, 8 and 64 clients
 *   pipeline      the same, a hundred in a pipeline, from one client and from 8
 *   tpcb          pgbench's own transaction, as it sends it by default and prepared, from 8 and 64 clients
 *   update        BEGIN; SELECT ... FOR UPDATE; UPDATE; COMMIT of a random row, prepared, from 64 clients
 *   paced         latency of one row by key, requests sent by a plan, alone and beside other work (paced-reads.mjs)
 *   copy          COPY in of a table with its primary key, and pgbench -i
 *
 * Each rate is of rounds in turns after one that warms both up, whose ratio is `first`: the daemon begins with code that is not
 * compiled, a server written in C does not.
 *
 * `--only tpcb` for one of them, `--turns 5` for more of each; `--profile FOLDER` leaves a processor profile of the daemon there.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { contest, median } from '../contest.mjs';
import { startDaemon } from '../daemon.mjs';
import { startEmptyServer } from '../empty-server.mjs';
import { startPostgres } from '../postgres.mjs';
import { pacedReads } from './paced-reads.mjs';

const run = promisify(execFile);
const LOOPBACK = '127.0.0.1';
const SCALE = 10;
const ACCOUNTS = 100_000 * SCALE;
/** Length of the round that warms up. */
const WARM_SECONDS = 5;
const COPIED_ROWS = 300_000;
const IDLE_CONNECTIONS = 500;
/** How long a server may take to rest after a load; the daemon analyses what was loaded after ten seconds. */
const SETTLE_SECONDS_MIN = 12;
const SETTLE_SECONDS_MAX = 40;
/** Clock ticks a second in /proc, as Linux shows them to every program. */
const TICKS = 100;

const SCRIPTS = {
  pipeline: [
    '\\startpipeline',
    ...Array.from({ length: 100 }, (_, i) => [
      `\\set aid${i} random(1, ${ACCOUNTS})`,
      `select abalance from pgbench_accounts where aid = :aid${i};`,
    ]).flat(),
    '\\endpipeline',
  ],
  update: [
    `\\set aid random(1, ${ACCOUNTS})`,
    'begin;',
    'select abalance from pgbench_accounts where aid = :aid for update;',
    'update pgbench_accounts set abalance = abalance + 1 where aid = :aid;',
    'commit;',
  ],
};

const PREPARED = ['-M', 'prepared'];

export async function serverSuite({ quick, turns, only, directory, profile, unix }) {
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const rounds = turns ?? (quick ? 1 : 3);
  const seconds = quick ? 2 : 4;
  const files = {};
  for (const [name, lines] of Object.entries(SCRIPTS)) {
    files[name] = join(home, `${name}.sql`);
    writeFileSync(files[name], `${lines.join('\n')}\n`);
  }
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const daemon = await startDaemon(join(home, 'served'), { nodeOptions, ...(unix ? { socketDirectory: home } : {}) });
  const ours = new Server('phantom', 'phantom', unix ? home : LOOPBACK, daemon.port, daemon.processId);
  const postgres = profile === undefined ? await startPostgres() : undefined;
  const theirs =
    postgres === undefined
      ? undefined
      : new Server(
          'postgres',
          'postgres',
          unix ? postgres.directory : LOOPBACK,
          postgres.client.port,
          postgres.processId,
        );
  console.log(`by ${unix ? 'Unix sockets' : 'TCP on loopback'}`);
  const wanted = (name) => only === undefined || only.includes(name);
  const row = async (name, clients, options, target, statements = 1) => {
    if (!wanted(name.split(' ')[0])) return;
    const used = { ours: [], theirs: [] };
    const once = (server, micros) => async (round) => {
      const isFirst = round === 0;
      const measured = await server.pgbench(clients, isFirst ? WARM_SECONDS : seconds, options, statements);
      if (!isFirst) micros.push((measured.cpuSeconds / measured.operations) * 1e6);
      return measured;
    };
    await contest({
      name: `${name}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      durability: 'fsync',
      target,
      rounds,
      cold: true,
      ours: once(ours, used.ours),
      theirs: theirs === undefined ? undefined : once(theirs, used.theirs),
      peerName: 'PostgreSQL',
    });
    const micros = Object.entries(used).filter(([, figures]) => figures.length > 0);
    console.log(`  processor: ${micros.map(([who, figures]) => `${who} ${median(figures).toFixed(1)} us`).join(', ')}`);
  };
  try {
    if (wanted('idle')) await idleConnections(ours);
    if (wanted('copy')) await copyRows(home, rounds, ours, theirs);
    for (const server of [ours, theirs]) {
      await server?.initialise();
      await server?.settle();
    }
    for (const clients of [1, 8, 64]) await row('select', clients, [...PREPARED, '-S'], '>= 1.0');
    for (const clients of [1, 8])
      await row('pipeline of 100 selects', clients, [...PREPARED, '-f', files.pipeline], '>= 1.0', 100);
    for (const clients of [8, 64]) await row('tpcb', clients, [], '>= 1.0');
    for (const clients of [8, 64]) await row('tpcb prepared', clients, PREPARED, '>= 1.0');
    await row('update', 64, [...PREPARED, '-f', files.update], '>= 1.5');
    if (wanted('paced')) {
      console.log('paced reads by key, 8 clients (target p95 < 10 ms)');
      const empty = await startEmptyServer(unix ? home : undefined);
      const nobody = new Server('nobody', 'nothing', empty.host, empty.port);
      const runEmpty = (options) => nobody.loaded(options);
      const paced = [
        { name: 'ours', run: (options) => ours.loaded(options) },
        ...(theirs === undefined ? [] : [{ name: 'PostgreSQL', run: (options) => theirs.loaded(options) }]),
      ];
      try {
        await pacedReads(paced, { home, rows: ACCOUNTS, seconds: quick ? 4 : 6, rounds, runEmpty });
      } finally {
        empty.stop();
      }
    }
  } finally {
    await daemon.stop();
    await postgres?.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** A server under measurement. */
class Server {
  constructor(user, database, host, port, processId) {
    this.address = ['-h', host, '-p', String(port), '-U', user];
    this.port = port;
    this.user = user;
    this.database = database;
    this.processId = processId;
  }

  /** pgbench's tables, with their rows and keys; seconds it took. */
  async initialise() {
    return timed(() => run('pgbench', [...this.address, '-i', '-q', '-s', String(SCALE), this.database]));
  }

  /** Waits until what the server does in the background after a load is done. */
  async settle() {
    let used = processorSeconds(this.processId);
    for (let seconds = 0; seconds < SETTLE_SECONDS_MAX; seconds++) {
      await delay(1000);
      const now = processorSeconds(this.processId);
      if (now - used < 0.05 && seconds >= SETTLE_SECONDS_MIN) return;
      used = now;
    }
  }

  async script(...statements) {
    const commands = statements.flatMap((statement) => ['-c', statement]);
    return run('psql', [...this.address, '-d', this.database, '-q', '-v', 'ON_ERROR_STOP=1', ...commands]);
  }

  async pgbench(clients, seconds, options, statements) {
    const before = processorSeconds(this.processId);
    const loaded = await this.loaded(['-c', clients, '-T', seconds, ...options]);
    const operations = loaded.operations * statements;
    const used = processorSeconds(this.processId) - before;
    return { operations, seconds: operations / (loaded.rate * statements), cpuSeconds: used };
  }

  /** pgbench with options: transactions, and their rate. */
  async loaded(options) {
    const { stdout } = await run('pgbench', [...this.address, '-n', '-j', '1', ...options.map(String), this.database]);
    return {
      operations: Number(/actually processed: (\d+)/.exec(stdout)?.[1]),
      rate: Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]),
    };
  }
}

async function copyRows(home, rounds, ours, theirs) {
  const file = join(home, 'rows.tsv');
  const lines = Array.from({ length: COPIED_ROWS }, (_, i) => `${i}\t${i % 97}\tname of ${i}\t${i / 8}\t2026-01-01\n`);
  writeFileSync(file, lines.join(''));
  const columns = 'id int primary key, kind int, name text, price numeric, day date';
  const copy = (server) => async () => {
    await server.script('drop table if exists copied', `create table copied (${columns})`);
    return { operations: COPIED_ROWS, seconds: await timed(() => server.script(`\\copy copied from '${file}'`)) };
  };
  const initialise = (server) => async () => ({ operations: ACCOUNTS, seconds: await server.initialise() });
  const pair = (work) => ({ ours: work(ours), theirs: theirs === undefined ? undefined : work(theirs) });
  const shared = { durability: 'fsync', target: '>= 1.0', rounds, peerName: 'PostgreSQL' };
  await contest({ name: 'rows by COPY in, with a primary key', ...shared, ...pair(copy) });
  await contest({ name: `rows by pgbench -i -s ${SCALE}`, ...shared, ...pair(initialise) });
}

async function idleConnections(server) {
  const before = residentBytes(server.processId);
  const sockets = [];
  for (let i = 0; i < IDLE_CONNECTIONS; i++) sockets.push(await openConnection(server));
  const bytes = (residentBytes(server.processId) - before) / IDLE_CONNECTIONS;
  console.log(`  ${IDLE_CONNECTIONS} idle connections: ${(bytes / 1024).toFixed(1)} KiB each (target < 100 KB)`);
  for (const socket of sockets) socket.destroy();
}

/** A socket that has been let in and rests: the last thing it was told is ReadyForQuery. */
function openConnection(server) {
  const options = `user\0${server.user}\0database\0${server.database}\0\0`;
  const message = Buffer.alloc(8 + options.length);
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(0x30000, 4);
  message.write(options, 8, 'latin1');
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, LOOPBACK, () => socket.write(message));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      if (bytes.at(-6) === 0x5a) resolve(socket);
    });
  });
}

async function timed(work) {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Processor time of a process and of those it started, also of those that have ended. */
function processorSeconds(processId) {
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    const fields = statusFields(name);
    if (fields === undefined) continue;
    const [, parent] = fields;
    // From the third field on: user, system; those of children that have been waited for.
    const [user, system, childUser, childSystem] = fields.slice(11, 15);
    if (Number(name) === processId) ticks += user + system + childUser + childSystem;
    else if (parent === processId) ticks += user + system;
  }
  return ticks / TICKS;
}

/** Fields of /proc/PID/stat behind the name, the state as NaN; undefined where there is no such process. */
function statusFields(name) {
  if (!/^\d+$/.test(name)) return undefined;
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return undefined;
  }
}

function residentBytes(processId) {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${processId}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}
