/**
 * Which places of a document an update has changed, as dotted paths: the shortest list that says it all in most cases. Elements of an
 * array are places of their own while it does not get shorter. Updates share what they leave alone, so unchanged parts are
 * recognized without looking into them.
 */
import { type PlainObject, isObject } from '../order.js';
import { identical } from '../update/places.js';

export interface ChangedPaths {
  readonly updated: readonly string[];
  readonly removed: readonly string[];
}

/** Paths told one by one; past it only top-level fields are. */
const PATHS_MAX = 64;

/** The places that differ. Paths of `updated` lead to something in `after`, those of `removed` to a field of `before`. */
export function changedPaths(before: PlainObject, after: PlainObject): ChangedPaths {
  const changes = new Changes(Number.POSITIVE_INFINITY);
  changes.compareObjects(before, after, '', 0);
  if (changes.updated.length + changes.removed.length <= PATHS_MAX) return changes;
  const coarse = new Changes(0);
  coarse.compareObjects(before, after, '', 0);
  return coarse;
}

class Changes implements ChangedPaths {
  readonly updated: string[] = [];
  readonly removed: string[] = [];
  private readonly depthMax: number;

  constructor(depthMax: number) {
    this.depthMax = depthMax;
  }

  compareObjects(before: PlainObject, after: PlainObject, prefix: string, depth: number): void {
    for (const name in after) {
      if (!Object.hasOwn(after, name)) continue;
      if (!Object.hasOwn(before, name)) {
        this.updated.push(prefix + name);
        continue;
      }
      if (!Object.is(before[name], after[name])) this.compare(before[name], after[name], prefix + name, depth);
    }
    for (const name in before) {
      if (Object.hasOwn(before, name) && !Object.hasOwn(after, name)) this.removed.push(prefix + name);
    }
  }

  private compare(before: unknown, after: unknown, path: string, depth: number): void {
    if (Object.is(before, after)) return;
    if (depth < this.depthMax) {
      if (isObject(before) && isObject(after)) {
        this.compareObjects(before, after, `${path}.`, depth + 1);
        return;
      }
      if (Array.isArray(before) && Array.isArray(after) && after.length >= before.length) {
        for (let i = 0; i < after.length; i++) {
          if (i >= before.length) this.updated.push(`${path}.${i}`);
          else this.compare(before[i], after[i], `${path}.${i}`, depth + 1);
        }
        return;
      }
    }
    if (!identical(before, after)) this.updated.push(path);
  }
}
