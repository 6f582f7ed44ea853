/** Which handler runs which definition; undefined for statements that are not supported. */
import type { Statement } from '../text/ast-statements.js';
import { alterTable } from './alter-table.js';
import { analyze } from './analyze.js';
import type { DdlContext, DdlExecution } from './context.js';
import { createIndex } from './create-index.js';
import { createTableAs } from './create-table-as.js';
import { createTable } from './create-table.js';
import { createDatabase, dropDatabase } from './database.js';
import { drop, truncate } from './drop.js';
import { createSchema } from './schema.js';
import { createSequence } from './sequences.js';
import { createView } from './view.js';

export function definitionHandler(node: Statement): ((context: DdlContext) => DdlExecution) | undefined {
  switch (node.kind) {
    case 'create-table':
      return (context) => createTable(context, node);
    case 'create-table-as':
      return (context) => createTableAs(context, node);
    case 'create-index':
      return (context) => createIndex(context, node);
    case 'create-view':
      return (context) => createView(context, node);
    case 'create-sequence':
      return (context) => createSequence(context, node);
    case 'create-schema':
      return (context) => createSchema(context, node);
    case 'create-database':
    case 'alter-database':
      return (context) => createDatabase(context, node);
    case 'drop-database':
      return (context) => dropDatabase(context, node);
    case 'alter-table':
      return (context) => alterTable(context, node);
    case 'drop':
      return (context) => drop(context, node);
    case 'truncate':
      return (context) => truncate(context, node);
    case 'analyze':
    case 'vacuum':
      return (context) => analyze(context, node);
    default:
      return undefined;
  }
}
