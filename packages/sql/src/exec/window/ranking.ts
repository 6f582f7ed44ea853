/** The window functions proper: numbering, ranks, neighbours, and values at places of the frame. */
import { PhantomError } from '@phantom/base';
import type { Value } from '../../types/type.js';
import type { Partition, WindowColumn, WindowInput } from './compute.js';
import type { FrameWalker } from './frame.js';

/** The value of a window function for position i of the partition. */
export function rankingResult(
  input: WindowInput,
  partition: Partition,
  column: WindowColumn,
  name: string,
  walker: FrameWalker,
  i: number,
): Value {
  const length = partition.end - partition.start;
  const group = partition.peerGroup[i] as number;
  const argument = (which: number, position: number): Value => {
    const at = column.arguments[which];
    if (at === undefined) return null;
    return input.columns[at]?.[input.order[partition.start + position] as number] ?? null;
  };
  switch (name) {
    case 'row_number':
      return i + 1;
    case 'rank':
      return (partition.groupStarts[group] as number) + 1;
    case 'dense_rank':
      return group + 1;
    case 'percent_rank':
      return length <= 1 ? 0 : (partition.groupStarts[group] as number) / (length - 1);
    case 'cume_dist':
      return (partition.groupStarts[group + 1] as number) / length;
    case 'ntile':
      return ntile(argument(0, i), i, length);
    case 'lag':
    case 'lead':
      return neighbour(column, argument, name === 'lag' ? -1 : 1, i, length);
    case 'first_value':
    case 'last_value':
    case 'nth_value':
      return frameValue(column, argument, name, walker, i);
    default:
      throw new PhantomError('0A000', `window function ${name} is not supported`);
  }
}

function ntile(buckets: Value, i: number, length: number): Value {
  if (buckets === null) return null;
  const count = Number(buckets);
  if (count <= 0) throw new PhantomError('22014', 'argument of ntile must be greater than zero');
  const small = Math.floor(length / count);
  const larger = length % count;
  const inLarger = larger * (small + 1);
  if (i < inLarger) return Math.floor(i / (small + 1)) + 1;
  return small === 0 ? i + 1 : larger + Math.floor((i - inLarger) / small) + 1;
}

type Argument = (which: number, position: number) => Value;

function neighbour(column: WindowColumn, argument: Argument, sign: number, i: number, length: number): Value {
  let offset = 1;
  if (column.arguments.length > 1) {
    const value = argument(1, i);
    if (value === null) return null;
    offset = Number(value);
  }
  const fallback = (): Value => (column.arguments.length > 2 ? argument(2, i) : null);
  if (!column.call.ignoreNulls) {
    const at = i + sign * offset;
    return at >= 0 && at < length ? argument(0, at) : fallback();
  }
  const step = sign * Math.sign(offset);
  let left = Math.abs(offset);
  if (left === 0) return argument(0, i);
  for (let at = i + step; at >= 0 && at < length; at += step) {
    const value = argument(0, at);
    if (value !== null && --left === 0) return value;
  }
  return fallback();
}

function frameValue(column: WindowColumn, argument: Argument, name: string, walker: FrameWalker, i: number): Value {
  walker.moveTo(i);
  let wanted = 1;
  if (name === 'nth_value') {
    const value = argument(1, i);
    if (value === null) return null;
    wanted = Number(value);
    if (wanted <= 0) throw new PhantomError('22016', 'argument of nth_value must be greater than zero');
  }
  const fromEnd = name === 'last_value' || column.call.fromLast;
  const { start, end } = walker;
  for (let n = 0; n < end - start; n++) {
    const at = fromEnd ? end - 1 - n : start + n;
    if (walker.excludes(i, at)) continue;
    const value = argument(0, at);
    if (column.call.ignoreNulls && value === null) continue;
    if (--wanted === 0) return value;
  }
  return null;
}
