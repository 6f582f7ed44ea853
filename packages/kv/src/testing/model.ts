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
  readonly key: string;
  readonly value: Uint8Array;
}

export class Model {
  private readonly map: Map<string, Uint8Array>;

  constructor(map: Map<string, Uint8Array> = new Map()) {
    this.map = map;
  }

  apply(operation: ModelOperation): void {
    const { map } = this;
    if (operation.kind === 'put') {
      map.set(toHex(operation.key), operation.value);
    } else if (operation.kind === 'remove') {
      map.delete(toHex(operation.key));
    } else {
      const lower = toHex(operation.lower);
      const upper = toHex(operation.upper);
      for (const key of map.keys()) if (key >= lower && key < upper) map.delete(key);
    }
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.map.get(toHex(key));
  }

  /** Entries of a range in key order. */
  entries(lower: Uint8Array, upper: Uint8Array | undefined): ModelEntry[] {
    const from = toHex(lower);
    const to = upper === undefined ? undefined : toHex(upper);
    const entries: ModelEntry[] = [];
    for (const [key, value] of this.map) {
      if (key >= from && (to === undefined || key < to)) entries.push({ key, value });
    }
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  clone(): Model {
    return new Model(new Map(this.map));
  }
}
