/**
 * A reader written from docs/formats/wal.md alone, importing nothing of the package: what it reads is what the page says.
 * Straightforward and whole-file; it shows the records of a log that opens, and ends where the page says that it ends.
 */

export interface ReadRecord {
  readonly seq: number;
  readonly time: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

export type Hash = (bytes: Uint8Array) => number;

interface Segment {
  readonly number: number;
  readonly timeline: number;
  readonly epoch: number;
  readonly first: number;
  readonly durable: number;
  readonly floor: number;
  readonly bytes: Uint8Array;
}

export function readLog(files: ReadonlyMap<string, Uint8Array>, hash: Hash): { records: ReadRecord[]; end: number } {
  const segments: Segment[] = [];
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const segment = /^\d{10}\.wal$/.test(name) ? readHeader(bytes, hash) : undefined;
    if (segment === undefined || segment.number !== Number(name.slice(0, 10))) continue;
    if (segments.every((lower) => lower.epoch <= segment.epoch)) segments.push(segment);
  }
  const records: ReadRecord[] = [];
  let parts: Uint8Array[] | undefined;
  let partsFrom = 0;
  let closed = -1;
  let lsn = segments[0]?.first ?? 0;
  let proved = Math.max(0, ...segments.map((segment) => segment.durable));
  for (const [index, segment] of segments.entries()) {
    const limit = Math.min(Number.POSITIVE_INFINITY, ...segments.slice(index + 1).map((later) => later.first));
    if (limit <= segment.first) continue;
    const view = new DataView(segment.bytes.buffer, segment.bytes.byteOffset, segment.bytes.byteLength);
    let offset = 64;
    let epoch = segment.epoch;
    for (;;) {
      lsn = segment.first + offset - 64;
      if (lsn === limit || offset + 56 > segment.bytes.length) break;
      const length = view.getUint32(offset + 4, true);
      const logFlags = view.getUint8(offset + 9);
      const valid =
        view.getUint8(offset + 8) === 1 &&
        logFlags < 16 &&
        view.getUint32(offset + 12, true) === segment.timeline &&
        view.getUint32(offset + 16, true) >= epoch &&
        view.getUint32(offset + 20, true) === segment.number &&
        u64(view, offset + 24) === lsn &&
        offset + 56 + length <= segment.bytes.length &&
        view.getUint32(offset, true) === hash(segment.bytes.subarray(offset + 4, offset + 56 + length));
      if (!valid) break;
      epoch = view.getUint32(offset + 16, true);
      proved = Math.max(proved, u64(view, offset + 48));
      const payload = segment.bytes.slice(offset + 56, offset + 56 + length);
      const meta = {
        seq: u64(view, offset + 32),
        time: u64(view, offset + 40),
        flags: view.getUint16(offset + 10, true),
      };
      if ((logFlags & 4) === 0) {
        if ((logFlags & 1) === 0) records.push({ ...meta, payload });
        else {
          if ((logFlags & 8) !== 0) {
            parts = [];
            partsFrom = lsn;
          }
          parts?.push(payload);
          if ((logFlags & 2) !== 0) {
            if (parts !== undefined) records.push({ ...meta, payload: Uint8Array.from(Buffer.concat(parts)) });
            parts = undefined;
          }
        }
      }
      closed = (logFlags & 4) !== 0 && u64(view, offset + 48) === lsn ? lsn : -1;
      offset += Math.ceil((56 + length) / 8) * 8;
    }
    if (lsn !== limit) break;
  }
  if (parts !== undefined) return { records, end: partsFrom };
  // The mark of a clean close, if nothing vouches for it.
  return { records, end: closed >= proved ? closed : lsn };
}

function readHeader(bytes: Uint8Array, hash: Hash): Segment | undefined {
  if (bytes.length < 64 || Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== 'PHANTWAL') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(60, true) !== hash(bytes.subarray(0, 60))) return undefined;
  if (view.getUint16(8, true) > 2) throw new Error('a newer format');
  return {
    timeline: view.getUint32(12, true),
    epoch: view.getUint32(16, true),
    number: view.getUint32(20, true),
    first: u64(view, 24),
    durable: u64(view, 32),
    floor: u64(view, 40),
    bytes,
  };
}

function u64(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}
