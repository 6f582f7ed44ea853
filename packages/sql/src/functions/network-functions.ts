/** Functions and operators of inet and cidr. Values are texts made for comparison; see types/network-types.ts. */
import { PhantomError } from '@phantom/base';
import {
  type NetworkAddress,
  addressBits,
  decodeNetwork,
  encodeNetwork,
  formatAddress,
  maskOf,
  socketAddress,
} from '../types/network-types.js';
import { outOfRange } from '../types/sql-errors.js';
import { type Implementation, type Implementations, contextual, scalar } from './implementation.js';
import { type Int8, int8 } from './integers.js';
import type { EvaluationContext, NetworkEnd } from './registry.js';

const networkOf = ({ family, bits, address }: NetworkAddress): bigint => address & maskOf(family, bits);
const hostMask = ({ family, bits }: NetworkAddress): bigint => (1n << BigInt(addressBits(family) - bits)) - 1n;

/** An address of that family with nothing masked. */
const whole = (family: 4 | 6, address: bigint): string => encodeNetwork({ family, bits: addressBits(family), address });

/** True where the first network lies in the second or is it; `proper` leaves the latter out. */
function within(a: string, b: string, proper: boolean): boolean {
  const inner = decodeNetwork(a);
  const outer = decodeNetwork(b);
  if (inner.family !== outer.family || (proper ? inner.bits <= outer.bits : inner.bits < outer.bits)) return false;
  return (inner.address & maskOf(inner.family, outer.bits)) === networkOf(outer);
}

function overlaps(a: string, b: string): boolean {
  return within(a, b, false) || within(b, a, false);
}

function setMaskLength(value: string, bits: number, clear: boolean): string {
  const network = decodeNetwork(value);
  const width = addressBits(network.family);
  const length = bits === -1 ? width : bits;
  if (length < 0 || length > width) throw new PhantomError('22023', `invalid mask length: ${bits}`);
  const address = clear ? network.address & maskOf(network.family, length) : network.address;
  return encodeNetwork({ ...network, bits: length, address });
}

function sameFamily(a: string, b: string, what: string): [NetworkAddress, NetworkAddress] {
  const x = decodeNetwork(a);
  const y = decodeNetwork(b);
  if (x.family !== y.family) throw new PhantomError('22023', `cannot ${what} inet values of different sizes`);
  return [x, y];
}

/** Bit by bit; the longer mask is the result's. */
const bitwise =
  (what: string, operate: (a: bigint, b: bigint) => bigint) =>
  (a: string, b: string): string => {
    const [x, y] = sameFamily(a, b, what);
    return encodeNetwork({ family: x.family, bits: Math.max(x.bits, y.bits), address: operate(x.address, y.address) });
  };

function shifted(value: string, by: bigint): string {
  const network = decodeNetwork(value);
  const address = network.address + by;
  if (address < 0n || address >> BigInt(addressBits(network.family)) !== 0n) {
    throw new PhantomError('22003', 'result is out of range');
  }
  return encodeNetwork({ ...network, address });
}

function difference(a: string, b: string): Int8 {
  const [x, y] = sameFamily(a, b, 'subtract');
  const result = x.address - y.address;
  if (BigInt.asIntN(64, result) !== result) throw outOfRange('result is');
  return int8(result);
}

/** A cidr without the octets that its mask covers with zeros: 10.1/16. */
function abbreviated(value: string): string {
  const network = decodeNetwork(value);
  const text = formatAddress(network);
  if (network.family === 6) return `${text}/${network.bits}`;
  const octets = text.split('.').slice(0, Math.max(1, Math.ceil(network.bits / 8)));
  return `${octets.join('.')}/${network.bits}`;
}

