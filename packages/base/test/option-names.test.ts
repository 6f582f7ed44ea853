import { describe, expect, it } from 'vitest';
import { checkOptions, optionNames } from '../src/index.js';

interface Settings {
  readonly cacheBytes?: number;
  readonly readOnly?: boolean;
}

const NAMES = optionNames<Settings>({ cacheBytes: true, readOnly: true });

describe('names of options', () => {
  it('are those of the interface, and one that is undefined was not given', () => {
    expect(() => checkOptions('open', { cacheBytes: 1, readOnly: false }, NAMES)).not.toThrow();
    expect(() => checkOptions('open', {}, NAMES)).not.toThrow();
    expect(() => checkOptions('open', { cache: undefined }, NAMES)).not.toThrow();
  });

  it('refuse what nobody knows, by name', () => {
    for (const value of [0, false, null, '']) {
      expect(() => checkOptions('open', { cacheByte: value }, NAMES)).toThrow(
        expect.objectContaining({
          code: '22023',
          message: 'unknown option of open: cacheByte',
          detail: 'It takes cacheBytes, readOnly.',
        }),
      );
    }
    for (const options of [null, 7, 'cacheBytes']) {
      expect(() => checkOptions('open', options as unknown as object, NAMES)).toThrow(
        'options of open must be an object',
      );
    }
  });
});
