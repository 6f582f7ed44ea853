import { type Checksums, loadChecksums } from '@phantom/base';
import { beforeAll, describe, expect, it } from 'vitest';
import { LogFlag, RECORD_HEADER_BYTES, type SegmentHeader, recordBytes, sealRecord } from '../src/format.js';
import { recordSweep } from '../src/record-sweep.js';

const WINDOW_LSN = 2 ** 40 + 8;
const EPOCH = 3;
const HEADER: SegmentHeader = {
  version: 1,
  timeline: 2,
  epoch: EPOCH,
  number: 7,
  firstLsn: 2 ** 40,
  durable: 0,
  floor: 0,
  identity: undefined,
};

interface Wanted {
  readonly payloadBytes: number;
  readonly logFlags?: number;
  readonly ownerFlags?: number;
  readonly epoch?: number;
  readonly number?: number;
  readonly lsn?: number;
  readonly seq?: number;
  readonly durable?: number;
}

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

/** Records back to back, and where each begins; the last number is where they end. */
function windowOf(wanted: readonly Wanted[]): { bytes: Uint8Array; places: number[] } {
  const places = [0];
  for (const { payloadBytes } of wanted) places.push((places.at(-1) as number) + recordBytes(payloadBytes));
  const bytes = new Uint8Array(places.at(-1) as number);
  wanted.forEach((record, i) => {
    const at = places[i] as number;
    for (let byte = 0; byte < record.payloadBytes; byte++) bytes[at + RECORD_HEADER_BYTES + byte] = byte * 31 + i;
    sealRecord(
      bytes,
      at,
      record.payloadBytes,
      record.logFlags ?? 0,
      record.ownerFlags ?? 5,
      HEADER.timeline,
      record.epoch ?? EPOCH,
      record.number ?? HEADER.number,
      record.lsn ?? WINDOW_LSN + at,
      record.seq ?? 100 + i,
      1_700_000_000_000 + i,
      record.durable ?? 2 ** 39 + i,
      checksums,
    );
  });
  return { bytes, places };
}

/** How many records of a window are passed over. */
function passed({ bytes }: { bytes: Uint8Array }, end = bytes.length): number {
  return recordSweep().run({}, bytes, 0, end, HEADER, EPOCH, WINDOW_LSN);
}

describe('A sweep', () => {
  it('passes over usual records of any length, as far as it is told and the window goes', () => {
    const window = windowOf(Array.from({ length: 80 }, (_, i) => ({ payloadBytes: i })));
    expect(passed(window)).toBe(80);
    expect(passed(window, window.places[30])).toBe(30);
    expect(passed(window, (window.places[30] as number) - 8)).toBe(29);
    expect(passed(window, RECORD_HEADER_BYTES - 1)).toBe(0);
  });

  it('ends in front of a record of which any bit is another', () => {
    const window = windowOf([{ payloadBytes: 20 }, { payloadBytes: 21 }, { payloadBytes: 20 }]);
    const [, from] = window.places as [number, number];
    for (let at = from; at < from + RECORD_HEADER_BYTES + 21; at++) {
      window.bytes[at] = (window.bytes[at] as number) ^ (1 << (at % 8));
      expect(passed(window), `byte ${at}`).toBe(1);
      window.bytes[at] = (window.bytes[at] as number) ^ (1 << (at % 8));
    }
    expect(passed(window)).toBe(3);
  });

  it.each<[string, Partial<Wanted>]>([
    ['a mark', { logFlags: LogFlag.mark }],
    ['a fragment', { logFlags: LogFlag.fragment | LogFlag.first }],
    ['another epoch', { epoch: EPOCH + 1 }],
    ['another segment', { number: 6 }],
    ['another place', { lsn: WINDOW_LSN }],
    ['a seq that is no safe integer', { seq: 2 ** 53 }],
    ['less that is durable', { durable: 5 }],
    ["other flags of the owner's", { ownerFlags: 6 }],
    ['a seq that is not the next', { seq: 103 }],
    ['the same seq again', { seq: 101 }],
  ])('ends in front of %s', (_, other) => {
    const usual = { payloadBytes: 33 };
    expect(passed(windowOf([usual, usual, { ...usual, ...other }, usual]))).toBe(2);
  });

  it('passes over the beginning of a window for which it has no room', () => {
    const window = windowOf(Array.from({ length: 300 }, () => ({ payloadBytes: 1000 })));
    expect(window.bytes.length).toBeGreaterThan(256 * 1024);
    expect(passed(window)).toBe(Math.floor((256 * 1024) / recordBytes(1000)));
  });

  it('goes on in a window that it has', () => {
    const window = windowOf([{ payloadBytes: 9 }, { payloadBytes: 9, logFlags: LogFlag.mark }, { payloadBytes: 9 }]);
    const { bytes, places } = window;
    const token = {};
    const run = (start: number): number =>
      recordSweep().run(token, bytes, start, bytes.length, HEADER, EPOCH, WINDOW_LSN);
    expect(run(0)).toBe(1);
    expect(run(places[1] as number)).toBe(0);
    expect(run(places[2] as number)).toBe(1);
  });

  it('leaves behind where the payloads lie', () => {
    const { bytes, places } = windowOf([{ payloadBytes: 9 }, { payloadBytes: 0 }, { payloadBytes: 30 }]);
    expect(passed({ bytes })).toBe(3);
    const expected = [9, 0, 30].flatMap((payloadBytes, i) => {
      const start = (places[i] as number) + RECORD_HEADER_BYTES;
      return [start, start + payloadBytes];
    });
    expect([...recordSweep().ranges.subarray(0, 6)]).toEqual(expected);
  });
});
