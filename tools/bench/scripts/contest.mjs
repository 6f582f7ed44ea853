/**
 * Two contestants in turns (A B A B ...), so that a machine whose speed drifts is fair to both. Each figure is operations a
 * second; the medians and the median of the ratios are what may be quoted.
 */

/**
 * Runs `rounds` of both and prints a line. `ours` and `theirs` return { operations, seconds, cpuSeconds } or a promise of it. With
 * `cold` a round goes before them, whose ratio is told apart: code is not compiled then, and nothing was read.
 */
export async function contest({ name, durability, target, rounds, ours, theirs, peerName, cold = false }) {
  const mine = [];
  const others = [];
  for (let round = 0; round < rounds + (cold ? 1 : 0); round++) {
    mine.push(await ours(round));
    if (theirs !== undefined) others.push(await theirs(round));
  }
  const firsts = cold ? [mine.shift(), others.shift()] : [];
  const rate = (run, seconds = run.seconds) => run.operations / seconds;
  const own = median(mine.map((run) => rate(run)));
  const line = [name.padEnd(44), `ours ${format(own)}/s`.padEnd(20)];
  let ratio;
  if (others.length > 0) {
    ratio = median(mine.map((run, i) => rate(run) / rate(others[i])));
    line.push(
      `${peerName} ${format(median(others.map((run) => rate(run))))}/s`.padEnd(28),
      `ratio ${ratio.toFixed(2)}`.padEnd(12),
    );
    const byCpu = median(mine.map((run, i) => rate(run, run.cpuSeconds) / rate(others[i], others[i].cpuSeconds)));
    if (!Number.isNaN(byCpu)) line.push(`by CPU ${byCpu.toFixed(2)}`.padEnd(12));
    if (cold) line.push(`first ${(rate(firsts[0]) / rate(firsts[1])).toFixed(2)}`.padEnd(11));
  }
  line.push(`target ${target ?? '-'}`.padEnd(14), `durability ${durability}`);
  console.log(line.join(' '));
  return { name, own, ratio };
}

/** Measures a synchronous or asynchronous piece of work. */
export async function measure(operations, work) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  return { operations, seconds, cpuSeconds: (used.user + used.system) / 1e6 };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function format(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0);
}
