/** CALL and DO inside a body, and the end of transactions. */
import { PhantomError } from '@phantom/base';
import type { Value } from '../../types/type.js';
import type { Compilation } from './compilation.js';
import { keepAll, querySource } from './compile-queries.js';
import { DISCARD, FirstRows } from './row-sinks.js';
import { type Step, waitingAction } from './steps.js';
import type { CallNode, EndTransactionNode } from './syntax.js';
import { type Target, targetOf } from './targets.js';

export function compileCall(compilation: Compilation, { statement }: CallNode): Step {
  const source = querySource(compilation, statement);
  const { node } = statement;
  const args = node.kind === 'call-statement' ? node.call.arguments : [];
  // Arguments that are variables, which what goes out of the procedure can be given to.
  const targets = args.map(({ value }): Target | undefined => {
    if (value.kind !== 'column') return undefined;
    const path = value.names.map(({ text }) => text);
    return compilation.names.find(path) === undefined ? undefined : targetOf(compilation, { path, at: statement.at });
  });
  return waitingAction(function* (frame) {
    const query = yield* source(frame);
    const { outputs = [], fields } = query;
    const row = new FirstRows(1);
    yield* query.run(outputs.length === 0 ? DISCARD : keepAll(row));
    const values: readonly Value[] = row.kept[0] ?? [];
    outputs.forEach((argument, i) => {
      const field = fields[i];
      const target = targets[argument];
      if (field === undefined) return;
      if (target === undefined) {
        const message = `procedure parameter "${field.name}" is an output parameter but corresponding argument is not writable`;
        throw new PhantomError('42601', message);
      }
      target.assign(frame, values[i], field.type);
    });
  });
}

export function compileEndTransaction({ host }: Compilation, { kind, chain }: EndTransactionNode): Step {
  return waitingAction(function* (frame) {
    if (frame.changing > 0) {
      const message = 'cannot perform transaction commands inside a cursor loop that is not read-only';
      throw new PhantomError('55000', message);
    }
    yield* host.endTransaction(kind, chain);
  });
}
