/** Archives by the command line: kept by a daemon that is killed under load, restored to a moment, and what is said when that cannot be. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { Daemon, phantomd } from './support/daemon.js';
import { temporaryDirectories } from './support/directories.js';
import { rejected, run } from './support/run.js';

const newDirectory = temporaryDirectories();

async function numbersIn(data: string): Promise<number[]> {
  const db = await open(data, { readOnly: true, create: false });
  try {
    return (await db.sql<{ n: number }>`select n from t order by n`).map(({ n }) => n);
  } finally {
    await db.close();
  }
}

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, n) => n);

describe('an archive', () => {
  it('is restored to a commit, to a moment and to its end', async () => {
    const directory = newDirectory();
    const archive = join(directory, 'archive');
    const db = await open(join(directory, 'data'), { archive: { directory: archive } });
    db.exec('create table t (n int primary key)');
    const seqs: number[] = [];
    for (let n = 0; n < 5; n++) {
      seqs.push(db.prepare('insert into t values ($1)').run(n).seq as number);
      if (n === 1) db.exec(`select pg_create_restore_point('second')`);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await db.archive?.flush();
    const timeMs = db.archive?.state.timeMs as number;
    const bySeq = join(directory, 'by-seq');
    const { code, out } = await run('restore', '--archive', archive, '--to-seq', `${seqs[2]}`, bySeq, '--json');
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({ code: 0, directory: bySeq, seq: seqs[2] });
    expect(await numbersIn(bySeq)).toEqual([0, 1, 2]);
    const byTime = join(directory, 'by-time');
    const time = new Date(timeMs - 1).toISOString();
    expect((await run('restore', '--archive', archive, '--to-time', time, '--data', byTime)).out).toMatch(
      new RegExp(`^\\S*by-time: restored to commit ${seqs[3]}, of \\S+Z; base \\d+ and \\d+ commits behind it\\n$`),
    );
    expect(await numbersIn(byTime)).toEqual([0, 1, 2, 3]);
    const byName = join(directory, 'by-name');
    await run('restore', '--archive', archive, '--to-name', 'second', byName);
    expect(await numbersIn(byName)).toEqual([0, 1]);
    const toEnd = join(directory, 'to-end');
    await run('restore', '--archive', archive, toEnd);
    expect(await numbersIn(toEnd)).toEqual([0, 1, 2, 3, 4]);
    await db.close();

    expect(await rejected('restore', '--archive', archive, toEnd)).toMatchObject({ code: '22023' });
    expect(await rejected('restore', '--archive', archive, '--to-seq', '9999', join(directory, 'x'))).toMatchObject({
      code: '55000',
    });
    // As people and SQL write moments; all of them are before the archive.
    for (const time of [
      '2020-02-29',
      '2020-02-29 12:00:00',
      '2020-02-29 12:00:00.123456+00',
      '2020-02-29T12:00:00-0330',
    ]) {
      expect(await rejected('restore', '--archive', archive, '--to-time', time, join(directory, 'x'))).toMatchObject({
        code: '55000',
      });
    }
    for (const args of [
      ['--archive', archive, '--to-time', 'yesterday', 'x'],
      ['--archive', archive, '--to-time', '2020-02-30T', 'x'],
      ['--archive', archive, '--to-seq', 'last', 'x'],
      ['--archive', archive, 'x', '--data', 'y'],
      ['--to-seq', '5', 'x'],
      [],
    ]) {
      expect(await rejected('restore', ...args)).toMatchObject({ exitCode: 1 });
    }
    for (const name of readdirSync(archive)) {
      if (name.endsWith('.archive')) writeFileSync(join(archive, name), 'thesis');
    }
    expect(await rejected('restore', '--archive', archive, join(directory, 'y'))).toMatchObject({ exitCode: 3 });
  });

  it('that a daemon keeps under load brings back any moment, though it was killed', async () => {
    const directory = newDirectory();
    const [data, archive] = [join(directory, 'data'), join(directory, 'archive')];
    const args = ['--data', data, '--archive-directory', archive, '--archive-base-every-hours', '0'];
    const daemon = await Daemon.start(...args);
    const client = new Client(daemon.url);
    client.on('error', () => undefined);
    await client.connect();
    await client.query('create table t (n int primary key)');
    expect((await client.query('show archive_mode')).rows).toEqual([{ archive_mode: 'on' }]);
    let sent = 0;
    let moment = { timeMs: 0, last: 0 };
    const insert = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await client.query('insert into t values ($1)', [sent++]);
    };
    await insert(150);
    moment = { timeMs: Date.now(), last: sent - 1 };
    await new Promise((resolve) => setTimeout(resolve, 3));
    await insert(150);
    await daemon.end('SIGKILL');
    await client.end().catch(() => undefined);
    // It goes on where the archive ends, from the log.
    const again = await Daemon.start(...args);
    expect(await again.end('SIGTERM')).toBe(0);
    rmSync(data, { recursive: true });
    const past = join(directory, 'past');
    const made = phantomd(['restore', '--archive', archive, '--to-time', new Date(moment.timeMs).toISOString(), past]);
    expect([made.code, made.err]).toEqual([0, '']);
    expect(await numbersIn(past)).toEqual(upTo(moment.last));
    expect(phantomd(['restore', '--archive', archive, '--data', data]).code).toBe(0);
    expect(await numbersIn(data)).toEqual(upTo(sent - 1));
    const refused = phantomd(['serve', ...args, '--pg-port', '0', '--http-port', '0']);
    expect([refused.code, refused.err.includes('is the archive of another store')]).toEqual([4, true]);
  });
});
