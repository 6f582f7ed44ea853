/** The extensions that CREATE EXTENSION can make. */
import { citextFacts } from './citext-facts.js';
import type { ExtensionFacts } from './extension.js';
import { trigramFacts } from './pg-trgm-facts.js';

export const AVAILABLE: readonly ExtensionFacts[] = [citextFacts, trigramFacts];

/** Undefined where there is none of that name. */
export function availableExtension(name: string): ExtensionFacts | undefined {
  return AVAILABLE.find((facts) => facts.name === name);
}
