// A mixed load on the daemon for minutes, while clients are cut off in the middle of what they do and the server is killed and
// started again. At the end no money is lost or made, every transfer that was acknowledged is there once, and over the second
// half, in which the server lives, its memory and its handles stay level (where /proc tells of them).
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientFolder, importerOf } from './client-folder.mjs';
import { startDaemon } from './daemon.mjs';
import { jobOptions, positiveNumber } from './job-options.mjs';

const PG = '8.23.1';
const CLIENTS = 16;
const ACCOUNTS = 1000;
const BALANCE = 100;
/** One exchange in so many ends with the socket cut off. */
const CUT_OFF_ONE_IN = 200;
const KILL_EVERY_MS = 15_000;
const RECONNECT_MS = 50;
const CHECK_MS = 1000;
/** What memory may grow by in the second half: garbage that is not collected yet, and caches that fill. */
const GROWTH_BYTES_MAX = 128 * 1024 * 1024;

const USAGE = `usage: npm run soak -- [--minutes N]
  --minutes N  how long (default 10)`;
const OPTIONS = { minutes: { type: 'string', default: '10' } };

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (below) => Math.floor(Math.random() * below);

/** True when the connection has ended, by whichever side: the error is the socket's, or says that the server goes. */
const isLost = ({ code }) => code === undefined || code.length !== 5 || code.startsWith('57P') || code === 'EPIPE';

