/**
 * Worker threads, which must start in every packaging as well: the trees hand a flush and a compaction or merge of any size to them, and
 * what they wrote is read back; the database has them run a read, and a part of one, and its answers are the same.
 */
import { type ThreadProgram, checkEveryPackaging } from './sync-thread.js';
import type { Verdict } from './verdict.js';

function tree(from: string, open: string, settle: string): ThreadProgram {
  const use = `    const db = await ${open}(folder, { workerBytesMin: 0 });
    const bytes = (i) => new Uint8Array([i >> 8, i & 255]);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 500; i++) db.put(bytes(i), bytes(i + round));
      await db.put(bytes(500), bytes(500));
      await db.flush();
    }
    const engine = [0, 1, 2, 3].map((code) => db.store.engine(code)).find((found) => found !== undefined);
    await engine.${settle}();
    const { workerJobs } = engine.stats();
    if (workerJobs < 3) throw new Error('the thread did ' + workerJobs + ' jobs');
    const entries = [...db.scan()];
    if (entries.length !== 501 || entries[7].value[1] !== 8) throw new Error('it reads differently');
    await db.close();`;
  return { from, name: open, use };
}

const DATABASE: ThreadProgram = {
  from: '@phantom/db',
  name: 'open',
  use: `    const db = await open(folder, { queryWorkersMax: 2, queryWorkerCostMin: 0, durability: 'memory' });
    db.exec('create table t as select i as id, i % 3 as g from generate_series(1, 5000) i; analyze');
    const run = async (text) => JSON.stringify((await db.query(text)).rows);
    const here = (text) => JSON.stringify(db.prepare(text).all());
    const whole = 'select * from t order by id desc limit 3';
    const divided = 'select g, count(*)::int as n, sum(id)::int as s from t group by g order by g';
    if ((await run(whole)) !== here(whole)) throw new Error('a thread answers differently');
    await run('set parallel_setup_cost = 0');
    await run('set parallel_leader_participation = off');
    if ((await run(divided)) !== here(divided)) throw new Error('threads answer differently');
    const { remoteExecutions } = db.stats().work;
    if (remoteExecutions !== 3) throw new Error('threads ran ' + remoteExecutions + ' reads');
    await db.close();`,
};

const PROGRAMS: ReadonlyMap<string, ThreadProgram> = new Map(
  [tree('@phantom/lsm', 'openLsm', 'compact'), tree('@phantom/btree', 'openBtree', 'merge'), DATABASE].map(
    (program) => [program.from, program],
  ),
);

/** The packages that have worker threads. */
export const workerThreadPackages: readonly string[] = [...PROGRAMS.keys()];

/** Four verdicts for a package: two direct, two bundled. */
export function checkWorkerThreads(project: string, from: string): Promise<Verdict[]> {
  const program = PROGRAMS.get(from) as ThreadProgram;
  return checkEveryPackaging(project, `threads-of-${program.name}`, program);
}
