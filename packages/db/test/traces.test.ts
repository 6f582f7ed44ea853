/** Spans of an embedded database, as a tracer of the shape of OpenTelemetry's gets them. */
import { MemoryTracer } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, defineSaga, openOn } from '@phantom/db';

const TRACE = '5bd66ef5095369c7b0d1f8f4bd33716a';
const CALLER = 'c532cb4098ac3dd2';
const TRACE_PARENT = `00-${TRACE}-${CALLER}-01`;

let tracer: MemoryTracer;
let db: Database;

beforeEach(async () => {
  tracer = new MemoryTracer();
  db = await openOn(new MemoryVfs({ losesPower: false }), '/data', { tracer });
  db.exec('create table orders (id int primary key, note text); insert into orders values (1, $$a$$), (2, $$b$$)');
  tracer.clear();
});

afterEach(() => db.close());

it('shows a statement with its analysis and its run', async () => {
  await db.query('select id from orders where note = $1', ['a']);
  expect(tracer.outline()).toEqual(['SELECT orders', '  parse', '  plan', '  execute']);
  expect(tracer.only('SELECT orders').attributes).toEqual({
    'db.system.name': 'phantomdb',
    'db.system': 'phantomdb',
    'db.namespace': 'phantom',
    'db.name': 'phantom',
    'db.operation.name': 'SELECT',
    'db.operation': 'SELECT',
    'db.collection.name': 'orders',
    'db.sql.table': 'orders',
    'db.query.text': 'select id from orders where note = $1',
    'db.statement': 'select id from orders where note = $1',
    'db.response.returned_rows': 1,
    'phantom.session': expect.any(Number),
  });
});

it('shows a commit with its place in the log and the group that was synced', async () => {
  await db.query('insert into orders values (3)');
  expect(tracer.outline()).toEqual([
    'INSERT orders',
    '  parse',
    '  plan',
    '  execute',
    '  commit',
    '    append',
    '    sync',
  ]);
  expect(tracer.only('sync').attributes).toEqual({ 'phantom.commit.group_size': 1 });
  expect(tracer.only('INSERT orders').attributes['phantom.affected_rows']).toBe(1);
});

it('tells how many commits shared a sync', async () => {
  await Promise.all([4, 5, 6].map((id) => db.query('insert into orders values ($1)', [id])));
  const syncs = tracer.spans.filter(({ name }) => name === 'sync');
  expect(syncs.length).toBe(3);
  for (const { attributes } of syncs) expect([1, 2, 3]).toContain(attributes['phantom.commit.group_size']);
});

it('keeps times in order', async () => {
  await db.query('insert into orders values (3)');
  const root = tracer.only('INSERT orders');
  for (const span of tracer.spans) {
    expect(span.startMs).toBeGreaterThanOrEqual(root.startMs);
    expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
    expect(span.endMs).toBeLessThanOrEqual(root.endMs as number);
  }
});

it('shows synchronous statements on each of their roads', () => {
  const byKey = db.prepare('select note from orders where id = $1');
  const all = db.prepare('select note from orders');
  const insert = db.prepare('insert into orders values ($1)');
  const both = db.prepare('insert into orders select $1::int union all select $2::int');
  expect(tracer.outline()).toEqual(Array.from({ length: 4 }, () => ['statement', '  parse', '  plan']).flat());
  tracer.clear();
  byKey.get(1);
  byKey.all(1);
  expect([...all.iterate()].length).toBe(2);
  insert.run(3);
  both.run(4, 5);
  const read = ['SELECT orders', '  execute'];
  const write = ['INSERT orders', '  execute', '  commit', '    sync'];
  expect(tracer.outline()).toEqual([...read, ...read, ...read, ...write, ...write]);
});

