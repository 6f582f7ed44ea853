/**
 * One transaction that writes more than memory should hold: `--rows 8000000` of about 270 bytes make 2 GiB. It runs in both
 * engines by turns and says what it took of memory, of the disk and of time, and whether all of it is there afterwards.
 * Target: what memory it takes does not grow with it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '@phantom/db';

const ROWS = 8_000_000;
const ROWS_PER_STATEMENT = 100_000;

export async function spillSuite({ quick, rows = quick ? 800_000 : ROWS, only = ['btree', 'lsm'], directory }) {
  for (const engine of only) {
    const root = mkdtempSync(join(directory, 'phantom-spill-'));
    try {
      await transaction(join(root, 'db'), engine, rows);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
}

async function transaction(path, engine, rows) {
  const db = await open(path);
  db.exec(`create table t (id bigint primary key, v text) with (engine = ${engine})`);
  const atRest = process.memoryUsage.rss();
  let peak = atRest;
  let worstTurnMs = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
    const now = performance.now();
    worstTurnMs = Math.max(worstTurnMs, now - last);
    last = now;
  }, 10);
  const start = performance.now();
  let committing = start;
  await db.transaction(async (tx) => {
    for (let from = 0; from < rows; from += ROWS_PER_STATEMENT) {
      const to = Math.min(rows, from + ROWS_PER_STATEMENT) - 1;
      await tx.query('insert into t select i, repeat(md5(i::text), 7) from generate_series($1::bigint, $2::bigint) i', [
        from,
        to,
      ]);
    }
    committing = performance.now();
  });
  const done = performance.now();
  clearInterval(watch);
  const [{ count }] = db.prepare('select count(*) from t').all();
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const logged = db.stats().store.wal.bytesAppended;
  console.log(
    `\n## One transaction of ${rows} rows, ${engine}: ${((done - start) / 1000).toFixed(1)} s, of which its commit ` +
      `${((done - committing) / 1000).toFixed(1)} s; memory ${mib(atRest)} before, ${mib(peak)} at its peak ` +
      `(process ${mib(process.resourceUsage().maxRSS * 1024)}); log ${mib(logged)}; longest turn ${worstTurnMs.toFixed(0)} ms; ` +
      `${count === rows ? 'all rows are there' : `${count} ROWS ARE THERE`}`,
  );
  await db.close();
}
