/** A reader of runs written from docs/formats/run.md alone: nothing of the package's own code. */
import { inflateRawSync } from 'node:zlib';

export type Hash64 = (bytes: Uint8Array, seed: bigint) => bigint;

export interface ReadVersion {
  readonly key: string;
  readonly seq: number;
  /** Undefined: a removal. */
  readonly value: string | undefined;
}

export interface ReadRun {
  readonly identity: number;
  readonly versions: readonly ReadVersion[];
  readonly tombstones: readonly { lower: string; upper: string; seq: number }[];
  readonly removals: number;
  readonly seqMin: number;
  readonly seqMax: number;
  readonly smallest: string;
  readonly largest: string;
  /** Whether each partition's filter lets all of its keys pass. */
  readonly filtersHold: boolean;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

class Bytes {
  readonly view: DataView;
  private readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  varint(): number {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = this.view.getUint8(this.at++);
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }

  u64(): number {
    this.at += 8;
    return Number(this.view.getBigUint64(this.at - 8, true));
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  prefixed(): Uint8Array {
    return this.take(this.varint());
  }
}

function decompressed(codec: number, stored: Uint8Array): Uint8Array {
  if (codec === 0) return stored;
  const source = new Bytes(stored);
  const bytes = source.varint();
  const out = codec === 1 ? [...inflateRawSync(stored.slice(source.at))] : unpacked(source, stored.length);
  if (out.length !== bytes) throw new Error('decompressed bytes');
  return Uint8Array.from(out);
}

function unpacked(source: Bytes, end: number): number[] {
  const out: number[] = [];
  const byte = (): number => source.take(1)[0] as number;
  const more = (nibble: number): number => {
    let length = nibble;
    for (let next = nibble === 15 ? 255 : 0; next === 255;) length += next = byte();
    return length;
  };
  for (;;) {
    const token = byte();
    out.push(...source.take(more(token >> 4)));
    if (source.at === end) return out;
    const from = out.length - (byte() + byte() * 256);
    const length = more(token & 15) + 4;
    for (let i = 0; i < length; i++) out.push(out[from + i] as number);
  }
}

export function readRun(file: Uint8Array, hash: Hash64): ReadRun {
  const footer = new Bytes(file.slice(file.length - 48));
  const text = (from: number, to: number): string => Buffer.from(file.slice(from, to)).toString('latin1');
  if (text(0, 8) !== 'PhRun01\n' || text(file.length - 8, file.length) !== 'PhRunEnd') throw new Error('magic');
  const metadataAt = Number(footer.view.getBigUint64(0, true));
  const metadataBytes = footer.view.getUint32(8, true);
  const identity = footer.view.getBigUint64(16, true);
  const seed = (offset: number): bigint => BigInt.asUintN(64, identity * 0x9e3779b97f4a7c15n + BigInt(offset));
  const prove = (bytes: Uint8Array, offset: number, stored: bigint): void => {
    if (hash(bytes, seed(offset)) !== stored) throw new Error(`checksum at ${offset}`);
  };
  prove(file.slice(0, 32), 0, footer.view.getBigUint64(24, true));
  const covered = new Uint8Array([...file.slice(metadataAt, metadataAt + metadataBytes), ...file.slice(-48, -16)]);
  prove(covered, metadataAt, footer.view.getBigUint64(32, true));
  const base = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(24, true));

  const block = (offset: number, bytes: number): Uint8Array => {
    const stored = new Bytes(file.slice(offset, offset + bytes + 9));
    prove(file.slice(offset, offset + bytes + 1), offset, stored.view.getBigUint64(bytes + 1, true));
    return decompressed(stored.view.getUint8(bytes), file.slice(offset, offset + bytes));
  };

