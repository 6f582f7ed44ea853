import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { informationFacts, relationFacts } from '../../src/system-views/relation-facts.js';
import { systemType, systemTypeDescriptors } from '../../src/system-views/row-types.js';
import { allSystemViews } from '../../src/system-views/system-views.js';
import { INFORMATION_SCHEMA_OID, PG_CATALOG_OID } from '../../src/system-views/system-view.js';
import { builtinTypes } from '../../src/types/builtin-types.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows } from '../support/statements.js';

const namesIn = (facts: string): string[] =>
  facts
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1] as string);
const viewsOf = (schemaOid: number) => allSystemViews().filter((view) => view.schemaOid === schemaOid);

/** The SQLSTATE behind the name, where the query has one. */
async function refusals(session: SqlSession, name: string, query: string): Promise<string[]> {
  const [answer = ''] = await rows(session, query);
  return /^[0-9A-Z]{5}$/.test(answer) ? [`${name} ${answer}`] : [];
}

describe('The system relations', () => {
  let engine: TestEngine;
  let superuser: SqlSession;

  beforeAll(async () => {
    engine = await openEngine();
    superuser = engine.session();
    await rows(superuser, 'create role anybody');
    await rows(superuser, 'create table t (a int primary key, b text[])');
  });
  afterAll(() => engine.close());

  it('are those that have facts', () => {
    const ofPostgres = viewsOf(PG_CATALOG_OID).filter(({ name }) => !name.startsWith('pg_stat_statements'));
    expect(ofPostgres.map(({ name }) => name).sort()).toEqual(namesIn(relationFacts));
    expect(
      viewsOf(INFORMATION_SCHEMA_OID)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(namesIn(informationFacts));
  });

  it('have a type for their rows, with an oid of its own and fields of types that there are', () => {
    const oids = [...builtinTypes, ...systemTypeDescriptors()].map(({ oid }) => oid);
    expect(new Set(oids).size).toBe(oids.length);
    const known = new Set(oids);
    for (const { definition, arrayOid, oid } of systemTypeDescriptors()) {
      expect(systemType(arrayOid)?.oid).toBe(oid);
      if (definition.kind === 'composite')
        expect(definition.fields.filter(({ type }) => !known.has(type.oid))).toEqual([]);
    }
  });

  it('show every column as text to a superuser, and to others what is not for superusers alone', async () => {
    const other = engine.session();
    await rows(other, 'set role anybody');
    const refused: string[] = [];
    const hidden: string[] = [];
    const kept: string[] = [];
    for (const { name, schemaOid, restricted } of allSystemViews()) {
      if (schemaOid !== PG_CATALOG_OID && schemaOid !== INFORMATION_SCHEMA_OID) continue;
      const schema = schemaOid === PG_CATALOG_OID ? 'pg_catalog' : 'information_schema';
      const query = `select r::text, r.* from ${schema}.${name} r limit 3`;
      refused.push(...(await refusals(superuser, name, query)));
      hidden.push(...(await refusals(other, name, query)));
      if (restricted === true) kept.push(`${name} 42501`);
    }
    expect(refused).toEqual([]);
    expect(hidden).toEqual(kept);
  });
});
