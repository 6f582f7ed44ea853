/** Reads SQL text of the catalog with the parser. */
import { PhantomError } from '@phantom/base';
import { parseExpression, parseStatement } from '../text/parse.js';
import type { SqlReader } from './binder/statement-binder.js';

export const sqlReader: SqlReader = {
  query(text) {
    const statement = parseStatement(text);
    if (statement.kind !== 'query') throw new PhantomError('XX000', 'stored text of a view is not a query');
    return statement;
  },
  expression: parseExpression,
};
