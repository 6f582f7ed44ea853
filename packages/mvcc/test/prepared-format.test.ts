/** The page docs/formats/prepared.md says enough: what is written for a prepared transaction, read by the page alone. */
import { SPACE_BYTES } from '@phantom/kv';
import { expect, it } from 'vitest';
import { keyOf, lock, openMvcc, put, rangeOf } from './support.js';

it('an entry is read as the page says', async () => {
  const { mvcc } = await openMvcc({ preparedSpace: 2 });
  const transaction = mvcc.begin({ isolation: 'serializable' });
  transaction.cursor(rangeOf('a', 'c')).close();
  await lock(transaction, 'l');
  transaction.guardRange(rangeOf('f', 'g'));
  put(transaction, 'key', 'value');
  await transaction.prepare('an identifier', '{"owner":1}');

  const reader = mvcc.begin({ readOnly: true });
  const cursor = reader.cursor({ lower: new Uint8Array([0, 0, 0, 2]), upper: new Uint8Array([0, 0, 0, 3]) });
  expect(cursor.next()).toBe(true);
  const [key, value] = [cursor.key.copy(), cursor.value.copy()];
  expect(cursor.next()).toBe(false);
  cursor.close();
  reader.rollback();

  expect(Buffer.from(key.subarray(SPACE_BYTES)).toString()).toBe('an identifier');
  const headerBytes = new DataView(value.buffer, value.byteOffset).getUint32(0, true);
  const header = JSON.parse(Buffer.from(value.subarray(4, 4 + headerBytes)).toString()) as Record<string, unknown>;
  expect(Object.keys(header).toSorted()).toEqual(
    ['format', 'id', 'locks', 'meta', 'preparedMs', 'ranges', 'reads', 'snapshotSeq'].toSorted(),
  );
  expect(header).toMatchObject({ format: 1, id: transaction.id, meta: '{"owner":1}' });
  const base64 = (text: string): string => Buffer.from(keyOf(text)).toString('base64');
  expect(header['ranges']).toEqual([[base64('f'), base64('g')]]);
  expect(header['locks']).toContainEqual([expect.any(Number), expect.any(Number)]);
  expect(header['reads']).not.toBeNull();
  // Behind the header lies the write batch: one put of the key.
  const batch = value.subarray(4 + headerBytes);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(hex(batch)).toBe(`01010000010000000107${hex(keyOf('key'))}05${hex(Buffer.from('value'))}`);
  await mvcc.rollbackPrepared('an identifier');
});
