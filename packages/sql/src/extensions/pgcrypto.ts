/** pgcrypto: hashes, ciphers, random bytes and passwords, by Node's own cryptography. Left out is what speaks OpenPGP. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { PhantomError } from '@phantom/base';
import type { Implementation, Implementations } from '../functions/implementation.js';
import { generalFunctions } from '../functions/general-functions.js';
import { crypt, newSalt } from './crypt.js';
import type { ExtensionFacts } from './extension.js';

/** The form of the lines is told in extension.ts. */
export const cryptoFacts: ExtensionFacts = {
  name: 'pgcrypto',
  version: '1.3',
  description: 'cryptographic functions',
  requires: [],
  types: [],
  functions: `
digest text,text bytea ix pg_digest
digest bytea,text bytea ix pg_digest
hmac text,text,text bytea ix pg_hmac
hmac bytea,bytea,text bytea ix pg_hmac
crypt text,text text ix pg_crypt
gen_salt text text vx pg_gen_salt
gen_salt text,int4 text vx pg_gen_salt_rounds
encrypt bytea,bytea,text bytea ix pg_encrypt
decrypt bytea,bytea,text bytea ix pg_decrypt
encrypt_iv bytea,bytea,bytea,text bytea ix pg_encrypt_iv
decrypt_iv bytea,bytea,bytea,text bytea ix pg_decrypt_iv
gen_random_bytes int4 bytea vx pg_random_bytes
gen_random_uuid - uuid v pg_random_uuid
`,
  operators: '',
  casts: '',
  operatorClasses: '',
  bodies: {},
};

const HASHES: ReadonlySet<string> = new Set(['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']);
const RANDOM_BYTES_MAX = 1024;
const BLOCK_BYTES = 16;
/** Bytes of the keys of AES. */
const KEY_BYTES = [16, 24, 32];
/** Ciphers of PostgreSQL's that are not here. */
const OTHER_CIPHERS: ReadonlySet<string> = new Set(['bf', 'blowfish', 'des', '3des', 'cast5']);
const CIPHER = /^(aes(?:128|192|256)?|rijndael|[a-z0-9]+)(?:-(cbc|ecb))?(?:\/pad:(pkcs|none))?$/;

function hashNamed(name: string): string {
  const hash = name.toLowerCase();
  if (HASHES.has(hash)) return hash;
  throw new PhantomError('22023', `Cannot use "${name}": No such hash algorithm`);
}

/** How a text such as `aes-cbc/pad:pkcs` has bytes encrypted. */
interface CipherKind {
  readonly mode: string;
  readonly pads: boolean;
}

function cipherNamed(text: string): CipherKind {
  const found = CIPHER.exec(text.toLowerCase());
  const [, name = '', mode = 'cbc', padding = 'pkcs'] = found ?? [];
  if (OTHER_CIPHERS.has(name))
    throw new PhantomError('0A000', `the cipher "${name}" is not supported`, { hint: 'There is aes.' });
  if (!name.startsWith('aes') && name !== 'rijndael')
    throw new PhantomError('22023', `Cannot use "${text}": No such cipher algorithm`);
  return { mode, pads: padding === 'pkcs' };
}

/** The first bytes, filled up with zeros. */
function fitted(bytes: Uint8Array, length: number): Uint8Array {
  const made = new Uint8Array(length);
  made.set(bytes.subarray(0, length));
  return made;
}

type Direction = 'encrypt' | 'decrypt';

/** 39000 where the bytes are no whole blocks, or do not end as padded ones do. */
function transform(
  direction: Direction,
  data: Uint8Array,
  key: Uint8Array,
  vector: Uint8Array,
  type: string,
): Uint8Array {
  const { mode, pads } = cipherNamed(type);
  const keyBytes = KEY_BYTES.find((length) => key.length <= length) ?? (KEY_BYTES.at(-1) as number);
  const name = `aes-${keyBytes * 8}-${mode}`;
  const start = mode === 'ecb' ? null : fitted(vector, BLOCK_BYTES);
  const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  const cipher = make(name, fitted(key, keyBytes), start).setAutoPadding(pads);
  try {
    return new Uint8Array(Buffer.concat([cipher.update(data), cipher.final()]));
  } catch (cause) {
    const what = direction === 'encrypt' ? 'Encryption' : 'Decryption';
    throw new PhantomError('39000', `${direction} error: ${what} failed`, { cause });
  }
}

const NO_VECTOR = new Uint8Array(0);

function ciphers(direction: Direction): Record<string, Implementation> {
  return {
    [`pg_${direction}`]: (data: Uint8Array, key: Uint8Array, type: string) =>
      transform(direction, data, key, NO_VECTOR, type),
    [`pg_${direction}_iv`]: (data: Uint8Array, key: Uint8Array, vector: Uint8Array, type: string) =>
      transform(direction, data, key, vector, type),
  };
}

export const cryptoCode: Implementations = {
  pg_digest: (data: string | Uint8Array, type: string) =>
    new Uint8Array(createHash(hashNamed(type)).update(data).digest()),
  pg_hmac: (data: string | Uint8Array, key: string | Uint8Array, type: string) =>
    new Uint8Array(createHmac(hashNamed(type), key).update(data).digest()),
  pg_crypt: crypt,
  pg_gen_salt: (kind: string) => newSalt(kind, 0),
  pg_gen_salt_rounds: newSalt,
  ...ciphers('encrypt'),
  ...ciphers('decrypt'),
  pg_random_bytes: (count: number) => {
    if (count < 1 || count > RANDOM_BYTES_MAX) throw new PhantomError('39000', 'Length not in range');
    return new Uint8Array(randomBytes(count));
  },
  pg_random_uuid: generalFunctions['gen_random_uuid'] as Implementation,
};
