import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

describe('pgcrypto', () => {
  let engine: TestEngine;
  let session: SqlSession;

  beforeAll(async () => {
    engine = await openEngine();
    session = engine.session();
    await run(session, 'create extension pgcrypto');
  });
  afterAll(() => engine.close());

  it('makes salts by which a password is known again', async () => {
    for (const salt of ["gen_salt('bf', 4)", "gen_salt('md5')", "gen_salt('bf')"]) {
      const [hash] = await rows(session, `select crypt('secret', ${salt})`);
      expect(
        await rows(session, `select crypt('secret', '${hash}') = '${hash}', crypt('other', '${hash}') = '${hash}'`),
      ).toEqual(['true false']);
    }
    expect(
      await rows(
        session,
        "select length(gen_salt('bf')), gen_salt('bf', 10) like '$2a$10$%', gen_salt('md5') <> gen_salt('md5')",
      ),
    ).toEqual(['29 true true']);
  });

  it.each([
    ["crypt('a', 'xy')", '0A000'],
    ["crypt('a', '$2x$06$0123456789012345678901')", '0A000'],
    ["crypt('a', '$2a$15$0123456789012345678901')", '54000'],
    ["crypt('a', '')", '22023'],
    ["gen_salt('des')", '0A000'],
    ["gen_salt('nope')", '22023'],
    ["gen_salt('bf', 3)", '22023'],
    ["gen_salt('md5', 5)", '22023'],
    ["encrypt('a', 'k', 'bf')", '0A000'],
    ["encrypt('a', 'k', 'rot13')", '22023'],
    ["decrypt('a', 'k', 'aes')", '39000'],
    ['gen_random_bytes(0)', '39000'],
    ['gen_random_bytes(1025)', '39000'],
    ["pgp_sym_encrypt('a', 'b')", '42883'],
  ])('refuses %s', async (call, code) => {
    expect(await run(session, `select ${call}`)).toBe(code);
  });

  it('gives random bytes, and the same numbers to nobody', async () => {
    expect(
      await rows(session, 'select length(gen_random_bytes(1024)), gen_random_bytes(16) <> gen_random_bytes(16)'),
    ).toEqual(['1024 true']);
    expect(await rows(session, 'select public.gen_random_uuid() <> gen_random_uuid()')).toEqual(['true']);
  });
});
