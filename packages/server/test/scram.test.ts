import { X509Certificate, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { endPointBinding } from '../src/auth/channel-binding.js';
import { isLoopback, isLoopbackHost, requireProof, refuseWithoutPassword } from '../src/auth/authentication.js';
import { type Applicant, AuthenticationRules } from '../src/auth/rules.js';
import type { LoginRole } from '../src/pg/database-session.js';
import { ScramExchange, parseVerifier, verifierFor } from '../src/auth/scram.js';
import { AUTHORITY, ED25519_CERTIFICATE, SERVER_CERTIFICATE } from './support/certificates.js';
import { ScramClient, makeVerifier } from './support/scram-client.js';

const verifierOf = (password: string) =>
  parseVerifier(makeVerifier(password)) as NonNullable<ReturnType<typeof parseVerifier>>;

describe('SCRAM-SHA-256', () => {
  it('agrees with the example of RFC 7677', () => {
    const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
    const stored = makeVerifier('pencil', 4096, Buffer.from(salt, 'base64'));
    const verifier = parseVerifier(stored) as NonNullable<ReturnType<typeof parseVerifier>>;
    const exchange = new ScramExchange('user', verifier, undefined, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0');
    expect(exchange.first('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    expect(
      exchange.last(
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      ),
    ).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it.each(['n', 'y'])('lets in who knows the password (gs2 flag %s)', (flag) => {
    const client = new ScramClient('sesame', flag);
    const exchange = new ScramExchange('u', verifierOf('sesame'));
    expect(client.accepts(exchange.last(client.last(exchange.first(client.first))))).toBe(true);
  });

  it('binds the proof to the channel where there is one to bind it to', () => {
    const channel = Buffer.from('certificate');
    const exchange = (): ScramExchange => new ScramExchange('u', verifierOf('sesame'), channel);
    expect(exchange().mechanisms).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    expect(new ScramExchange('u', verifierOf('sesame')).mechanisms).toEqual(['SCRAM-SHA-256']);
    const told = (flag: string, bound: Buffer, mechanism: string): boolean => {
      const server = exchange();
      const client = new ScramClient('sesame', flag, bound);
      return client.accepts(server.last(client.last(server.first(client.first, mechanism))));
    };
    const flag = 'p=tls-server-end-point';
    const none = Buffer.alloc(0);
    expect(told(flag, channel, 'SCRAM-SHA-256-PLUS')).toBe(true);
    // A client that cannot bind.
    expect(told('n', none, 'SCRAM-SHA-256')).toBe(true);
    const refused = (wrong: readonly [string, Buffer, string], code: string, message: string): void =>
      expect(() => told(...wrong)).toThrowError(expect.objectContaining({ code, message }));
    refused([flag, Buffer.from('another'), 'SCRAM-SHA-256-PLUS'], '28000', 'SCRAM channel binding check failed');
    refused([flag, none, 'SCRAM-SHA-256-PLUS'], '28000', 'SCRAM channel binding check failed');
    // A client that was shown a shorter list.
    refused(['y', none, 'SCRAM-SHA-256'], '28000', 'SCRAM channel binding negotiation error');
    refused(['n', none, 'SCRAM-SHA-256-PLUS'], '08P01', 'malformed SCRAM message');
    refused([flag, channel, 'SCRAM-SHA-256'], '08P01', 'malformed SCRAM message');
    const unique = 'unsupported SCRAM channel-binding type "tls-unique"';
    refused(['p=tls-unique', channel, 'SCRAM-SHA-256-PLUS'], '08P01', unique);
    const strange = 'client selected an invalid SASL authentication mechanism: PLAIN';
    refused(['n', none, 'PLAIN'], '08P01', strange);
  });

  it('hashes the certificate as its signature does, if no worse than SHA-256', () => {
    const der = new X509Certificate(SERVER_CERTIFICATE).raw.toString('hex');
    // The same certificate with other signatures: OpenSSL reads them and need not check them.
    const bits = ['040302', '040303', '040304', '040301'].map((end) => {
      const pem = Buffer.from(der.replaceAll('2a8648ce3d040302', `2a8648ce3d${end}`), 'hex').toString('base64');
      return endPointBinding(`-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`)?.length;
    });
    expect(bits).toEqual([32, 48, 64, 28]);
    const expected = createHash('sha256').update(Buffer.from(der, 'hex')).digest();
    expect(endPointBinding(SERVER_CERTIFICATE + AUTHORITY)).toEqual(expected);
    expect(endPointBinding(ED25519_CERTIFICATE)).toBeUndefined();
  });

  it('refuses a wrong password, and a user who does not exist, with the same words', () => {
    for (const verifier of [verifierOf('sesame'), verifierFor('u', undefined, Buffer.from('secret'))]) {
      const client = new ScramClient('simsim');
      const exchange = new ScramExchange('u', verifier);
      const last = client.last(exchange.first(client.first));
      expect(() => exchange.last(last)).toThrowError(
        expect.objectContaining({ code: '28P01', message: 'password authentication failed for user "u"' }),
      );
    }
  });

  it('gives a name that does not exist the same salt each time', () => {
    const secret = Buffer.from('secret');
    expect(verifierFor('a', undefined, secret).salt).toBe(verifierFor('a', undefined, secret).salt);
    expect(verifierFor('a', undefined, secret).salt).not.toBe(verifierFor('b', undefined, secret).salt);
  });

  it.each(['', 'p=tls-unique,,n=,r=abc', 'n,,r=abc', 'n,,n=,r=', 'x,,n=,r=abc', 'n,,m=ext,n=,r=abc'])(
    'refuses client-first %j',
    (text) => {
      expect(() => new ScramExchange('u', verifierOf('x')).first(text)).toThrowError(
        expect.objectContaining({ code: '08P01' }),
      );
    },
  );

  it('refuses another identity than the one of the start-up message', () => {
    expect(() => new ScramExchange('u', verifierOf('x')).first('n,a=root,n=,r=abc')).toThrowError(
      expect.objectContaining({ code: '0A000' }),
    );
  });

  it('refuses a final message of another conversation', () => {
    const client = new ScramClient('sesame');
    const exchange = new ScramExchange('u', verifierOf('sesame'));
    const last = client.last(exchange.first(client.first));
    const violation = expect.objectContaining({ code: '08P01' });
    expect(() => exchange.last('nonsense')).toThrowError(violation);
    expect(() => exchange.last(last.replace('c=biws', 'c=eSws'))).toThrowError(violation);
    expect(() => exchange.last(last.replace(',r=', ',r=x'))).toThrowError(violation);
    expect(() => exchange.last(last.replace(/,p=.*/, ',p=AAAA'))).toThrowError(violation);
  });

  it('takes no text for a verifier that is none', () => {
    expect(parseVerifier('md5abc')).toBeUndefined();
    expect(parseVerifier('SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA')).toBeUndefined();
    expect(parseVerifier(makeVerifier('x').replace('$4096:', '$0:'))).toBeUndefined();
  });
});

describe('who is let in', () => {
  const applicant = (isLoopback: boolean, more: Partial<Applicant> = {}): Applicant => ({
    user: 'u',
    database: 'shop',
    address: isLoopback ? '127.0.0.1' : '10.1.2.3',
    isUnix: false,
    isLoopback,
    isEncrypted: !isLoopback,
    isMemberOf: (role) => role === 'clerks',
    ...more,
  });
  const context = (role: LoginRole | undefined, more: object = {}): Parameters<typeof requireProof>[1] => ({
    role,
    rules: undefined,
    certifiedName: undefined,
    channelBinding: undefined,
    secret: Buffer.from('s'),
    nowMs: 0,
    ...more,
  });
  const proof = (role: LoginRole | undefined, isLoopback: boolean, nowMs: number): ScramExchange | undefined =>
    requireProof(applicant(isLoopback), context(role, { nowMs }));
  const plain = { name: 'u', superuser: false };

  it('knows loopback', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) expect(isLoopback(address)).toBe(true);
    for (const address of ['', undefined, '10.0.0.1', '::', '0.0.0.0', '::ffff:10.0.0.1', '128.0.0.1'])
      expect(isLoopback(address)).toBe(false);
    expect(isLoopbackHost('localhost')).toBe(true);
    expect(isLoopbackHost('example.org')).toBe(false);
  });

  it('trusts a role without a password on loopback alone', () => {
    expect(proof(plain, true, 0)).toBeUndefined();
    expect(proof(plain, false, 0)).toBeInstanceOf(ScramExchange);
    expect(() => refuseWithoutPassword('u', plain)).toThrowError(/password authentication failed/);
    expect(() => refuseWithoutPassword('u', undefined)).toThrowError(/password authentication failed/);
  });

  it('asks a role with a password from anywhere', () => {
    const role = { ...plain, passwordVerifier: makeVerifier('x') };
    expect(proof(role, true, 0)).toBeInstanceOf(ScramExchange);
    refuseWithoutPassword('u', role);
  });

  it('says on loopback that there is no such role, and nothing elsewhere', () => {
    expect(() => proof(undefined, true, 0)).toThrowError('role "u" does not exist');
    expect(proof(undefined, false, 0)).toBeInstanceOf(ScramExchange);
  });

  it('takes no password after its time', () => {
    const role = { ...plain, passwordVerifier: makeVerifier('x'), validUntil: '2020-01-01T00:00:00Z' };
    const exchange = proof(role, true, Date.parse('2021-01-01T00:00:00Z')) as ScramExchange;
    const client = new ScramClient('x');
    const last = client.last(exchange.first(client.first));
    expect(() => exchange.last(last)).toThrowError(expect.objectContaining({ code: '28P01' }));
  });

  it('lets nobody in from elsewhere without encryption', () => {
    expect(() => requireProof(applicant(false, { isEncrypted: false }), context(plain))).toThrowError(
      'no pg_hba.conf entry for host "10.1.2.3", user "u", database "shop", no encryption',
    );
  });

  it('goes by the first rule that fits', () => {
    const rules = new AuthenticationRules(`
      # connection databases users address method
      hostssl   shop,test  +clerks   10.1.0.0/16  cert
      hostnossl all        all       10.0.0.0/8   reject
      host      sameuser   u         ::1/128      trust
      host      all        all       loopback     scram-sha-256
      local     shop       u                      trust
    `);
    const method = (more: Partial<Applicant>): string | undefined => rules.methodFor(applicant(false, more));
    expect(method({})).toBe('cert');
    expect(method({ address: '::ffff:10.1.9.9' })).toBe('cert');
    expect(method({ database: 'other' })).toBeUndefined();
    expect(method({ isMemberOf: () => false })).toBeUndefined();
    expect(method({ isEncrypted: false })).toBe('reject');
    expect(method({ address: '11.0.0.1', isEncrypted: false })).toBeUndefined();
    expect(method({ address: '::1', database: 'u' })).toBe('trust');
    expect(method({ address: '127.0.0.1', isLoopback: true })).toBe('scram-sha-256');
    const unix = { address: undefined, isUnix: true, isLoopback: true, isEncrypted: false };
    expect(method(unix)).toBe('trust');
    expect(method({ ...unix, database: 'other' })).toBeUndefined();
    expect(() => requireProof(applicant(true, { ...unix, database: 'other' }), context(plain, { rules }))).toThrowError(
      'no pg_hba.conf entry for host "[local]", user "u", database "other", no encryption',
    );
    expect(() => requireProof(applicant(false, { isEncrypted: false }), context(plain, { rules }))).toThrowError(
      /no pg_hba.conf entry/,
    );
    expect(() => requireProof(applicant(false), context(plain, { rules }))).toThrowError(
      /certificate authentication failed/,
    );
    expect(requireProof(applicant(false), context(plain, { rules, certifiedName: 'u' }))).toBeUndefined();
  });

  it('knows the words of pg_hba.conf, and names in quotes', () => {
    const rules = new AuthenticationRules(`
      host replication      all            all                   trust
      host "all","sameuser" "+u", "a ""b"" c" 10.1.0.0 255.255.0.0 trust # the names, not what they say unquoted
      host samerole         all            10.0.0.0/8            scram-sha-256
    `);
    const method = (more: Partial<Applicant>): string | undefined => rules.methodFor(applicant(false, more));
    const isMemberOf = (role: string): boolean => role === 'crew';
    expect(method({ database: 'replication', isMemberOf })).toBeUndefined();
    expect(method({ database: 'crew', isMemberOf })).toBe('scram-sha-256');
    expect(method({ database: 'shop', isMemberOf })).toBeUndefined();
    expect(method({ database: 'all', user: 'a "b" c' })).toBe('trust');
    expect(method({ database: 'sameuser', user: '+u' })).toBe('trust');
    expect(method({ database: 'all', user: '+u', address: '10.2.0.1', isMemberOf })).toBeUndefined();
    expect(method({ database: 'u', user: 'u', isMemberOf })).toBeUndefined();
  });

  it('says which line is no rule', () => {
    const wrong =
      (text: string): (() => unknown) =>
      () =>
        new AuthenticationRules(text);
    expect(wrong('\nhost all all all')).toThrowError(/line 2: a rule is/);
    expect(wrong('local all all all trust')).toThrowError(/a rule is local, databases, users and method/);
    expect(wrong('unix all all all trust')).toThrowError(/"unix" is no connection/);
    expect(wrong('host all all all md5')).toThrowError(/"md5" is no method/);
    expect(wrong('host all all all cert')).toThrowError(/hostssl connections alone/);
    const addresses = ['10.0.0.0/33', 'nowhere', '1.2.3.4/x', '10.0.0.0/', '10.0.0.0/1e1', '10.0.0.0/8 255.0.0.0'];
    for (const address of [...addresses, '10.0.0.0 255.0.255.0', '10.0.0.0 ::1', 'samenet', 'all 255.0.0.0'])
      expect(wrong(`host all all ${address} trust`), address).toThrowError(/is no address/);
    expect(wrong('host @names all all trust')).toThrowError(/"@names": names in files/);
    expect(wrong('host all /^a all trust')).toThrowError(/"\/\^a": patterns of names/);
    expect(wrong('host samegroup all all trust')).toThrowError(/samerole/);
    expect(wrong('host all, all all')).toThrowError(/a rule is/);
    expect(wrong('host all,, all all trust')).toThrowError(/no name where ", all/);
    expect(wrong('host "all all all trust')).toThrowError(/no name where/);
    expect(wrong('host "a"b all all trust')).toThrowError(/a space is missing before "b /);
    expect(wrong('hostssl all all all cert clientcert=verify-full')).toThrowError(/"clientcert=verify-full": methods/);
  });
});
