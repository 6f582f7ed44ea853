/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, as PostgreSQL speaks it: the user name comes from the start-up
 * message and the one inside the exchange is not looked at; there is no channel binding without TLS.
 *
 *   client-first   n,,n=,r=<client nonce>
 *   server-first   r=<client nonce><server nonce>,s=<salt>,i=<iterations>
 *   client-final   c=biws,r=<both nonces>,p=<proof>
 *   server-final   v=<server signature>
 *
 * What is stored of a password cannot be used to log in: StoredKey = H(ClientKey), and the proof needs ClientKey.
 *
 *   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>          base64
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { PhantomError } from '@phantom/base';
import { PROTOCOL_VIOLATION } from '../pg/protocol.js';

export const SCRAM_MECHANISM = 'SCRAM-SHA-256';

const KEY_BYTES = 32;
const NONCE_BYTES = 18;
const MOCK_ITERATIONS = 4096;
const MOCK_SALT_BYTES = 16;

/** What is stored instead of a password. */
export interface ScramVerifier {
  readonly iterations: number;
  /** Base64. */
  readonly salt: string;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Reads a stored verifier; undefined when it is none. */
export function parseVerifier(text: string): ScramVerifier | undefined {
  const match = /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/.exec(text);
  if (match === null) return undefined;
  const [, iterations, salt, stored, server] = match as unknown as [string, string, string, string, string];
  const storedKey = Buffer.from(stored, 'base64');
  const serverKey = Buffer.from(server, 'base64');
  if (storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES || Number(iterations) < 1) return undefined;
  return { iterations: Number(iterations), salt, storedKey, serverKey };
}

/**
 * The verifier to try a password against: of nobody's making, so that no password fits it, for a user who does not exist or has no
 * password. The exchange looks the same to whoever guesses names, and takes the same work: both are made and read each time. The
 * salt depends on name and secret alone, so that asking twice does not tell either.
 */
export function verifierFor(user: string, stored: string | undefined, secret: Uint8Array): ScramVerifier {
  const salt = createHmac('sha256', secret).update(user).digest().subarray(0, MOCK_SALT_BYTES).toString('base64');
  const key = (): string => randomBytes(KEY_BYTES).toString('base64');
  const mock = `${SCRAM_MECHANISM}$${MOCK_ITERATIONS}:${salt}$${key()}:${key()}`;
  return parseVerifier(stored ?? mock) ?? (parseVerifier(mock) as ScramVerifier);
}

/** One exchange. `first`, then `last`; each may throw 08P01 for what is not SCRAM, `last` 28P01 for a wrong password. */
export class ScramExchange {
  private readonly verifier: ScramVerifier;
  private readonly user: string;
  private readonly serverNonce: string;
  private channelFlag = '';
  private nonce = '';
  private clientFirstBare = '';
  private serverFirst = '';

  constructor(
    user: string,
    verifier: ScramVerifier,
    serverNonce: string = randomBytes(NONCE_BYTES).toString('base64'),
  ) {
    this.user = user;
    this.verifier = verifier;
    this.serverNonce = serverNonce;
  }

  /** Takes client-first, gives server-first. */
  first(message: string): string {
    const match = /^([ny]),(a=[^,]*)?,((?:n=[^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(message);
    if (match === null) throw malformed();
    const [, flag, authorization, bare, clientNonce] = match as unknown as [
      string,
      string,
      string | undefined,
      string,
      string,
    ];
    if (authorization !== undefined)
      throw new PhantomError('0A000', 'an authorization identity in SCRAM is not supported');
    this.channelFlag = flag;
    this.clientFirstBare = bare;
    this.nonce = clientNonce + this.serverNonce;
    this.serverFirst = `r=${this.nonce},s=${this.verifier.salt},i=${this.verifier.iterations}`;
    return this.serverFirst;
  }

  /** Takes client-final, gives server-final. 28P01 when the proof is wrong. */
  last(message: string): string {
    const match = /^(c=([^,]*),r=([^,]*)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(message);
    if (match === null) throw malformed();
    const [, withoutProof, binding, nonce, proofText] = match as unknown as [string, string, string, string, string];
    if (binding !== Buffer.from(`${this.channelFlag},,`).toString('base64')) {
      throw new PhantomError(PROTOCOL_VIOLATION, 'unexpected SCRAM channel-binding attribute in client-final-message');
    }
    if (nonce !== this.nonce) {
      throw new PhantomError(PROTOCOL_VIOLATION, 'invalid SCRAM response', { detail: 'Nonce does not match.' });
    }
    const proof = Buffer.from(proofText, 'base64');
    if (proof.length !== KEY_BYTES) throw malformed();
    const conversation = `${this.clientFirstBare},${this.serverFirst},${withoutProof}`;
    const signature = hmac(this.verifier.storedKey, conversation);
    const clientKey = Buffer.alloc(KEY_BYTES);
    for (let i = 0; i < KEY_BYTES; i++) clientKey[i] = (proof[i] as number) ^ (signature[i] as number);
    const storedKey = createHash('sha256').update(clientKey).digest();
    if (!timingSafeEqual(storedKey, this.verifier.storedKey)) throw wrongPassword(this.user);
    return `v=${hmac(this.verifier.serverKey, conversation).toString('base64')}`;
  }
}

/** 28P01 in PostgreSQL's words: the same for a wrong password, a user without one and a user who does not exist. */
export function wrongPassword(user: string): PhantomError {
  return new PhantomError('28P01', `password authentication failed for user "${user}"`);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function malformed(): PhantomError {
  return new PhantomError(PROTOCOL_VIOLATION, 'malformed SCRAM message');
}
