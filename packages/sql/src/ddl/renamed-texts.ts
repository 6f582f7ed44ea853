/**
 * Functions, types and schemas that are called something else: texts that the catalog keeps name them, and are written anew. What a
 * select list or a FROM item was called after such a name keeps being called so.
 */
import { unsupportedError } from '@phantom/base';
import type { ObjectDescriptor, Oid, RoutineDescriptor, TypeDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { outputName } from '../plan/binder/output-names.js';
import type { Name, TypeName } from '../text/ast-leaves.js';
import type { Expression, FunctionTable, Select } from '../text/ast.js';
import { quoteIdentifier } from '../types/reg-types.js';
import type { DdlContext } from './context.js';
import { describe } from './drop-plan.js';
import { lockForChange } from './names.js';
import type { TreePart } from './rewrite-tree.js';
import { usersOfRoutine } from './routines/routine-users.js';
import { type ChangePart, type TextChange, withTexts } from './stored-texts.js';

type Step = Generator<Yielded, void, void>;
/** Whether a name without a schema leads to the object; the path is that of a stored query, undefined for the session's. */
type OnPath = (path: readonly string[] | undefined) => boolean;
type Renamed = Pick<RoutineDescriptor, 'oid' | 'name' | 'schemaOid'>;

/** A routine is about to be called something else, or to stand elsewhere. 0A000 where one text calls others of its name as well. */
export function* renameRoutineInTexts(context: DdlContext, before: RoutineDescriptor, after: Renamed): Step {
  const users = usersOf(context, before);
  for (const { routine } of context.picture.functions.functionsNamed(before.name)) {
    if (routine === undefined || routine.oid === before.oid) continue;
    for (const oid of usersOf(context, routine)) {
      if (!users.has(oid)) continue;
      const shown = describe(context, { kind: 'object', oid });
      throw unsupportedError(`renaming or moving ${before.routine} ${before.name}, which the text of ${shown} names`);
    }
  }
  const part = renaming(context, 'call', before, after, (path) =>
    (path === undefined ? context.picture : context.picture.withSearchPath(path)).functions
      .functionsNamed(before.name)
      .some(({ oid }) => oid === before.oid),
  );
  yield* rewriteTexts(context, { mentioned: before.name, part }, (object) => users.has(object.oid));
}

/** The same of a type, or of the type of a relation's rows. */
export function* renameTypeInTexts(context: DdlContext, before: Renamed, after: Renamed): Step {
  const part = renaming(context, 'type-name', before, after, isTypeOn(context, before));
  yield* rewriteTexts(context, { mentioned: before.name, part }, () => true);
}

/** Whether the type's name alone leads to it along a search path. */
function isTypeOn({ picture }: DdlContext, { name, oid }: Renamed): OnPath {
  return (path) => (path === undefined ? picture : picture.withSearchPath(path)).typeNamed({ name })?.oid === oid;
}

/** The same of a schema, which names of functions and types may have before them. */
export function* renameSchemaInTexts(context: DdlContext, from: string, to: string): Step {
  const part: ChangePart = (node) => {
    if (node['kind'] !== 'call' && node['kind'] !== 'type-name') return undefined;
    const name = node['name'] as readonly Name[];
    const at = name.length - 2;
    if (name[at]?.text !== from) return undefined;
    return { ...node, name: name.map((one, i) => (i === at ? written(to) : one)) };
  };
  const path = (names: readonly string[]): readonly string[] =>
    names.includes(from) ? names.map((name) => (name === from ? to : name)) : names;
  yield* rewriteTexts(context, { mentioned: from, part, path }, () => true);
}

/**
 * A label of an enum is about to be called something else: casts of it, and defaults that are nothing but it, follow. 0A000 where it
 * stands elsewhere in a text that may mean it, since what a bare string is of is only known when the text is bound.
 */
export function* renameLabelInTexts(context: DdlContext, type: TypeDescriptor, from: string, to: string): Step {
  const isOn = isTypeOn(context, type);
  const schema = context.picture.schemaName(type.schemaOid);
  const change: TextChange = {
    mentioned: from,
    part(node, path) {
      if (node['kind'] !== 'cast') return undefined;
      const operand = node['operand'] as Expression;
      const { name, arrayBounds } = node['type'] as TypeName;
      if (operand.kind !== 'string' || operand.value !== from || arrayBounds.length > 0) return undefined;
      if (!isNamedBy(name, type.name, schema, path, isOn)) return undefined;
      return { ...node, operand: { ...operand, value: to } };
    },
  };
  const [old, now] = [from, to].map((label) => `'${label.replaceAll("'", "''")}'`) as [string, string];
  const renamed = <T extends ObjectDescriptor>(object: T): T => {
    const made = withTexts(object, change);
    if (made.kind !== 'table' || !made.columns.some(({ defaultSql }) => defaultSql === old)) return made;
    const columns = made.columns.map((column) =>
      column.type.oid === type.oid && column.defaultSql === old ? { ...column, defaultSql: now } : column,
    );
    return { ...made, columns, schemaVersion: made.schemaVersion + 1 };
  };
  for (const object of Array.from(context.objects.objects())) {
    if (!('databaseOid' in object) || object.databaseOid !== context.databaseOid || object.oid === type.oid) continue;
    const made = renamed(object);
    if (namesLabel(made, from) && mayMean(context, object, type)) {
      const shown = describe(context, { kind: 'object', oid: object.oid });
      throw unsupportedError(`renaming label "${from}" of type ${type.name}, which the text of ${shown} names`);
    }
    if (made === object) continue;
    const current = yield* lockForChange(context, object);
    if (current !== undefined) context.objects.put(renamed(current));
  }
}

/** True where a string of a text is the label, or an array that may hold it. */
function namesLabel(object: ObjectDescriptor, label: string): boolean {
  let isNamed = false;
  withTexts(object, {
    mentioned: label,
    part({ kind, value }) {
      const text = kind === 'string' ? (value as string) : '';
      if (text === label || (text.startsWith('{') && text.includes(label))) isNamed = true;
      return undefined;
    },
  });
  return isNamed;
}

/** True where strings of the object's texts may be labels of the type: it, or a relation that it stands on, has values of it. */
function mayMean({ objects }: DdlContext, object: ObjectDescriptor, { oid, arrayOid }: TypeDescriptor): boolean {
  const has = (one: ObjectDescriptor | undefined): boolean =>
    one !== undefined && 'columns' in one && one.kind !== 'trigger' && one.columns.some(isOf);
  const isOf = (column: unknown): boolean => {
    const { type } = column as { readonly type?: { readonly oid: Oid } };
    return type?.oid === oid || type?.oid === arrayOid;
  };
  const on = 'tableOid' in object ? objects.object(object.tableOid) : undefined;
  if (has(object) || has(on)) return true;
  for (const { referencedOid } of objects.dependenciesOf(object.oid))
    if (referencedOid === oid || has(objects.object(referencedOid))) return true;
  return false;
}

/** What calls the routine: in texts, or noted by the catalog. */
function usersOf(context: DdlContext, routine: RoutineDescriptor): ReadonlySet<Oid> {
  const users = new Set<Oid>();
  for (const { oid } of usersOfRoutine(context, routine)) users.add(oid);
  for (const { dependentOid } of context.objects.dependentsOf(routine.oid)) users.add(dependentOid);
  return users;
}

/** Nodes of a kind that name the object: they get its new name, with its schema. */
function renaming(
  context: DdlContext,
  kind: 'call' | 'type-name',
  before: Renamed,
  after: Renamed,
  isOn: OnPath,
): ChangePart {
  const schema = context.picture.schemaName(before.schemaOid);
  const name = [written(context.picture.schemaName(after.schemaOid)), written(after.name)];
  return (node, path) => {
    if (node['kind'] === 'select') return keepItemNames(node, before.name);
    if (node['kind'] === 'function-table') return keepTableName(node, before.name);
    if (node['kind'] !== kind) return undefined;
    return isNamedBy(node['name'] as readonly Name[], before.name, schema, path, isOn) ? { ...node, name } : undefined;
  };
}

/** Whether a name, with or without its schema, is the object's. */
function isNamedBy(
  given: readonly Name[],
  name: string,
  schema: string,
  path: readonly string[] | undefined,
  isOn: OnPath,
): boolean {
  if (given.at(-1)?.text !== name) return false;
  const named = given.at(-2)?.text;
  return named === undefined ? isOn(path) : named === schema;
}

/** A name as it must be written to be read back. */
function written(text: string): Name {
  return { text, position: 0, quoted: quoteIdentifier(text) !== text };
}

function keepItemNames(node: TreePart, name: string): TreePart | undefined {
  const { items } = node as unknown as Select;
  const isNamed = items.map(
    (item) => item.alias === undefined && item.value.kind !== 'column' && outputName(item) === name,
  );
  if (!isNamed.includes(true)) return undefined;
  const alias = written(name);
  return { ...node, items: items.map((item, i) => (isNamed[i] === true ? { ...item, alias } : item)) };
}

function keepTableName(node: TreePart, name: string): TreePart | undefined {
  const { alias, functions, rowsFrom } = node as unknown as FunctionTable;
  const [first] = functions;
  if (alias !== undefined || rowsFrom || first?.call.kind !== 'call') return undefined;
  if (first.call.name.at(-1)?.text !== name) return undefined;
  return { ...node, alias: { name: written(name), columns: [] } };
}

/** Writes the texts of all objects anew that `isConcerned` names, each locked before. */
function* rewriteTexts(
  context: DdlContext,
  change: TextChange,
  isConcerned: (object: ObjectDescriptor) => boolean,
): Step {
  for (const object of Array.from(context.objects.objects())) {
    if (!('databaseOid' in object) || object.databaseOid !== context.databaseOid) continue;
    if (!isConcerned(object) || withTexts(object, change) === object) continue;
    const current = yield* lockForChange(context, object);
    if (current !== undefined) context.objects.put(withTexts(current, change));
  }
}
