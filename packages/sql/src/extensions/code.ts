/** What functions of extensions run, by the symbol that their descriptors have for source. */
import { PhantomError } from '@phantom/base';
import type { Implementation, Implementations } from '../functions/implementation.js';
import { implementations } from '../functions/implementations.js';
import { citextCode } from './citext.js';
import { fuzzyCode } from './fuzzystrmatch.js';
import { cryptoCode } from './pgcrypto.js';
import { unaccentCode } from './unaccent.js';
import { trigramCode } from './pg-trgm.js';

const CODE: Implementations = {
  ...citextCode,
  ...cryptoCode,
  ...fuzzyCode,
  ...trigramCode,
  ...unaccentCode,
};

/** The code of a symbol, which may be that of a built-in function; 42883 where a later release has made the function. */
export function codeOfSymbol(symbol: string): Implementation {
  const code = CODE[symbol] ?? implementations[symbol];
  if (code !== undefined) return code;
  throw new PhantomError('42883', `could not find function "${symbol}" of an extension`);
}
