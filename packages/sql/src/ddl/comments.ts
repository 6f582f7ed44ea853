/** COMMENT ON: a text beside an object, shown by obj_description and its kin. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { SchemaDescriptor, TableDescriptor, TypeDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Name, QualifiedName } from '../text/ast-leaves.js';
import type { Comment } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { ownDomain } from './domains.js';
import { ownType } from './create-type.js';
import { lockForChange, lockFound, relationNamed, requireOwner, schemaNamed, splitName } from './names.js';
import { databaseNamed, requireRoleAdministration } from './roles.js';
import { ownRoutine } from './routines/alter-routine.js';
import { ownPolicy } from './policies.js';
import { ownCast } from './casts.js';
import { ownOperator } from './operators.js';
import { commentLargeObject } from './large-objects.js';
import { commentBuiltIn, madeExtension } from './extensions.js';
import { ownStatistics } from './statistics-objects.js';
import { ownRule } from './rules/rule-names.js';
import { ownTrigger } from './triggers/trigger-names.js';
import { roleNamed } from './role-names.js';

export function* comment(context: DdlContext, node: Comment): DdlExecution {
  const { target } = node;
  const text = node.text?.value === '' ? undefined : node.text?.value;
  const { objects } = context;
  switch (target.object) {
    case 'table':
    case 'view':
    case 'materialized view':
    case 'index':
    case 'sequence': {
      const word = target.object;
      objects.put(withComment(yield* lockFound(context, () => namedRelation(context, target.name, word)), text));
      return undefined;
    }
    case 'column':
      return yield* commentColumn(context, node, text);
    case 'constraint':
      return yield* commentConstraint(context, node, text);
    case 'domain constraint': {
      const type = yield* lockFound(context, () => ownDomain(context, target.on as readonly Name[]));
      const name = target.name.at(-1)?.text;
      if (!type.definition.checks.some((check) => check.name === name))
        throw new PhantomError('42704', `constraint "${name}" for domain ${type.name} does not exist`);
      const checks = type.definition.checks.map((check) => (check.name === name ? withComment(check, text) : check));
      objects.put({ ...type, definition: { ...type.definition, checks } });
      return undefined;
    }
    case 'type':
    case 'domain': {
      const name = target.types[0]?.name ?? target.name;
      const find = (): TypeDescriptor =>
        target.object === 'domain' ? ownDomain(context, name) : ownType(context, name);
      objects.put(withComment(yield* lockFound(context, find), text));
      return undefined;
    }
    case 'function':
    case 'procedure':
    case 'aggregate':
    case 'routine': {
      const routine = yield* ownRoutine(context, target);
      objects.put(withComment(routine, text));
      return undefined;
    }
    case 'statistics':
      objects.put(withComment(yield* ownStatistics(context, target.name), text));
      return undefined;
    case 'trigger': {
      const { trigger } = yield* ownTrigger(context, target);
      objects.put(withComment(trigger, text));
      return undefined;
    }
    case 'rule': {
      const { rule } = yield* ownRule(context, target);
      objects.put(withComment(rule, text));
      return undefined;
    }
    case 'policy':
      objects.put(withComment(yield* ownPolicy(context, target), text));
      return undefined;
    case 'extension': {
      const extension = madeExtension(context, target.name[0]?.text as string);
      if (extension === undefined) return commentBuiltIn(target, text);
      requireOwner(context, extension);
      objects.put(withComment(extension, text));
      return undefined;
    }
    case 'language':
      return commentBuiltIn(target, text);
    case 'schema': {
      const [name] = target.name as [Name];
      const find = (): SchemaDescriptor => schemaNamed(context, name.text, name.position + 1);
      const schema = yield* lockFound(context, find);
      requireOwner(context, schema);
      objects.put(withComment(schema, text));
      return undefined;
    }
    case 'database': {
      const database = yield* lockFound(context, () => databaseNamed(context, target.name[0]?.text as string));
      requireOwner(context, database);
      objects.put(withComment(database, text));
      return undefined;
    }
    case 'operator':
      objects.put(withComment(yield* ownOperator(context, target), text));
      return undefined;
    case 'cast':
      objects.put(withComment(yield* ownCast(context, target), text));
      return undefined;
    case 'large object':
      return yield* commentLargeObject(context, target, text);
    case 'role': {
      const role = yield* lockFound(context, () => roleNamed(context, target.name[0]?.text as string));
      requireRoleAdministration(context, role, 'must be member of role whose comment is being set');
      objects.put(withComment(role, text));
      return undefined;
    }
    default:
      throw unsupportedError(`COMMENT ON ${target.object.toUpperCase()}`);
  }
}

type Relation = Exclude<ReturnType<typeof relationNamed>, { kind: 'virtual' }>;

/** The relation that a comment is for, which has to be what the statement calls it. */
function namedRelation(context: DdlContext, name: QualifiedName, word: string): Relation {
  const relation = relationNamed(context, name);
  const kind = relation.kind === 'table' && relation.materialized !== undefined ? 'materialized view' : relation.kind;
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  if (kind !== word)
    throw new PhantomError('42809', `"${relation.name}" is not ${word === 'index' ? 'an' : 'a'} ${word}`);
  requireOwner(context, relation);
  return relation;
}

