/**
 * Reads the files of an LSM-tree a few blocks at a time, past the cache, to find out whether they can be read, and tells which keys lie
 * where one cannot. Nothing is held between steps: a run that compactions have replaced meanwhile is left out, and the one with the
 * next number follows. What they write has numbers above, so it is read before the end.
 *
 *   place     ''           the manifest, then the run with the least number
 *             N P B        run N or the one with the next number, from block B of its partition P on
 */
import type { KeyRange, ScrubStep } from '@phantom/kv';
import { RUN_BEGINNING, type RunPlace, RunScrubber, locateInRun } from '@phantom/runs';
import type { LsmFiles } from './lsm-files.js';
import type { RunFile } from './run-file.js';

export class LsmScrub {
  private readonly files: LsmFiles;
  private readonly runs = new RunScrubber();

  constructor(files: LsmFiles) {
    this.files = files;
  }

  /** See KvEngine.scrub. */
  step(place: string, bytesMax: number): ScrubStep {
    if (place === '') {
      const { bytes, findings } = this.files.proveManifest();
      return { next: this.placeFrom(0), bytes, findings };
    }
    const [number = 0, partition = 0, block = 0] = place.split(' ').map(Number);
    const file = this.runFrom(number);
    if (file === undefined) return { next: undefined, bytes: 0, findings: [] };
    const begins: RunPlace = file.number === number ? { partition, block } : RUN_BEGINNING;
    const { next, bytes, findings } = this.runs.step(file.run, begins, bytesMax);
    return {
      next: next === undefined ? this.placeFrom(file.number + 1) : `${file.number} ${next.partition} ${next.block}`,
      bytes,
      findings,
    };
  }

  /** See KvEngine.locate. */
  locate(file: string, offset: number | undefined): KeyRange | undefined {
    const found = this.files.version.files().find(({ run }) => run.path === file);
    return found === undefined ? undefined : locateInRun(found.run, offset);
  }

  private placeFrom(number: number): string | undefined {
    const file = this.runFrom(number);
    return file === undefined ? undefined : `${file.number} 0 0`;
  }

  private runFrom(number: number): RunFile | undefined {
    let first: RunFile | undefined;
    for (const file of this.files.version.files()) {
      if (file.number >= number && (first === undefined || file.number < first.number)) first = file;
    }
    return first;
  }
}
