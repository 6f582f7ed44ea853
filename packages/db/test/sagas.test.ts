/** Sagas over SQL and documents: one commit with the journal, going on after a power cut, starting with a transaction, seen in SQL. */
import type { PhantomError } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, expect, it } from 'vitest';
import { type Database, defineSaga, openOn } from '../src/index.js';

const opened: Database[] = [];

afterEach(async () => {
  for (const db of opened.splice(0).toReversed()) await db.close();
});

async function openShop(vfs = new MemoryVfs()): Promise<Database> {
  const db = await openOn(vfs, '/db');
  opened.push(db);
  db.exec('create table if not exists stock (item text primary key, n int check (n >= 0))');
  return db;
}

const failed = (promise: Promise<unknown>): Promise<PhantomError> =>
  promise.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: PhantomError) => error,
  );

interface Order {
  readonly item: string;
}

/** Takes one from the stock, notes the order, and asks for the money. */
const orderBy = (charge: (key: string) => Promise<void> | void) =>
  defineSaga<Order>({
    name: 'order',
    steps: [
      {
        kind: 'local',
        name: 'reserve',
        retry: { delayMs: 0, attemptsMax: 2 },
        run: async (tx, { id, input }) => {
          await tx.query('update stock set n = n - 1 where item = $1', [input.item]);
          await tx.collection('orders').insertOne({ _id: id, item: input.item });
          return { reserved: 1 };
        },
        compensate: async (tx, { id, input }) => {
          await tx.query('update stock set n = n + 1 where item = $1', [input.item]);
          await tx.collection('orders').deleteOne({ _id: id });
        },
      },
      {
        kind: 'remote',
        name: 'charge',
        retry: { delayMs: 0, attemptsMax: 1 },
        run: ({ idempotencyKey }) => charge(idempotencyKey),
        compensate: () => undefined,
      },
    ],
  });

const stockOf = (db: Database): number | undefined => db.prepare<{ n: number }>('select n from stock').get()?.n;
const SAGAS = 'select id, name, state, step, attempts, error from phantom.sagas';

it('commits steps with their journal, is undone when one fails, and is listed in SQL', async () => {
  const db = await openShop();
  db.exec(`insert into stock values ('book', 1)`);
  db.sagas.define(
    orderBy((key) => {
      if (key.startsWith('poor')) throw new Error('declined');
    }),
  );
  await db.sagas.start('order', 'poor', { item: 'book' });
  expect(await db.sagas.finished('poor')).toMatchObject({
    state: 'compensated',
    results: { reserve: { reserved: 1 } },
  });
  expect(stockOf(db)).toBe(1);
  await db.sagas.start('order', 'rich', { item: 'book' });
  await db.sagas.finished('rich');
  // There is none left: the constraint fails the step itself, as often as it is tried.
  await db.sagas.start('order', 'late', { item: 'book' });
  expect(await db.sagas.finished('late')).toMatchObject({ state: 'compensated', attempts: 0 });
  expect([stockOf(db), await db.collection('orders').find().toArray()]).toEqual([0, [{ _id: 'rich', item: 'book' }]]);
  const { rows } = await db.query(`${SAGAS} order by id`);
  expect(rows).toMatchObject([
    { id: 'late', state: 'compensated', error: expect.stringContaining('stock_n_check') as unknown },
    { id: 'poor', state: 'compensated', error: 'declined' },
    { id: 'rich', name: 'order', state: 'done', step: null, attempts: 0, error: null },
  ]);
  db.exec('create role clerk');
  const clerk = await db.connect();
  await clerk.query('set role clerk');
  expect(await failed(clerk.query(SAGAS))).toMatchObject({ code: '42501' });
  await clerk.release();
  expect(db.sagas.list({ state: 'done' }).map(({ id }) => id)).toEqual(['rich']);
  await db.sagas.forget('rich');
  expect(db.sagas.status('rich')).toBeUndefined();
  expect(await failed(db.sagas.retry('poor'))).toMatchObject({ code: '55000' });
  expect(await failed(db.sagas.compensate('poor'))).toMatchObject({ code: '55000' });
});

it('begins with a transaction, or not at all', async () => {
  const db = await openShop();
  db.sagas.define(orderBy(() => undefined));
  const place = (id: string, item: string): Promise<void> =>
    db.transaction(async (tx) => {
      await tx.query('insert into stock values ($1, 5)', [item]);
      await db.sagas.start('order', id, { item }, { tx });
      if (id === 'undone') throw new Error('no');
    });
  await Promise.all([place('one', 'book'), failed(place('undone', 'pen'))]);
  expect(await db.sagas.finished('one')).toMatchObject({ state: 'done' });
  expect(db.sagas.status('undone')).toBeUndefined();
  expect((await db.query('select item, n from stock')).rows).toEqual([{ item: 'book', n: 4 }]);
  expect(await failed(db.sagas.start('order', 'x', null, { at: 'once' } as never))).toMatchObject({ code: '22023' });
});

it('goes on after a power cut, with what it has done once', async () => {
  const vfs = new MemoryVfs();
  const db = await openShop(vfs);
  db.exec(`insert into stock values ('book', 3)`);
  const keys: string[] = [];
  let disk: MemoryVfs | undefined;
  const charged = new Promise<void>((resolve) => {
    db.sagas.define(
      orderBy((key) => {
        keys.push(key);
        disk = vfs.crashClone(1);
        resolve();
        return new Promise(() => undefined);
      }),
    );
  });
  await db.sagas.start('order', 'one', { item: 'book' });
  await charged;
  await db.close();

  const restarted = await openShop(disk);
  restarted.sagas.define(orderBy((key) => void keys.push(key)));
  // It has one attempt, and that has begun: nobody knows what became of it, and there is no second one.
  const { state, error } = await restarted.sagas.finished('one');
  expect([state, error]).toEqual(['compensated', 'the last attempt ended with the process']);
  expect([keys, stockOf(restarted)]).toEqual([['one/charge'], 3]);
});

it('stops a statement whose step has taken too long, and lets others go on', async () => {
  const db = await openShop();
  db.exec(`insert into stock values ('book', 3)`);
  db.sagas.define<Order>({
    name: 'slow',
    steps: [
      {
        kind: 'local',
        name: 'wait',
        timeoutMs: 20,
        retry: { attemptsMax: 1 },
        run: (tx) => tx.query('select n from stock for update').then(() => undefined),
      },
    ],
  });
  await db.transaction(async (tx) => {
    await tx.query('select n from stock for update');
    await db.sagas.start('slow', 'one', { item: 'book' });
    expect(await db.sagas.finished('one')).toMatchObject({
      state: 'compensated',
      error: expect.stringContaining('20 ms') as unknown,
    });
  });
  expect(db.stats().transactions.live).toBe(0);
});

it('is refused where nothing can be written', async () => {
  const vfs = new MemoryVfs();
  await (await openOn(vfs, '/db')).close();
  const db = await openOn(vfs, '/db', { readOnly: true });
  opened.push(db);
  expect(() => db.sagas).toThrow('read-only');
  expect((await db.query(SAGAS)).rows).toEqual([]);
});
