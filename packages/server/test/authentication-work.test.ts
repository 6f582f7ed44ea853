/** Whether there is such a role cannot be told by the time of a refusal either: each takes the same work, counted here. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { requireProof } from '../src/auth/authentication.js';
import type { LoginRole } from '../src/pg/database-session.js';
import { ScramClient, makeVerifier } from './support/scram-client.js';

const done: string[] = [];
const WATCHED = ['createHash', 'createHmac', 'randomBytes', 'timingSafeEqual'] as const;

beforeAll(() => {
  for (const name of WATCHED) {
    const work = crypto[name] as (...given: unknown[]) => unknown;
    vi.spyOn(crypto, name as 'createHash').mockImplementation((...given: unknown[]) => {
      done.push(name);
      return work(...given) as ReturnType<typeof crypto.createHash>;
    });
  }
  syncBuiltinESMExports();
});
afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
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
        isUnix: false,
        isLoopback: false,
        isEncrypted: true,
        isMemberOf: () => false,
      },
      {
        role,
        rules: undefined,
        certifiedName: undefined,
        channelBinding: undefined,
        secret: Buffer.from('secret'),
        nowMs: Date.now(),
      },
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
