/**
 * Passwords as the catalog keeps them: SCRAM-SHA-256 verifiers (RFC 5803) in PostgreSQL's form, never the password.
 *
 *   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>      all but the number in base64
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { unsupportedError } from '@phantom/base';

const ITERATIONS = 4096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const VERIFIER = /^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$/;

/** The verifier of a password; one that is a verifier already stays as it is. */
export function passwordVerifier(password: string): string {
  if (VERIFIER.test(password)) return password;
  if (/^md5[0-9a-f]{32}$/.test(password)) throw unsupportedError('MD5 password hashes');
  const salt = randomBytes(SALT_BYTES);
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, ITERATIONS, KEY_BYTES, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
