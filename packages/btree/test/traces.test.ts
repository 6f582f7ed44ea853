/** Spans of what the engine does with its files. */
import { MemoryTracer } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openBtree } from '../src/index.js';

const key = (i: number): Uint8Array => new TextEncoder().encode(`key ${String(i).padStart(6, '0')}`);

it('shows checkpoints, flushes and merges, each as a trace of its own', async () => {
  const tracer = new MemoryTracer();
  const db = await openBtree('/db', { vfs: new MemoryVfs(), tracer });
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 50; i++) db.putSync(key(i), key(round));
    await db.flush();
  }
  await db.close();
  const names = new Set(tracer.outline());
  expect(names).toContain('checkpoint');
  expect(names).toContain('btree flush');
  expect(tracer.spans.filter(({ name }) => name === 'btree flush').length).toBe(6);
  const merge = tracer.spans.find(({ name }) => name === 'btree merge');
  expect(merge?.attributes).toEqual({ 'phantom.kind': 'tree', 'phantom.runs': expect.any(Number) });
  for (const { endMs, parentId } of tracer.spans) expect([typeof endMs, parentId]).toEqual(['number', undefined]);
});
