/** A reader of tree files written from docs/formats/btree.md alone: nothing of the package's own code. */
export type Hash64 = (bytes: Uint8Array, seed: bigint) => bigint;

export interface ReadTree {
  readonly pageBytes: number;
  readonly generation: number;
  readonly flushedSeq: number;
  /** Keys and values as hexadecimal text, in key order. */
  readonly entries: readonly (readonly [string, string])[];
  /** Pages that are neither reached, nor free, nor under the metas. */
  readonly lostPages: number;
  readonly runs: readonly { number: number; bytes: number; identity: number; seqBase: number }[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const big = (value: bigint): number => Number(value);

export function readTree(file: Uint8Array, hash: Hash64): ReadTree {
  return new Reader(file, hash).read();
}

class Reader {
  private readonly file: Uint8Array;
  private readonly hash: Hash64;
  private readonly view: DataView;
  private pageBytes = 0;
  private tree = 0n;
  private readonly entries: [string, string][] = [];
  private readonly used = new Set<number>();

  constructor(file: Uint8Array, hash: Hash64) {
    this.file = file;
    this.hash = hash;
    this.view = new DataView(file.buffer, file.byteOffset, file.length);
  }

  read(): ReadTree {
    const { view } = this;
    const whole = [0, 4096].filter((at) => this.isMeta(at));
    const generations = whole.map((at) => big(view.getBigUint64(at + 16, true)));
    const at = whole[generations.indexOf(Math.max(...generations))] as number;
    this.pageBytes = view.getUint32(at + 12, true);
    this.tree = view.getBigUint64(at + 24, true);
    const root = view.getUint32(at + 40, true);
    if (root !== 0) this.page(root, view.getUint32(at + 44, true), view.getBigUint64(at + 48, true), ['', undefined]);
    if (this.entries.length !== view.getUint32(at + 56, true)) throw new Error('keys');
    if (this.used.size !== view.getUint32(at + 60, true)) throw new Error('pages');
    const pageCount = view.getUint32(at + 64, true);
    const freelist = view.getUint32(at + 68, true);
    if (freelist !== 0) this.freelist(freelist, view.getUint32(at + 72, true), view.getBigUint64(at + 80, true));
    const runs = Array.from({ length: view.getUint32(at + 96, true) }, (_, i) => {
      const [number, bytes, identity, seqBase] = [0, 8, 16, 24].map((field) =>
        big(view.getBigUint64(at + 104 + i * 32 + field, true)),
      );
      return { number, bytes, identity, seqBase } as ReadTree['runs'][number];
    });
    return {
      pageBytes: this.pageBytes,
      generation: Math.max(...generations),
      flushedSeq: big(view.getBigUint64(at + 32, true)),
      entries: this.entries,
      lostPages: pageCount - this.used.size - 1,
      runs,
    };
  }

  private isMeta(at: number): boolean {
    const { file, view } = this;
    if (Buffer.from(file.slice(at, at + 8)).toString('latin1') !== 'PhTree1\n') return false;
    return this.hash(file.slice(at, at + 4088), BigInt(at / 4096)) === view.getBigUint64(at + 4088, true);
  }

  private prove(page: number, from: number, bytes: number, checksum: bigint): void {
    const seed = BigInt.asUintN(64, this.tree * 0x9e3779b97f4a7c15n + BigInt(page));
    const start = page * this.pageBytes + from;
    if (this.hash(this.file.slice(start, start + bytes), seed) !== checksum)
      throw new Error(`checksum of page ${page}`);
    const pages = Math.max(1, Math.ceil((from + bytes) / this.pageBytes));
    for (let i = page; i < page + pages; i++) {
      if (this.used.has(i)) throw new Error(`page ${i} is used twice`);
      this.used.add(i);
    }
  }

  private page(id: number, level: number, checksum: bigint, [lower, upper]: [string, string | undefined]): void {
    const { view, pageBytes } = this;
    const start = id * pageBytes;
    this.prove(id, 8, pageBytes - 8, checksum);
    const kind = view.getUint8(start + 12);
    const count = view.getUint16(start + 14, true);
    const header = [view.getBigUint64(start, true), view.getUint32(start + 8, true), kind, view.getUint8(start + 13)];
    if (JSON.stringify(header, text) !== JSON.stringify([checksum, id, level === 0 ? 1 : 2, level], text))
      throw new Error('header');
    const prefixBytes = view.getUint16(start + 24, true);
    const prefixAt = start + view.getUint16(start + 26, true);
    const omitted = view.getUint16(start + 28, true);
    const prefix = hex(this.file.slice(prefixAt, prefixAt + prefixBytes));
    const array = (n: number): number => start + 32 + n * 4 * count;
    const keys: string[] = [];
    for (let slot = 0; slot < count; slot++) {
      let at = start + view.getUint16(array(level === 0 ? 1 : 6) + slot * 2, true);
      const varint = (): number => {
        for (let value = 0, scale = 1; ; scale *= 128) {
          const byte = view.getUint8(at++);
          value += (byte % 128) * scale;
          if (byte < 128) return value;
        }
      };
      const stored = varint();
      const tag = level === 0 ? varint() : 0;
      const isFirstChild = level > 0 && slot === 0;
      const key = isFirstChild ? lower : prefix.slice(0, omitted * 2) + hex(this.file.slice(at, at + stored));
      if (!isFirstChild && !key.startsWith(prefix)) throw new Error('prefix');
      const four = Number.parseInt(key.slice(prefixBytes * 2, prefixBytes * 2 + 8).padEnd(8, '0'), 16);
      const expected = isFirstChild ? -(2 ** 31) : (four ^ -0x80000000) | 0;
      if (view.getInt32(array(0) + slot * 4, true) !== expected) throw new Error(`discriminator of slot ${slot}`);
      keys.push(key);
      if (level === 0) this.entry(key, at + stored, tag);
    }
    const sorted = keys.every(
      (key, i) => (i === 0 || (keys[i - 1] as string) < key) && key >= lower && (upper === undefined || key < upper),
    );
    if (!sorted) throw new Error('order');
    for (let slot = 0; level > 0 && slot < count; slot++) {
      const child = view.getUint32(array(1) + slot * 4, true);
      const low = BigInt(view.getUint32(array(3) + slot * 4, true));
      const high = BigInt(view.getUint32(array(5) + slot * 4, true));
      const before = [this.entries.length, this.used.size] as const;
      this.page(child, level - 1, (high << 32n) + low, [keys[slot] as string, keys[slot + 1] ?? upper]);
      if (this.entries.length - before[0] !== view.getUint32(array(2) + slot * 4, true))
        throw new Error('keys of a child');
      if (this.used.size - before[1] !== view.getUint32(array(4) + slot * 4, true)) throw new Error('pages of a child');
    }
  }

  private entry(key: string, at: number, tag: number): void {
    const bytes = Math.floor(tag / 2);
    if (tag % 2 === 0) {
      this.entries.push([key, hex(this.file.slice(at, at + bytes))]);
      return;
    }
    const page = this.view.getUint32(at, true);
    this.prove(page, 0, bytes, this.view.getBigUint64(at + 4, true));
    const start = page * this.pageBytes;
    this.entries.push([key, hex(this.file.slice(start, start + bytes))]);
  }

  private freelist(page: number, bytes: number, checksum: bigint): void {
    this.prove(page, 0, bytes, checksum);
    let at = page * this.pageBytes;
    const varint = (): number => {
      for (let value = 0, scale = 1; ; scale *= 128) {
        const byte = this.view.getUint8(at++);
        value += (byte % 128) * scale;
        if (byte < 128) return value;
      }
    };
    let end = 0;
    for (let ranges = varint(); ranges > 0; ranges--) {
      const start = end + varint();
      end = start + varint();
      for (let i = start; i < end; i++) {
        if (this.used.has(i)) throw new Error(`page ${i} is used and free`);
        this.used.add(i);
      }
    }
  }
}

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
