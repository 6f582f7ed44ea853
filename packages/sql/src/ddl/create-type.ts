/** CREATE TYPE and ALTER TYPE: enums, composite types, distinct types, and shells that are a name alone. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type TypeDescriptor } from '@phantom/catalog';
import { withNamedCollation } from '../expr/named-collation.js';
import { resolveTypeName } from '../expr/type-names.js';
import type { FieldDefinition, QualifiedName, StringLiteral, TypeName } from '../text/ast-leaves.js';
import type { AlterEnum, AlterTable, AlterTableAction, CreateType } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { renameLabelInTexts } from './renamed-texts.js';
import { createRangeType } from './create-range-type.js';
import { ownership } from './ownership.js';
import { claimName, creationSchema, lockFound, relationExists, requireOwner, splitName } from './names.js';
import { refuseMember, refuseStoredType } from './stored-rows.js';
import { claimTypeName, dependOnTypes, renewUsers, requireTypeUsage } from './types.js';

/** Longest label, in bytes, as PostgreSQL's. */
const LABEL_BYTES_MAX = 63;
const UTF8 = new TextEncoder();

export function* createType(context: DdlContext, node: CreateType): DdlExecution {
  if (node.form === 'range') return yield* createRangeType(context, node);
  if (node.form === 'base') throw unsupportedError('base types');
  const place = creationSchema(context, node.name);
  if (node.form === 'composite') {
    const relation = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
    if (relation !== undefined) throw relationExists(place.name);
  }
  yield* claimTypeName(context, place.schemaOid, place.name);
  const type: TypeDescriptor = {
    kind: 'type',
    oid: context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'type', place.schemaOid),
    arrayOid: context.catalog.allocateOid(),
    definition: definitionOf(context, node),
  };
  context.objects.put(type);
  dependOnFields(context, type);
  return undefined;
}

function definitionOf(context: DdlContext, node: CreateType): TypeDescriptor['definition'] {
  if (node.form === 'enum') return enumOf(context, node.labels);
  if (node.form === 'shell') return { kind: 'shell' };
  return node.source === undefined ? compositeOf(context, node.attributes) : distinctOf(context, node.source);
}

/** The source of a distinct type is predefined: 42809 for others. */
function distinctOf(context: DdlContext, source: TypeName): TypeDescriptor['definition'] {
  const base = resolveTypeName(context.picture, source);
  const type = context.picture.types.byOid(base.oid);
  if (type?.kind !== 'base') {
    throw new PhantomError('42809', `type ${type?.displayName ?? base.oid} is not predefined`, {
      position: source.position + 1,
    });
  }
  return { kind: 'distinct', base };
}

type EnumDefinition = Extract<TypeDescriptor['definition'], { kind: 'enum' }>;
type CompositeDefinition = Extract<TypeDescriptor['definition'], { kind: 'composite' }>;

function enumOf(context: DdlContext, labels: readonly StringLiteral[]): EnumDefinition {
  const made: EnumDefinition['labels'][number][] = [];
  for (const { value } of labels) {
    checkLabel(value);
    if (made.some((entry) => entry.label === value)) {
      throw new PhantomError('23505', 'duplicate key value violates unique constraint "pg_enum_typid_label_index"');
    }
    made.push({ oid: context.catalog.allocateOid(), label: value, order: made.length + 1 });
  }
  return { kind: 'enum', labels: made };
}

function checkLabel(label: string): void {
  if (UTF8.encode(label).length > LABEL_BYTES_MAX) {
    throw new PhantomError('42602', `invalid enum label "${label}"`, {
      detail: `Labels must be ${LABEL_BYTES_MAX} bytes or less.`,
    });
  }
}

function compositeOf(context: DdlContext, attributes: readonly FieldDefinition[]): CompositeDefinition {
  const fields: CompositeDefinition['fields'][number][] = [];
  for (const attribute of attributes) {
    const { name } = attribute;
    if (fields.some((field) => field.name === name.text)) {
      throw new PhantomError('42701', `column "${name.text}" specified more than once`, {
        position: name.position + 1,
      });
    }
    fields.push({ name: name.text, type: fieldType(context, attribute) });
  }
  return { kind: 'composite', fields };
}

function fieldType(context: DdlContext, attribute: FieldDefinition): CompositeDefinition['fields'][number]['type'] {
  const type = resolveTypeName(context.picture, attribute.type);
  if (context.picture.types.byOid(type.oid)?.kind === 'pseudo') {
    throw new PhantomError('42P16', `column "${attribute.name.text}" has pseudo-type`);
  }
  requireTypeUsage(context, type);
  return withNamedCollation(context.picture, type, attribute.collation);
}

function dependOnFields(context: DdlContext, type: TypeDescriptor): void {
  const { definition } = type;
  if (definition.kind === 'composite') {
    const parts = definition.fields.map((field, i) => ({ column: i + 1, type: field.type }));
    dependOnTypes(context, type.oid, parts);
  }
}

/** A type by name that users made; 42704 when there is none. */
export function typeNamed(context: DdlContext, name: QualifiedName): TypeDescriptor {
  const target = splitName(name, context.picture.databaseName);
  const found = context.picture.typeNamed(
    target.schema === undefined ? { name: target.name } : { schema: target.schema, name: target.name },
  );
  const object = found === undefined ? undefined : context.objects.object(found.oid);
  if (object?.kind === 'type') return object;
  const shown = name.map((part) => part.text).join('.');
  if (found !== undefined) throw new PhantomError('42501', `must be owner of type ${shown}`);
  throw new PhantomError('42704', `type "${shown}" does not exist`, { position: target.position });
}

