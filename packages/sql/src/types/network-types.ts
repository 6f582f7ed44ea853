/**
 * inet and cidr. A value is text made so that its order is the type's order: a digit for the family, then in hexadecimal
 * the network, the length of its mask and the whole address.
 *
 *     4 0a010000 10 0a010203        10.1.2.3/16
 *     ^ network  ^  address
 *       masked   mask length in bits
 *
 * PostgreSQL compares two addresses on the bits both masks cover, then by mask length, then whole: with the network masked,
 * that is the order of these texts. So values hash, sort, and lie in indexes as they are.
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { invalidText } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { invalidBinary } from './sql-errors.js';

export interface NetworkAddress {
  readonly family: 4 | 6;
  /** Length of the mask in bits. */
  readonly bits: number;
  readonly address: bigint;
}

/** Bits of an address: 32 or 128. */
export function addressBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** An address that has `bits` ones in front. */
export function maskOf(family: 4 | 6, bits: number): bigint {
  const width = addressBits(family);
  return ((1n << BigInt(bits)) - 1n) << BigInt(width - bits);
}

/** The canonical value. */
export function encodeNetwork({ family, bits, address }: NetworkAddress): string {
  const digits = addressBits(family) / 4;
  const hex = (value: bigint): string => value.toString(16).padStart(digits, '0');
  return `${family}${hex(address & maskOf(family, bits))}${bits.toString(16).padStart(2, '0')}${hex(address)}`;
}

/** What a canonical value says. */
export function decodeNetwork(value: string): NetworkAddress {
  const family = value[0] === '4' ? 4 : 6;
  const digits = addressBits(family) / 4;
  return {
    family,
    bits: Number.parseInt(value.slice(1 + digits, 3 + digits), 16),
    address: BigInt(`0x${value.slice(3 + digits)}`),
  };
}

/** Octets of dotted decimal text; undefined when it is none. */
function parseOctets(text: string): number[] | undefined {
  const octets = text.split('.').map((part) => (/^\d{1,8}$/.test(part) ? Number(part) : 256));
  return octets.length > 4 || octets.some((octet) => octet > 255) ? undefined : octets;
}

function fromOctets(octets: readonly number[]): bigint {
  let address = 0n;
  for (let i = 0; i < 4; i++) address = (address << 8n) | BigInt(octets[i] ?? 0);
  return address;
}

/** The mask of a cidr without one: by the class of the address, and at least as wide as what is written. */
function impliedBits(octets: readonly number[]): number {
  const first = octets[0] as number;
  const byClass = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  const bits = Math.max(byClass, octets.length * 8);
  return bits === 8 && first === 224 ? 4 : bits;
}

function parse4(text: string, mask: string | undefined, cidr: boolean): NetworkAddress | undefined {
  const octets = parseOctets(text);
  if (octets === undefined) return undefined;
  if (mask === undefined && octets.length < 4 && !cidr) return undefined;
  const bits = mask === undefined ? (cidr ? impliedBits(octets) : 32) : Number(mask);
  if (bits > 32 || (mask !== undefined && bits >> 3 > octets.length)) return undefined;
  return { family: 4, bits, address: fromOctets(octets) };
}

/** Groups of one side of a `::`, the last of which may be dotted decimal. */
function parseGroups(text: string): bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: bigint[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const octets = i === parts.length - 1 ? parseOctets(part) : undefined;
      if (octets?.length !== 4) return undefined;
      const whole = fromOctets(octets);
      groups.push(whole >> 16n, whole & 0xffffn);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(BigInt(`0x${part}`));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parse6(text: string, mask: string | undefined): NetworkAddress | undefined {
  const sides = text.split('::');
  const head = parseGroups(sides[0] as string);
  const tail = sides.length > 1 ? parseGroups(sides[1] as string) : [];
  const bits = mask === undefined ? 128 : Number(mask);
  if (head === undefined || tail === undefined || sides.length > 2 || bits > 128) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const zeros = sides.length === 1 ? [] : Array.from({ length: missing }, () => 0n);
  const address = [...head, ...zeros, ...tail].reduce((whole, group) => (whole << 16n) | group, 0n);
  return { family: 6, bits, address };
}

function parseNetwork(text: string, typeName: 'inet' | 'cidr'): string {
  const match = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text);
  const cidr = typeName === 'cidr';
  const address = match?.[1] ?? '';
  const found = address.includes(':') ? parse6(address, match?.[2]) : parse4(address, match?.[2], cidr);
  if (match === null || found === undefined) throw invalidText(typeName, text);
  if (cidr && (found.address & maskOf(found.family, found.bits)) !== found.address) {
    throw new PhantomError('22P02', `invalid cidr value: "${text}"`, {
      detail: 'Value has bits set to right of mask.',
    });
  }
  return encodeNetwork(found);
}

/** The value of an address as sockets tell it: IPv4 may come mapped into IPv6, IPv6 with the name of an interface. */
export function socketAddress(address: string): string {
  return parseNetwork(address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, ''), 'inet');
}

function format6(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (start < 0) return hex(groups);
  const dotted = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  if (dotted) return `::${hex(groups.slice(length, 6))}${length === 5 ? ':' : ''}${format4(address & 0xffffffffn)}`;
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function format4(address: bigint): string {
  const value = Number(address);
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** The address alone, without its mask. */
export function formatAddress({ family, address }: NetworkAddress): string {
  return family === 4 ? format4(address) : format6(address);
}

function formatInet(value: string): string {
  const network = decodeNetwork(value);
  const text = formatAddress(network);
  return network.bits === addressBits(network.family) ? text : `${text}/${network.bits}`;
}

function formatCidr(value: string): string {
  const network = decodeNetwork(value);
  return `${formatAddress(network)}/${network.bits}`;
}

const FAMILY_OF_4 = 2;
const FAMILY_OF_6 = 3;

function networkType(oid: number, typeName: 'inet' | 'cidr'): SqlType {
  return builtinType<string>(oid, {
    storage: TEXT_STORAGE,
    input: (text) => parseNetwork(text, typeName),
    output: typeName === 'inet' ? formatInet : formatCidr,
    compare: compareTexts,
    receive: (bytes, start, end) => {
      const family = bytes[start] === FAMILY_OF_4 ? 4 : 6;
      const width = addressBits(family);
      const bits = bytes[start + 1] ?? 0;
      if (end - start !== 4 + width / 8 || bits > width || (family === 6 && bytes[start] !== FAMILY_OF_6)) {
        throw invalidBinary(`invalid length in external "${typeName}" value`);
      }
      const address = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + start + 4, width / 8).toString('hex')}`);
      return encodeNetwork({ family, bits, address });
    },
    send: (value, writer) => {
      const { family, bits, address } = decodeNetwork(value);
      const width = addressBits(family);
      writer.u8(family === 4 ? FAMILY_OF_4 : FAMILY_OF_6);
      writer.u8(bits);
      writer.u8(typeName === 'cidr' ? 1 : 0);
      writer.u8(width / 8);
      writer.bytes(Buffer.from(address.toString(16).padStart(width / 4, '0'), 'hex'));
    },
  });
}

export const inetType: SqlType = networkType(TypeOid.inet, 'inet');
export const cidrType: SqlType = networkType(TypeOid.cidr, 'cidr');
