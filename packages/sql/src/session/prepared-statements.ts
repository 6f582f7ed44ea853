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
import type { SqlSession } from './session.js';
import type { SessionStatement, Utility } from './statement.js';

export function prepareUtility(node: Prepare, text: string): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      const name = node.name.text;
      if (session.prepared.has(name)) throw new PhantomError('42P05', `prepared statement "${name}" already exists`);
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
      const types = parameterTypesOf(target);
      if (types.length !== node.arguments.length) {
        throw new PhantomError('42601', `wrong number of parameters for prepared statement "${node.name.text}"`, {
          detail: `Expected ${types.length} parameters but got ${node.arguments.length}.`,
        });
      }
      const values = node.arguments.map((argument, i) =>
        bindRowExpression(deparseExpression(argument), {
          columns: [],
          relationName: undefined,
          catalog: running.picture,
          target: types[i],
          purpose: 'default',
        }).evaluate([], running.evaluation),
      );
      const count = yield* running.run(target, values, sink, setTag);
      // What a client hears of is the statement that was executed.
      if (target.kind === 'plan') setTag(commandTag(target.node, count));
      return count;
    },
  };
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
  return new PhantomError('26000', `prepared statement "${name}" does not exist`);
}

function fieldsOf(statement: SessionStatement): Utility['fields'] {
  if (statement.kind === 'plan') return statement.plan.fields;
  return statement.kind === 'utility' ? statement.utility.fields : [];
}

function parameterTypesOf(statement: SessionStatement): readonly TypeRef[] {
  if (statement.kind === 'plan') return statement.plan.parameterTypes;
  return statement.kind === 'utility' ? statement.utility.parameterTypes : [];
}
