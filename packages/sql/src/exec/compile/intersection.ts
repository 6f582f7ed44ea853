/**
 * What comes before a scan of an index intersection: a task that reads the other ranges, the smallest first, and leaves a sieve of
 * the rows that all of them have. The scan fetches the rows of its own entries that pass; where none can, it reads nothing.
 */
import { CursorBatch } from '@phantom/kv';
import { physicalIndex } from '../../storage/physical-table.js';
import type { IndexRange, TableScan } from '../../plan/physical/physical.js';
import type { Emitter } from '../code/emitter.js';
import { method, type Code, type Local } from '../code/ir.js';
import { pause, type ScanSource } from '../pipelines.js';
import type { Work } from '../program.js';
import { EntryHash, RowSieve } from '../row-sieve.js';
import type { Run } from '../run.js';
import { stateOf } from './program-builder.js';
import type { RowBytes } from './row-bytes.js';
import type { PlanCompiler } from './step.js';

/** Entries read at once. */
const BATCH_ENTRIES = 256;
/** Entries between looks at the clock. */
const CLOCK_ENTRIES = 2048;

type Sources = (run: Run) => Iterable<ScanSource>;

/** The sieve of a scan. */
export interface ScanSieve {
  /** Writes the test of an entry of the scan's own index. */
  test(emitter: Emitter, run: Local, key: RowBytes['key'], value: RowBytes['row']): Code;
  /** What the scan reads: nothing where no row can pass. */
  sources(own: Sources): Sources;
}

/** Adds the task for a scan whose range is among others; undefined for other scans. */
export function addSieve(
  compiler: PlanCompiler,
  { index, range, table }: TableScan,
  sourcesOf: (branch: IndexRange) => Sources,
): ScanSieve | undefined {
  if (range?.among === undefined || index === undefined) return undefined;
  const { builder } = compiler;
  const { types } = builder.context;
  const hashOf = (descriptor: IndexRange['index']): EntryHash => new EntryHash(physicalIndex(descriptor, table, types));
  const branches = range.among.map((branch) => ({ sources: sourcesOf(branch), hash: hashOf(branch.index) }));
  const place = {};
  const slot = builder.addSlot((run) => run.statement.keep(place, () => new RowSieve(run.context.memory)));
  builder.addTask({
    *run(run): Work {
      const sieve = run.state[slot] as RowSieve;
      sieve.free();
      for (const { sources, hash } of branches) {
        if (!(yield* gather(run, sources(run), hash, sieve)) || !sieve.seal() || sieve.isEmpty) return;
      }
    },
  });
  const own = hashOf(index);
  return {
    test(emitter, run, key, value) {
      const args = [key.buffer, key.start, key.end, value.buffer, value.start, value.end];
      const hash = emitter.let(method(emitter.constant(own), 'of', ...args));
      return emitter.let(method(stateOf(emitter, run, slot), 'has', hash));
    },
    sources: (read) => (run) => ((run.state[slot] as RowSieve).isEmpty ? [] : read(run)),
  };
}

/** Gathers the rows that entries point to; false when memory does not suffice for them. */
function* gather(run: Run, sources: Iterable<ScanSource>, hash: EntryHash, sieve: RowSieve): Work<boolean> {
  const batch = new CursorBatch(BATCH_ENTRIES);
  let sinceClock = 0;
  for (const source of sources) {
    const cursor = 'lower' in source ? run.read.cursor(source) : source;
    try {
      for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
        run.context.counters.rowsScanned += count;
        if (!gatherBatch(batch, count, hash, sieve)) return false;
        sinceClock += count;
        if (sinceClock < CLOCK_ENTRIES) continue;
        sinceClock = 0;
        yield* pause(run);
      }
    } finally {
      cursor.close();
    }
  }
  return true;
}

function gatherBatch(batch: CursorBatch, count: number, hash: EntryHash, sieve: RowSieve): boolean {
  const { keyBuffers, keyStarts, keyEnds, valueBuffers, valueStarts, valueEnds } = batch;
  for (let i = 0; i < count; i++) {
    const row = hash.of(
      keyBuffers[i] as Uint8Array,
      keyStarts[i] as number,
      keyEnds[i] as number,
      valueBuffers[i] as Uint8Array,
      valueStarts[i] as number,
      valueEnds[i] as number,
    );
    if (!sieve.gather(row)) return false;
  }
  return true;
}
