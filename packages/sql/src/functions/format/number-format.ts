/**
 * to_char and to_number of numbers: NUMDesc_prepare and NUM_processor of formatting.c, step for step, since what comes
 * out for unusual templates is defined by those steps alone.
 */
import { PhantomError } from '@phantom/base';
import { type TemplatePart, numberTemplate, ordinalSuffix } from './template.js';

/** What a template asks for. */
interface NumberShape {
  /** Digits before and after the point, and behind V. */
  pre: number;
  post: number;
  multi: number;
  zeroStart: number;
  zeroEnd: number;
  /** Where the locale sign (S) stands. */
  sign: 'none' | 'before' | 'behind';
  signAfterDigits: number;
  zero: boolean;
  decimal: boolean;
  fill: boolean;
  localeSign: boolean;
  bracket: boolean;
  minus: boolean;
  plus: boolean;
  roman: boolean;
  multiply: boolean;
  exponent: boolean;
  blank: boolean;
}

function syntaxError(message: string, detail?: string): PhantomError {
  return new PhantomError('42601', message, { detail });
}

function prepare(parts: readonly TemplatePart[]): NumberShape {
  const shape: NumberShape = {
    pre: 0,
    post: 0,
    multi: 0,
    zeroStart: 0,
    zeroEnd: 0,
    sign: 'none',
    signAfterDigits: 0,
    zero: false,
    decimal: false,
    fill: false,
    localeSign: false,
    bracket: false,
    minus: false,
    plus: false,
    roman: false,
    multiply: false,
    exponent: false,
    blank: false,
  };
  for (const part of parts) if (part.kind === 'keyword') prepareKeyword(shape, part.text.toUpperCase());
  return shape;
}

