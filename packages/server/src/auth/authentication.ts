/**
 * Who is let in, and by what proof. Without a pg_hba file the rules are three:
 *
 *   role with a password     SCRAM-SHA-256, from anywhere
 *   role without a password  trusted from a loopback address, refused from elsewhere
 *   no such role             said plainly on loopback; from elsewhere it fails as a wrong password does
 */
import type { LoginRole } from '../pg/database-session.js';
import { fatal } from '../pg/reports.js';
import { ScramExchange, mockVerifier, parseVerifier, wrongPassword } from './scram.js';

/** True for 127.0.0.0/8, ::1, IPv4 loopback in IPv6 form, and sockets without an address. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined || address === '') return true;
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address);
}

/** True for a host name or address that means loopback alone. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}

/** What a client has to do: nothing, or the exchange. Throws FatalError with 28000 when there is no such role to trust. */
export function requireProof(
  user: string,
  role: LoginRole | undefined,
  isLocal: boolean,
  secret: Uint8Array,
  nowMs: number,
): ScramExchange | undefined {
  const stored = role?.passwordVerifier;
  if (stored === undefined && isLocal) {
    if (role === undefined) throw fatal('28000', `role "${user}" does not exist`);
    return undefined;
  }
  const verifier = stored === undefined || isExpired(role, nowMs) ? undefined : parseVerifier(stored);
  return new ScramExchange(user, verifier ?? mockVerifier(user, secret));
}

/** FatalError with 28P01 for who may not come in whatever the exchange said: the last look before the door opens. */
export function refuseWithoutPassword(user: string, role: LoginRole | undefined, isLocal: boolean): void {
  if (role === undefined || (role.passwordVerifier === undefined && !isLocal)) {
    const error = wrongPassword(user);
    throw fatal(error.code, error.message);
  }
}

function isExpired(role: LoginRole | undefined, nowMs: number): boolean {
  return role?.validUntil !== undefined && Date.parse(role.validUntil) < nowMs;
}
