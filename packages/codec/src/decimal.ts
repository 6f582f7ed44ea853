/**
 * Decimal: PostgreSQL's numeric. A value is unscaled / 10^scale, exact at any size, and the scale is also how many digits
 * are shown (1.10 is not 1.1 in text, though they are equal). NaN and the infinities are the unscaled numbers NaN,
 * Infinity and -Infinity with scale 0.
 *
 * Idea and source: the display-scale rules are those of PostgreSQL's numeric.c, section by section (`select_div_scale`,
 * `numeric_power`, ...); the representation is not its base-10000 digits but one integer, because a safe-integer add
 * measured 1 ns, a bigint add 3.5 ns and a digit-array add over 70 ns.
 *
 * Invariants:
 *   1. `unscaled` is a number exactly when it is a safe integer (or special), never a bigint that would fit one, and
 *      never -0: equal fields are equal values of equal scale.
 *   2. 0 <= scale <= 16383, and at most 131072 digits stand before the point (22003 otherwise).
 *   3. Instances are immutable; small results allocate nothing but themselves.
 */
import { INSPECT, PhantomError } from '@phantom/base';
import { POWERS_OF_TEN, bigPowerOfTen, canonicalInteger, digitsOf, divideRounded } from './decimal-digits.js';

/** Most digits after the point that a value may have. */
export const DECIMAL_SCALE_MAX = 16383;
/** Most digits before the point. */
export const DECIMAL_DIGITS_MAX = 131072;
/** Digits a quotient or transcendental result has at least. */
export const DECIMAL_SIGNIFICANT_MIN = 16;
/** Most digits after the point that division and transcendental functions choose by themselves. */
export const DECIMAL_RESULT_SCALE_MAX = 1000;

