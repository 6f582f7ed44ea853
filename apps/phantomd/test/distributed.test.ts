/** A transaction over a daemon and a database of this process, with the daemon killed once it has promised. */
import { type SqlSource, open } from '@phantom/db';
import pg from 'pg';
import { expect, it } from 'vitest';
import { Daemon } from './support/daemon.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();

it('commits at a daemon that was killed after it had promised', async () => {
  const data = newDirectory();
  let daemon = await Daemon.start('--data', data);
  let isKilled = false;
  const billing: SqlSource = {
    connect: async () => {
      const client = new pg.Client({ connectionString: daemon.url });
      client.on('error', () => undefined);
      await client.connect();
      return {
        query: async (text, values) => {
          if (text.startsWith('commit prepared') && !isKilled) {
            isKilled = true;
            await daemon.end('SIGKILL');
          }
          return client.query(text, values);
        },
        release: () => client.end(),
      };
    },
  };
  const ask = async (text: string): Promise<readonly unknown[]> => {
    const connection = await billing.connect();
    const { rows } = await connection.query(text);
    await connection.release?.();
    return rows;
  };
  const home = await open(newDirectory());
  home.exec('create table account (name text)');
  await ask('create table account (name text)');

  const banks = home.distributed({ billing });
  const { unanswered } = await banks.transaction(async (tx, branches) => {
    for (const bank of [tx, branches.billing]) await bank.query(`insert into account values ('a')`);
  });
  expect([isKilled, unanswered]).toEqual([true, ['billing']]);
  daemon = await Daemon.start('--data', data);
  await banks.resolve();
  expect(await ask('select name from account')).toEqual([{ name: 'a' }]);
  expect(await ask('select gid from pg_prepared_xacts')).toEqual([]);
  expect(home.prepare('select name from account').all()).toEqual([{ name: 'a' }]);
  await home.close();
  await daemon.end('SIGKILL');
});

it('takes a pool of pg as it is', () => {
  const source: SqlSource = new pg.Pool();
  expect(source.connect).toBeTypeOf('function');
});
