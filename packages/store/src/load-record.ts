/**
 * What the log says of a bulk load: the files that one engine takes over, in the order of their keys. Their bytes are not in
 * the log; they were durable before the record. Whoever follows changes learns from the ends which keys it touched.
 *
 *   u8       engine code
 *   bytes    first key, with its length (varint) before it
 *   bytes    last key, likewise
 *   varint   number of files, and for each:
 *              bytes    name within the engine's directory, ASCII, likewise
 *              varint   entries
 *              varint   bytes
 */
import { ByteReader, ByteWriter, compareKeys, corruptionError } from '@phantom/base';
import type { EngineCode, KeyRange, SortedRunRef } from '@phantom/kv';

export interface LoadRecord {
  readonly engine: EngineCode;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  /** Their paths are names within the engine's directory. */
  readonly files: readonly SortedRunRef[];
}

export function encodeLoad({ engine, firstKey, lastKey, files }: LoadRecord): Uint8Array {
  const out = new ByteWriter(256);
  out.u8(engine);
  out.lengthPrefixed(firstKey);
  out.lengthPrefixed(lastKey);
  out.varint(files.length);
  for (const { path, entries, bytes } of files) {
    out.lengthPrefixed(new TextEncoder().encode(path));
    out.varint(entries);
    out.varint(bytes);
  }
  return out.take();
}

/** XX001 for what is no such record. */
export function decodeLoad(payload: Uint8Array): LoadRecord {
  const reader = new ByteReader(payload, 'log');
  const engine = reader.u8() as EngineCode;
  const firstKey = reader.lengthPrefixed();
  const lastKey = reader.lengthPrefixed();
  const files: SortedRunRef[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const path = new TextDecoder().decode(reader.lengthPrefixed());
    files.push({ path, entries: reader.varint(), bytes: reader.varint() });
  }
  if (reader.remaining !== 0) throw corruptionError('a load record is malformed', { file: 'log' });
  return { engine, firstKey, lastKey, files };
}

/** Whether the load may have a key of the range. */
export function touchesRange({ firstKey, lastKey }: LoadRecord, { lower, upper }: KeyRange): boolean {
  return compareKeys(lastKey, lower) >= 0 && (upper === undefined || compareKeys(firstKey, upper) < 0);
}
