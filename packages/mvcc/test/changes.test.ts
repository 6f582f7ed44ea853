/** What followers are told of transactions: what was committed, in order, with its notes; nothing of what was undone. */
import { OperationKind } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import type { ChangeFeed } from '../src/index.js';
import { ALL, openMvcc, put, remove, settle, textOfKey } from './support.js';

const TEXT = new TextDecoder();

/** What the next commits did: `put a (note)`. */
async function take(feed: ChangeFeed, count: number): Promise<string[][]> {
  const commits: string[][] = [];
  while (commits.length < count) {
    const { value } = await feed.next();
    if (value === undefined) break;
    const { batch } = value;
    const operations: string[] = [];
    while (batch.next()) {
      const note = TEXT.decode(batch.bytes.subarray(batch.noteStart, batch.noteEnd));
      const verb = batch.kind === OperationKind.Put ? 'put' : 'remove';
      operations.push(`${verb} ${textOfKey(batch.bytes, batch.keyStart, batch.keyEnd)}${note && ` (${note})`}`);
    }
    commits.push(operations);
  }
  return commits;
}

describe('changes', () => {
  it('come in the order of commits, not of writes', async () => {
    const { mvcc } = await openMvcc();
    const feed = mvcc.changes({ name: 'test', ranges: [ALL] });
    const [first, second] = [mvcc.begin(), mvcc.begin()];
    put(first, 'a', '1', 'written first');
    put(second, 'b', '1', 'committed first');
    await second.commit();
    await first.commit();
    expect(await take(feed, 2)).toEqual([['put b (committed first)'], ['put a (written first)']]);
    feed.close();
  });

  it('have nothing of what was rolled back, to a savepoint or as a whole', async () => {
    const { mvcc } = await openMvcc();
    const feed = mvcc.changes({ name: 'test', ranges: [ALL] });
    const [undone, partly] = [mvcc.begin(), mvcc.begin()];
    put(undone, 'x', '1', 'never');
    undone.rollback();
    put(partly, 'a', '1', 'kept');
    const savepoint = partly.savepoint();
    put(partly, 'a', '2', 'undone');
    partly.rollbackTo(savepoint);
    remove(partly, 'b');
    put(partly, 'a', '3');
    await partly.commit();
    expect(await take(feed, 1)).toEqual([['put a (kept)', 'remove b', 'put a']]);
    feed.close();
  });

  it('are told of a prepared transaction when it is committed, not before', async () => {
    const { mvcc } = await openMvcc({ preparedSpace: 2 });
    const feed = mvcc.changes({ name: 'test', ranges: [ALL] });
    const transaction = mvcc.begin();
    put(transaction, 'a', '1', 'promised');
    await transaction.prepare('one', '');
    let told: string[][] | undefined;
    void take(feed, 1).then((commits) => (told = commits));
    await settle();
    expect(told).toBeUndefined();
    await mvcc.commitPrepared('one');
    await settle();
    expect(told?.[0]?.[0]).toBe('put a (promised)');
    feed.close();
  });
});
