/** New object ids: seconds since 1970, five random bytes of the process, a counter that begins anywhere. */
import { randomBytes } from 'node:crypto';

const process5 = randomBytes(5);
let counter = randomBytes(3).readUIntBE(0, 3);

/** The bytes of an id that nobody else makes; ids of one process rise within a second. */
export function newObjectIdBytes(nowMs: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const seconds = Math.floor(nowMs / 1000);
  counter = (counter + 1) & 0xff_ffff;
  bytes[0] = seconds >>> 24;
  bytes[1] = seconds >>> 16;
  bytes[2] = seconds >>> 8;
  bytes[3] = seconds;
  bytes.set(process5, 4);
  bytes[9] = counter >>> 16;
  bytes[10] = counter >>> 8;
  bytes[11] = counter;
  return bytes;
}