function prepareKeyword(shape: NumberShape, word: string): void {
  if (shape.exponent && word !== 'EEEE') throw syntaxError('"EEEE" must be the last pattern used');
  switch (word) {
    case '9':
      if (shape.bracket) throw syntaxError('"9" must be ahead of "PR"');
      if (shape.multiply) shape.multi++;
      else if (shape.decimal) shape.post++;
      else shape.pre++;
      return;
    case '0':
      if (shape.bracket) throw syntaxError('"0" must be ahead of "PR"');
      if (!shape.zero && !shape.decimal) {
        shape.zero = true;
        shape.zeroStart = shape.pre + 1;
      }
      if (shape.decimal) shape.post++;
      else shape.pre++;
      shape.zeroEnd = shape.pre + shape.post;
      return;
    case 'B':
      if (shape.pre === 0 && shape.post === 0 && !shape.zero) shape.blank = true;
      return;
    case 'D':
    case '.':
      if (shape.decimal) throw syntaxError('multiple decimal points');
      if (shape.multiply) throw syntaxError('cannot use "V" and decimal point together');
      shape.decimal = true;
      return;
    case 'FM':
      shape.fill = true;
      return;
    case 'S':
      if (shape.localeSign) throw syntaxError('cannot use "S" twice');
      if (shape.plus || shape.minus || shape.bracket) {
        throw syntaxError('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
      }
      if (!shape.decimal) {
        shape.sign = 'before';
        shape.signAfterDigits = shape.pre;
      } else if (shape.sign === 'none') {
        shape.sign = 'behind';
      }
      shape.localeSign = true;
      return;
    case 'MI':
    case 'PL':
    case 'SG':
      if (shape.localeSign) throw syntaxError(`cannot use "S" and "${word}" together`);
      if (word !== 'PL') shape.minus = true;
      if (word !== 'MI') shape.plus = true;
      return;
    case 'PR':
      if (shape.localeSign || shape.plus || shape.minus) {
        throw syntaxError('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
      }
      shape.bracket = true;
      return;
    case 'RN':
      shape.roman = true;
      return;
    case 'V':
      if (shape.decimal) throw syntaxError('cannot use "V" and decimal point together');
      shape.multiply = true;
      return;
    case 'EEEE':
      prepareExponent(shape);
      return;
    default:
  }
}

function prepareExponent(shape: NumberShape): void {
  if (shape.exponent) throw syntaxError('cannot use "EEEE" twice');
  const other =
    shape.blank ||
    shape.fill ||
    shape.localeSign ||
    shape.bracket ||
    shape.minus ||
    shape.plus ||
    shape.roman ||
    shape.multiply;
  if (other) {
    throw syntaxError(
      '"EEEE" is incompatible with other formats',
      '"EEEE" may only be used together with digit and decimal point patterns.',
    );
  }
  shape.exponent = true;
}

const ROMAN: readonly [number, string][] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];
/** Width of a Roman number. */
const ROMAN_WIDTH = 15;

function toRoman(value: number): string {
  if (!(value >= 1 && value <= 3999)) return '#'.repeat(ROMAN_WIDTH);
  let rest = value;
  let text = '';
  for (const [size, letters] of ROMAN) {
    while (rest >= size) {
      text += letters;
      rest -= size;
    }
  }
  return text;
}

/** A number as to_char takes it; each numeric type makes its own. */
export interface NumberSource {
  /** Rounded to an integer, for Roman numbers; errors where there is none. */
  roundedInteger(): number;
  /** Scientific notation with `post` digits, sign or blank in front; undefined for NaN and infinities. */
  scientific(post: number): string | undefined;
  /** Digits behind the point that it can show of `post`, after multiplying by 10^multi. */
  post(post: number, multi: number): number;
  /** Plain digits with exactly `post` behind the point, after multiplying by 10^multi. */
  plain(post: number, multi: number): string;
}

/** Digits written into a template, one part after the other. */
class NumberWriter {
  private readonly shape: NumberShape;
  private readonly number: string;
  private readonly signCharacter: string;
  private readonly preSpaces: number;
  private position = 0;
  private current = 0;
  private inNumber = false;
  private signWritten: boolean;
  private readonly count: number;
  /** Index of the last digit worth showing with FM; -1 without one. */
  private readonly lastRelevant: number;
  private out = '';

  constructor(shape: NumberShape, number: string, sign: string, preSpaces: number) {
    this.shape = shape;
    this.number = number;
    this.signCharacter = shape.roman ? '' : sign;
    this.preSpaces = shape.roman ? 0 : preSpaces;
    if (shape.zeroStart > 0) shape.zeroStart--;
    if (shape.plus || shape.minus) {
      this.signWritten = !(shape.plus && !shape.minus);
    } else {
      if (sign !== '-' && shape.fill) shape.bracket = false;
      this.signWritten = sign === '+' && shape.fill && !shape.localeSign;
      if (shape.sign === 'before' && shape.pre === shape.signAfterDigits) shape.sign = 'behind';
    }
    this.lastRelevant = shape.fill && shape.decimal ? this.findLastRelevant() : -1;
    this.count = shape.post + shape.pre - 1 + (!this.signWritten && this.preSpaces === 0 ? 1 : 0);
  }

  private findLastRelevant(): number {
    const point = this.number.indexOf('.');
    if (point < 0) return -1;
    let last = point;
    for (let i = point + 1; i < this.number.length; i++) if (this.number[i] !== '0') last = i;
    if (this.shape.zeroEnd > this.preSpaces) {
      last = Math.max(last, Math.min(this.number.length - 1, this.shape.zeroEnd - this.preSpaces));
    }
    return last;
  }

  write(parts: readonly TemplatePart[]): string {
    for (const part of parts) {
      if (part.kind !== 'keyword') this.out += part.text;
      else this.keyword(part.text);
    }
    return this.out;
  }

  private keyword(text: string): void {
    const { shape } = this;
    switch (text.toUpperCase()) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.digit(text.toUpperCase());
        return;
      case ',':
      case 'G':
        if (this.inNumber) this.out += ',';
        else if (!shape.fill) this.out += ' ';
        return;
      case 'L':
        this.out += ' ';
        return;
      case 'RN': {
        const roman = text === 'rn' ? this.number.toLowerCase() : this.number;
        this.out += shape.fill ? roman : roman.padStart(ROMAN_WIDTH);
        return;
      }
      case 'TH':
        if (shape.roman || this.number.startsWith('#') || this.signCharacter === '-' || shape.decimal) return;
        if (!/[0-9]$/.test(this.number)) throw new PhantomError('22P02', `"${this.number}" is not a number`);
        this.out += ordinalSuffix(this.number, text === 'th' ? 'th' : 'TH');
        return;
      case 'MI':
        if (this.signCharacter === '-') this.out += '-';
        else if (!shape.fill) this.out += ' ';
        return;
      case 'PL':
        if (this.signCharacter === '+') this.out += '+';
        else if (!shape.fill) this.out += ' ';
        return;
      case 'SG':
        this.out += this.signCharacter;
        return;
      default:
    }
  }

  /** `0.1` in `9.9` has a blank for its zero. */
  private isBlankZero(): boolean {
    return !this.shape.zero && this.position === 0 && this.number.startsWith('0') && this.shape.post !== 0;
  }

  private relevantIsPoint(): boolean {
    return this.lastRelevant >= 0 && this.number[this.lastRelevant] === '.';
  }

  private writeSign(): void {
    const { shape } = this;
    const atNumber = this.current >= this.preSpaces || (shape.zero && shape.zeroStart === this.current);
    if (this.signWritten || !atNumber || (this.isBlankZero() && !this.relevantIsPoint())) return;
    const negative = this.signCharacter === '-';
    if (shape.localeSign) {
      if (shape.sign !== 'before') return;
      this.out += negative ? '-' : '+';
    } else if (shape.bracket) {
      this.out += negative ? '<' : ' ';
    } else if (!negative) {
      if (!shape.fill) this.out += ' ';
    } else {
      this.out += '-';
    }
    this.signWritten = true;
  }

  private digit(keyword: string): void {
    const { shape } = this;
    if (shape.roman) return;
    this.inNumber = false;
    this.writeSign();
    if (this.current < this.preSpaces && (shape.zeroStart > this.current || !shape.zero)) {
      if (!shape.fill) this.out += ' ';
    } else if (shape.zero && this.current < this.preSpaces && shape.zeroStart <= this.current) {
      this.out += '0';
      this.inNumber = true;
    } else {
      this.copyDigit(keyword);
    }
    let end = this.count + (this.preSpaces > 0 ? 1 : 0) + (shape.decimal ? 1 : 0);
    if (this.lastRelevant >= 0 && this.lastRelevant === this.position) end = this.current;
    if (this.current + 1 === end) {
      const negative = this.signCharacter === '-';
      if (this.signWritten && shape.bracket) this.out += negative ? '>' : ' ';
      else if (shape.localeSign && shape.sign === 'behind') this.out += negative ? '-' : '+';
    }
    this.current++;
  }

  private copyDigit(keyword: string): void {
    const { shape } = this;
    const character = this.number[this.position];
    if (character === '.') {
      if (!this.relevantIsPoint() || shape.fill) this.out += '.';
    } else if (this.lastRelevant >= 0 && this.position > this.lastRelevant && keyword !== '0') {
      // Zeros that FM leaves out.
    } else if (this.isBlankZero()) {
      if (!shape.fill) this.out += ' ';
      else if (this.relevantIsPoint()) this.out += '0';
    } else if (character !== undefined) {
      this.out += character;
      this.inNumber = true;
    }
    if (character !== undefined) this.position++;
  }
}

