/**
 * Reads the files of an LSM-tree a few blocks at a time, past the cache, to find out whether they can be read, and tells which keys lie
 * where one cannot.
 *
 *   place     ''           the manifest, then the run with the least number
 *             N P B        that place in the runs (scrubbed-runs.ts of @phantom/runs)
 */
import type { KeyRange, ScrubStep } from '@phantom/kv';
import { ScrubbedRuns } from '@phantom/runs';
import type { LsmFiles } from './lsm-files.js';

export class LsmScrub {
  private readonly files: LsmFiles;
  private readonly runs: ScrubbedRuns;

  constructor(files: LsmFiles) {
    this.files = files;
    this.runs = new ScrubbedRuns(() => files.version.files());
  }

  /** See KvEngine.scrub. */
  step(place: string, bytesMax: number): ScrubStep {
    if (place !== '') return this.runs.step(place, bytesMax);
    const { bytes, findings } = this.files.proveManifest();
    return { next: this.runs.placeFrom(0), bytes, findings };
  }

  /** See KvEngine.locate. */
  locate(file: string, offset: number | undefined): KeyRange | undefined {
    return this.runs.locate(file, offset);
  }
}
