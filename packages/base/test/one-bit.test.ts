import { describe, expect, it } from 'vitest';
import { loadChecksums, turnOneBit } from '../src/index.js';

describe('turnOneBit', () => {
  it('finds the bit that was turned, and leaves it turned back', async () => {
    const checksums = await loadChecksums();
    const whole = Uint8Array.from({ length: 300 }, (_, i) => i * 7);
    const sum = checksums.h64(whole, 0, 300);
    for (const [at, mask] of [
      [0, 1],
      [150, 128],
      [299, 16],
    ] as const) {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] as number) ^ mask;
      expect(turnOneBit(bytes, 0, 300, () => checksums.h64(bytes, 0, 300) === sum)).toEqual({ at, mask });
      expect(bytes).toEqual(whole);
    }
  });

  it('leaves bytes alone of which more is wrong', async () => {
    const checksums = await loadChecksums();
    const bytes = new Uint8Array(40).fill(9);
    const sum = checksums.h64(bytes, 0, 40);
    bytes.fill(1, 3, 5);
    const damaged = bytes.slice();
    expect(turnOneBit(bytes, 0, 40, () => checksums.h64(bytes, 0, 40) === sum)).toBeUndefined();
    expect(bytes).toEqual(damaged);
  });
});
