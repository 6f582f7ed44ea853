/**
 * What the log says of a bulk load: the files that an engine takes over, in the order of their keys. Their bytes are not in
 * the log; they were durable before the record. Whoever follows changes learns from the ends which keys it touched. A record
 * has one load, or several of different engines, back to back, which are one commit; of each:
 *
 *   u8       engine code
 *   bytes    first key, with its length (varint) before it
 *   bytes    last key, likewise
 *   varint   number of files, and for each:
 *              bytes    name within the engine's directory, ASCII, likewise
 *              varint   entries
 *              varint   bytes
 */
import { ByteReader, ByteWriter, compareKeys } from '@phantom/base';
import type { EngineCode, KeyRange, SortedRunRef } from '@phantom/kv';

export interface LoadRecord {
  readonly engine: EngineCode;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  /** Their paths are names within the engine's directory. */
  readonly files: readonly SortedRunRef[];
}

export function encodeLoads(loads: readonly LoadRecord[]): Uint8Array {
  const out = new ByteWriter(256);
  for (const { engine, firstKey, lastKey, files } of loads) {
    out.u8(engine);
    out.lengthPrefixed(firstKey);
    out.lengthPrefixed(lastKey);
    out.varint(files.length);
    for (const { path, entries, bytes } of files) {
      out.lengthPrefixed(new TextEncoder().encode(path));
      out.varint(entries);
      out.varint(bytes);
    }
  }
  return out.take();
}

/** XX001 for what is no such record. */
export function decodeLoads(payload: Uint8Array): readonly LoadRecord[] {
  const reader = new ByteReader(payload, 'log');
  const loads: LoadRecord[] = [];
  do loads.push(readLoad(reader));
  while (reader.remaining > 0);
  return loads;
}

function readLoad(reader: ByteReader): LoadRecord {
  const engine = reader.u8() as EngineCode;
  const firstKey = reader.lengthPrefixed();
  const lastKey = reader.lengthPrefixed();
  const files: SortedRunRef[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const path = new TextDecoder().decode(reader.lengthPrefixed());
    files.push({ path, entries: reader.varint(), bytes: reader.varint() });
  }
  return { engine, firstKey, lastKey, files };
}

/** Whether the load may have a key of the range. */
export function touchesRange({ firstKey, lastKey }: LoadRecord, { lower, upper }: KeyRange): boolean {
  return compareKeys(lastKey, lower) >= 0 && (upper === undefined || compareKeys(firstKey, upper) < 0);
}
