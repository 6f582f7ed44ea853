/** ALTER COLLECTION: the collection is held here, the rest is the document model's. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { AlterCollection } from '../text/ast-schema.js';
import { providerTransaction } from './create-collection.js';
import type { DdlContext, DdlExecution } from './context.js';
import { lockForChange, relationNamed, requireOwner, undefinedRelation } from './names.js';
import { optionText } from './storage-options.js';

export function* alterCollection(context: DdlContext, node: AlterCollection): DdlExecution {
  const { provider, objects } = context;
  const found = relationNamed(context, node.name);
  if (found.kind !== 'table' || found.collection === undefined)
    throw new PhantomError('42809', `"${found.name}" is not a collection`);
  if (provider === undefined) throw unsupportedError('ALTER COLLECTION without a document model');
  requireOwner(context, found);
  const table = yield* lockForChange(context, found);
  if (table === undefined) throw undefinedRelation(node.name);
  const schema = node.schema === 'none' ? null : node.schema?.value;
  const options = new Map(node.options.map((option) => [option.name.text, optionText(option)]));
  const altered = yield* provider.alter(table, schema, options, providerTransaction(context));
  objects.put({ ...altered.table, schemaVersion: table.schemaVersion + 1 });
  const { invalid, dangling } = altered;
  if (invalid > 0) context.notice('NOTICE', '00000', `documents that break the schema: ${invalid}`);
  if (dangling > 0) context.notice('NOTICE', '00000', `references that lead nowhere: ${dangling}`);
  return undefined;
}
