/** Which handler runs which definition; undefined for statements that are not supported. */
import type { Statement } from '../text/ast-statements.js';
import { cluster } from './table-marks.js';
import { alterCollection } from './alter-collection.js';
import { alterTable } from './alter-table.js';
import { analyzeTables } from './analyze.js';
import { comment } from './comments.js';
import type { DdlContext, DdlExecution } from './context.js';
import { createCast } from './casts.js';
import { createIndex } from './create-index.js';
import { alterOperator, createOperator } from './operators.js';
import { createTableAs } from './create-table-as.js';
import { createCollection } from './create-collection.js';
import { createTable } from './create-table.js';
import { alterComposite, alterEnum, createType } from './create-type.js';
import { alterDomain, createDomain } from './domains.js';
import { alterDefaultPrivileges, grant } from './grant.js';
import { ownedBy } from './owned.js';
import { alterOwner, alterSchema, rename } from './rename.js';
import { alterGroup, alterRole, alterSetting, createRole, dropRoles, grantRole } from './roles.js';
import { createDatabase, dropDatabase } from './database.js';
import { drop } from './drop.js';
import { alterRoutine } from './routines/alter-routine.js';
import { createAggregate } from './routines/create-aggregate.js';
import { createRoutine } from './routines/create-routine.js';
import { createSchema } from './schema.js';
import { alterPolicy, createPolicy, dropPolicies } from './policies.js';
import { createExtension } from './extensions.js';
import { alterSequence, createSequence } from './sequences.js';
import { alterStatistics, createStatistics } from './statistics-objects.js';
import { dropRules } from './rules/alter-rule.js';
import { createRule } from './rules/create-rule.js';
import { dropTriggers } from './triggers/alter-trigger.js';
import { createTrigger } from './triggers/create-trigger.js';
import { truncate } from './truncate.js';
import { createMaterializedView, createView, refreshMaterializedView } from './view.js';
import { refuseCollation } from './collations.js';
import { reindex } from './reindex.js';

export function definitionHandler(node: Statement): ((context: DdlContext) => DdlExecution) | undefined {
  switch (node.kind) {
    case 'create-table':
      return (context) => createTable(context, node);
    case 'alter-collection':
      return (context) => alterCollection(context, node);
    case 'create-collection':
      return (context) => createCollection(context, node);
    case 'create-table-as':
      return (context) =>
        node.materializedView ? createMaterializedView(context, node) : createTableAs(context, node);
    case 'refresh-materialized-view':
      return (context) => refreshMaterializedView(context, node);
    case 'create-index':
      return (context) => createIndex(context, node);
    case 'create-view':
      return (context) => createView(context, node);
    case 'create-routine':
      return (context) => createRoutine(context, node);
    case 'alter-routine':
      return (context) => alterRoutine(context, node);
    case 'create-definition':
      if (node.object === 'aggregate') return (context) => createAggregate(context, node);
      if (node.object === 'operator') return (context) => createOperator(context, node);
      return node.object === 'collation' ? (context) => refuseCollation(context, node) : undefined;
    case 'alter-definition':
      return node.target.object === 'operator' ? (context) => alterOperator(context, node) : undefined;
    case 'create-cast':
      return (context) => createCast(context, node);
    case 'create-sequence':
      return (context) => createSequence(context, node);
    case 'alter-sequence':
      return (context) => alterSequence(context, node);
    case 'create-extension':
      return (context) => createExtension(context, node);
    case 'create-schema':
      return (context) => createSchema(context, node);
    case 'create-database':
    case 'alter-database':
      return (context) => createDatabase(context, node);
    case 'drop-database':
      return (context) => dropDatabase(context, node);
    case 'alter-table':
      return (context) => (node.object === 'type' ? alterComposite(context, node) : alterTable(context, node));
    case 'rename':
      return (context) => rename(context, node);
    case 'alter-owner':
      return (context) => alterOwner(context, node);
    case 'alter-schema':
      return (context) => alterSchema(context, node);
    case 'comment':
      return (context) => comment(context, node);
    case 'create-type':
      return (context) => createType(context, node);
    case 'alter-enum':
      return (context) => alterEnum(context, node);
    case 'create-domain':
      return (context) => createDomain(context, node);
    case 'alter-domain':
      return (context) => alterDomain(context, node);
    case 'create-role':
      return (context) => createRole(context, node);
    case 'alter-role':
      return (context) => alterRole(context, node);
    case 'alter-group':
      return (context) => alterGroup(context, node);
    case 'alter-setting':
      return (context) => alterSetting(context, node);
    case 'grant-role':
      return (context) => grantRole(context, node);
    case 'grant':
      return (context) => grant(context, node);
    case 'alter-default-privileges':
      return (context) => alterDefaultPrivileges(context, node);
    case 'drop-owned':
    case 'reassign-owned':
      return (context) => ownedBy(context, node);
    case 'create-statistics':
      return (context) => createStatistics(context, node);
    case 'alter-statistics':
      return (context) => alterStatistics(context, node);
    case 'create-trigger':
      return (context) => createTrigger(context, node);
    case 'create-rule':
      return (context) => createRule(context, node);
    case 'create-policy':
      return (context) => createPolicy(context, node);
    case 'alter-policy':
      return (context) => alterPolicy(context, node);
    case 'drop':
      if (node.object === 'role') return (context) => dropRoles(context, node);
      if (node.object === 'trigger') return (context) => dropTriggers(context, node);
      if (node.object === 'rule') return (context) => dropRules(context, node);
      return (context) => (node.object === 'policy' ? dropPolicies(context, node) : drop(context, node));
    case 'truncate':
      return (context) => truncate(context, node);
    case 'analyze':
      return (context) => analyzeTables(context, node);
    case 'cluster':
      return (context) => cluster(context, node);
    case 'reindex':
      return (context) => reindex(context, node);
    default:
      return undefined;
  }
}
