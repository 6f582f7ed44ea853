/** money: whole cents in the form of int8, written as the C locale of PostgreSQL writes it ($1,234.56). */
import { StorageKind, canonicalInteger } from '@phantom/codec';
import { builtinType, compareScalars } from './base-type.js';
import { invalidText, textOutOfRange } from './sql-errors.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';
import { expectBytes, getI64, putI64 } from './wire.js';

/** The dollar sign in front, behind the sign, or at the end; one sign or bracket in front; commas anywhere among the digits. */
const SYNTAX = /^\s*\$?([-+(]?)\s*\$?([\d,]*)(?:\.([\d,]*))?([\s)+$-]*)$/;

/** Text of a money column: 22P02 or 22003, else cents; what lies beyond cents is rounded. */
export function parseMoney(text: string): number | bigint {
  const match = SYNTAX.exec(text);
  if (match === null) throw invalidText('money', text);
  const [, sign = '', digits = '', fraction = '', tail = ''] = match;
  const whole = digits.replaceAll(',', '');
  const part = fraction.replaceAll(',', '');
  const negative = sign === '-' || sign === '(' || tail.includes('-');
  const cents = BigInt(`${whole}${part.slice(0, 2).padEnd(2, '0')}`) + ((part[2] ?? '0') >= '5' ? 1n : 0n);
  const value = negative ? -cents : cents;
  if (BigInt.asIntN(64, value) !== value) throw textOutOfRange('money', text);
  return canonicalInteger(value);
}

/** `$1,234.56`, with a minus sign in front of a negative amount. */
export function formatMoney(value: number | bigint): string {
  const negative = value < 0;
  const digits = String(negative ? -BigInt(value) : value).padStart(3, '0');
  const whole = digits.slice(0, -2).replace(/\B(?=(?:\d{3})+$)/g, ',');
  return `${negative ? '-' : ''}$${whole}.${digits.slice(-2)}`;
}

export const moneyType: SqlType = builtinType<number | bigint>(TypeOid.money, {
  storage: { kind: StorageKind.Int64 },
  input: parseMoney,
  output: formatMoney,
  receive: (bytes, start, end) => {
    expectBytes(start, end, 8);
    return getI64(bytes, start, end);
  },
  send: (value, writer) => putI64(writer, value),
  compare: compareScalars,
});
