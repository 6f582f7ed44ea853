/** Which of the files that the log hands over are read, under which name and with which seq. */
import { loadChecksums } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { ingestedNumber, loadedAt, openLoads } from '../src/index.js';

describe('files that the log hands over', () => {
  it('are opened newest first, where they lie, unless the engine names them', async () => {
    const checksums = await loadChecksums();
    const ref = (path: string, bytes: number) => ({ path, bytes, entries: 1 });
    const loads = [
      { seq: 3, files: [ref('a.load', 10)] },
      { seq: 7, files: [ref('b.load', 20), ref('c.load', 30)] },
      { seq: 9, files: [ref('d.load', 40)] },
    ];
    const context = {
      vfs: { exists: (path: string) => path !== 'engine/c.load' },
      directory: 'engine',
      checksums,
      loads,
    };
    const numberOf = (path: string): number => ingestedNumber(checksums, path);
    const opened = openLoads(
      context,
      3,
      (number) => `${number}.run`,
      (name, recorded) => ({ name, ...recorded }),
    );
    expect(opened).toEqual([
      { name: 'd.load', bytes: 40, identity: numberOf('d.load'), seqBase: 9 },
      { name: `${numberOf('c.load')}.run`, bytes: 30, identity: numberOf('c.load'), seqBase: 7 },
      { name: 'b.load', bytes: 20, identity: numberOf('b.load'), seqBase: 7 },
    ]);
    expect(openLoads(context, 9, String, (name) => name)).toEqual([]);
    expect(loadedAt(context, numberOf('a.load'))).toBe(3);
    expect(loadedAt(context, numberOf('c.load'))).toBe(7);
    expect(loadedAt(context, numberOf('e.load'))).toBeUndefined();
  });
});