/** The smallest network that holds both. */
function merge(a: string, b: string): string {
  const x = decodeNetwork(a);
  const y = decodeNetwork(b);
  if (x.family !== y.family) throw new PhantomError('22023', 'cannot merge addresses from different families');
  let bits = Math.min(x.bits, y.bits);
  while ((x.address & maskOf(x.family, bits)) !== (y.address & maskOf(x.family, bits))) bits--;
  return encodeNetwork({ family: x.family, bits, address: x.address & maskOf(x.family, bits) });
}

const withMask = (value: string): string => {
  const network = decodeNetwork(value);
  return `${formatAddress(network)}/${network.bits}`;
};

const endOf = (end: NetworkEnd | undefined): string | null => (end === undefined ? null : socketAddress(end.address));

function comparisons(): Record<string, Implementation> {
  return {
    network_eq: scalar((a: string, b: string) => a === b, {}),
    network_ne: scalar((a: string, b: string) => a !== b, {}),
    network_lt: (a: string, b: string) => a < b,
    network_le: (a: string, b: string) => a <= b,
    network_gt: (a: string, b: string) => a > b,
    network_ge: (a: string, b: string) => a >= b,
    network_cmp: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
    network_larger: (a: string, b: string) => (a > b ? a : b),
    network_smaller: (a: string, b: string) => (a < b ? a : b),
  };
}

export const networkFunctions: Implementations = {
  ...comparisons(),
  network_sub: (a: string, b: string) => within(a, b, true),
  network_subeq: (a: string, b: string) => within(a, b, false),
  network_sup: (a: string, b: string) => within(b, a, true),
  network_supeq: (a: string, b: string) => within(b, a, false),
  network_overlap: overlaps,
  inet_abbrev: (value: string) => {
    const network = decodeNetwork(value);
    return network.bits === addressBits(network.family) ? formatAddress(network) : withMask(value);
  },
  cidr_abbrev: abbreviated,
  inet_set_masklen: (value: string, bits: number) => setMaskLength(value, bits, false),
  cidr_set_masklen: (value: string, bits: number) => setMaskLength(value, bits, true),
  inet_to_cidr: (value: string) => setMaskLength(value, decodeNetwork(value).bits, true),
  network_network: (value: string) => setMaskLength(value, decodeNetwork(value).bits, true),
  network_netmask: (value: string) => {
    const network = decodeNetwork(value);
    return whole(network.family, maskOf(network.family, network.bits));
  },
  network_hostmask: (value: string) => {
    const network = decodeNetwork(value);
    return whole(network.family, hostMask(network));
  },
  network_broadcast: (value: string) => {
    const network = decodeNetwork(value);
    return encodeNetwork({ ...network, address: network.address | hostMask(network) });
  },
  network_masklen: (value: string) => decodeNetwork(value).bits,
  network_family: (value: string) => decodeNetwork(value).family,
  network_host: (value: string) => formatAddress(decodeNetwork(value)),
  network_show: withMask,
  inet_same_family: (a: string, b: string) => a[0] === b[0],
  inet_merge: merge,
  inetnot: (value: string) => {
    const network = decodeNetwork(value);
    return encodeNetwork({
      ...network,
      address: network.address ^ maskOf(network.family, addressBits(network.family)),
    });
  },
  inetand: bitwise('AND', (a, b) => a & b),
  inetor: bitwise('OR', (a, b) => a | b),
  inetpl: (value: string, by: Int8) => shifted(value, BigInt(by)),
  int8pl_inet: (by: Int8, value: string) => shifted(value, BigInt(by)),
  inetmi_int8: (value: string, by: Int8) => shifted(value, -BigInt(by)),
  inetmi: difference,
  inet_client_addr: contextual((context: EvaluationContext) => endOf(context.connection?.client)),
  inet_client_port: contextual((context: EvaluationContext) => context.connection?.client.port ?? null),
  inet_server_addr: contextual((context: EvaluationContext) => endOf(context.connection?.server)),
  inet_server_port: contextual((context: EvaluationContext) => context.connection?.server.port ?? null),
};