/** The number as the template asks. */
export function formatNumber(source: NumberSource, template: string): string {
  const parts = numberTemplate(template);
  const shape = prepare(parts);
  if (shape.exponent) {
    const text = source.scientific(shape.post);
    if (text !== undefined) return text;
    const filled = '#'.repeat(shape.pre + shape.post + 6);
    return ` ${filled.slice(1, shape.pre + 1)}.${filled.slice(shape.pre + 2)}`;
  }
  if (shape.roman) {
    const roman = toRoman(source.roundedInteger());
    const plain = { ...shape, sign: 'none' as const, signAfterDigits: 0, post: 0, pre: 0 };
    const bare = {
      zero: false,
      decimal: false,
      localeSign: false,
      bracket: false,
      minus: false,
      plus: false,
      multiply: false,
    };
    return new NumberWriter({ ...plain, ...bare }, roman, '', 0).write(parts);
  }
  const multi = shape.multiply ? shape.multi : 0;
  shape.post = source.post(shape.post, multi);
  let digits = source.plain(shape.post, multi);
  if (shape.multiply) shape.pre += shape.multi;
  const sign = digits.startsWith('-') ? '-' : '+';
  if (sign === '-') digits = digits.slice(1);
  const point = digits.indexOf('.');
  const before = point < 0 ? digits.length : point;
  let preSpaces = 0;
  if (before < shape.pre) {
    preSpaces = shape.pre - before;
  } else if (before > shape.pre) {
    const filled = '#'.repeat(shape.pre + shape.post + 1);
    digits = `${filled.slice(0, shape.pre)}.${filled.slice(shape.pre + 1)}`;
  }
  return new NumberWriter(shape, digits, sign, preSpaces).write(parts);
}