  const metadata = new Bytes(file.slice(metadataAt, metadataAt + metadataBytes));
  const counts = [1, 2, 3, 4, 5].map(() => metadata.varint());
  const seqMin = metadata.u64() + base;
  const seqMax = metadata.u64() + base;
  const smallest = hex(metadata.prefixed());
  const largest = hex(metadata.prefixed());
  const tombstones = Array.from({ length: metadata.varint() }, () => {
    const lower = hex(metadata.prefixed());
    const upper = hex(metadata.prefixed());
    return { lower, upper, seq: metadata.varint() + base };
  });
  const versions: ReadVersion[] = [];
  let filtersHold = true;
  for (let left = metadata.varint(); left > 0; left--) {
    metadata.prefixed();
    const index = entriesOf(block(metadata.varint(), metadata.varint()));
    const filter = block(metadata.varint(), metadata.varint());
    metadata.varint();
    for (const { value } of index) {
      const handle = new Bytes(value as Uint8Array);
      for (const entry of entriesOf(block(handle.varint(), handle.varint()))) {
        const found = entry.value === undefined ? undefined : hex(entry.value);
        versions.push({ key: hex(entry.key), seq: entry.relative + base, value: found });
        filtersHold &&= passes(filter, entry.key);
      }
    }
  }
  if (versions.length !== counts[0]) throw new Error('entries');
  return {
    identity: Number(identity),
    versions,
    tombstones,
    removals: counts[1] as number,
    seqMin,
    seqMax,
    smallest,
    largest,
    filtersHold,
  };
}

interface Entry {
  readonly key: Uint8Array;
  readonly relative: number;
  readonly value: Uint8Array | undefined;
}

function entriesOf(payload: Uint8Array): Entry[] {
  const bytes = new Bytes(payload);
  const restarts = bytes.view.getUint32(payload.length - 8, true);
  const count = bytes.view.getUint32(payload.length - 4, true);
  const entries: Entry[] = [];
  let key = new Uint8Array(0);
  while (bytes.at < payload.length - 8 - restarts * 4) {
    const shared = bytes.varint();
    const suffix = bytes.varint();
    const tag = bytes.varint();
    const isRemoval = tag % 2 === 1;
    const valueBytes = isRemoval ? 0 : bytes.varint();
    key = Uint8Array.from([...key.slice(0, shared), ...bytes.take(suffix)]);
    const value = bytes.take(valueBytes);
    entries.push({ key, relative: Math.floor(tag / 2), value: isRemoval ? undefined : value });
  }
  if (entries.length !== count) throw new Error('count');
  return entries;
}

const SALT = [0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31];
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

function passes(filter: Uint8Array, key: Uint8Array): boolean {
  const view = new DataView(filter.buffer, filter.byteOffset);
  const [line, bits] = hashOf(key) as [bigint, bigint];
  const at = 8 + 32 * Number((line * BigInt(view.getUint32(0, true))) >> 32n);
  return SALT.every((salt, word) => {
    const bit = Number(u32(bits * BigInt(salt)) >> 27n);
    return ((view.getUint32(at + word * 4, true) >>> bit) & 1) === 1;
  });
}

function hashOf(key: Uint8Array): bigint[] {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  let a = 0x9e3779b1n ^ BigInt(key.length);
  let b = 0x85ebca77n;
  let at = 0;
  for (; at + 4 <= key.length; at += 4) {
    const word = BigInt(view.getUint32(at, true));
    a = u32((a ^ word) * 0xcc9e2d51n);
    a ^= a >> 15n;
    b = u32(u32((b << 13n) | (b >> 19n)) * 0x1b873593n + word);
    b = u32((b ^ (b >> 16n)) * 0xc2b2ae35n);
  }
  let tail = 0n;
  for (; at < key.length; at++) tail = (tail << 8n) | BigInt(view.getUint8(at));
  a = u32((a ^ tail) * 0xcc9e2d51n) ^ b;
  b = u32((b ^ tail) * 0x27d4eb2fn + a);
  a = u32((a ^ (a >> 16n)) * 0x85ebca6bn);
  a = u32((a ^ (a >> 13n)) * 0xc2b2ae35n);
  b = u32((b ^ (b >> 15n)) * 0x2c1b3c6dn);
  b = u32((b ^ (b >> 12n)) * 0x297a2d39n);
  return [a ^ (a >> 16n), b ^ (b >> 15n)];
}
