/**
 * One setting of the daemon: how it is written as a flag, as a variable of the environment and in the file, what it may be,
 * and what it is when nobody says. The kinds here are all there are.
 */

/** A setting; `T` is what the program gets. */
export interface Setting<T> {
  readonly description: string;
  /** What stands for the value in --help; a flag without a value has none. */
  readonly placeholder: string | undefined;
  readonly fallback: T;
  /** Variables of others that are asked where its own is not there, and what their text means for this setting. */
  readonly others?: Readonly<Record<string, (text: string) => string>>;
  /** Reads a text (a flag, a variable) or a value of JSON. Throws an Error that completes "NAME ...". */
  readonly read: (given: unknown) => T;
}

export type SettingValue<S> = S extends Setting<infer T> ? T : never;

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
/** Longest time a timer takes. */
const TIME_MS_MAX = 2_147_483_647;

/** A text; undefined when it is not given. */
export function text(placeholder: string, description: string): Setting<string | undefined> {
  return { description, placeholder, fallback: undefined, read: readText };
}

/** A text that is always there. */
export function textOr(fallback: string, placeholder: string, description: string): Setting<string> {
  return { description, placeholder, fallback, read: readText };
}

export function choice<const T extends string>(choices: readonly T[], fallback: T, description: string): Setting<T> {
  return {
    description,
    placeholder: 'choice',
    fallback,
    read: (given) => {
      const found = choices.find((candidate) => candidate === given);
      if (found === undefined) throw new Error(`has to be one of ${choices.join(', ')}`);
      return found;
    },
  };
}

export function flag(description: string): Setting<boolean> {
  return {
    description,
    placeholder: undefined,
    fallback: false,
    read: (given) => {
      if (given === true || given === 'true') return true;
      if (given === false || given === 'false') return false;
      throw new Error('has to be true or false');
    },
  };
}

export function port(fallback: number, description: string): Setting<number> {
  return count(fallback, 0, 65_535, description, 'port');
}

/** Milliseconds. */
export function time(fallback: number, minimum: number, description: string): Setting<number> {
  return count(fallback, minimum, TIME_MS_MAX, description, 'ms');
}

/** A whole number within bounds, both included. */
export function count(
  fallback: number,
  minimum: number,
  maximum: number,
  description: string,
  placeholder = 'count',
): Setting<number> {
  return { description, placeholder, fallback, read: (given) => wholeNumber(given, minimum, maximum) };
}

/** A number of bytes: digits, or digits and KiB, MiB or GiB. */
export function bytes(fallback: number, minimum: number, description: string): Setting<number> {
  return {
    description,
    placeholder: 'bytes',
    fallback,
    read: (given) => {
      const match = /^(\d+) ?(|KiB|MiB|GiB)$/.exec(String(given));
      if (match === null) throw new Error('has to be a number of bytes, such as 65536, 64KiB, 64MiB or 1GiB');
      const unit = UNITS[match[2] as string] as number;
      return wholeNumber(Number(match[1]) * unit, minimum, Number.MAX_SAFE_INTEGER);
    },
  };
}

/** A share of a whole, 0 to 1. */
export function share(fallback: number, description: string): Setting<number> {
  return {
    description,
    placeholder: 'share',
    fallback,
    read: (given) => {
      const number = typeof given === 'string' && /^(\d+(\.\d*)?|\.\d+)$/.test(given) ? Number(given) : given;
      if (typeof number !== 'number' || !(number >= 0 && number <= 1))
        throw new Error('has to be a number from 0 to 1');
      return number;
    },
  };
}

/** An address of HTTP or HTTPS; undefined when it is not given. */
export function url(description: string): Setting<string | undefined> {
  return {
    description,
    placeholder: 'url',
    fallback: undefined,
    read: (given) => {
      const protocol = typeof given === 'string' && URL.canParse(given) ? new URL(given).protocol : '';
      if (protocol !== 'http:' && protocol !== 'https:')
        throw new Error('has to be an address, such as http://localhost:4318');
      return given as string;
    },
  };
}

/** The setting, with variables of others that say it, too: `others` of Setting. */
export function alsoFrom<T>(setting: Setting<T>, others: Setting<T>['others'] & object): Setting<T> {
  return { ...setting, others };
}

/** Permissions of a file, as chmod takes them: a text of octal digits. */
export function permissions(fallback: string, description: string): Setting<string> {
  return {
    description,
    placeholder: 'mode',
    fallback,
    read: (given) => {
      if (typeof given === 'string' && /^0?[0-7]{3}$/.test(given)) return given;
      throw new Error('has to be a text of three octal digits, such as 0700, 0770 or 0777');
    },
  };
}

function readText(given: unknown): string {
  if (typeof given !== 'string' || given === '') throw new Error('has to be a text');
  return given;
}

function wholeNumber(given: unknown, minimum: number, maximum: number): number {
  const number = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (!Number.isSafeInteger(number) || (number as number) < minimum || (number as number) > maximum)
    throw new Error(`has to be a whole number from ${minimum} to ${maximum}`);
  return number as number;
}
