/**
 * Who is let in, and by what proof. rules.ts says which method there is for whom; where there are no rules:
 *
 *   role with a password     SCRAM-SHA-256; from elsewhere than loopback encrypted only
 *   role without a password  trusted from a loopback address and by a socket in the file system, refused from elsewhere
 *   no such role             said plainly on loopback; from elsewhere it fails as a wrong password does
 */
import type { LoginRole } from '../pg/database-session.js';
import { type FatalError, fatal } from '../pg/reports.js';
import type { Applicant, AuthenticationMethod, AuthenticationRules } from './rules.js';
import { ScramExchange, verifierFor, wrongPassword } from './scram.js';

/** True for 127.0.0.0/8, ::1 and IPv4 loopback in IPv6 form. */
export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address ?? '');
}

/** True for a host name or address that means loopback alone. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

/** What is known besides the applicant. */
export interface AuthenticationContext {
  readonly role: LoginRole | undefined;
  readonly rules: AuthenticationRules | undefined;
  /** Common name of a certificate that was shown and is good. */
  readonly certifiedName: string | undefined;
  /** What the client's proof can be bound to; undefined: nothing. */
  readonly channelBinding: Buffer | undefined;
  /** Secret of this process, for exchanges that must fail. */
  readonly secret: Uint8Array;
  readonly nowMs: number;
}

/** What a client has to do: nothing, or the exchange. Throws FatalError with 28000 when there is no way in for it. */
export function requireProof(applicant: Applicant, context: AuthenticationContext): ScramExchange | undefined {
  const { role, secret, nowMs } = context;
  const { user } = applicant;
  switch (methodFor(applicant, context)) {
    case 'trust':
      if (role === undefined) throw fatal('28000', `role "${user}" does not exist`);
      return undefined;
    case 'cert':
      if (role === undefined || context.certifiedName !== user)
        throw fatal('28000', `certificate authentication failed for user "${user}"`);
      return undefined;
    case 'scram-sha-256': {
      const stored = isExpired(role, nowMs) ? undefined : role?.passwordVerifier;
      return new ScramExchange(user, verifierFor(user, stored, secret), context.channelBinding);
    }
    default:
      throw noEntry(applicant);
  }
}

function methodFor(applicant: Applicant, { role, rules }: AuthenticationContext): AuthenticationMethod | undefined {
  if (rules !== undefined) return rules.methodFor(applicant);
  if (applicant.isLoopback) return role?.passwordVerifier === undefined ? 'trust' : 'scram-sha-256';
  return applicant.isEncrypted ? 'scram-sha-256' : undefined;
}

/** As PostgreSQL says it: clients look for these words. */
function noEntry({ user, database, address, isUnix, isEncrypted }: Applicant): FatalError {
  const encryption = isEncrypted ? 'SSL encryption' : 'no encryption';
  return fatal(
    '28000',
    `no pg_hba.conf entry for host "${isUnix ? '[local]' : (address ?? '')}", user "${user}", database "${database}", ${encryption}`,
  );
}

/** FatalError with 28P01 for who may not come in whatever the exchange said: the last look before the door opens. */
export function refuseWithoutPassword(user: string, role: LoginRole | undefined): void {
  if (role?.passwordVerifier !== undefined) return;
  const error = wrongPassword(user);
  throw fatal(error.code, error.message);
}

function isExpired(role: LoginRole | undefined, nowMs: number): boolean {
  return role?.validUntil !== undefined && Date.parse(role.validUntil) < nowMs;
}
