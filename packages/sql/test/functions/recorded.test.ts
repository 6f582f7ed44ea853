import { describe, expect, it } from 'vitest';
import { differences } from './recorded.js';

describe('recorded answers of PostgreSQL', () => {
  it.each(['functions', 'operators', 'casts', 'text-search'])('are given by %s', (name) => {
    expect(differences(new URL(`recorded/${name}.jsonl`, import.meta.url))).toEqual([]);
  });

  it('are given by the input functions of types', () => {
    expect(differences(new URL('../types/recorded/input.jsonl', import.meta.url))).toEqual([]);
  });
});
