/** Whether there is such a role cannot be told by the time of a refusal either: each takes the same work, counted here. */
import { expect, it, vi } from 'vitest';
import { requireProof } from '../src/auth/authentication.js';
import type { LoginRole } from '../src/pg/database-session.js';
import { ScramClient, makeVerifier } from './support/scram-client.js';

const { done } = vi.hoisted(() => ({ done: [] as string[] }));
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  const counted = <F extends (...given: never[]) => unknown>(name: string, work: F): F =>
    ((...given: Parameters<F>) => {
      done.push(name);
      return work(...given);
    }) as F;
  return {
    ...actual,
    createHash: counted('createHash', actual.createHash),
    createHmac: counted('createHmac', actual.createHmac),
    randomBytes: counted('randomBytes', actual.randomBytes as (bytes: number) => Buffer),
    timingSafeEqual: counted('timingSafeEqual', actual.timingSafeEqual),
  };
});

const passwordVerifier = makeVerifier('sesame');
const ROLES: Readonly<Record<string, LoginRole | undefined>> = {
  'with another password': { name: 'alice', superuser: false, passwordVerifier },
  'without one': { name: 'bob', superuser: false },
  'with one that is expired': { name: 'late', superuser: false, passwordVerifier, validUntil: '2020-01-01' },
  'that is not there': undefined,
};

/** What is computed for a client that fails, in order. */
function workFor(role: LoginRole | undefined): string[] {
  const client = new ScramClient('simsim');
  const work: string[] = [];
  const counted = <T>(step: () => T): T => {
    done.splice(0);
    try {
      return step();
    } finally {
      work.push(...done);
    }
  };
  const exchange = counted(() =>
    requireProof(
      {
        user: 'someone',
        database: 'phantom',
        address: '10.0.0.1',
        isLoopback: false,
        isEncrypted: true,
        isMemberOf: () => false,
      },
      { role, rules: undefined, certifiedName: undefined, secret: Buffer.from('secret'), nowMs: Date.now() },
    ),
  );
  const challenge = counted(() => exchange?.first(client.first) ?? '');
  const proof = client.last(challenge);
  expect(() => counted(() => exchange?.last(proof))).toThrowError(expect.objectContaining({ code: '28P01' }));
  return work;
}

it.each(Object.keys(ROLES))('a role %s is refused after the same work', (which) => {
  const work = workFor(ROLES[which]);
  expect(work).toContain('timingSafeEqual');
  expect(work).toEqual(workFor(ROLES['with another password']));
});
