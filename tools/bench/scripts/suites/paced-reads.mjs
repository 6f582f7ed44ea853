/**
 * What a client of a loaded server waits for one row by key. Requests are sent by a plan (an open loop: pgbench's --rate), at 80 % of
 * the rate that the same clients have just reached without one, and each counts from the moment at which it should have been sent, so
 * that a server that stands still for a second answers for all that could not be asked meanwhile.
 *
 *   quiet    nothing else
 *   beside   a checkpoint every second, a hundred writing transactions a second, and one query over the whole table after the other
 *   planned  beside the same, at 80 % of the rate that was reached beside them: what such a server can be planned with
 *   same     planned, but at the rate that was planned for the slowest: what each makes of the same work
 *   floor    what the same clients wait, by the plan of `planned`, for a server that looks nothing up (empty-server.mjs)
 *
 * `beside` at the rate of `quiet` is more than two processors have wherever the readers alone take both: it shows what then gives way.
 * A processor that the machine's owner lends to somebody else for 50 ms shows in `floor` too; a figure near the floor says nothing
 * about a server.
 *
 * 1. The rate of a plan is measured right before it. A rented machine's speed changes by half within minutes, and 80 % of a fast
 *    minute's rate is all that a slow one has.
 * 2. Servers take turns, round by round; the medians of the rounds are what may be quoted.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../contest.mjs';

const CLIENTS = 8;
const LOAD = 0.8;
const WRITES_A_SECOND = 100;
/** How long the others have been running when the first request is due, and still run after the last one. */
const MARGIN_SECONDS = 1;

const SCRIPTS = {
  read: (rows) => [`\\set aid random(1, ${rows})`, 'select abalance from pgbench_accounts where aid = :aid;'],
  checkpoint: () => ['checkpoint;', '\\sleep 1 s'],
  analysis: () => [
    'select bid, count(*), avg(abalance), max(length(filler)) from pgbench_accounts group by bid order by bid;',
  ],
};

/**
 * Prints lines for each of `servers`, whose `run` runs pgbench with options on it; `runEmpty` does so on a server that looks nothing
 * up. `rows` are in pgbench_accounts.
 */
export async function pacedReads(servers, { home, rows, seconds, rounds, runEmpty }) {
  const files = {};
  for (const [script, lines] of Object.entries(SCRIPTS)) {
    files[script] = join(home, `paced-${script}.sql`);
    writeFileSync(files[script], `${lines(rows).join('\n')}\n`);
  }
  const reads = ['-c', CLIENTS, '-T', seconds, '-M', 'prepared', '-f', files.read];
  const paced = async (name, perSecond, asked) => {
    const log = join(home, name);
    await asked([...reads, '--rate', perSecond, '--log', '--log-prefix', log]);
    return latenciesOf(log, home);
  };
  const beside = (server, work) => besideOthers(server.run, files, seconds, work);
  const planOf = (reached) => Math.floor(reached.rate * LOAD);
  const planned = new Map(servers.map((server) => [server, []]));
  const same = new Map(servers.map((server) => [server, []]));
  // What the others run is compiled, and what all read is in memory, before anybody's latency counts.
  for (const server of servers) await beside(server, () => server.run(reads));
  for (let round = 0; round < rounds; round++) {
    const plans = [];
    for (const server of servers) {
      const { name, run } = server;
      const alone = planOf(await run(reads));
      const quiet = await paced(`${name}-${round}-quiet`, alone, run);
      const pressed = await beside(server, () => paced(`${name}-${round}-beside`, alone, run));
      const plan = planOf((await beside(server, () => run(reads))).result);
      const wanted = await beside(server, () => paced(`${name}-${round}-planned`, plan, run));
      const floor = await beside(server, () => paced(`${name}-${round}-floor`, plan, runEmpty));
      plans.push(plan);
      planned.get(server).push(wanted.result.p95);
      console.log(`  ${name}: ${alone}/s quiet ${shown(quiet)}; beside ${shown(pressed.result)}`);
      console.log(
        `    ${plan}/s planned ${shown(wanted.result)} (floor ${shown(floor.result)}), analyses ${wanted.analyses}`,
      );
    }
    const slowest = Math.min(...plans);
    for (const [at, server] of servers.entries()) {
      // The slowest has just done this.
      const waited =
        plans[at] === slowest
          ? { p95: planned.get(server).at(-1) }
          : (await beside(server, () => paced(`${server.name}-${round}-same`, slowest, server.run))).result;
      same.get(server).push(waited.p95);
    }
  }
  for (const server of servers) {
    const figures = [planned, same].map((waits) => `${median(waits.get(server)).toFixed(2)} ms`);
    console.log(
      `  ${server.name}, medians of ${rounds}: p95 as planned ${figures[0]}, at the slowest one's plan ${figures[1]}`,
    );
  }
}

/** Does something while the others are at work; its result, and how many queries over the whole table ended meanwhile. */
async function besideOthers(run, files, seconds, work) {
  const whole = ['-T', seconds + 2 * MARGIN_SECONDS];
  const others = [
    run(['-c', 1, ...whole, '-f', files.analysis]),
    run(['-c', 1, ...whole, '-f', files.checkpoint]),
    run(['-c', 2, ...whole, '-M', 'prepared', '--rate', WRITES_A_SECOND]),
  ];
  await new Promise((resolve) => {
    setTimeout(resolve, MARGIN_SECONDS * 1000);
  });
  const result = await work();
  const [analysis] = await Promise.all(others);
  return { result, analyses: analysis.operations };
}

/** Of pgbench's logs of transactions, in milliseconds; the third field is the latency in microseconds. */
function latenciesOf(log, home) {
  const latencies = readdirSync(home)
    .filter((file) => join(home, file).startsWith(`${log}.`))
    .flatMap((file) => readFileSync(join(home, file), 'latin1').trim().split('\n'))
    .map((line) => Number(line.split(' ')[2]) / 1000)
    .toSorted((a, b) => a - b);
  const at = (part) => latencies[Math.floor(latencies.length * part)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

const shown = ({ p50, p95, p99 }) => `p50 ${p50.toFixed(2)}, p95 ${p95.toFixed(2)}, p99 ${p99.toFixed(2)} ms`;
