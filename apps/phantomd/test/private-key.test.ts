/** Files of private keys: read when they are the daemon's or root's alone. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPrivateKey, wrongRights } from '../src/private-key.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
const isRoot = process.geteuid?.() === 0;

describe('a file with a private key', () => {
  it.runIf(process.platform !== 'win32')('is refused while others may read it', () => {
    const file = join(newDirectory(), 'server.key');
    writeFileSync(file, 'key');
    const read = (mode: number): string => {
      chmodSync(file, mode);
      return readPrivateKey(file).toString();
    };
    expect([read(0o600), read(0o400)]).toEqual(['key', 'key']);
    expect(() => read(0o644)).toThrow(
      expect.objectContaining({
        code: 'F0000',
        message: `private key file "${file}" has group or world access`,
        detail: expect.stringContaining('u=rw (0600) or less if owned by the database user'),
      }),
    );
    if (!isRoot) expect(() => read(0o640)).toThrow('has group or world access');
  });

  it('may be read by a group when it is owned by root, and is nobody else’s', () => {
    const group = 'has group or world access';
    expect([0o600, 0o640, 0o660, 0o644].map((mode) => wrongRights({ uid: 0, mode }, 70)?.message)).toEqual([
      undefined,
      undefined,
      group,
      group,
    ]);
    expect([0o600, 0o640].map((mode) => wrongRights({ uid: 70, mode }, 70)?.message)).toEqual([undefined, group]);
    expect(wrongRights({ uid: 71, mode: 0o600 }, 70)?.message).toBe('must be owned by the database user or root');
    expect(wrongRights({ uid: 71, mode: 0o666 }, undefined)).toBeUndefined();
  });

  it('is named when it cannot be read', () => {
    expect(() => readPrivateKey('/no/such/server.key')).toThrow('could not read "/no/such/server.key"');
  });
});
