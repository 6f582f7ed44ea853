/**
 * The message FunctionCall, which libpq's functions of large objects are made of (and PQfn): one function by its number, its arguments and
 * its result in text or binary. It is answered like a Query of one statement: outside of a transaction block the call is a
 * transaction of its own, whose commit comes before the answer, and which is run again after a lost race.
 *
 *   F | length | function oid u32 | formats | arguments i16 (bytes i32, -1 for NULL | value) ... | format of the result i16
 *   V | length | bytes i32, -1 for NULL | value
 */
import { PhantomError } from '@phantom/base';
import type { RowBatch, Value } from '@phantom/db/session';
import type { DatabaseSession } from './database-session.js';
import { type BindMessage, readFunctionCall } from './frontend-messages.js';
import type { MessageReader } from './message-reader.js';
import type { Output } from './output.js';
import { ReadyStatement } from './prepared-statements.js';
import { PROTOCOL_VIOLATION } from './protocol.js';
import { RowEncoder } from './row-encoder.js';

/** Whom a call is made for. */
interface Caller {
  readonly database: DatabaseSession;
  readonly output: Output;
}

/** Makes the call of a message and writes its result; rejects with what ended it. `bind` is used for the arguments. */
export async function callFunction(
  { database, output }: Caller,
  reader: MessageReader,
  bind: BindMessage,
): Promise<void> {
  const oid = readFunctionCall(reader, bind);
  const { statement, argumentCount } = database.routines.prepareCall(oid);
  if (bind.valueCount !== argumentCount) {
    throw new PhantomError(
      PROTOCOL_VIOLATION,
      `function call message contains ${bind.valueCount} arguments but function requires ${argumentCount}`,
    );
  }
  const ready = new ReadyStatement(statement);
  const values = ready.values(bind, reader, database);
  const format = bind.resultFormat(0);
  const alone = database.transaction === undefined;
  let result: Value = null;
  const receive = ({ columns }: RowBatch): void => {
    result = columns[0]?.[0] ?? null;
  };
  for (;;) {
    try {
      await database.portal(statement, values).fetch(0, receive);
      if (database.transaction?.explicit === false) await database.sync();
      break;
    } catch (error) {
      if (!alone || !(await database.again(error))) throw error;
    }
  }
  const encoder = new RowEncoder(ready.fields(database), database.evaluation.types, () => format);
  encoder.single(result, output.messages, database.evaluation);
}
