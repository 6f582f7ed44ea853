import { describe, expect, it } from 'vitest';
import { LockStrength } from '@phantom/mvcc';
import {
  BootstrapOid,
  type Catalog,
  type CatalogTransaction,
  type Dependency,
  FIRST_USER_OID,
  NameClass,
  type ObjectReader,
  type Oid,
  PredefinedRole,
  type RoleDescriptor,
  type RoutineDescriptor,
  predefinedRole,
} from '../src/index.js';
import { type Opened, openCatalog, reload, table } from './support.js';

describe('a new catalog', () => {
  it('has a superuser, a database and its public schema', async () => {
    const { catalog } = await openCatalog();
    expect(catalog.role('phantom')).toMatchObject({ oid: BootstrapOid.Superuser, superuser: true, login: true });
    const database = catalog.database('phantom');
    expect(database?.oid).toBe(BootstrapOid.FirstDatabase);
    const schemas = [...catalog.committed.objectsIn(BootstrapOid.FirstDatabase)];
    expect(schemas.map((schema) => schema.name)).toEqual(['public']);
    expect(catalog.database('other')).toBeUndefined();
    expect(catalog.role('nobody')).toBeUndefined();
  });

  it('is made once: opened again it is read, not made', async () => {
    const opened = await openCatalog();
    const again = await reload(opened);
    expect([...again.committed.objects()].length).toBe([...opened.catalog.committed.objects()].length);
  });

  it('hands out oids from durable blocks, never twice, also after it is opened again', async () => {
    const opened = await openCatalog();
    const first = opened.catalog.allocateOid();
    const second = opened.catalog.allocateOid();
    expect(first).toBe(FIRST_USER_OID);
    expect(second).toBe(first + 1);
    const again = await reload(opened);
    expect(again.allocateOid()).toBeGreaterThan(second);
  });
});

/** Commits a change of the catalog. */
async function commit(opened: Opened, catalog: Catalog, work: (overlay: CatalogTransaction) => void): Promise<void> {
  const transaction = opened.mvcc.begin();
  transaction.beginStatement();
  work(catalog.begin(transaction));
  await transaction.commit();
}

describe('predefined roles', () => {
  it('are there without being stored, and stored once they are changed', async () => {
    const opened = await openCatalog();
    const { catalog } = opened;
    const monitor = catalog.role('pg_monitor');
    expect(monitor).toMatchObject({ oid: PredefinedRole.Monitor, login: false, superuser: false });
    expect(catalog.committed.object(PredefinedRole.ReadAllData)).toBe(predefinedRole(PredefinedRole.ReadAllData));
    expect(catalog.committed.objectsOf('role').map(({ name }) => name)).toContain('pg_database_owner');
    await commit(opened, catalog, (overlay) => {
      overlay.put({ ...(monitor as RoleDescriptor), comment: 'watches' });
    });
    const again = await reload(opened);
    expect(again.role('pg_monitor')?.comment).toBe('watches');
    expect(again.committed.objectsOf('role').filter(({ name }) => name === 'pg_monitor')).toHaveLength(1);
    const all = [...again.committed.objects()].filter(({ kind }) => kind === 'role');
    expect(all.map(({ name }) => name).sort()).toEqual(
      again.committed
        .objectsOf('role')
        .map(({ name }) => name)
        .sort(),
    );
  });
});

function routine(oid: Oid, name: string, typeOid: Oid): RoutineDescriptor {
  return {
    kind: 'routine',
    oid,
    name,
    databaseOid: BootstrapOid.FirstDatabase,
    schemaOid: BootstrapOid.PublicSchema,
    ownerOid: BootstrapOid.Superuser,
    routine: 'function',
    language: 'sql',
    parameters: [
      { name: 'a', mode: 'in', type: { oid: typeOid, typmod: -1 } },
      { name: 'b', mode: 'out', type: { oid: 25, typmod: -1 } },
    ],
    resultType: { oid: 25, typmod: -1 },
    returnsSet: false,
    volatility: 'volatile',
    strict: false,
    securityDefiner: false,
    leakproof: false,
    parallel: 'unsafe',
    cost: 100,
    rows: 0,
    searchPath: ['public'],
    source: '',
  };
}

describe('routines', () => {
  it('share names, by what goes in, in what is committed and in what a transaction sees', async () => {
    const opened = await openCatalog();
    const { catalog } = opened;
    const named = (reader: ObjectReader): Oid[] =>
      reader.routinesNamed(BootstrapOid.PublicSchema, 'f').map(({ oid }) => oid);
    await commit(opened, catalog, (overlay) => {
      overlay.put(routine(30_001, 'f', 25));
      overlay.put(routine(30_000, 'f', 23));
      overlay.put(routine(30_002, 'g', 23));
      expect(named(overlay)).toEqual([30_000, 30_001]);
    });
    expect(named(catalog.committed)).toEqual([30_000, 30_001]);
    expect(catalog.committed.oidByName(NameClass.Routine, BootstrapOid.PublicSchema, 'f(25)')).toBe(30_001);
    const again = await reload(opened);
    expect(named(again.committed)).toEqual([30_000, 30_001]);
    await commit(opened, again, (overlay) => {
      overlay.remove(30_000);
      expect(named(overlay)).toEqual([30_001]);
      overlay.remove(30_001);
      expect(named(overlay)).toEqual([]);
    });
    expect(named(again.committed)).toEqual([]);
  });
});

