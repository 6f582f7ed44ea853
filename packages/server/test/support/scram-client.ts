/** The client's side of SCRAM-SHA-256, and verifiers, after RFC 5802: independent of the server's code. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** What PostgreSQL stores of a password. */
export function makeVerifier(password: string, iterations = 4096, salt = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${hmac(salted, 'Server Key').toString('base64')}`;
}

export class ScramClient {
  readonly first: string;
  private readonly password: string;
  private readonly bare: string;
  private readonly flag: string;
  private readonly channel: Buffer;
  private expected = '';

  constructor(
    password: string,
    flag = 'n',
    channel: Buffer = Buffer.alloc(0),
    nonce = randomBytes(18).toString('base64'),
  ) {
    this.password = password;
    this.flag = flag;
    this.channel = channel;
    this.bare = `n=,r=${nonce}`;
    this.first = `${flag},,${this.bare}`;
  }

  last(serverFirst: string): string {
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) as unknown as [
      string,
      string,
      string,
      string,
    ];
    const salted = pbkdf2Sync(this.password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${Buffer.concat([Buffer.from(`${this.flag},,`), this.channel]).toString('base64')},r=${nonce}`;
    const conversation = `${this.bare},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), conversation);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] as number)));
    this.expected = `v=${hmac(hmac(salted, 'Server Key'), conversation).toString('base64')}`;
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** Whether the server has shown that it knows the verifier. */
  accepts(serverFinal: string): boolean {
    return serverFinal === this.expected;
  }
}
