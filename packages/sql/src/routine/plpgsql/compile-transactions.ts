/** CALL and DO inside a body, and the end of transactions. */
import { unsupportedError } from '@phantom/base';
import type { Compilation } from './compilation.js';
import { querySource } from './compile-queries.js';
import { DISCARD } from './row-sinks.js';
import { type Step, waitingAction } from './steps.js';
import type { CallNode, EndTransactionNode } from './syntax.js';

export function compileCall(compilation: Compilation, { statement }: CallNode): Step {
  const source = querySource(compilation, statement);
  return waitingAction(function* (frame) {
    const query = yield* source(frame);
    yield* query.run(DISCARD);
  });
}

export function compileEndTransaction(_compilation: Compilation, { kind }: EndTransactionNode): Step {
  throw unsupportedError(`${kind.toUpperCase()} in PL/pgSQL`);
}