/** Digits read out of a text by a template. */
class NumberReader {
  private readonly shape: NumberShape;
  private readonly input: string;
  private at = 0;
  private sign = ' ';
  private digits = '';
  private readPre = 0;
  private readPost = 0;
  private readPoint = false;

  constructor(shape: NumberShape, input: string) {
    this.shape = shape;
    this.input = input;
  }

  read(parts: readonly TemplatePart[]): { text: string; post: number } {
    for (const part of parts) {
      if (this.at >= this.input.length) break;
      if (part.kind !== 'keyword') this.at += (this.input.codePointAt(this.at) as number) > 0xffff ? 2 : 1;
      else if (this.keyword(part.text.toUpperCase())) this.at++;
    }
    const digits = this.digits.endsWith('.') ? this.digits.slice(0, -1) : this.digits;
    return { text: this.sign + digits, post: this.readPost };
  }

  /** True when the scan moves on by one character. */
  private keyword(word: string): boolean {
    switch (word) {
      case '9':
      case '0':
      case '.':
      case 'D':
        this.digit(word);
        return true;
      case ',':
      case 'G':
        if (this.readPre + this.readPost === 0 && this.shape.fill) return false;
        return this.input[this.at] === ',';
      case 'L':
        this.skipOther(1);
        return false;
      case 'TH':
        if (this.shape.roman || this.shape.decimal) return false;
        this.skipOther(2);
        return false;
      case 'MI':
        return this.signKeyword('-');
      case 'PL':
        return this.signKeyword('+');
      case 'SG':
        return this.signKeyword('-+');
      default:
        return false;
    }
  }

  private signKeyword(signs: string): boolean {
    const character = this.input[this.at] as string;
    if (signs.includes(character)) {
      this.sign = character;
      return true;
    }
    this.skipOther(1);
    return false;
  }

  /** Passes over characters that are no part of a number. */
  private skipOther(count: number): void {
    for (let i = 0; i < count && this.at < this.input.length; i++) {
      if ('0123456789.,+-'.includes(this.input[this.at] as string)) return;
      this.at += (this.input.codePointAt(this.at) as number) > 0xffff ? 2 : 1;
    }
  }

  private digit(word: string): void {
    const { shape, input } = this;
    if (input[this.at] === ' ') this.at++;
    if (this.at >= input.length) return;
    if (this.sign === ' ' && (word === '0' || word === '9') && this.readPre + this.readPost === 0) this.leadingSign();
    if (this.at >= input.length) return;
    let read = false;
    const character = input[this.at] as string;
    if (character >= '0' && character <= '9') {
      if (this.readPoint && this.readPost === shape.post) return;
      this.digits += character;
      if (this.readPoint) this.readPost++;
      else this.readPre++;
      read = true;
    } else if (shape.decimal && !this.readPoint && character === '.') {
      this.digits += '.';
      this.readPoint = true;
      read = true;
    }
    if (this.at < input.length && this.sign === ' ' && this.readPre + this.readPost > 0) this.trailingSign(read);
  }

  private leadingSign(): void {
    const character = this.input[this.at] as string;
    if (this.shape.localeSign && this.shape.sign === 'before') {
      if (character === '-' || character === '+') {
        this.sign = character;
        this.at++;
      }
      return;
    }
    if (character === '-' || (this.shape.bracket && character === '<')) {
      this.sign = '-';
      this.at++;
    } else if (character === '+') {
      this.sign = '+';
      this.at++;
    }
  }

  private trailingSign(read: boolean): void {
    const { shape, input } = this;
    if (shape.localeSign && read) {
      const next = input[this.at + 1];
      if (next === '-' || next === '+') {
        this.sign = next;
        this.at++;
      }
      return;
    }
    if (read || shape.localeSign || !(shape.plus || shape.minus)) return;
    const character = input[this.at];
    if (character === '-' || character === '+') this.sign = character;
  }
}

/** Text of the number that the template finds; undefined for an empty template. `multi` is the power of ten of V. */
export function scanNumber(
  input: string,
  template: string,
): { readonly text: string; readonly precision: number; readonly scale: number; readonly multi: number } | undefined {
  if (template === '') return undefined;
  const parts = numberTemplate(template);
  const shape = prepare(parts);
  if (shape.exponent) throw new PhantomError('0A000', '"EEEE" not supported for input');
  if (shape.roman) throw new PhantomError('0A000', '"RN" not supported for input');
  const { text, post } = new NumberReader(shape, input).read(parts);
  return { text, precision: shape.pre + shape.multi + post, scale: post, multi: shape.multi };
}