export async function soak(args) {
  const values = jobOptions(USAGE, OPTIONS, args);
  const minutes = positiveNumber(USAGE, 'minutes', values.minutes);
  const folder = await clientFolder('soak', { pg: PG });
  const { Client } = (await importerOf(folder)('pg')).default;
  const data = mkdtempSync(join(tmpdir(), 'phantom-soak-'));
  const run = new Soak(Client, data, minutes * 60_000);
  let problems = ['it did not come to its end'];
  try {
    problems = await run.run();
  } finally {
    await run.daemon?.stop();
    rmSync(data, { recursive: true, force: true });
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  process.exit(problems.length === 0 ? 0 : 1);
}

class Soak {
  daemon;
  over = false;
  counts = { transfers: 0, unknown: 0, refused: 0, sums: 0, reads: 0, cutOff: 0, kills: 0 };
  problems = [];
  samples = [];

  constructor(Client, data, durationMs) {
    this.Client = Client;
    this.data = data;
    this.durationMs = durationMs;
  }

  async run() {
    this.daemon = await startDaemon([], this.data);
    await this.once(async (client) => {
      await client.query('create table account (id int primary key, balance int not null)');
      await client.query(`insert into account select i, ${BALANCE} from generate_series(0, ${ACCOUNTS - 1}) i`);
      await client.query('create table journal (client int, n int, amount int, primary key (client, n))');
    });
    const acknowledged = Array.from({ length: CLIENTS }, () => []);
    const loads = acknowledged.map((transfers, number) => this.load(number, transfers));
    const endMs = Date.now() + this.durationMs;
    await this.kill(endMs - this.durationMs / 2);
    while (Date.now() < endMs) {
      this.sample();
      await wait(CHECK_MS);
    }
    this.over = true;
    await Promise.all(loads);
    await this.once((client) => this.check(client, acknowledged));
    this.checkSamples();
    console.log(
      Object.entries(this.counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(', '),
    );
    return this.problems;
  }

  /** Kills the server and starts it again, until the time has come. */
  async kill(untilMs) {
    for (;;) {
      const restMs = Math.min(KILL_EVERY_MS, untilMs - Date.now());
      if (restMs <= 0) return;
      await wait(restMs);
      await this.daemon.kill();
      this.counts.kills++;
      this.daemon = await startDaemon([], this.data);
    }
  }

  async connect() {
    for (;;) {
      const client = new this.Client({ connectionString: `postgres://phantom@${this.daemon.address}/phantom` });
      // What runs is told of it too.
      client.on('error', () => undefined);
      try {
        await client.connect();
        return client;
      } catch {
        await wait(RECONNECT_MS);
      }
    }
  }

  async once(use) {
    const client = await this.connect();
    await use(client);
    await client.end();
  }

  /** One client: exchanges until the end, a new connection after each that was lost. */
  async load(number, transfers) {
    let n = 0;
    while (!this.over) {
      const client = await this.connect();
      try {
        while (!this.over) {
          const cut = random(CUT_OFF_ONE_IN) === 0;
          if (cut) setTimeout(() => client.connection.stream.destroy(), random(5));
          await this.exchange(client, number, n++, transfers);
          if (cut) break;
        }
        await client.end();
      } catch (error) {
        client.end().catch(() => undefined);
        if (error.code === 'XX000') this.problems.push(`internal error: ${error.message}`);
      }
      this.counts.cutOff++;
    }
  }

  async exchange(client, number, n, transfers) {
    const kind = random(10);
    if (kind === 0) {
      const { rows } = await client.query('select sum(balance)::int as sum from account');
      if (rows[0].sum !== ACCOUNTS * BALANCE) this.problems.push(`the accounts held ${rows[0].sum}`);
      this.counts.sums++;
    } else if (kind < 5) {
      await client.query({
        name: 'read',
        text: 'select balance from account where id = $1',
        values: [random(ACCOUNTS)],
      });
      this.counts.reads++;
    } else await this.transfer(client, number, n, transfers);
  }

  async transfer(client, number, n, transfers) {
    const [from, to] = [random(ACCOUNTS), random(ACCOUNTS)].sort((a, b) => a - b);
    const amount = random(10);
    let asked = false;
    try {
      await client.query('begin');
      await client.query('update account set balance = balance - $1 where id = $2', [amount, from]);
      await client.query('update account set balance = balance + $1 where id = $2', [amount, to]);
      await client.query('insert into journal values ($1, $2, $3)', [number, n, amount]);
      asked = true;
      await client.query('commit');
      transfers.push(n);
      this.counts.transfers++;
    } catch (error) {
      if (isLost(error)) {
        if (asked) this.counts.unknown++;
        throw error;
      }
      this.counts.refused++;
      if (!['40001', '40P01'].includes(error.code))
        this.problems.push(`a transfer failed: ${error.code} ${error.message}`);
      await client.query('rollback');
    }
  }

  async check(client, acknowledged) {
    const { rows } = await client.query('select sum(balance)::int as sum from account');
    if (rows[0].sum !== ACCOUNTS * BALANCE) this.problems.push(`in the end the accounts held ${rows[0].sum}`);
    for (const [number, transfers] of acknowledged.entries()) {
      const found = await client.query('select n from journal where client = $1', [number]);
      const there = new Set(found.rows.map((row) => row.n));
      const lost = transfers.filter((n) => !there.has(n));
      if (lost.length > 0) this.problems.push(`client ${number} lost ${lost.length} acknowledged transfers`);
    }
  }

  /** Memory and handles of the server now. */
  sample() {
    const proc = `/proc/${this.daemon.processId}`;
    if (!existsSync(proc)) return;
    const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'));
    this.samples.push({ bytes: Number(resident?.[1] ?? 0) * 1024, handles: readdirSync(`${proc}/fd`).length });
  }

  /** The last third against the one before it; the first is for caches to fill. */
  checkSamples() {
    const third = Math.floor(this.samples.length / 3);
    if (third === 0) return;
    const most = (samples, what) => Math.max(...samples.map((sample) => sample[what]));
    const [before, after] = [this.samples.slice(third, 2 * third), this.samples.slice(2 * third)];
    const mib = (bytes) => `${Math.round(bytes / 1024 / 1024)} MiB`;
    const [bytesBefore, bytesAfter] = [most(before, 'bytes'), most(after, 'bytes')];
    console.log(
      `memory ${mib(bytesBefore)}, then ${mib(bytesAfter)}; handles ${most(before, 'handles')}, then ${most(after, 'handles')}`,
    );
    if (bytesAfter - bytesBefore > GROWTH_BYTES_MAX) this.problems.push('memory grew');
    if (most(after, 'handles') > most(before, 'handles') + CLIENTS) this.problems.push('handles grew');
  }
}