function edge(dependentOid: Oid, referencedOid: Oid): Dependency {
  return { dependentOid, dependentColumn: 0, referencedOid, referencedColumn: 0, strength: 'normal' };
}

describe('a catalog that was opened again', () => {
  it('fetches what it is asked for, once, and follows changes to what it has and has not fetched', async () => {
    const opened = await openCatalog();
    const change = (catalog: Catalog, work: (overlay: CatalogTransaction) => void): Promise<void> =>
      commit(opened, catalog, work);
    const relation = (catalog: Catalog, name: string): Oid | undefined =>
      catalog.committed.oidByName(NameClass.Relation, BootstrapOid.PublicSchema, name);
    await change(opened.catalog, (overlay) => {
      for (const [oid, name] of ['a', 'b', 'c', 'd'].entries()) overlay.put(table(30_000 + oid, name));
      overlay.addDependency(edge(30_000, 30_001));
    });

    const again = await reload(opened);
    expect(relation(again, 'a')).toBe(30_000);
    expect(again.committed.object(30_000)).toBe(again.committed.object(30_000));
    await change(again, (overlay) => {
      overlay.put(table(30_000, 'renamed'));
      overlay.put(table(30_001, 'renamed too'));
      overlay.remove(30_002);
      overlay.removeDependency(edge(30_000, 30_001));
      overlay.addDependency(edge(30_003, 30_001));
    });
    expect(['a', 'b', 'c', 'd', 'renamed', 'renamed too'].map((name) => relation(again, name))).toEqual([
      undefined,
      undefined,
      undefined,
      30_003,
      30_000,
      30_001,
    ]);
    expect(again.committed.objectsOf('schema').map(({ name }) => name)).toEqual(['public']);

    const held = again.committed.object(30_000);
    expect([...again.committed.objects()].filter(({ kind }) => kind === 'table')).toHaveLength(3);
    expect(again.committed.object(30_000)).toBe(held);
    expect([...again.committed.dependentsOf(30_001)]).toEqual([edge(30_003, 30_001)]);
    expect([...again.committed.dependenciesOf(30_000)]).toEqual([]);
    expect(again.committed.objectsOf('schema').map(({ name }) => name)).toEqual(['public']);
    await change(again, (overlay) => overlay.removeDependency(edge(30_003, 30_001)));
    expect([...again.committed.dependentsOf(30_001)]).toEqual([]);
  });
});

