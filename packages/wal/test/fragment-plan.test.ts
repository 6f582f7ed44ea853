/** The cutting of large payloads, up to the largest there is, by arithmetic. */
import { loadChecksums } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PAYLOAD_BYTES_MAX, planFragments } from '../src/fragment-plan.js';
import { MARK_BYTES, SEGMENT_HEADER_BYTES, recordBytes } from '../src/format.js';
import { openWal } from '../src/index.js';
import { code, optionsOn } from './workload.js';

const MIB = 1024 * 1024;

it('covers the payload, fits every segment, and leaves room for a mark in each', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: PAYLOAD_BYTES_MAX })),
      fc.integer({ min: 64, max: 16 * MIB }),
      fc.constantFrom(1024, 64 * 1024, 16 * MIB),
      fc.constantFrom(512, 256 * 1024, 4 * MIB),
      (payloadBytes, offsetWanted, segmentBytes, fragmentBytesMax) => {
        // Small fragments of a large payload are a plan of millions; the rule is the same.
        const bytes = segmentBytes < MIB ? Math.min(payloadBytes, 100_000) : payloadBytes;
        const largest = segmentBytes < MIB ? fragmentBytesMax : Math.max(fragmentBytesMax, 256 * 1024);
        const offset = Math.min(offsetWanted & ~7, segmentBytes);
        const plan = planFragments(bytes, offset, segmentBytes, segmentBytes, largest);
        expect(plan.ends.at(-1)).toBe(bytes);
        expect(Math.max(plan.currentBytes, ...plan.segmentBytes)).toBeLessThanOrEqual(segmentBytes);
        let start = 0;
        let records = 0;
        let shortest = Infinity;
        let longest = 0;
        for (const end of plan.ends) {
          shortest = Math.min(shortest, end - start);
          longest = Math.max(longest, end - start);
          records += recordBytes(end - start);
          start = end;
        }
        expect(shortest).toBeGreaterThan(0);
        expect(longest).toBeLessThanOrEqual(largest);
        const inCurrent = plan.currentBytes === 0 ? 0 : plan.currentBytes - MARK_BYTES - offset;
        const behind = plan.segmentBytes.reduce((sum, filled) => sum + filled - MARK_BYTES - SEGMENT_HEADER_BYTES, 0);
        expect(inCurrent + behind).toBe(records);
      },
    ),
    { seed: 31, numRuns: 300 },
  );
});

it('of a gigabyte takes 65 segments of 16 MiB, and not a byte more is taken', async () => {
  const plan = planFragments(PAYLOAD_BYTES_MAX, 8 * MIB, 16 * MIB, 16 * MIB, 4 * MIB);
  expect([plan.ends.at(-1), plan.segmentBytes.length]).toEqual([PAYLOAD_BYTES_MAX, 64]);
  expect(PAYLOAD_BYTES_MAX).toBe(1024 * MIB);
  const wal = await openWal(optionsOn(new MemoryVfs(), await loadChecksums()));
  const { end } = wal;
  // Never touched, so no memory stands behind it.
  const large = new Uint8Array(PAYLOAD_BYTES_MAX + 1);
  expect(() => wal.append(large, { seq: 1, commitTimeMs: 1, flags: 0 })).toThrow(code('54000'));
  expect(wal.end).toBe(end);
  await wal.close();
});
