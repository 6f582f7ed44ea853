/** Whether a row that is changed keeps what stands at some positions. */
import type { Value } from '../types/type.js';

/** True when for certain none of the columns at the positions has another value; false says nothing about values with parts. */
export function keepsValues(positions: readonly number[], before: readonly Value[], after: readonly Value[]): boolean {
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] as number;
    if (before[position] !== after[position]) return false;
  }
  return true;
}
