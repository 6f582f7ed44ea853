/** A reader of manifests written from docs/formats/lsm.md alone: nothing of the package's own code. */
export type Hash64 = (bytes: Uint8Array, seed: bigint) => bigint;

export interface ReadRunEntry {
  readonly number: number;
  readonly bytes: number;
  readonly identity: number;
  readonly seqBase: number | undefined;
  readonly level: number;
  readonly age: number;
}

export interface ReadManifest {
  readonly generation: number;
  readonly flushedSeq: number;
  readonly nextNumber: number;
  readonly runs: readonly ReadRunEntry[];
}

/** The manifest that counts among the files of a directory. */
export function readDirectory(files: ReadonlyMap<string, Uint8Array>, hash: Hash64): ReadManifest | undefined {
  let newest: ReadManifest | undefined;
  for (const [name, bytes] of files) {
    const digits = /^manifest-(\d{16})$/.exec(name)?.[1];
    const manifest = digits === undefined ? undefined : readManifest(bytes, Number(digits), hash);
    if (manifest !== undefined && manifest.generation > (newest?.generation ?? 0)) newest = manifest;
  }
  return newest;
}

function readManifest(file: Uint8Array, number: number, hash: Hash64): ReadManifest | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < 48 || new TextDecoder('latin1').decode(file.slice(0, 8)) !== 'PhLsmMf\n') return undefined;
  if (hash(file.slice(0, 40), 0n) !== view.getBigUint64(40, true)) return undefined;
  const format = view.getUint16(8, true);
  if (format > 2 || Number(view.getBigUint64(16, true)) !== number) return undefined;
  const engine = view.getBigUint64(24, true);
  const seed = (offset: number): bigint =>
    (engine * 0x9e3779b97f4a7c15n + BigInt(number) * 0xc2b2ae3d27d4eb4fn + BigInt(offset)) % 2n ** 64n;
  const runs = new Map<number, ReadRunEntry>();
  let manifest: ReadManifest | undefined;
  for (let at = 48; at + 24 <= file.length;) {
    const end = at + 16 + view.getUint32(at, true);
    if (end + 8 > file.length || hash(file.slice(at, end), seed(at)) !== view.getBigUint64(end, true)) break;
    const generation = Number(view.getBigUint64(at + 8, true));
    // A snapshot of format 2 ends with the identity of the store.
    const identityBytes = format === 2 && view.getUint32(at + 4, true) === 1 ? 16 : 0;
    const payload = varints(file.slice(at + 16, end - identityBytes));
    const next = (): number => payload.shift() as number;
    const flushedSeq = next();
    const nextNumber = next();
    for (let left = next(); left > 0; left--) runs.delete(next());
    for (let left = next(); left > 0; left--) {
      const [run, bytes, identity, base, level, age] = [next(), next(), next(), next(), next(), next()];
      runs.set(run as number, {
        number: run as number,
        bytes: bytes as number,
        identity: identity as number,
        seqBase: base === 0 ? undefined : (base as number) - 1,
        level: level as number,
        age: age as number,
      });
    }
    manifest = { generation, flushedSeq, nextNumber, runs: [...runs.values()] };
    at = end + 8;
  }
  return manifest;
}

function varints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    values.push(value);
    value = 0;
    scale = 1;
  }
  return values;
}
