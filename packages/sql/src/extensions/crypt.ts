/**
 * crypt() of pgcrypto: hashes of passwords by a salt that says how. There are bcrypt (`bf`) and the MD5 of FreeBSD (`md5`); those of DES, which
 * anybody breaks, are left out.
 */
import { createHash, randomBytes } from 'node:crypto';
import { PhantomError } from '@phantom/base';
import { encodeBase64, hashSync } from 'bcryptjs';

/** More rounds of bcrypt would hold everybody up for seconds: 54000. */
const BCRYPT_ROUNDS_MAX = 14;
const BCRYPT_ROUNDS = { least: 4, most: 31, usual: 6 };
const BCRYPT = /^\$2([ax])\$(\d\d)\$([./A-Za-z\d]{22})/;
const BCRYPT_SALT_BYTES = 16;
const MD5_PREFIX = '$1$';
const MD5_ROUNDS = 1000;
const MD5_SALT_CHARACTERS = 8;
const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** How the bytes of the last MD5 come together to numbers of 24 bits. */
const MD5_ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

function digitsOf(number: number, count: number): string {
  let text = '';
  for (let i = 0, rest = number; i < count; i++, rest >>>= 6) text += DIGITS[rest & 63];
  return text;
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The MD5 of FreeBSD's crypt(3): a thousand rounds of password, salt and what came before, in turns. */
function md5Hash(password: Uint8Array, saltText: string): string {
  const salt = Buffer.from(saltText);
  const inner = md5(password, salt, password);
  const parts: Uint8Array[] = [password, Buffer.from(MD5_PREFIX), salt];
  for (let left = password.length; left > 0; left -= inner.length)
    parts.push(inner.subarray(0, Math.min(left, inner.length)));
  for (let bits = password.length; bits > 0; bits >>= 1)
    parts.push((bits & 1) === 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  let last = md5(...parts);
  for (let round = 0; round < MD5_ROUNDS; round++) {
    const isOdd = (round & 1) === 1;
    const between = [...(round % 3 === 0 ? [] : [salt]), ...(round % 7 === 0 ? [] : [password])];
    last = md5(isOdd ? password : last, ...between, isOdd ? last : password);
  }
  const groups = MD5_ORDER.map(([a, b, c]) =>
    digitsOf(((last[a] as number) << 16) | ((last[b] as number) << 8) | (last[c] as number), 4),
  );
  return `${MD5_PREFIX}${saltText}$${groups.join('')}${digitsOf(last[11] as number, 2)}`;
}

function invalidSalt(): PhantomError {
  return new PhantomError('22023', 'invalid salt');
}

/** The hash of a password by a salt, or by a hash, which begins with one. 22023 for no salt, 0A000 for that of DES. */
export function crypt(text: string, saltText: string): string {
  const password = Buffer.from(text);
  if (saltText.startsWith(MD5_PREFIX)) {
    const [salt = ''] = saltText.slice(MD5_PREFIX.length).split('$');
    return md5Hash(password, salt.slice(0, MD5_SALT_CHARACTERS));
  }
  const bcrypt = BCRYPT.exec(saltText);
  if (bcrypt !== null) {
    const [salt, variant, written] = bcrypt;
    const rounds = Number(written);
    if (rounds < BCRYPT_ROUNDS.least || rounds > BCRYPT_ROUNDS.most) throw invalidSalt();
    if (variant !== 'a') throw new PhantomError('0A000', `hashes that begin with $2${variant}$ are not supported`);
    if (rounds > BCRYPT_ROUNDS_MAX)
      throw new PhantomError('54000', `crypt() takes at most ${BCRYPT_ROUNDS_MAX} rounds of bf`, { family: 'limit' });
    return hashSync(text, salt);
  }
  if (saltText.startsWith('$') || saltText.length < 2) throw invalidSalt();
  throw new PhantomError('0A000', 'crypt() by DES is not supported', { hint: "Use gen_salt('bf')." });
}

/** A new salt; 22023 for a kind that nobody knows, and rounds that it does not have. */
export function newSalt(kind: string, rounds: number): string {
  const wrongRounds = new PhantomError('22023', 'gen_salt: Incorrect number of rounds');
  switch (kind.toLowerCase()) {
    case 'bf': {
      const count = rounds === 0 ? BCRYPT_ROUNDS.usual : rounds;
      if (count < BCRYPT_ROUNDS.least || count > BCRYPT_ROUNDS.most) throw wrongRounds;
      return `$2a$${String(count).padStart(2, '0')}$${encodeBase64(randomBytes(BCRYPT_SALT_BYTES), BCRYPT_SALT_BYTES)}`;
    }
    case 'md5':
      if (rounds !== 0 && rounds !== MD5_ROUNDS) throw wrongRounds;
      return MD5_PREFIX + Array.from(randomBytes(MD5_SALT_CHARACTERS), (byte) => DIGITS[byte & 63]).join('');
    case 'des':
    case 'xdes':
      throw new PhantomError('0A000', `gen_salt('${kind}') is not supported`, { hint: "Use gen_salt('bf')." });
    default:
      throw new PhantomError('22023', 'gen_salt: Unknown salt algorithm');
  }
}
