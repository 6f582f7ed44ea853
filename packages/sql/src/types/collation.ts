/** Collations: binary unless a name says otherwise; named ones through Intl.Collator. */

const BINARY: ReadonlySet<string> = new Set(['C', 'POSIX', 'ucs_basic', 'default', 'C.utf8', 'C.UTF-8']);

/** True for a collation that is the order of bytes. */
export function isBinaryCollation(name: string): boolean {
  return BINARY.has(name);
}

const ASCII_ONLY: ReadonlySet<string> = new Set(['C', 'POSIX', 'ucs_basic']);

/** True for a collation in which no letter but those of ASCII has a case. */
export function knowsAsciiOnly(name: string): boolean {
  return ASCII_ONLY.has(name);
}

/** The BCP 47 tag behind a collation's name; undefined for the root locale. */
export function localeTag(collation: string): string | undefined {
  const tag = collation
    .replace(/-x-icu$/, '')
    .replace(/\..*$/, '')
    .replaceAll('_', '-');
  return tag === 'und' ? undefined : tag;
}

/** True for a name that a collation has: one of binary order, or a locale that Intl knows. */
export function isCollation(name: string): boolean {
  if (BINARY.has(name)) return true;
  try {
    const tag = localeTag(name);
    return tag === undefined || Intl.Collator.supportedLocalesOf(tag).length > 0;
  } catch {
    // No tag of a language at all.
    return false;
  }
}

const collators = new Map<string, (a: string, b: string) => number>();

/** Comparison of a named collation; undefined for binary order. Ties are broken in binary order, so that it is total. */
export function collatorFor(collation: string | undefined): ((a: string, b: string) => number) | undefined {
  if (collation === undefined || BINARY.has(collation)) return undefined;
  let compare = collators.get(collation);
  if (compare === undefined) {
    const collator = new Intl.Collator(localeTag(collation));
    compare = (a, b) => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
    collators.set(collation, compare);
  }
  return compare;
}
