/** Errors that types and functions raise alike, worded as PostgreSQL words them. */
import { PhantomError } from '@phantom/base';

/** 22P02: the text is no value of the type. */
export function invalidText(typeName: string, text: string): PhantomError {
  return new PhantomError('22P02', `invalid input syntax for type ${typeName}: "${text}"`);
}

/** 22003: the text is a number, but too large for the type. */
export function textOutOfRange(typeName: string, text: string): PhantomError {
  return new PhantomError('22003', `value "${text}" is out of range for type ${typeName}`);
}

/** 22003: a result is too large for the type. */
export function outOfRange(typeName: string): PhantomError {
  return new PhantomError('22003', `${typeName} out of range`);
}

/** 22003 of float8 arithmetic. */
export function floatOverflow(): PhantomError {
  return new PhantomError('22003', 'value out of range: overflow');
}

/** 22003 of float8 arithmetic. */
export function floatUnderflow(): PhantomError {
  return new PhantomError('22003', 'value out of range: underflow');
}

export function divisionByZero(): PhantomError {
  return new PhantomError('22012', 'division by zero');
}

/** 22023. */
export function invalidParameter(message: string, hint?: string): PhantomError {
  return new PhantomError('22023', message, { hint });
}

/** 22P03: bytes of the binary format are not what the type's format says. */
export function invalidBinary(message: string): PhantomError {
  return new PhantomError('22P03', message);
}
