/** What EXPLAIN says of the statement as a whole, behind its plan: work of the storage, settings, where it would run, memory, time. */
import type { StorageWork } from '../exec/storage-work.js';
import type { ExplainOptions } from './prepared-plan.js';

/** As lines of text. */
export function summaryLines(options: ExplainOptions): string[] {
  const { measure, settings, summary } = options;
  const lines: string[] = [];
  const storage = readsOf(options);
  if (options.buffers === true && storage !== undefined)
    lines.push(`Buffers: shared hit=${storage.cacheHits} read=${storage.pagesRead} bytes=${storage.bytesRead}`);
  if (options.wal === true && storage !== undefined) lines.push(`WAL: bytes=${storage.logBytes}`);
  const changed = Object.entries(settings ?? {});
  if (changed.length > 0) lines.push(`Settings: ${changed.map(([name, value]) => `${name} = '${value}'`).join(', ')}`);
  if (summary !== undefined) {
    lines.push(`Plan Cache: ${summary.isCached ? 'hit' : 'miss'}`, `Workers Planned: ${options.workers ?? 0}`);
  }
  if (measure !== undefined) {
    lines.push(`Peak Memory: ${Math.ceil(measure.peakBytes / 1024)}kB`);
    if (options.timing !== false) lines.push(`Execution Time: ${measure.totalMs.toFixed(3)} ms`);
  }
  return lines;
}

/** As fields of FORMAT JSON, by PostgreSQL's names where they mean the same. */
export function summaryFields(options: ExplainOptions): Record<string, unknown> {
  const { measure, settings, summary } = options;
  const fields: Record<string, unknown> = {};
  const storage = readsOf(options);
  if (options.buffers === true && storage !== undefined) {
    fields['Shared Hit Blocks'] = storage.cacheHits;
    fields['Shared Read Blocks'] = storage.pagesRead;
    fields['Shared Read Bytes'] = storage.bytesRead;
  }
  if (options.wal === true && storage !== undefined) fields['WAL Bytes'] = storage.logBytes;
  if (settings !== undefined) fields['Settings'] = settings;
  if (summary !== undefined) {
    fields['Plan Cache'] = summary.isCached ? 'hit' : 'miss';
    fields['Workers Planned'] = options.workers ?? 0;
  }
  if (measure !== undefined) {
    if (options.timing !== false) fields['Execution Time'] = Math.round(measure.totalMs * 1000) / 1000;
    fields['Peak Memory'] = measure.peakBytes;
  }
  return fields;
}

/** What the statement has read and logged, in all threads. */
function readsOf({ measure }: ExplainOptions): StorageWork | undefined {
  if (measure?.storage === undefined) return undefined;
  const { cacheHits, pagesRead, bytesRead, logBytes } = measure.storage;
  const elsewhere = measure.readElsewhere;
  return {
    cacheHits: cacheHits + elsewhere.cacheHits,
    pagesRead: pagesRead + elsewhere.pagesRead,
    bytesRead: bytesRead + elsewhere.bytesRead,
    logBytes,
  };
}
