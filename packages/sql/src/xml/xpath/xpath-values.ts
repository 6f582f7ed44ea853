/** Values of XPath 1.0 (sets of nodes, numbers, texts, truth) and how one becomes another, with libxml2's text of numbers. */
import { type XmlNode, textOf } from '../tree.js';

/** A set of nodes is in document order, each node once. */
export type XPathValue = number | string | boolean | readonly XmlNode[];

/** What cannot be computed, in libxml2's words. */
export class XPathError extends Error {}

const DIGITS = 15;
const INTEGER_MAX = 2 ** 31 - 1;
/** Numbers beyond these have an exponent. */
const FIXED_MIN = 1e-5;
const FIXED_MAX = 1e9;

/** A number with 15 digits, as libxml2 writes it. */
export function numberText(value: number): string {
  if (!Number.isFinite(value) || value === 0) return value === 0 ? '0' : String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size <= INTEGER_MAX) return String(value);
  if (size > FIXED_MAX || size < FIXED_MIN) {
    const [mantissa = '', exponent = ''] = value.toExponential(DIGITS - 1).split('e');
    return `${withoutZeros(mantissa)}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  const places = Math.trunc(Math.log10(size));
  return withoutZeros(value.toFixed(places > 0 ? DIGITS - places - 1 : DIGITS - places));
}

function withoutZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

const NUMBER = /^[ \t\r\n]*(-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\r\n]*$/;

export function numberOf(value: XPathValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const match = NUMBER.exec(stringOf(value));
  return match === null ? Number.NaN : Number(match[1]);
}

export function stringOf(value: XPathValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'boolean') return String(value);
  return value[0] === undefined ? '' : textOf(value[0]);
}

export function booleanOf(value: XPathValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0 && !Number.isNaN(value);
  return value.length > 0;
}

/** The set of nodes; an XPathError for any other value. */
export function nodesOf(value: XPathValue): readonly XmlNode[] {
  if (typeof value !== 'object') throw new XPathError('Invalid type');
  return value;
}

function equal(left: XPathValue, right: XPathValue): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') return booleanOf(left) === booleanOf(right);
  if (typeof left === 'number' || typeof right === 'number') return numberOf(left) === numberOf(right);
  return stringOf(left) === stringOf(right);
}

/** Sets are equal where one text is in both, and different where two texts differ; both may be. */
function compareSets(same: boolean, left: readonly XmlNode[], right: readonly XmlNode[]): boolean {
  const texts = new Set(left.map(textOf));
  if (same) return right.some((node) => texts.has(textOf(node)));
  if (texts.size > 1) return right.length > 0;
  return texts.size === 1 && right.some((node) => !texts.has(textOf(node)));
}

/** `=` or, where not `same`, `!=`. */
export function compareEqual(same: boolean, left: XPathValue, right: XPathValue): boolean {
  if (typeof left === 'object' && typeof right === 'object') return compareSets(same, left, right);
  const [set, other] = typeof left === 'object' ? [left, right] : [right, left];
  if (typeof set !== 'object' || typeof other === 'boolean') return equal(left, right) === same;
  return set.some((node) => equal(typeof other === 'number' ? numberOf([node]) : textOf(node), other) === same);
}

/** Numbers of a value: of each node of a set. */
function numbersOf(value: XPathValue): readonly number[] {
  return typeof value === 'object' ? value.map((node) => numberOf([node])) : [numberOf(value)];
}

/** `<` or, with `orEqual`, `<=`: true where it is of one node. */
export function compareLess(orEqual: boolean, left: XPathValue, right: XPathValue): boolean {
  const asTruth = typeof left === 'boolean' || typeof right === 'boolean';
  const lefts = asTruth ? [Number(booleanOf(left))] : numbersOf(left);
  const rights = asTruth ? [Number(booleanOf(right))] : numbersOf(right);
  // The least of one side and the greatest of the other decide; what is no number decides nothing.
  let least = Number.NaN;
  for (const one of lefts) if (!(one >= least)) least = Number.isNaN(one) ? least : one;
  let greatest = Number.NaN;
  for (const one of rights) if (!(one <= greatest)) greatest = Number.isNaN(one) ? greatest : one;
  return orEqual ? least <= greatest : least < greatest;
}
