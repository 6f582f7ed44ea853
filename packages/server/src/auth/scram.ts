/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, as PostgreSQL speaks it: the user name comes from the start-up
 * message and the one inside the exchange is not looked at.
 *
 *   client-first   n,,n=,r=<client nonce>                            or  y,,...  or  p=tls-server-end-point,,...
 *   server-first   r=<client nonce><server nonce>,s=<salt>,i=<iterations>
 *   client-final   c=biws,r=<both nonces>,p=<proof>                  c: what client-first began with, and the channel's binding behind it
 *   server-final   v=<server signature>
 *
 * Over TLS there are two mechanisms: -PLUS binds the proof to the channel (channel-binding.ts). A client that could bind and was told that the
 * server cannot says so (y), under the proof: somebody between has taken -PLUS off the list, and nobody is let in.
 *
 * What is stored of a password cannot be used to log in: StoredKey = H(ClientKey), and the proof needs ClientKey.
 *
 *   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>          base64
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { PhantomError } from '@phantom/base';
import { PROTOCOL_VIOLATION } from '../pg/protocol.js';

export const SCRAM_MECHANISM = 'SCRAM-SHA-256';
const BOUND_MECHANISM = `${SCRAM_MECHANISM}-PLUS`;
const BINDING_TYPE = 'tls-server-end-point';

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

/**
 * One exchange. `first`, then `last`; each may throw 08P01 for what is not SCRAM and 28000 where the channel is not the client's, `last` 28P01
 * for a wrong password.
 */
export class ScramExchange {
  /** Mechanisms to be offered, the best first. */
  readonly mechanisms: readonly string[];
  private readonly verifier: ScramVerifier;
  private readonly user: string;
  private readonly channel: Buffer | undefined;
  private readonly serverNonce: string;
  private isBound = false;
  private channelFlag = '';
  private nonce = '';
  private clientFirstBare = '';
  private serverFirst = '';

  /** `channel` is what the channel can be told by; undefined: it cannot. */
  constructor(
    user: string,
    verifier: ScramVerifier,
    channel?: Buffer,
    serverNonce: string = randomBytes(NONCE_BYTES).toString('base64'),
  ) {
    this.user = user;
    this.verifier = verifier;
    this.channel = channel;
    this.mechanisms = channel === undefined ? [SCRAM_MECHANISM] : [BOUND_MECHANISM, SCRAM_MECHANISM];
    this.serverNonce = serverNonce;
  }

  /** Takes the mechanism that was chosen and client-first, gives server-first. */
  first(message: string, mechanism: string = SCRAM_MECHANISM): string {
    if (!this.mechanisms.includes(mechanism))
      throw new PhantomError(
        PROTOCOL_VIOLATION,
        `client selected an invalid SASL authentication mechanism: ${mechanism}`,
      );
    this.isBound = mechanism === BOUND_MECHANISM;
    const match = /^([ny]|p=[A-Za-z0-9.-]+),(a=[^,]*)?,((?:n=[^,]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(message);
    if (match === null) throw malformed();
    const [, flag, authorization, bare, clientNonce] = match as unknown as [
      string,
      string,
      string | undefined,
      string,
      string,
    ];
    this.checkFlag(flag);
    if (authorization !== undefined)
      throw new PhantomError('0A000', 'an authorization identity in SCRAM is not supported');
    this.channelFlag = flag;
    this.clientFirstBare = bare;
    this.nonce = clientNonce + this.serverNonce;
    this.serverFirst = `r=${this.nonce},s=${this.verifier.salt},i=${this.verifier.iterations}`;
    return this.serverFirst;
  }

  /** Whether what the client says of bindings fits the mechanism that it has chosen, and what it was offered. */
  private checkFlag(flag: string): void {
    const isBinding = flag.startsWith('p');
    if (this.isBound && !isBinding)
      throw malformed(
        'The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.',
      );
    if (!this.isBound && isBinding)
      throw malformed(
        'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.',
      );
    if (isBinding && flag !== `p=${BINDING_TYPE}`)
      throw new PhantomError(PROTOCOL_VIOLATION, `unsupported SCRAM channel-binding type "${flag.slice(2)}"`);
    if (flag === 'y' && this.channel !== undefined)
      throw new PhantomError('28000', 'SCRAM channel binding negotiation error', {
        detail:
          'The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.',
      });
  }

  /** Takes client-final, gives server-final. 28P01 when the proof is wrong. */
  last(message: string): string {
    const match = /^(c=([^,]*),r=([^,]*)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/.exec(message);
    if (match === null) throw malformed();
    const [, withoutProof, binding, nonce, proofText] = match as unknown as [string, string, string, string, string];
    const header = Buffer.from(`${this.channelFlag},,`);
    const bound = this.isBound && this.channel !== undefined ? Buffer.concat([header, this.channel]) : header;
    if (binding !== bound.toString('base64')) {
      if (this.isBound) throw new PhantomError('28000', 'SCRAM channel binding check failed');
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

function malformed(detail?: string): PhantomError {
  return new PhantomError(PROTOCOL_VIOLATION, 'malformed SCRAM message', detail === undefined ? {} : { detail });
}
