/** The extensions that CREATE EXTENSION can make. */
import { citextFacts } from './citext-facts.js';
import type { ExtensionFacts } from './extension.js';
import { fuzzyFacts } from './fuzzystrmatch.js';
import { cryptoFacts } from './pgcrypto.js';
import { unaccentFacts } from './unaccent.js';
import { trigramFacts } from './pg-trgm-facts.js';

export const AVAILABLE: readonly ExtensionFacts[] = [citextFacts, cryptoFacts, fuzzyFacts, trigramFacts, unaccentFacts];

/** Undefined where there is none of that name. */
export function availableExtension(name: string): ExtensionFacts | undefined {
  return AVAILABLE.find((facts) => facts.name === name);
}