describe('a transaction of the catalog', () => {
  it('sees its own changes, others see them once it has committed, in one step of the version', async () => {
    const opened = await openCatalog();
    const { catalog, mvcc } = opened;
    const transaction = mvcc.begin();
    transaction.beginStatement();
    const objects = catalog.begin(transaction);
    expect(objects.changed).toBe(false);
    objects.put(table(30000, 'a'));
    objects.put(table(30010, 'b'));
    const version = catalog.version;
    expect(objects.object(30000)?.name).toBe('a');
    expect(objects.oidByName(NameClass.Relation, 2200, 'a')).toBe(30000);
    expect([...objects.objectsIn(2200)].map((o) => o.name).sort()).toEqual(['a', 'b']);
    expect([...objects.objects()].length).toBe([...catalog.committed.objects()].length + 2);
    expect(catalog.committed.object(30000)).toBeUndefined();
    await transaction.commit();
    expect(catalog.version).toBe(version + 1);
    expect(catalog.committed.object(30000)?.name).toBe('a');
    expect(catalog.committed.oidByName(NameClass.Relation, 2200, 'b')).toBe(30010);
    const again = await reload(opened);
    expect(again.committed.object(30010)).toEqual(catalog.committed.object(30010));
  });

  it('leaves nothing behind when it rolls back', async () => {
    const { catalog, mvcc } = await openCatalog();
    const transaction = mvcc.begin();
    transaction.beginStatement();
    const objects = catalog.begin(transaction);
    objects.put(table(30000, 'a'));
    const version = catalog.version;
    transaction.rollback();
    expect(catalog.committed.object(30000)).toBeUndefined();
    expect(catalog.version).toBe(version);
  });

  it('renames, replaces and removes, and goes back to a mark', async () => {
    const opened = await openCatalog();
    const { catalog, mvcc } = opened;
    const transaction = mvcc.begin();
    transaction.beginStatement();
    const objects = catalog.begin(transaction);
    objects.put(table(30000, 'a'));
    const savepoint = transaction.savepoint();
    const mark = objects.mark();
    objects.put(table(30000, 'renamed'));
    objects.put(table(30010, 'a'));
    objects.addDependency({
      dependentOid: 30010,
      dependentColumn: 0,
      referencedOid: 30000,
      referencedColumn: 2,
      strength: 'normal',
    });
    expect(objects.oidByName(NameClass.Relation, 2200, 'a')).toBe(30010);
    expect(objects.oidByName(NameClass.Relation, 2200, 'renamed')).toBe(30000);
    expect([...objects.dependentsOf(30000)]).toHaveLength(1);
    transaction.rollbackTo(savepoint);
    objects.rollbackTo(mark);
    expect(objects.steps).toBe(mark.steps);
    expect(objects.oidByName(NameClass.Relation, 2200, 'a')).toBe(30000);
    expect(objects.oidByName(NameClass.Relation, 2200, 'renamed')).toBeUndefined();
    expect(objects.object(30010)).toBeUndefined();
    expect([...objects.dependentsOf(30000)]).toHaveLength(0);
    objects.put(table(30000, 'last'));
    await transaction.commit();
    const again = await reload(opened);
    expect(again.committed.object(30000)?.name).toBe('last');
    expect(again.committed.oidByName(NameClass.Relation, 2200, 'a')).toBeUndefined();
  });

  it('keeps dependencies from both ends, over commits, removals and reloads', async () => {
    const opened = await openCatalog();
    const { catalog, mvcc } = opened;
    const first = mvcc.begin();
    first.beginStatement();
    const objects = catalog.begin(first);
    objects.put(table(30000, 'parent'));
    objects.put(table(30010, 'child'));
    const normal = {
      dependentOid: 30010,
      dependentColumn: 0,
      referencedOid: 30000,
      referencedColumn: 0,
      strength: 'normal',
    } as const;
    const automatic = {
      dependentOid: 30010,
      dependentColumn: 1,
      referencedOid: 30000,
      referencedColumn: 1,
      strength: 'automatic',
    } as const;
    objects.addDependency(normal);
    objects.addDependency(automatic);
    await first.commit();
    expect([...catalog.committed.dependentsOf(30000)]).toHaveLength(2);
    const again = await reload(opened);
    expect([...again.committed.dependenciesOf(30010)].map((d) => d.strength).sort()).toEqual(['automatic', 'normal']);

    const second = mvcc.begin();
    second.beginStatement();
    const changes = catalog.begin(second);
    changes.removeDependency(normal);
    expect([...changes.dependentsOf(30000)]).toEqual([automatic]);
    const mark = changes.mark();
    changes.addDependency(normal);
    changes.removeDependency(automatic);
    changes.rollbackTo(mark);
    expect([...changes.dependenciesOf(30010)]).toEqual([automatic]);
    changes.remove(30010);
    changes.removeDependency(automatic);
    await second.commit();
    expect([...catalog.committed.dependentsOf(30000)]).toHaveLength(0);
    expect(catalog.committed.object(30010)).toBeUndefined();
    expect(() => catalog.begin(second).remove(30010)).toThrow(/only an object that is there/);
  });

  it('locks names and objects against other transactions, and guards objects', async () => {
    const { catalog, mvcc } = await openCatalog();
    const one = mvcc.begin();
    one.beginStatement();
    const two = mvcc.begin();
    two.beginStatement();
    const first = catalog.begin(one);
    const second = catalog.begin(two);
    expect(first.lockName(NameClass.Relation, 2200, 't')).toBeUndefined();
    expect(first.lockObject(2200, LockStrength.KeyShare)).toBeUndefined();
    expect(second.lockObject(2200, LockStrength.KeyShare)).toBeUndefined();
    const wait = second.lockName(NameClass.Relation, 2200, 't');
    expect(wait).toBeInstanceOf(Promise);
    first.put(table(30000, 't'));
    await one.commit();
    await wait;
    expect(second.oidByName(NameClass.Relation, 2200, 't')).toBe(30000);
    two.rollback();

    const optimistic = mvcc.begin({ isolation: 'repeatable read' });
    optimistic.beginStatement();
    catalog.begin(optimistic).guardObject(30000);
    catalog.begin(optimistic).put(table(30020, 'u'));
    const other = mvcc.begin();
    other.beginStatement();
    catalog.begin(other).put(table(30000, 't', { schemaVersion: 2 }));
    await other.commit();
    await expect(optimistic.commit()).rejects.toMatchObject({ code: '40001' });
  });

  it('refuses catalog bytes that are no object', async () => {
    const opened = await openCatalog();
    const { catalog, mvcc } = opened;
    for (const text of ['{', '{"kind":"table","oid":1}', '7']) {
      const transaction = mvcc.begin();
      transaction.beginStatement();
      const key = catalog.keys.object(30000);
      const bytes = new TextEncoder().encode(text);
      transaction.put(key, 0, key.length, bytes, 0, bytes.length);
      await transaction.commit();
      const { committed } = await reload(opened);
      expect(() => committed.object(30000)).toThrow(expect.objectContaining({ code: 'XX001' }));
      expect(() => committed.objects()).toThrow(expect.objectContaining({ code: 'XX001' }));
    }
  });
});
