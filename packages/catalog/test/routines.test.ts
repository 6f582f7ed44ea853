/** Routines and triggers among the catalog's objects: overloads by name, before and after they are fetched. */
import { expect, it } from 'vitest';
import {
  type Catalog,
  type CatalogTransaction,
  NameClass,
  type RoutineDescriptor,
  type TriggerDescriptor,
  goesIn,
  hasPrivilege,
  ownerPrivileges,
  publicPrivileges,
  routineKeyName,
} from '../src/index.js';
import { type Opened, openCatalog, reload } from './support.js';

const PUBLIC = 2200;

function routine(oid: number, name: string, types: readonly number[]): RoutineDescriptor {
  return {
    kind: 'routine',
    oid,
    name,
    databaseOid: 5,
    schemaOid: PUBLIC,
    ownerOid: 10,
    routine: 'function',
    language: 'sql',
    parameters: [
      ...types.map((type) => ({ name: '', mode: 'in', type: { oid: type, typmod: -1 } }) as const),
      { name: 'result', mode: 'out', type: { oid: 23, typmod: -1 } },
    ],
    resultType: { oid: 23, typmod: -1 },
    returnsSet: false,
    volatility: 'volatile',
    strict: false,
    securityDefiner: false,
    leakproof: false,
    parallel: 'unsafe',
    cost: 100,
    rows: 0,
    searchPath: [],
    source: 'select 1',
  };
}

async function change(opened: Opened, catalog: Catalog, work: (overlay: CatalogTransaction) => void): Promise<void> {
  const transaction = opened.mvcc.begin();
  transaction.beginStatement();
  work(catalog.begin(transaction));
  await transaction.commit();
}

it('finds routines of one name, oldest first, as each transaction sees them', async () => {
  const opened = await openCatalog();
  const { catalog } = opened;
  await change(opened, catalog, (overlay) => {
    overlay.put(routine(20_001, 'f', [25]));
    overlay.put(routine(20_000, 'f', [23]));
    overlay.put(routine(20_002, 'g', []));
  });
  const oids = (found: readonly RoutineDescriptor[]): number[] => found.map(({ oid }) => oid);
  expect(oids(catalog.committed.routinesNamed(PUBLIC, 'f'))).toEqual([20_000, 20_001]);
  expect(oids(catalog.committed.routinesNamed(PUBLIC, 'h'))).toEqual([]);
  expect(catalog.committed.oidByName(NameClass.Routine, PUBLIC, 'f(25)')).toBe(20_001);
  await change(opened, catalog, (overlay) => {
    expect(oids(overlay.routinesNamed(PUBLIC, 'f'))).toEqual([20_000, 20_001]);
    overlay.remove(20_000);
    overlay.put({ ...routine(20_002, 'f', [16]) });
    expect(oids(overlay.routinesNamed(PUBLIC, 'f'))).toEqual([20_001, 20_002]);
    expect(oids(overlay.routinesNamed(PUBLIC, 'g'))).toEqual([]);
    expect(oids(catalog.committed.routinesNamed(PUBLIC, 'f'))).toEqual([20_000, 20_001]);
  });
  const again = await reload(opened);
  expect(oids(again.committed.routinesNamed(PUBLIC, 'f'))).toEqual([20_001, 20_002]);
  expect(oids(again.committed.routinesNamed(PUBLIC, 'g'))).toEqual([]);
});

it('lets everyone call a routine, and knows it by what goes in', () => {
  const f = routine(20_000, 'f', [23, 25]);
  expect(routineKeyName(f)).toBe('f(23,25)');
  expect(f.parameters.map(goesIn)).toEqual([true, true, false]);
  expect([ownerPrivileges(f), publicPrivileges(f)]).toEqual(['X', 'X']);
});

it('keeps triggers by the name that they have on their table', async () => {
  const opened = await openCatalog();
  const trigger: TriggerDescriptor = {
    kind: 'trigger',
    oid: 20_010,
    name: 'k',
    databaseOid: 5,
    tableOid: 20_009,
    timing: 'after',
    level: 'row',
    events: ['insert'],
    columns: [],
    functionOid: 0,
    arguments: [],
    firing: 'origin',
  };
  await change(opened, opened.catalog, (overlay) => overlay.put(trigger));
  const { committed } = opened.catalog;
  expect(committed.oidByName(NameClass.Trigger, 20_009, 'k')).toBe(20_010);
  expect(hasPrivilege(committed, 11, trigger, 'X')).toBe(false);
});