const NUMBER_SYNTAX = /^[ \t\n\r\f\v]*([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?[ \t\n\r\f\v]*$/;
const SPECIAL_SYNTAX = /^[ \t\n\r\f\v]*(?:(nan)|([+-]?)inf(?:inity)?)[ \t\n\r\f\v]*$/i;
const EXPONENT_MAX = 1073741823;
/** Digits that always make a safe integer. */
const PLAIN_DIGITS_MAX = 15;

function overflow(): PhantomError {
  return new PhantomError('22003', 'value overflows numeric format');
}

function divisionByZero(): PhantomError {
  return new PhantomError('22012', 'division by zero');
}

function notByConstructor(): PhantomError {
  return new PhantomError('22023', 'a Decimal is not made by its constructor', {
    hint: "Use Decimal.fromString('12.50'), Decimal.fromNumber(12.5) or Decimal.of(1250, 2).",
  });
}

export class Decimal {
  static readonly NaN: Decimal = new Decimal(Number.NaN, 0);
  static readonly Infinity: Decimal = new Decimal(Number.POSITIVE_INFINITY, 0);
  static readonly NegativeInfinity: Decimal = new Decimal(Number.NEGATIVE_INFINITY, 0);
  static readonly Zero: Decimal = new Decimal(0, 0);
  static readonly One: Decimal = new Decimal(1, 0);

  /** The value times 10^scale: a safe integer, a bigint beyond that, or NaN and the infinities. */
  readonly unscaled: number | bigint;
  /** Digits after the point, shown and significant. */
  readonly scale: number;

  /**
   * Trusts its arguments (see the invariants); `of` and `fromString` check. 22023 without a scale: whoever knows other decimal classes writes
   * `new Decimal('1.50')`, and JavaScript would keep the text as the integer.
   */
  constructor(unscaled: number | bigint, scale: number) {
    if (scale === undefined) throw notByConstructor();
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** The value unscaled / 10^scale; brings the integer into its one form and checks the limits (22003). */
  static of(unscaled: number | bigint, scale = 0): Decimal {
    if (typeof unscaled === 'number') {
      if (Number.isSafeInteger(unscaled)) return new Decimal(unscaled === 0 ? 0 : unscaled, scale);
      if (Number.isInteger(unscaled)) return Decimal.ofBig(BigInt(unscaled), scale);
      if (Number.isNaN(unscaled)) return Decimal.NaN;
      if (unscaled === Number.POSITIVE_INFINITY) return Decimal.Infinity;
      if (unscaled === Number.NEGATIVE_INFINITY) return Decimal.NegativeInfinity;
      throw new PhantomError('22023', `unscaled value ${unscaled} is not an integer`);
    }
    return Decimal.ofBig(unscaled, scale);
  }

  private static ofBig(unscaled: bigint, scale: number): Decimal {
    const integer = canonicalInteger(unscaled);
    if (typeof integer === 'bigint' && scale <= DECIMAL_SCALE_MAX) {
      // Only huge integers can overflow; counting digits of every product would cost more than the product.
      if (integer.toString(16).length > 108000 && digitsOf(integer) - scale > DECIMAL_DIGITS_MAX) throw overflow();
    }
    const result = new Decimal(integer, scale);
    return scale > DECIMAL_SCALE_MAX ? result.round(DECIMAL_SCALE_MAX) : result;
  }

  /**
   * Text in any of PostgreSQL's forms: digits with an optional point and exponent, NaN, inf and infinity in any case, blanks
   * around. Undefined when it is none of them; 22003 when it is too large.
   */
  static parse(text: string): Decimal | undefined {
    return Decimal.parsePlain(text) ?? Decimal.parseAny(text);
  }

  /** Digits, perhaps with a sign or a point, few enough for a safe integer; undefined for any other text. */
  private static parsePlain(text: string): Decimal | undefined {
    const { length } = text;
    if (length > PLAIN_DIGITS_MAX + 2) return undefined;
    const isNegative = text.charCodeAt(0) === 45;
    let magnitude = 0;
    let digits = 0;
    let whole = -1;
    for (let i = isNegative ? 1 : 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code === 46 && whole < 0) {
        whole = digits;
        continue;
      }
      if (code < 48 || code > 57) return undefined;
      magnitude = magnitude * 10 + code - 48;
      digits++;
    }
    if (digits === 0 || digits > PLAIN_DIGITS_MAX) return undefined;
    return new Decimal(isNegative && magnitude !== 0 ? -magnitude : magnitude, whole < 0 ? 0 : digits - whole);
  }

  private static parseAny(text: string): Decimal | undefined {
    const match = NUMBER_SYNTAX.exec(text);
    if (match === null) {
      const special = SPECIAL_SYNTAX.exec(text);
      if (special === null) return undefined;
      if (special[1] !== undefined) return Decimal.NaN;
      return special[2] === '-' ? Decimal.NegativeInfinity : Decimal.Infinity;
    }
    const fraction = match[3] ?? match[4] ?? '';
    const exponent = match[5] === undefined ? 0 : Number(match[5]);
    if (Math.abs(exponent) > EXPONENT_MAX) throw overflow();
    let digits = (match[2] ?? '') + fraction;
    let scale = fraction.length - exponent;
    if (scale < 0) {
      if (/^0*$/.test(digits)) digits = '0';
      else if (digits.length - scale > DECIMAL_DIGITS_MAX + digits.length) throw overflow();
      else digits += '0'.repeat(-scale);
      scale = 0;
    }
    if (scale > DECIMAL_SCALE_MAX) throw overflow();
    if (digits.length <= PLAIN_DIGITS_MAX) {
      const magnitude = Number(digits);
      return new Decimal(match[1] === '-' && magnitude !== 0 ? -magnitude : magnitude, scale);
    }
    const magnitude = BigInt(digits);
    if (digits.length - scale > DECIMAL_DIGITS_MAX && digitsOf(magnitude) - scale > DECIMAL_DIGITS_MAX)
      throw overflow();
    return Decimal.ofBig(match[1] === '-' ? -magnitude : magnitude, scale);
  }

  /** As `parse`, with 22P02 for text that is no number. */
  static fromString(text: string): Decimal {
    const value = Decimal.parse(text);
    if (value === undefined) throw new PhantomError('22P02', `invalid input syntax for type numeric: "${text}"`);
    return value;
  }

  /** The shortest decimal that reads back as the same double; NaN and infinities kept. */
  static fromNumber(value: number): Decimal {
    if (Number.isSafeInteger(value)) return new Decimal(value === 0 ? 0 : value, 0);
    return Number.isFinite(value) ? Decimal.fromString(String(value)) : Decimal.of(value);
  }

  isNaN(): boolean {
    return typeof this.unscaled === 'number' && Number.isNaN(this.unscaled);
  }

  /** False for NaN and the infinities. */
  isFinite(): boolean {
    return typeof this.unscaled === 'bigint' || Number.isFinite(this.unscaled);
  }

  isZero(): boolean {
    return this.unscaled === 0;
  }

  /** -1, 0 or 1; NaN has 1. */
  sign(): number {
    if (this.unscaled === 0) return 0;
    return this.unscaled < 0 ? -1 : 1;
  }

  negate(): Decimal {
    if (this.unscaled === 0) return this;
    return new Decimal(-this.unscaled, this.scale);
  }

  abs(): Decimal {
    return this.unscaled < 0 ? new Decimal(-this.unscaled, this.scale) : this;
  }

  add(other: Decimal): Decimal {
    const a = this.unscaled;
    const b = other.unscaled;
    if (typeof a === 'number' && typeof b === 'number') {
      if (this.scale === other.scale) {
        const sum = a + b;
        if (Number.isSafeInteger(sum)) return new Decimal(sum, this.scale);
      } else {
        const shift = this.scale - other.scale;
        if (shift > 0 && shift < 16) {
          const sum = a + b * (POWERS_OF_TEN[shift] as number);
          if (Number.isSafeInteger(sum) && Number.isSafeInteger(b * (POWERS_OF_TEN[shift] as number))) {
            return new Decimal(sum, this.scale);
          }
        } else if (shift < 0 && shift > -16) {
          const sum = a * (POWERS_OF_TEN[-shift] as number) + b;
          if (Number.isSafeInteger(sum) && Number.isSafeInteger(a * (POWERS_OF_TEN[-shift] as number))) {
            return new Decimal(sum, other.scale);
          }
        }
      }
    }
    if (!this.isFinite() || !other.isFinite()) return Decimal.of(specialNumber(this) + specialNumber(other));
    const scale = Math.max(this.scale, other.scale);
    return Decimal.ofBig(this.scaledTo(scale) + other.scaledTo(scale), scale);
  }

  sub(other: Decimal): Decimal {
    const a = this.unscaled;
    const b = other.unscaled;
    if (typeof a === 'number' && typeof b === 'number' && this.scale === other.scale) {
      const difference = a - b;
      if (Number.isSafeInteger(difference)) return new Decimal(difference, this.scale);
    }
    return this.add(other.negate());
  }

  mul(other: Decimal): Decimal {
    const a = this.unscaled;
    const b = other.unscaled;
    const scale = this.scale + other.scale;
    if (typeof a === 'number' && typeof b === 'number') {
      const product = a * b;
      if (Number.isSafeInteger(product) && scale <= DECIMAL_SCALE_MAX) {
        return new Decimal(product === 0 ? 0 : product, scale);
      }
      if (!Number.isFinite(a) || !Number.isFinite(b)) return Decimal.of(a * b);
    }
    if (!this.isFinite() || !other.isFinite()) return Decimal.of(specialNumber(this) * specialNumber(other));
    return Decimal.ofBig(BigInt(a) * BigInt(b), scale);
  }

  /** Quotient with the scale PostgreSQL chooses: at least 16 significant digits, never fewer than either operand shows. */
  div(other: Decimal): Decimal {
    if (!this.isFinite() || !other.isFinite()) return divideSpecial(this, other);
    if (other.unscaled === 0) throw divisionByZero();
    return this.divideTo(other, divisionScale(this, other), true);
  }

  /** Quotient to `scale` digits after the point, rounded half away from zero or truncated. */
  divideTo(other: Decimal, scale: number, round: boolean): Decimal {
    if (other.unscaled === 0) throw divisionByZero();
    const shift = scale + other.scale - this.scale;
    if (typeof this.unscaled === 'number' && typeof other.unscaled === 'number' && shift >= 0 && shift < 16) {
      const dividend = this.unscaled * (POWERS_OF_TEN[shift] as number);
      if (Number.isSafeInteger(dividend)) {
        const divisor = other.unscaled;
        const remainder = dividend % divisor;
        let quotient = (dividend - remainder) / divisor;
        if (round && Math.abs(remainder) >= Math.abs(divisor) - Math.abs(remainder)) {
          quotient += dividend < 0 === divisor < 0 ? 1 : -1;
        }
        return new Decimal(quotient === 0 ? 0 : quotient, scale);
      }
    }
    let dividend = BigInt(this.unscaled);
    let divisor = BigInt(other.unscaled);
    if (shift >= 0) dividend *= bigPowerOfTen(shift);
    else divisor *= bigPowerOfTen(-shift);
    if (divisor < 0n) {
      dividend = -dividend;
      divisor = -divisor;
    }
    return Decimal.ofBig(round ? divideRounded(dividend, divisor) : dividend / divisor, scale);
  }

  /** The integer part of the quotient, towards zero: PostgreSQL's div(). */
  divTrunc(other: Decimal): Decimal {
    if (!this.isFinite() || !other.isFinite()) return divideSpecial(this, other);
    return this.divideTo(other, 0, false);
  }

  /** Remainder of the division towards zero: the sign is that of the dividend. */
  mod(other: Decimal): Decimal {
    if (!this.isFinite() || !other.isFinite()) {
      if (this.isNaN() || other.isNaN()) return Decimal.NaN;
      if (other.unscaled === 0) throw divisionByZero();
      return this.isFinite() ? this : Decimal.NaN;
    }
    if (other.unscaled === 0) throw divisionByZero();
    if (this.scale === other.scale && typeof this.unscaled === 'number' && typeof other.unscaled === 'number') {
      const remainder = this.unscaled % other.unscaled;
      return new Decimal(remainder === 0 ? 0 : remainder, this.scale);
    }
    const scale = Math.max(this.scale, other.scale);
    return Decimal.ofBig(this.scaledTo(scale) % other.scaledTo(scale), scale);
  }

  /** Below zero, zero or above zero: a total order in which NaN equals itself and is greatest. */
  compare(other: Decimal): number {
    const a = this.unscaled;
    const b = other.unscaled;
    if (typeof a === 'number' && typeof b === 'number') {
      if (this.scale === other.scale) {
        if (a < b) return -1;
        if (a > b) return 1;
        if (a === b) return 0;
      }
      if (!Number.isFinite(a) || !Number.isFinite(b)) return compareSpecial(a, b);
      if (a <= 0 && b >= 0) return a === b ? 0 : -1;
      if (a >= 0 && b <= 0) return 1;
      // A product that is not exact is greater than any safe integer, so it compares right all the same.
      const more = this.scale - other.scale;
      if (Math.abs(more) < POWERS_OF_TEN.length) {
        const left = more < 0 ? a * (POWERS_OF_TEN[-more] as number) : a;
        const right = more > 0 ? b * (POWERS_OF_TEN[more] as number) : b;
        return left < right ? -1 : left > right ? 1 : 0;
      }
    } else if (!this.isFinite() || !other.isFinite()) {
      return compareSpecial(specialNumber(this), specialNumber(other));
    }
    if (this.scale === other.scale) return a < b ? -1 : a > b ? 1 : 0;
    const scale = Math.max(this.scale, other.scale);
    const left = this.scaledTo(scale);
    const right = other.scaledTo(scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  /** Equal in value, whatever the scales. */
  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  /** To `scale` digits after the point, half away from zero; a negative scale rounds before the point. */
  round(scale = 0): Decimal {
    return this.cut(scale, true);
  }

  /** To `scale` digits after the point, towards zero. */
  trunc(scale = 0): Decimal {
    return this.cut(scale, false);
  }

  ceil(): Decimal {
    const whole = this.trunc(0);
    return this.sign() > 0 && whole.compare(this) < 0 ? whole.add(Decimal.One) : whole;
  }

  floor(): Decimal {
    const whole = this.trunc(0);
    return this.sign() < 0 && whole.compare(this) > 0 ? whole.sub(Decimal.One) : whole;
  }

  /** Fewest digits after the point that keep the value. */
  minScale(): number {
    let scale = this.scale;
    if (this.unscaled === 0 || !this.isFinite()) return 0;
    if (typeof this.unscaled === 'number') {
      let rest = this.unscaled;
      while (scale > 0 && rest % 10 === 0) {
        rest /= 10;
        scale--;
      }
      return scale;
    }
    const digits = this.unscaled.toString();
    for (let i = digits.length - 1; scale > 0 && digits.charCodeAt(i) === 48; i--) scale--;
    return scale;
  }

  /** The same value without trailing zeros after the point. */
  normalize(): Decimal {
    const scale = this.minScale();
    return scale === this.scale ? this : this.cut(scale, false);
  }

  /** The same value shown with `scale` digits; rounds when there are more. */
  withScale(scale: number): Decimal {
    if (!this.isFinite() || scale === this.scale) return this;
    if (scale < this.scale) return this.cut(scale, true);
    if (typeof this.unscaled === 'number' && scale - this.scale < 16) {
      const unscaled = this.unscaled * (POWERS_OF_TEN[scale - this.scale] as number);
      if (Number.isSafeInteger(unscaled)) return new Decimal(unscaled, scale);
    }
    return Decimal.ofBig(this.scaledTo(scale), scale);
  }

  /** Nearest double. */
  toNumber(): number {
    const unscaled = this.unscaled;
    if (typeof unscaled === 'number') {
      if (this.scale === 0) return unscaled;
      // Both are exact doubles, so their quotient is rounded once: it is the nearest double.
      if (this.scale <= 22) return unscaled / (POWERS_OF_TEN[this.scale] as number);
    }
    return Number(this.toString());
  }

  /** The value as an integer in canonical form (number while safe, else bigint), rounded half away from zero. */
  toInteger(): number | bigint {
    return this.scale === 0 ? this.unscaled : this.cut(0, true).unscaled;
  }

  /** Plain decimal text with exactly `scale` digits after the point; NaN, Infinity, -Infinity. */
  toString(): string {
    const scale = this.scale;
    if (scale === 0) return this.unscaled.toString();
    const negative = this.unscaled < 0;
    let digits = (negative ? -this.unscaled : this.unscaled).toString();
    if (digits.length <= scale) digits = '0'.repeat(scale - digits.length + 1) + digits;
    const point = digits.length - scale;
    return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
  }

  /** As text: JSON numbers cannot say all that this can. */
  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return `Decimal(${this.toString()})`;
  }

  /**
   * Decimal exponent of the leading digit: 0 for 1..9.99, -1 for 0.1..0.99; 0 for zero.
   */
  exponent(): number {
    return this.unscaled === 0 ? 0 : digitsOf(this.unscaled) - 1 - this.scale;
  }

  /** The unscaled value at a scale that is not smaller than the own one. */
  scaledTo(scale: number): bigint {
    const unscaled = BigInt(this.unscaled);
    return scale === this.scale ? unscaled : unscaled * bigPowerOfTen(scale - this.scale);
  }

  private cut(scale: number, round: boolean): Decimal {
    if (scale >= this.scale) return scale > this.scale ? this.withScale(Math.min(scale, DECIMAL_SCALE_MAX)) : this;
    if (!this.isFinite()) return this;
    const drop = this.scale - scale;
    const shown = scale < 0 ? 0 : scale;
    const unscaled = this.unscaled;
    if (typeof unscaled === 'number') {
      if (drop > 16) return new Decimal(0, shown);
      const unit = POWERS_OF_TEN[drop] as number;
      const remainder = unscaled % unit;
      let quotient = (unscaled - remainder) / unit;
      if (round && Math.abs(remainder) * 2 >= unit) quotient += unscaled < 0 ? -1 : 1;
      if (quotient === 0) return new Decimal(0, shown);
      if (scale >= 0) return new Decimal(quotient, shown);
      return Decimal.ofBig(BigInt(quotient) * bigPowerOfTen(-scale), 0);
    }
    if (drop > digitsOf(unscaled) + 1) return new Decimal(0, shown);
    const unit = bigPowerOfTen(drop);
    const quotient = round ? divideRounded(unscaled, unit) : unscaled / unit;
    return Decimal.ofBig(scale < 0 ? quotient * bigPowerOfTen(-scale) : quotient, shown);
  }
}

/** NaN or an infinity as it is, any finite value as its sign. */
function specialNumber(value: Decimal): number {
  return value.isFinite() ? value.sign() : (value.unscaled as number);
}

function compareSpecial(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function divideSpecial(dividend: Decimal, divisor: Decimal): Decimal {
  if (dividend.isNaN() || divisor.isNaN()) return Decimal.NaN;
  if (divisor.unscaled === 0) throw divisionByZero();
  if (!divisor.isFinite()) return dividend.isFinite() ? Decimal.Zero : Decimal.NaN;
  return dividend.sign() === divisor.sign() ? Decimal.Infinity : Decimal.NegativeInfinity;
}

/** Index of the first base-10000 digit, as PostgreSQL's NumericVar weight: 0 for 1..9999. */
export function decimalWeight(value: Decimal): number {
  return Math.floor(value.exponent() / 4);
}

/** The first base-10000 digit; 0 for zero. */
export function decimalLeadingDigit(value: Decimal): number {
  const unscaled = value.unscaled;
  if (unscaled === 0) return 0;
  const shift = value.scale + 4 * decimalWeight(value);
  if (typeof unscaled === 'number') {
    const magnitude = Math.abs(unscaled);
    if (shift >= 0) return Math.floor(magnitude / (POWERS_OF_TEN[shift] as number));
    return magnitude * (POWERS_OF_TEN[-shift] as number);
  }
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  return Number(shift >= 0 ? magnitude / bigPowerOfTen(shift) : magnitude * bigPowerOfTen(-shift));
}

/** Scale of a quotient of finite values: numeric.c's select_div_scale. */
export function divisionScale(dividend: Decimal, divisor: Decimal): number {
  let weight = decimalWeight(dividend) - decimalWeight(divisor);
  if (decimalLeadingDigit(dividend) <= decimalLeadingDigit(divisor)) weight--;
  const scale = Math.max(DECIMAL_SIGNIFICANT_MIN - weight * 4, dividend.scale, divisor.scale, 0);
  return Math.min(scale, DECIMAL_RESULT_SCALE_MAX);
}
