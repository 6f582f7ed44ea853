/**
 * The functions of PostgreSQL's extension uuid-ossp, by RFC 9562: versions 1, 3, 4 and 5. An address of an interface is never
 * told: version 1 has a random node in its place, which the RFC asks to be marked as one, so that it is version 1mc too.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Implementations } from './implementation.js';

/** Ticks of 100 ns between the beginning of the Gregorian calendar, from which version 1 counts, and 1970. */
const TICKS_TO_1970 = 0x01b21dd213814000n;
const TICKS_PER_MILLISECOND = 10_000n;
const MULTICAST = 0x01;
const TIMESTAMP_MASK = 0x0fff_ffff_ffff_ffffn;

const NIL = '00000000-0000-0000-0000-000000000000';
const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const URL = '6ba7b811-9dad-11d1-80b4-00c04fd430c8';
const OID = '6ba7b812-9dad-11d1-80b4-00c04fd430c8';
const X500 = '6ba7b814-9dad-11d1-80b4-00c04fd430c8';

function uuidText(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** The version and the variant take the places of six bits. */
function marked(bytes: Uint8Array, version: number): string {
  const value = Buffer.from(bytes.subarray(0, 16));
  value[6] = ((value[6] as number) & 0x0f) | (version << 4);
  value[8] = ((value[8] as number) & 0x3f) | 0x80;
  return uuidText(value.toString('hex'));
}

const named =
  (algorithm: 'md5' | 'sha1', version: number) =>
  (namespace: string, name: string): string =>
    marked(
      createHash(algorithm)
        .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
        .update(name)
        .digest(),
      version,
    );

/** Values of version 1 of this process: its clock never stands still or goes back, so none is made twice. */
class TimedUuids {
  private readonly node = randomBytes(6);
  private readonly sequence = randomBytes(2);
  private last = 0n;

  constructor() {
    this.node[0] = (this.node[0] as number) | MULTICAST;
  }

  next(): string {
    const now = BigInt(Date.now()) * TICKS_PER_MILLISECOND + TICKS_TO_1970;
    this.last = now > this.last ? now : this.last + 1n;
    const time = (this.last & TIMESTAMP_MASK).toString(16).padStart(16, '0');
    const fields = time.slice(8) + time.slice(4, 8) + time.slice(0, 4);
    return marked(Buffer.concat([Buffer.from(fields, 'hex'), this.sequence, this.node]), 1);
  }
}

let timed: TimedUuids | undefined;
const timedUuid = (): string => (timed ??= new TimedUuids()).next();

export const uuidFunctions: Implementations = {
  uuid_nil: () => NIL,
  uuid_ns_dns: () => DNS,
  uuid_ns_url: () => URL,
  uuid_ns_oid: () => OID,
  uuid_ns_x500: () => X500,
  uuid_generate_v1: timedUuid,
  uuid_generate_v3: named('md5', 3),
  uuid_generate_v4: () => randomUUID(),
  uuid_generate_v5: named('sha1', 5),
};
