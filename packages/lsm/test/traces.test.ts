/** Spans of what the engine does with its files. */
import { MemoryTracer } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openLsm } from '../src/index.js';

const key = (i: number): Uint8Array => new TextEncoder().encode(`key ${String(i).padStart(6, '0')}`);

it('shows checkpoints, flushes and compactions, each as a trace of its own', async () => {
  const tracer = new MemoryTracer();
  const db = await openLsm('/db', { vfs: new MemoryVfs(), tracer });
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 50; i++) db.putSync(key(i), key(round));
    await db.flush();
  }
  await db.close();
  const names = new Set(tracer.outline());
  expect(names).toContain('checkpoint');
  expect(names).toContain('lsm flush');
  expect(tracer.spans.filter(({ name }) => name === 'lsm flush').length).toBe(6);
  const compaction = tracer.spans.find(({ name }) => name === 'lsm compaction');
  expect(compaction?.attributes['phantom.kind']).toBe('merge');
  for (const { endMs, parentId } of tracer.spans) expect([typeof endMs, parentId]).toEqual(['number', undefined]);
});
