/** Big-endian integers and floats of PostgreSQL's binary formats. Readers check that the bytes are there (08P01). */
import { type ByteWriter, PhantomError, readU32BE, writeU32BE } from '@phantom/base';
import { canonicalInteger } from '@phantom/codec';

function need(start: number, end: number, bytes: number): void {
  if (end - start < bytes) throw new PhantomError('08P01', 'insufficient data left in message');
}

/** 22P03 unless the value has exactly that many bytes. */
export function expectBytes(start: number, end: number, bytes: number): void {
  need(start, end, bytes);
  if (end - start > bytes) throw new PhantomError('22P03', 'incorrect binary data format');
}

export function getI16(bytes: Uint8Array, start: number, end: number): number {
  need(start, end, 2);
  return (((bytes[start] as number) << 24) >> 16) | (bytes[start + 1] as number);
}

export function getU16(bytes: Uint8Array, start: number, end: number): number {
  return getI16(bytes, start, end) & 0xffff;
}

export function getI32(bytes: Uint8Array, start: number, end: number): number {
  need(start, end, 4);
  return readU32BE(bytes, start) | 0;
}

export function getU32(bytes: Uint8Array, start: number, end: number): number {
  need(start, end, 4);
  return readU32BE(bytes, start);
}

/** A number while safe, else a bigint. */
export function getI64(bytes: Uint8Array, start: number, end: number): number | bigint {
  need(start, end, 8);
  const high = readU32BE(bytes, start) | 0;
  return canonicalInteger((BigInt(high) << 32n) | BigInt(readU32BE(bytes, start + 4)));
}

const scratch = new DataView(new ArrayBuffer(8));

export function getF32(bytes: Uint8Array, start: number, end: number): number {
  scratch.setUint32(0, getU32(bytes, start, end));
  return scratch.getFloat32(0);
}

export function getF64(bytes: Uint8Array, start: number, end: number): number {
  need(start, end, 8);
  scratch.setUint32(0, readU32BE(bytes, start));
  scratch.setUint32(4, readU32BE(bytes, start + 4));
  return scratch.getFloat64(0);
}

export function putI16(writer: ByteWriter, value: number): void {
  const at = writer.reserve(2);
  writer.buffer[at] = value >>> 8;
  writer.buffer[at + 1] = value;
  writer.length = at + 2;
}

export function putI32(writer: ByteWriter, value: number): void {
  writer.u32BE(value >>> 0);
}

export function putI64(writer: ByteWriter, value: number | bigint): void {
  const at = writer.reserve(8);
  if (typeof value === 'number') {
    const high = Math.floor(value / 4294967296);
    writeU32BE(writer.buffer, at, high >>> 0);
    writeU32BE(writer.buffer, at + 4, (value - high * 4294967296) >>> 0);
  } else {
    writeU32BE(writer.buffer, at, Number(BigInt.asUintN(32, value >> 32n)));
    writeU32BE(writer.buffer, at + 4, Number(BigInt.asUintN(32, value)));
  }
  writer.length = at + 8;
}

export function putF32(writer: ByteWriter, value: number): void {
  scratch.setFloat32(0, value);
  writer.u32BE(scratch.getUint32(0));
}

export function putF64(writer: ByteWriter, value: number): void {
  scratch.setFloat64(0, value);
  writer.u32BE(scratch.getUint32(0));
  writer.u32BE(scratch.getUint32(4));
}

/** UTF-8 text of the range; 22021 when it is none. */
export function getText(bytes: Uint8Array, start: number, end: number): string {
  try {
    return UTF8.decode(bytes.subarray(start, end));
  } catch {
    throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8"');
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

export function putText(writer: ByteWriter, text: string): void {
  const bytes = ENCODER.encode(text);
  writer.bytes(bytes);
}
