/**
 * Calls of one function by its number, as the protocol's FunctionCall message has them: a SELECT of nothing but the call, so that rights,
 * limits, waits and traces are those of any statement.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { PG_CATALOG_OID } from '../system-views/system-view.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { inFailedTransaction } from './session-errors.js';
import type { SqlSession } from './session.js';
import type { SessionStatement } from './statement.js';

/** What a function that is called by its number takes. */
export interface FunctionCallStatement {
  /** Its parameters are the function's arguments, its only column the result. */
  readonly statement: SessionStatement;
  readonly argumentCount: number;
}

/**
 * The call of the function of a number. 42883 where there is none, 0A000 for what is no plain function of one value, 25P02 in a
 * transaction that has failed; 42501 and its kin when it runs.
 */
export function prepareFunctionCall(session: SqlSession, oid: Oid): FunctionCallStatement {
  if (session.transaction?.failed === true) throw inFailedTransaction();
  const { picture } = session;
  const definition = picture.functions.functionByOid(oid);
  if (definition === undefined) throw new PhantomError('42883', `function with OID ${oid} does not exist`);
  const { name, argumentTypes, variadic, routine } = definition;
  if (definition.kind !== 'scalar' || routine?.routine === 'procedure')
    throw new PhantomError('0A000', `cannot call function "${name}" via fastpath interface`);
  const schema = picture.schemaName(routine?.schemaOid ?? PG_CATALOG_OID);
  const places = argumentTypes.map((_, i) =>
    variadic !== undefined && i === argumentTypes.length - 1 ? `variadic $${i + 1}` : `$${i + 1}`,
  );
  const text = `select ${quoteIdentifier(schema)}.${quoteIdentifier(name)}(${places.join(', ')})`;
  return { statement: session.prepareText(text, argumentTypes), argumentCount: argumentTypes.length };
}
