/** A database of format version 1 opens, and everything in it reads as it was written. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type MemoryVfs } from '@phantom/vfs/testing';
import { openOn } from '../src/index.js';
import { DIRECTORY, type Fixture, ask, askReadings, diskOf, makeFixture, makeReadings } from './fixture.js';

const FIXTURE = new URL('./fixtures/v1.json', import.meta.url);
/** Documents whose keys are stored once, by structures that this process has not met. */
const READINGS = new URL('./fixtures/readings.json', import.meta.url);

it('a database of version 1 opens with all that was in it, and goes on', async () => {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
  const disk = diskOf(fixture);
  const db = await openOn(disk, DIRECTORY, { timestamps: 'text' });
  expect(await ask(db)).toEqual(fixture.answers);
  expect(await db.check()).toEqual([]);
  await db.query(`commit prepared 'pending'`);
  db.exec(`insert into counted default values; update kinds set label = 'eight' where small = 7`);
  const [one, two, later] = (await db.query<{ n: number }>('select n from counted order by n')).rows;
  expect([one, two]).toEqual([{ n: 1 }, { n: 2 }]);
  // What a killed process had reserved is skipped, never handed out again.
  expect(later?.n).toBeGreaterThan(2);
  expect((await db.query<{ next: number }>(`select nextval('numbers') as next`)).rows[0]?.next).toBeGreaterThan(5);
  await db.close();
  const again = await openOn(disk, DIRECTORY);
  expect((await again.query(`select small from kinds where label = 'eight'`)).rows).toEqual([{ small: 7 }]);
  await again.close();
});

it('a database of version 1 gets its identity whatever the power takes meanwhile', async () => {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
  const disk = diskOf(fixture, true);
  const cuts: MemoryVfs[] = [];
  disk.onOperation = ({ operation }) => {
    if (['write', 'sync', 'rename', 'syncDir'].includes(operation)) cuts.push(disk.crashClone(cuts.length));
  };
  const db = await openOn(disk, DIRECTORY, { timestamps: 'text' });
  await db.close();
  expect(cuts.length).toBeGreaterThan(20);
  for (const [i, cut] of cuts.entries()) {
    if (i % 4 !== 0) continue;
    const opened = await openOn(cut, DIRECTORY, { timestamps: 'text' });
    expect(await ask(opened)).toEqual(fixture.answers);
    await opened.close();
  }
});

it('is made alike by this version', async () => {
  const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture;
  const made = await makeFixture();
  expect(made.answers).toEqual(fixture.answers);
  expect(Object.keys(made.files).filter((name) => name.includes('log/'))).not.toEqual([]);
});

it('documents whose keys were stored once read as they were written', async () => {
  const fixture = JSON.parse(readFileSync(READINGS, 'utf8')) as Fixture;
  const db = await openOn(diskOf(fixture), DIRECTORY);
  expect(await db.check()).toEqual([]);
  expect(db.catalog.structures.size).toBe(3);
  expect(await askReadings(db)).toEqual(fixture.answers);
  await db.close();
  expect((await makeReadings()).answers).toEqual(fixture.answers);
});
