/** CALL: a procedure run as a statement. What goes out of it is one row. */
import type { SqlRecord } from '@phantom/codec';
import type { RowSink, Yielded } from '../exec/runtime.js';
import { calledParameters } from '../routine/routine-function.js';
import { planCall, type PlannedCall } from '../plan/plan-call.js';
import type { PlanOptions } from '../plan/plan-statement.js';
import { isCurrent } from '../plan/prepared-plan.js';
import type { Call } from '../text/ast-session.js';
import type { Value } from '../types/type.js';
import { runBody } from './run-plan.js';
import type { SqlSession } from './session.js';
import { type Utility, sendRows } from './statement.js';
import type { SessionTransaction } from './transaction.js';

export interface CallUtility extends Utility {
  /** Which argument, from 0, takes each column of the row, for a body whose variables they are. */
  readonly outputs: readonly number[];
}

export function callUtility(node: Call, session: SqlSession, options: PlanOptions): CallUtility {
  let planned = planCall(node.call, session.picture, options);
  return {
    outputs: outputsOf(node, planned),
    fields: planned.fields,
    parameterTypes: planned.plan.parameterTypes,
    transaction: 'required',
    *run(running, parameters, sink) {
      if (!isCurrent(planned.plan, running.picture)) planned = planCall(node.call, running.picture, options);
      const { procedure, types, fields } = planned;
      const transaction = running.ensureTransaction();
      transaction.statements++;
      transaction.storage.beginStatement(options.text);
      return yield* runBody(running, function* () {
        const args = yield* argumentsOf(running, planned, parameters, transaction);
        const result = yield* running.routines.execute(procedure, args, types);
        if (fields.length === 0) return 0;
        const row = result === null ? fields.map(() => null) : (result as SqlRecord).fields;
        return yield* sendRows([row], fields.length, sink);
      });
    },
  };
}

function outputsOf({ call }: Call, { procedure }: PlannedCall): readonly number[] {
  return calledParameters(procedure).flatMap(({ name, mode }, i) => {
    if (mode !== 'out' && mode !== 'inout') return [];
    const named = call.arguments.findIndex((argument) => argument.name?.text === name);
    return [named < 0 ? i : named];
  });
}

/** Evaluates what goes in, with the rights that the call takes. */
function* argumentsOf(
  session: SqlSession,
  { plan }: PlannedCall,
  parameters: readonly Value[],
  transaction: SessionTransaction,
): Generator<Yielded, readonly Value[], void> {
  session.checkPrivileges(plan.privileges);
  let values: readonly Value[] = [];
  const sink: RowSink = {
    batchRowsMax: 1,
    rows: ({ columns }) => {
      values = columns.map((column) => column[0]);
      return false;
    },
  };
  yield* plan.execute(session.executionContext(parameters, transaction.storage, transaction), sink);
  return values;
}