it('makes the statements of a transaction, and its commit, parts of one span', async () => {
  await db.transaction(async (tx) => {
    await tx.query('update orders set note = $1 where id = 1', ['x']);
    await tx.query('select count(*) from orders');
  });
  expect(tracer.outline()).toEqual([
    'transaction',
    '  UPDATE orders',
    '    parse',
    '    plan',
    '    execute',
    '  SELECT orders',
    '    parse',
    '    plan',
    '    execute',
    '  commit',
    '    append',
    '    sync',
  ]);
  tracer.clear();
  db.transactionSync((tx) => tx.prepare('select note from orders where id = 1').get());
  await db.batch([['select 1'], ['delete from orders where id = 2']]);
  expect(tracer.outline().filter((line) => !/parse|plan/.test(line))).toEqual([
    'transaction',
    '  statement',
    '  SELECT orders',
    '    execute',
    'batch',
    '  SELECT',
    '    execute',
    '  DELETE orders',
    '    execute',
    '  commit',
    '    append',
    '    sync',
  ]);
});

it('says by its SQLSTATE, and no value, what went wrong', async () => {
  await expect(db.query('selekt 1')).rejects.toThrow(/syntax/);
  await expect(db.query('select nothing from orders')).rejects.toThrow(/nothing/);
  await expect(db.query('insert into orders values (1)')).rejects.toThrow(/duplicate/);
  await expect(db.query('select 1 / (id - 1) from orders')).rejects.toThrow(/zero/);
  await expect(db.transaction((tx) => tx.query("select 'secret'::int"))).rejects.toThrow(/integer/);
  expect(tracer.outline().filter((line) => line.includes('!'))).toEqual([
    'statement !42601',
    'statement !42703',
    'INSERT orders !23505',
    '  execute !23505',
    'SELECT orders !22012',
    '  execute !22012',
    'transaction !22P02',
    '  statement !22P02',
  ]);
  expect(JSON.stringify(tracer.spans)).not.toContain('secret');
  expect(tracer.only('INSERT orders').attributes['db.response.status_code']).toBe('23505');
});

it('shows the failure of a commit', async () => {
  await db.query('create table child (id int primary key, parent int references orders deferrable initially deferred)');
  tracer.clear();
  await expect(db.query('insert into child values (1, 99)')).rejects.toThrow(/foreign key/);
  expect(tracer.outline()).toEqual(['INSERT child !23503', '  parse', '  plan', '  execute', '  commit !23503']);
});

it('shows who waits for a lock, and nobody else', async () => {
  const [holder, waiter] = [await db.connect(), await db.connect()];
  await holder.query('begin');
  await holder.query("update orders set note = 'h' where id = 1");
  tracer.clear();
  const waiting = waiter.query("update orders set note = note || 'w' where id = 1");
  const locked = waiter.query("set lock_timeout = '1ms'").then(() => waiter.query('delete from orders where id = 1'));
  while (!tracer.spans.some(({ name }) => name === 'lock wait')) await new Promise((resolve) => setImmediate(resolve));
  await holder.query('commit');
  await waiting;
  await locked;
  const lines = tracer.outline();
  expect(lines.slice(lines.indexOf('UPDATE orders')).slice(0, 8)).toEqual([
    'UPDATE orders',
    '  parse',
    '  plan',
    '  execute',
    '    lock wait',
    '  commit',
    '    append',
    '    sync',
  ]);
  await holder.query('begin');
  await holder.query("update orders set note = 'h' where id = 2");
  tracer.clear();
  await expect(waiter.query('delete from orders where id = 2')).rejects.toThrow(/lock timeout/);
  expect(tracer.only('lock wait').error).toBe('55P03');
  await holder.release();
  await waiter.release();
});

it('follows the caller who is named by a comment, by the setting, or not at all', async () => {
  await db.query(`select 1 /*action='pay',traceparent='${TRACE_PARENT}'*/`);
  expect(tracer.only('SELECT').parentId).toBe(CALLER);
  expect(tracer.spans.map((span) => span.spanContext().traceId)).toEqual([TRACE, TRACE, TRACE, TRACE]);
  tracer.clear();
  const connection = await db.connect();
  await connection.query(`set phantom.traceparent = '${TRACE_PARENT}'`);
  await connection.query('select 1');
  expect(tracer.only('SELECT').parentId).toBe(CALLER);
  await expect(connection.query("set phantom.traceparent = '00-1-2-3'")).rejects.toThrow(/phantom.traceparent/);
  await connection.query('reset phantom.traceparent');
  tracer.clear();
  await connection.query("select 'traceparent'");
  expect(tracer.only('SELECT').parentId).toBeUndefined();
  tracer.clear();
  await connection.query(`select 1 /*traceparent='00-${TRACE}-${CALLER}-00'*/`);
  expect(tracer.spans).toEqual([]);
  await connection.release();
});

