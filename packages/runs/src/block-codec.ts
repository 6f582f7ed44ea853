/**
 * Compression of data blocks (format.ts): LZ4 where blocks are read often, deflate where they are read seldom and space
 * counts. A block that would not become an eighth smaller is stored as it is: reading it then costs nothing.
 *
 * A compressed payload is a varint, the bytes that it has when it is decompressed, and then what the codec made of it.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ByteWriter, corruptionError, readVarint, unsupportedError, varintBytes } from '@phantom/base';
import { BlockCodec } from './format.js';
import { Lz4Encoder, decodeLz4, lz4BytesMax } from './lz4.js';
import { decodeInput, encodeWithInput, lz4Input, lz4Output } from './lz4-wasm.js';

/** How the data blocks of a run are compressed. */
export type Compression = 'none' | 'lz4' | 'deflate';

/** Better ratios cost several times as much for a tenth of the bytes. */
const DEFLATE_LEVEL = 1;
/** No codec here makes more of a byte; what claims to be larger is not ours, and must not make us reserve memory for it. */
const EXPANSION_MAX = 1100;
const NO_SAVING = 8;

/** Compresses payloads; its buffer is reused. */
export class BlockCompressor {
  /** Of the payload compressed last. */
  codec: BlockCodec = BlockCodec.None;
  private readonly compression: Compression;
  private readonly encoder: Lz4Encoder | undefined;
  private readonly out = new ByteWriter(0);

  constructor(compression: Compression) {
    this.compression = compression;
    this.encoder = compression === 'lz4' ? new Lz4Encoder() : undefined;
  }

  /** The payload as it is to be stored, in the form that `codec` then names. Borrowed until the next call. */
  compress(payload: Uint8Array): Uint8Array {
    this.codec = BlockCodec.None;
    if (this.compression === 'none') return payload;
    const { out, encoder } = this;
    out.reset();
    out.varint(payload.length);
    if (encoder === undefined) {
      out.bytes(deflateRawSync(payload, { level: DEFLATE_LEVEL }));
    } else if (payload.length <= lz4Input.length) {
      out.bytes(encodeWithInput(payload));
    } else {
      const at = out.reserve(lz4BytesMax(payload.length));
      out.length = encoder.encode(payload, 0, payload.length, out.buffer, at);
    }
    if (out.length > payload.length - payload.length / NO_SAVING) return payload;
    this.codec = encoder === undefined ? BlockCodec.Deflate : BlockCodec.Lz4;
    return out.view();
  }
}

/** How long the payload is that was stored as [0, end). Throws a corruption error when that cannot be. */
export function decompressedBytes(
  stored: Uint8Array,
  end: number,
  codec: number,
  path: string,
  offset: number,
): number {
  if (codec === BlockCodec.None) return end;
  if (codec !== BlockCodec.Lz4 && codec !== BlockCodec.Deflate)
    throw unsupportedError(`block codec ${codec} in ${path}`);
  const bytes = readVarint(stored, 0, end);
  if (!(bytes <= end * EXPANSION_MAX)) throw malformed(path, offset);
  return bytes;
}

/** Puts the payload that was stored as [0, end) to the head of the target. Throws as decompressedBytes, which said `bytes`. */
export function decompress(
  stored: Uint8Array,
  end: number,
  codec: number,
  target: Uint8Array,
  bytes: number,
  path: string,
  offset: number,
): void {
  if (codec === BlockCodec.Lz4 && !isUsual(stored, bytes)) decodeLarge(stored, end, target, bytes, path, offset);
  else target.set(decompressed(stored, end, codec, bytes, path, offset).subarray(0, bytes));
}

/** Where the payload lies, at the head, that was stored as [0, end): borrowed until the next block is read. Throws as `decompress`. */
export function decompressed(
  stored: Uint8Array,
  end: number,
  codec: number,
  bytes: number,
  path: string,
  offset: number,
): Uint8Array {
  if (codec === BlockCodec.None) return stored;
  const from = varintBytes(bytes);
  if (codec === BlockCodec.Lz4) {
    if (!isUsual(stored, bytes)) {
      const large = new Uint8Array(bytes);
      decodeLarge(stored, end, large, bytes, path, offset);
      return large;
    }
    if (decodeInput(from, end, bytes)) return lz4Output;
    throw malformed(path, offset);
  }
  try {
    const payload = inflateRawSync(stored.subarray(from, end), { maxOutputLength: bytes });
    if (payload.length === bytes) return payload;
  } catch {
    // Told below, with the place.
  }
  throw malformed(path, offset);
}

function isUsual(stored: Uint8Array, bytes: number): boolean {
  return stored === lz4Input && bytes <= lz4Input.length;
}

function decodeLarge(
  stored: Uint8Array,
  end: number,
  target: Uint8Array,
  bytes: number,
  path: string,
  offset: number,
): void {
  if (!decodeLz4(stored, varintBytes(bytes), end, target, bytes)) throw malformed(path, offset);
}

function malformed(path: string, offset: number): Error {
  return corruptionError('a compressed block is malformed', { file: path, offset });
}
