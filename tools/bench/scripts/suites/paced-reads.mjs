/**
 * What a client of a loaded server waits for one row by key. Requests are sent by a plan (an open loop: pgbench's --rate), at 80 % of
 * the rate that the same clients have just reached without one, and each counts from the moment at which it should have been sent, so
 * that a server that stands still for a second answers for all that could not be asked meanwhile.
 *
 *   quiet    nothing else
 *   beside   a checkpoint every second, a hundred writing transactions a second, and one query over the whole table after the other
 *   planned  beside the same, at 80 % of the rate that was reached beside them: what such a server can be planned with
 *
 * The second is more than two processors have wherever the readers alone take both: it shows what then gives way.
 *
 * `floor` is what the same clients wait by the same plans for a server that looks nothing up (empty-server.mjs), alone and beside the
 * same others. A processor that the machine's owner lends to somebody else for 50 ms shows there too; a figure near the floor says
 * nothing about a server.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
 * Prints lines for a server: `run` runs pgbench with options on it and `runEmpty` on a server that looks nothing up, `rows` are in
 * pgbench_accounts.
 */
export async function pacedReads(name, run, { home, rows, seconds, runEmpty }) {
  const files = {};
  for (const [script, lines] of Object.entries(SCRIPTS)) {
    files[script] = join(home, `paced-${script}.sql`);
    writeFileSync(files[script], `${lines(rows).join('\n')}\n`);
  }
  const reads = ['-c', CLIENTS, '-T', seconds, '-M', 'prepared', '-f', files.read];
  const { rate } = await run(reads);
  const paced = async (prefix, reached, asked = run) => {
    const log = join(home, `${name}-${prefix}`);
    await asked([...reads, '--rate', Math.floor(reached * LOAD), '--log', '--log-prefix', log]);
    return percentiles(log, home);
  };
  // First of all, so that what the others run is compiled before anybody's latency counts.
  const reached = await besideOthers(run, files, seconds, () => run(reads));
  const quiet = await paced('quiet', rate);
  const beside = await besideOthers(run, files, seconds, () => paced('beside', rate));
  const planned = await besideOthers(run, files, seconds, () => paced('planned', reached.result.rate));
  const floor = [
    await paced('floor-quiet', rate, runEmpty),
    await besideOthers(run, files, seconds, () => paced('floor-planned', reached.result.rate, runEmpty)),
  ];
  const wanted = Math.floor(rate * LOAD);
  console.log(`  ${name}: ${wanted} reads/s wanted; quiet ${quiet}; beside the others ${beside.result}`);
  console.log(`    ${Math.floor(reached.result.rate * LOAD)} reads/s wanted beside the others: ${planned.result}`);
  console.log(`    floor of this machine: quiet ${floor[0]}; as planned ${floor[1].result}`);
  console.log(`    queries over the whole table meanwhile: ${beside.analyses}, ${planned.analyses}`);
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

/** Of pgbench's logs of transactions; the third field is the latency in microseconds. */
function percentiles(log, home) {
  const latencies = readdirSync(home)
    .filter((file) => join(home, file).startsWith(`${log}.`))
    .flatMap((file) => readFileSync(join(home, file), 'latin1').trim().split('\n'))
    .map((line) => Number(line.split(' ')[2]) / 1000)
    .toSorted((a, b) => a - b);
  const at = (part) => latencies[Math.floor(latencies.length * part)]?.toFixed(2) ?? '-';
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)} ms of ${latencies.length}`;
}
