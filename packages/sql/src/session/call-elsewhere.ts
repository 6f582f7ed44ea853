/**
 * One call of an expression in another thread, so that others are served while it works on long values: as a read of its own,
 * whose text is the call and whose parameters are the arguments. It is made here where there are no threads, where none becomes free,
 * and where nothing may be awaited: by synchronous callers, and inside of expressions that are computed at once.
 *
 * Idea: a function in the middle of an expression cannot rest, but the step around it can wait for another thread (exec/runtime.ts).
 * What it costs is that the values are copied there and back.
 */
import { RowBlockReader } from '../exec/row-block.js';
import type { Yielded } from '../exec/runtime.js';
import { spillCodec } from '../exec/spill/spill-codec.js';
import type { LongCall } from '../functions/registry.js';
import type { Value } from '../types/type.js';
import type { RemoteRows } from './ports.js';
import { addWork, readOf, showsDefinitions } from './read-elsewhere.js';
import { encodeParameters } from './remote-read.js';
import type { SqlSession } from './session.js';

export function* callElsewhere(
  session: SqlSession,
  call: LongCall,
  args: readonly Value[],
): Generator<Yielded, Value, void> {
  const { types } = session.picture;
  const codec = spillCodec([call.resultType], types);
  const rows = codec === undefined ? undefined : yield* begin(session, call, args);
  if (codec === undefined || rows === undefined) return call.here(args, session.evaluation);
  const { counters } = session.engine;
  counters.remoteExecutions++;
  const reader = new RowBlockReader(codec);
  let result: Value = null;
  try {
    for (let block = rows.next(); block !== undefined; block = rows.next()) {
      if (block instanceof Promise) {
        yield block;
        continue;
      }
      reader.aim(block);
      reader.next(1);
      result = reader.columns[0]?.[0] ?? null;
    }
    if (rows.outcome !== undefined) addWork(counters, rows.outcome.counters);
    return result;
  } finally {
    rows.close();
  }
}

/** Has the call begun in another thread; undefined where it is to be made in this one. */
function* begin(
  session: SqlSession,
  { text, argumentTypes }: LongCall,
  args: readonly Value[],
): Generator<Yielded, RemoteRows | undefined, void> {
  const { engine, picture, synchronous, routines } = session;
  const { workers } = engine;
  if (workers === undefined || synchronous || routines.isDrivenNow) return undefined;
  const view = engine.storage.view();
  try {
    if (!showsDefinitions(session, view)) return undefined;
    const block = encodeParameters(args, argumentTypes, picture.types);
    if (block === undefined) return undefined;
    const declared = argumentTypes.map(({ oid }) => oid);
    const read = readOf(session, text, 0, declared, block);
    let hasWaited = false;
    for (;;) {
      const rows = workers.begin(read, view);
      if (rows instanceof Promise) yield rows;
      else if (rows !== undefined || hasWaited) return rows;
      else {
        hasWaited = true;
        yield workers.whenFree();
      }
    }
  } finally {
    view.release();
  }
}