/** As typeNamed; 42501 where the current role does not own it. */
export function ownType(context: DdlContext, name: QualifiedName): TypeDescriptor {
  const type = typeNamed(context, name);
  requireOwner(context, type);
  return type;
}

export function* alterEnum(context: DdlContext, node: AlterEnum): DdlExecution {
  const type = yield* lockFound(context, () => ownType(context, node.name));
  const { definition } = type;
  if (definition.kind !== 'enum') throw new PhantomError('42809', `${type.name} is not an enum`);
  const { action } = node;
  const labels =
    action.kind === 'rename'
      ? renameLabel(definition.labels, action.from.value, action.to.value)
      : addLabel(context, definition.labels, action);
  if (labels === undefined) return undefined;
  if (action.kind === 'rename') yield* renameLabelInTexts(context, type, action.from.value, action.to.value);
  context.objects.put({ ...type, definition: { kind: 'enum', labels } });
  renewUsers(context, type.oid);
  return undefined;
}

type Labels = EnumDefinition['labels'];

function renameLabel(labels: Labels, from: string, to: string): Labels {
  checkLabel(to);
  if (!labels.some((entry) => entry.label === from)) {
    throw new PhantomError('22023', `"${from}" is not an existing enum label`);
  }
  if (labels.some((entry) => entry.label === to)) throw new PhantomError('42710', `enum label "${to}" already exists`);
  return labels.map((entry) => (entry.label === from ? { ...entry, label: to } : entry));
}

/** Labels keep their numbers for good, so a new one between two takes the number in the middle. */
function addLabel(
  context: DdlContext,
  labels: Labels,
  action: Extract<AlterEnum['action'], { kind: 'add' }>,
): Labels | undefined {
  const label = action.label.value;
  checkLabel(label);
  if (labels.some((entry) => entry.label === label)) {
    if (!action.ifNotExists) throw new PhantomError('42710', `enum label "${label}" already exists`);
    context.notice('NOTICE', '42710', `enum label "${label}" already exists, skipping`);
    return undefined;
  }
  const sorted = labels.toSorted((a, b) => a.order - b.order);
  let at = sorted.length;
  if (action.neighbour !== undefined) {
    const neighbour = sorted.findIndex((entry) => entry.label === action.neighbour?.value);
    if (neighbour < 0) throw new PhantomError('22023', `"${action.neighbour.value}" is not an existing enum label`);
    at = action.place === 'before' ? neighbour : neighbour + 1;
  }
  const before = sorted[at - 1]?.order;
  const after = sorted[at]?.order;
  const order = after === undefined ? (before ?? 0) + 1 : before === undefined ? after - 1 : (before + after) / 2;
  if (order === before || order === after) {
    throw new PhantomError('54000', `there is no room for another enum label at "${label}"`);
  }
  return [...labels, { oid: context.catalog.allocateOid(), label, order }];
}

/** ALTER TYPE of a composite type: its attributes. */
export function* alterComposite(context: DdlContext, node: AlterTable): DdlExecution {
  const type = yield* lockFound(context, () => ownType(context, node.name));
  if (type.definition.kind !== 'composite') throw new PhantomError('42809', `${type.name} is not a composite type`);
  if (type.definition.relationOid !== undefined) {
    throw new PhantomError('42809', `${type.name} is a table's row type`, { hint: 'Use ALTER TABLE instead.' });
  }
  refuseStoredType(context, type);
  let { fields } = type.definition;
  for (const action of node.actions) fields = changedFields(context, type, fields, action);
  const changed: TypeDescriptor = { ...type, definition: { kind: 'composite', fields } };
  context.objects.put(changed);
  dependOnFields(context, changed);
  return undefined;
}

function changedFields(
  context: DdlContext,
  type: TypeDescriptor,
  fields: CompositeDefinition['fields'],
  action: AlterTableAction,
): CompositeDefinition['fields'] {
  const missing = (name: string): PhantomError =>
    new PhantomError('42703', `column "${name}" of relation "${type.name}" does not exist`);
  switch (action.kind) {
    case 'add-attribute': {
      const { name } = action.attribute;
      if (fields.some((field) => field.name === name.text)) {
        throw new PhantomError('42701', `column "${name.text}" of relation "${type.name}" already exists`);
      }
      const added = fieldType(context, action.attribute);
      refuseMember(context, added.oid, type);
      return [...fields, { name: name.text, type: added }];
    }
    case 'drop-attribute': {
      const left = fields.filter((field) => field.name !== action.name.text);
      if (left.length < fields.length) return left;
      if (!action.ifExists) throw missing(action.name.text);
      context.notice(
        'NOTICE',
        '00000',
        `column "${action.name.text}" of relation "${type.name}" does not exist, skipping`,
      );
      return fields;
    }
    case 'alter-type': {
      if (!fields.some((field) => field.name === action.column.text)) throw missing(action.column.text);
      const now = withNamedCollation(context.picture, resolveTypeName(context.picture, action.type), action.collation);
      requireTypeUsage(context, now);
      refuseMember(context, now.oid, type);
      return fields.map((field) => (field.name === action.column.text ? { ...field, type: now } : field));
    }
    default:
      throw unsupportedError(`ALTER TYPE ... ${action.kind.replaceAll('-', ' ').toUpperCase()}`);
  }
}
