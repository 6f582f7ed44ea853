/**
 * Who may ask over HTTP: bearer tokens, each for one role and one database.
 *
 *   # role      database   SHA-256 of the token, in hex
 *   reports     shop       9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *
 * What is kept of a token is its hash. Tokens are long and random, so a plain hash is as good as a slow one, and finding a
 * hash in a map tells nothing of the others.
 */
import { createHash, randomBytes } from 'node:crypto';
import { PhantomError } from '@phantom/base';

/** What a token opens. */
export interface Access {
  readonly role: string;
  readonly database: string;
}

const TOKEN_BYTES = 32;
const TOKENS_MAX = 10_000;

export class AccessTokens {
  private readonly byHash: ReadonlyMap<string, Access>;

  /** Reads lines of role, database and hash; 22023 with the number of the line that is none. */
  constructor(text: string) {
    const byHash = new Map<string, Access>();
    for (const [i, line] of text.split('\n').entries()) {
      const words = line.replace(/#.*$/, '').trim().split(/\s+/);
      if (words[0] === '') continue;
      const [role, database, hash = ''] = words as [string, string?, string?];
      if (database === undefined || words.length !== 3 || !/^[0-9a-f]{64}$/.test(hash))
        throw new PhantomError('22023', `token in line ${i + 1}: a role, a database, and a SHA-256 in hex`, {
          data: { line: i + 1 },
        });
      byHash.set(hash, { role, database });
    }
    if (byHash.size > TOKENS_MAX) throw new PhantomError('54000', `more than ${TOKENS_MAX} tokens`);
    this.byHash = byHash;
  }

  /** What the token opens; undefined for one that is not known. */
  accessOf(token: string): Access | undefined {
    return this.byHash.get(hashOf(token));
  }
}

/** A new token, and the line that lets it in. The token itself is nowhere kept. */
export function makeToken(access: Access): { readonly token: string; readonly line: string } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  return { token, line: `${access.role} ${access.database} ${hashOf(token)}` };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