it('decides once for a trace, and asks for nothing more of one that is not kept', async () => {
  tracer.keeps = false;
  tracer.asked = 0;
  await db.query('insert into orders values (3)');
  db.prepare('select note from orders where id = 1').get();
  expect(tracer.spans).toEqual([]);
  expect(tracer.asked).toBe(3);
  await db.transaction((tx) => tx.query('select 1'));
  expect(tracer.spans).toEqual([]);
});

it('leaves statements inside of statements to those', async () => {
  db.exec(`create function noted(int) returns text language plpgsql as
    'declare found text; begin execute ''select note from orders where id = $1'' into found using $1; return found; end'`);
  tracer.clear();
  await db.query('select noted(1)');
  expect(tracer.outline()).toEqual(['SELECT', '  parse', '  plan', '  execute']);
});

it('keeps apart a read that is not at its end and what runs meanwhile', () => {
  const rows = db.prepare('select g from generate_series(1, 300) g').iterate();
  const other = db.prepare('select note from orders where id = 1');
  tracer.clear();
  rows.next();
  other.get();
  expect(tracer.outline()).toEqual(['SELECT ...', '  execute ...', 'SELECT orders', '  execute']);
  expect([...rows].length).toBe(299);
  expect(tracer.outline()).toEqual(['SELECT', '  execute', 'SELECT orders', '  execute']);
});

it('tells no texts where that is not wanted', async () => {
  const quiet = new MemoryTracer();
  const other = await openOn(new MemoryVfs({ losesPower: false }), '/data', { tracer: quiet, traceTexts: false });
  await other.query('select 1');
  expect(Object.keys(quiet.only('SELECT').attributes)).not.toContain('db.query.text');
  await other.close();
});

it('shows the votes and the decision of a commit over two databases', async () => {
  const other = await openOn(new MemoryVfs({ losesPower: false }), '/other');
  other.exec('create table paid (id int primary key)');
  const both = db.distributed({ other });
  tracer.clear();
  await both.transaction(async (tx, branches) => {
    await tx.query("update orders set note = 'paid' where id = 1");
    await branches.other.query('insert into paid values (1)');
  });
  expect(tracer.outline().filter((line) => !/parse|plan|execute|append|sync/.test(line))).toEqual([
    'transaction',
    '  UPDATE orders',
    '  two-phase commit',
    '    prepare branch',
    '    decide',
    '    commit branch',
    '  commit',
  ]);
  expect(tracer.only('prepare branch').attributes).toEqual({ 'phantom.2pc.participant': 'other' });
  await other.close();
});

it('shows each attempt at a step of a saga, and what became of it', async () => {
  let attempts = 0;
  db.sagas.define(
    defineSaga({
      name: 'ship',
      steps: [
        {
          kind: 'remote',
          name: 'label',
          run: async () => (attempts++ === 0 ? Promise.reject(new Error('busy')) : 'done'),
          retry: { delayMs: 1 },
        },
        { kind: 'local', name: 'note', run: (tx) => tx.query("update orders set note = 'sent' where id = 1") },
      ],
    }),
  );
  tracer.clear();
  await db.sagas.start('ship', 'order 1', {});
  await db.sagas.finished('order 1');
  const steps = tracer.spans.filter(({ name }) => name === 'saga step');
  expect(steps.map(({ attributes, error }) => [attributes['phantom.saga.step'], error])).toEqual([
    ['label', 'XX000'],
    ['label', undefined],
    ['note', undefined],
  ]);
});
