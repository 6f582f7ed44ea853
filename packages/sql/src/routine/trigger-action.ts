/** ISO's triggered actions: statements in SQL in the place of a function, which know the rows by the names of REFERENCING. */
import type { TriggerDescriptor, TypeRef } from '@phantom/catalog';
import type { RowSink } from '../exec/runtime.js';
import { parameterNames } from '../expr/context.js';
import { parseStatement } from '../text/parse.js';
import type { RoutineHost, RoutineStatement, TriggerBody } from './routine-language.js';

const DISCARD: RowSink = { batchRowsMax: 1024, rows: () => false };

/** The action over rows of a type; it lets every row go its way. */
export function compileAction(trigger: TriggerDescriptor, rowType: TypeRef, host: RoutineHost): TriggerBody {
  const { statements = [], oldRow = 'old', newRow = 'new' } = trigger.action ?? {};
  const names = parameterNames('', [oldRow, newRow]);
  let prepared: RoutineStatement[] | undefined;
  return function* body(call) {
    prepared ??= statements.map((stored) =>
      host.prepare(parseStatement(stored.querySql), stored.querySql, [rowType, rowType], {
        names,
        wanted: undefined,
        stored,
      }),
    );
    for (const statement of prepared) yield* statement.run([call.oldRow, call.newRow], DISCARD);
    return call.newRow ?? call.oldRow;
  };
}
