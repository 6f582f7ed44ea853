/**
 * The oracle: what an engine must show, kept in the plainest way there is. Keys are hexadecimal text, which sorts like
 * the bytes; a snapshot is a copy of the whole map.
 */
import { toHex } from '@phantom/base';

export type ModelOperation =
  | { readonly kind: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'remove'; readonly key: Uint8Array }
  | { readonly kind: 'removeRange'; readonly lower: Uint8Array; readonly upper: Uint8Array };

export interface ModelEntry {
  /** The key as hexadecimal text. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly value: Uint8Array;
}

export class Model {
  private readonly map: Map<string, ModelEntry>;
  /** All entries in key order, from when they are asked for until the next change. */
  private sorted: readonly ModelEntry[] | undefined;

  constructor() {
    this.map = new Map();
  }

  /** A model that holds these keys and values. */
  static of(pairs: Iterable<readonly [Uint8Array, Uint8Array]>): Model {
    const model = new Model();
    for (const [key, value] of pairs) model.apply({ kind: 'put', key, value });
    return model;
  }

  apply(operation: ModelOperation): void {
    const { map } = this;
    this.sorted = undefined;
    if (operation.kind === 'put') {
      const key = toHex(operation.key);
      map.set(key, { key, keyBytes: operation.key, value: operation.value });
    } else if (operation.kind === 'remove') {
      map.delete(toHex(operation.key));
    } else {
      const lower = toHex(operation.lower);
      const upper = toHex(operation.upper);
      for (const key of map.keys()) if (key >= lower && key < upper) map.delete(key);
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.map.get(toHex(key))?.value;
  }

  /** Entries of a range in key order. */
  entries(lower: Uint8Array, upper: Uint8Array | undefined): ModelEntry[] {
    const from = toHex(lower);
    const to = upper === undefined ? undefined : toHex(upper);
    this.sorted ??= [...this.map.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.sorted.filter(({ key }) => key >= from && (to === undefined || key < to));
  }

  clone(): Model {
    const clone = new Model();
    for (const [key, entry] of this.map) clone.map.set(key, entry);
    clone.sorted = this.sorted;
    return clone;
  }
}
