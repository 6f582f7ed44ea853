/** PREPARE, EXECUTE and DEALLOCATE: statements kept by name, with parameters evaluated where they are executed. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { bindRowExpression } from '../expr/row-expression.js';
import { resolveTypeName } from '../expr/type-names.js';
import type { ExecutePrepared } from '../text/ast-schema.js';
import type { Deallocate } from '../text/ast-session.js';
import type { Prepare } from '../text/ast-statements.js';
import { deparseExpression } from '../text/deparse.js';
import { commandTag } from './command-tag.js';
import type { RowSource } from '../ddl/context.js';
import type { Value } from '../types/type.js';
import type { SqlSession } from './session.js';
import type { SessionStatement, Utility } from './statement.js';
import type { SessionTransaction } from './transaction.js';

/** Statements that a session keeps by PREPARE: each takes several kilobytes. */
const PREPARED_MAX = 10_000;

export function prepareUtility(node: Prepare, text: string): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      const name = node.name.text;
      if (session.prepared.has(name)) throw new PhantomError('42P05', `prepared statement "${name}" already exists`);
      if (session.prepared.size >= PREPARED_MAX)
        throw new PhantomError('53400', `a session keeps at most ${PREPARED_MAX} prepared statements`, {
          hint: 'DEALLOCATE those that are needed no longer.',
        });
      const types = node.types.map((type) => resolveTypeName(session.picture, type).oid);
      const inner = { node: node.statement, start: node.span.start, end: node.span.end };
      session.prepared.set(name, session.prepare(inner, text, types));
      return 0;
    },
  };
}

export function executeUtility(node: ExecutePrepared, session: SqlSession): Utility {
  const statement = preparedNamed(session, node.name.text);
  return {
    fields: fieldsOf(statement),
    parameterTypes: [],
    transaction: 'any',
    *run(running, _parameters, sink, setTag) {
      const target = preparedNamed(running, node.name.text);
      const count = yield* running.run(target, argumentsOf(running, target, node), sink, setTag);
      // What a client hears of is the statement that was executed.
      if (target.kind === 'plan') setTag(commandTag(target.node, count));
      return count;
    },
  };
}

/** A prepared query with its arguments, to be run inside a definition of the transaction. */
export function preparedQuery(session: SqlSession, node: ExecutePrepared, transaction: SessionTransaction): RowSource {
  const target = preparedNamed(session, node.name.text);
  if (target.kind !== 'plan' || target.plan.commandKind !== 'select')
    throw new PhantomError('42809', 'prepared statement is not a SELECT');
  const values = argumentsOf(session, target, node);
  return {
    fields: target.plan.fields,
    run(sink) {
      const plan = session.currentPlan(target);
      session.checkPrivileges(plan.privileges);
      return plan.execute(session.executionContext(values, transaction.storage, transaction), sink);
    },
  };
}

/** The values of EXECUTE's arguments, in the types of the statement's parameters. */
function argumentsOf(session: SqlSession, target: SessionStatement, node: ExecutePrepared): Value[] {
  const types = parameterTypesOf(target);
  if (types.length !== node.arguments.length) {
    throw new PhantomError('42601', `wrong number of parameters for prepared statement "${node.name.text}"`, {
      detail: `Expected ${types.length} parameters but got ${node.arguments.length}.`,
    });
  }
  return node.arguments.map((argument, i) =>
    bindRowExpression(deparseExpression(argument), {
      columns: [],
      relationName: undefined,
      catalog: session.picture,
      target: types[i],
      purpose: 'default',
    }).evaluate([], session.evaluation),
  );
}

export function deallocateUtility(node: Deallocate): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      if (node.name === undefined) session.prepared.clear();
      else if (!session.prepared.delete(node.name.text)) throw missing(node.name.text);
      return 0;
    },
  };
}

function preparedNamed(session: SqlSession, name: string): SessionStatement {
  const statement = session.prepared.get(name);
  if (statement === undefined) throw missing(name);
  return statement;
}

function missing(name: string): PhantomError {
  return new PhantomError('26000', `prepared statement "${name}" does not exist`, {
    routine: 'FetchPreparedStatement',
  });
}

function fieldsOf(statement: SessionStatement): Utility['fields'] {
  if (statement.kind === 'plan') return statement.plan.fields;
  return statement.kind === 'utility' ? statement.utility.fields : [];
}

function parameterTypesOf(statement: SessionStatement): readonly TypeRef[] {
  if (statement.kind === 'plan') return statement.plan.parameterTypes;
  return statement.kind === 'utility' ? statement.utility.parameterTypes : [];
}
