/** Values as keys of a Map or a Set, which tells equal ones whatever their type, in time that does not grow with their number. */
import { ByteWriter } from '@phantom/base';
import { appendValueKey } from '../index-keys.js';
import { compareValues, isNumber } from '../order.js';

const keyWriter = new ByteWriter();

/** A value as a key: equal values have equal keys. */
export function valueKey(value: unknown): string | number {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (isNumber(value) && typeof value !== 'number' && compareValues(value, Number(value)) === 0)
    return valueKey(Number(value));
  keyWriter.reset();
  appendValueKey(keyWriter, value);
  return `k${Buffer.from(keyWriter.buffer.buffer, keyWriter.buffer.byteOffset, keyWriter.length).toString('latin1')}`;
}