function withComment<T extends { readonly comment?: string }>(object: T, text: string | undefined): T {
  const { comment: _old, ...rest } = object;
  return (text === undefined ? rest : { ...rest, comment: text }) as T;
}

function* commentColumn(context: DdlContext, { target }: Comment, text: string | undefined): DdlExecution {
  const owner = target.name.slice(0, -1);
  const name = target.name.at(-1) as Name;
  const composite = compositeNamed(context, owner);
  if (composite !== undefined) {
    const type = yield* lockFound(context, () => compositeNamed(context, owner) ?? composite);
    return commentAttribute(context, type, name.text, text);
  }
  const relation = relationNamed(context, owner);
  const missing = missingColumn(name.text, relation);
  if (relation.kind === 'view') {
    const view = yield* lockFound(context, () => namedRelation(context, owner, 'view') as ViewDescriptor);
    if (!view.columns.some((column) => column.name === name.text)) throw missing;
    const columns = view.columns.map((column) => (column.name === name.text ? withComment(column, text) : column));
    context.objects.put({ ...view, columns });
    return undefined;
  }
  if (relation.kind !== 'table') {
    throw new PhantomError(
      '42809',
      `"${relation.name}" is not a table, view, materialized view, composite type, or foreign table`,
    );
  }
  requireOwner(context, relation);
  const table = (yield* lockForChange(context, relation)) as TableDescriptor;
  if (!table.columns.some((column) => column.name === name.text && !column.dropped)) throw missing;
  const columns = table.columns.map((column) => (column.name === name.text ? withComment(column, text) : column));
  context.objects.put({ ...table, columns, schemaVersion: table.schemaVersion + 1 });
  return undefined;
}

function* commentConstraint(context: DdlContext, { target }: Comment, text: string | undefined): DdlExecution {
  const relation = relationNamed(context, target.on as readonly Name[]);
  if (relation.kind !== 'table') throw new PhantomError('42809', `"${relation.name}" is not a table`);
  requireOwner(context, relation);
  const table = (yield* lockForChange(context, relation)) as TableDescriptor;
  const name = target.name.at(-1)?.text;
  if (!table.constraints.some((constraint) => constraint.name === name)) {
    throw new PhantomError('42704', `constraint "${name}" for table "${table.name}" does not exist`);
  }
  const constraints = table.constraints.map((constraint) =>
    constraint.name === name ? withComment(constraint, text) : constraint,
  );
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
  return undefined;
}

type CompositeType = TypeDescriptor & { readonly definition: { readonly kind: 'composite' } };

/** The composite type of that name, if it is no table's. */
function compositeNamed({ picture, objects }: DdlContext, qualified: QualifiedName): CompositeType | undefined {
  const { schema, name } = splitName(qualified, picture.databaseName);
  const found = picture.typeNamed(schema === undefined ? { name } : { schema, name });
  const type = found === undefined ? undefined : objects.object(found.oid);
  const isComposite = type?.kind === 'type' && type.definition.kind === 'composite';
  return isComposite && type.definition.relationOid === undefined ? (type as CompositeType) : undefined;
}

function commentAttribute(context: DdlContext, type: CompositeType, name: string, text: string | undefined): undefined {
  requireOwner(context, type);
  const { fields } = type.definition;
  if (!fields.some((field) => field.name === name)) throw missingColumn(name, type);
  const commented = fields.map((field) => (field.name === name ? withComment(field, text) : field));
  context.objects.put({ ...type, definition: { ...type.definition, fields: commented } });
}

function missingColumn(name: string, { name: relation }: { readonly name: string }): PhantomError {
  return new PhantomError('42703', `column "${name}" of relation "${relation}" does not exist`);
}
