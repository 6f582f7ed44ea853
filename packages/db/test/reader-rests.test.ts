import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ReaderRests } from '../src/reader-rests.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const reader = (): { rest: ReturnType<typeof vi.fn<(ms: number) => void>> } => ({
  rest: vi.fn<(ms: number) => void>(),
});

it('has readers rest while many statements come, and no longer', () => {
  let statements = 1000;
  const rests = new ReaderRests(() => statements, 2);
  const one = reader();
  rests.begin(one);
  for (const more of [0, 19, 20, 500, 3]) {
    statements += more;
    vi.advanceTimersByTime(20);
  }
  expect(one.rest.mock.calls.map(([ms]) => ms)).toEqual([0, 0, 64, 64, 0]);
  rests.end(one);
  statements += 1000;
  vi.advanceTimersByTime(1000);
  expect(one.rest).toHaveBeenCalledTimes(5);
  expect(vi.getTimerCount()).toBe(0);
});

it('has none rest where there are processors to spare', () => {
  let statements = 0;
  const rests = new ReaderRests(() => (statements += 1000), 3);
  const [one, two] = [reader(), reader()];
  rests.begin(one);
  vi.advanceTimersByTime(20);
  expect(one.rest).toHaveBeenLastCalledWith(0);
  rests.begin(two);
  vi.advanceTimersByTime(20);
  for (const each of [one, two]) expect(each.rest).toHaveBeenLastCalledWith(64);
  rests.end(one);
  vi.advanceTimersByTime(20);
  expect(two.rest).toHaveBeenLastCalledWith(0);
  rests.end(two);
});
