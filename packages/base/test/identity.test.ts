/** What tells one store's files from another's. */
import { describe, expect, it } from 'vitest';
import {
  IDENTITY_BYTES,
  SqlState,
  foreignFileError,
  identityText,
  newIdentity,
  readIdentity,
  sameIdentity,
} from '../src/index.js';

describe('an identity', () => {
  it('is read back from where it stands, and is the same as itself only', () => {
    const [one, other] = [newIdentity(), newIdentity()];
    const file = new Uint8Array(40);
    file.set(one, 7);
    expect(sameIdentity(readIdentity(file, 7), one)).toBe(true);
    expect(sameIdentity(one, other)).toBe(false);
    expect(sameIdentity(one, undefined)).toBe(false);
    expect(identityText(one)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is none where there are zeros', () => {
    expect(readIdentity(new Uint8Array(IDENTITY_BYTES), 0)).toBeUndefined();
    expect(sameIdentity(undefined, undefined)).toBe(true);
    expect(identityText(undefined)).toBe('none');
  });

  it("is told of both stores where a file is another's", () => {
    const [ours, theirs] = [newIdentity(), newIdentity()];
    expect(foreignFileError('log/1', ours, theirs)).toMatchObject({
      code: SqlState.DataCorrupted,
      message: '"log/1" does not belong to this store',
      detail: `The store is ${identityText(ours)}, the file is of ${identityText(theirs)}.`,
      data: { file: 'log/1', expected: identityText(ours), found: identityText(theirs) },
    });
    expect(foreignFileError('log/1', ours, undefined).detail).toContain('is of none');
  });
});
