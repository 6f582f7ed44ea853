/**
 * CREATE, ALTER and DROP OPERATOR. An operator is a name for a function of one or two arguments; which one is meant is found as
 * PostgreSQL does, built-in ones among them (functions/function-registry.ts).
 *
 *   COMMUTATOR, NEGATOR   another operator, which need not be there yet: it is noted as a shell then, which a CREATE OPERATOR fills
 *   RESTRICT, JOIN, HASHES, MERGES   kept and shown; plans are made without them
 */
import { PhantomError } from '@phantom/base';
import { NameClass, type Oid, type OperatorDescriptor, operatorKeyName } from '@phantom/catalog';
import { findTypeName, resolveTypeName } from '../expr/type-names.js';
import type { Yielded } from '../exec/runtime.js';
import type { ObjectRef } from '../text/ast-access.js';
import type { Option, QualifiedName, TypeName } from '../text/ast-leaves.js';
import type { AlterDefinition, CreateDefinition } from '../text/ast-schema.js';
import { TypeOid } from '../types/type-oids.js';
import type { DdlContext, DdlExecution } from './context.js';
import { missingObject } from './drop-unmade.js';
import { estimatorOid } from '../functions/estimators.js';
import { claimName, creationSchema, lockForChange, requireOwner, splitName } from './names.js';
import { checkedFunction, executableBy } from './routines/aggregate-functions.js';
import { dependOn } from './stored-queries.js';
import { dependOnTypes, requireTypeUsage } from './types.js';

type Step<T> = Generator<Yielded, T, void>;

const OPTIONS = ['leftarg', 'rightarg', 'function', 'commutator', 'negator', 'restrict', 'join', 'hashes', 'merges'];

function invalid(message: string, detail?: string): PhantomError {
  return new PhantomError('42P13', message, { detail });
}

export function* createOperator(context: DdlContext, node: CreateDefinition): DdlExecution {
  const place = creationSchema(context, node.name);
  const options = readOptions(context, node.definition);
  const leftTypeOid = typeOf(context, options.get('leftarg'));
  const rightTypeOid = typeOf(context, options.get('rightarg'));
  const written = nameOf(options.get('function'));
  if (written === undefined) throw invalid('operator function must be specified');
  if (leftTypeOid === 0 && rightTypeOid === 0) throw invalid('operator argument types must be specified');
  if (rightTypeOid === 0)
    throw invalid('operator right argument type must be specified', 'Postfix operators are not supported.');
  const types = leftTypeOid === 0 ? [rightTypeOid] : [leftTypeOid, rightTypeOid];
  for (const oid of types) requireTypeUsage(context, { oid, typmod: -1 });
  const split = splitName(written, context.picture.databaseName);
  const { definition, resultOid } = checkedFunction(context, split, types);
  executableBy(context, definition);
  requireTypeUsage(context, { oid: resultOid, typmod: -1 });
  const traits = traitsOf(options, leftTypeOid, resultOid);
  const { existing, ...key } = yield* claimOperator(context, { ...place, leftTypeOid, rightTypeOid });
  if (existing !== undefined && existing.functionOid !== 0)
    throw new PhantomError('42723', `operator ${place.name} already exists`);
  if (existing !== undefined) requireOwner(context, existing);
  const oid = existing?.oid ?? context.catalog.allocateOid();
  const self = { ...key, oid };
  const commutatorOid = yield* otherOperator(context, options.get('commutator'), self, rightTypeOid, leftTypeOid);
  const negatorOid = yield* otherOperator(context, options.get('negator'), self, leftTypeOid, rightTypeOid);
  if (negatorOid === oid) throw invalid('operator cannot be its own negator or sort operator');
  const operator: OperatorDescriptor = {
    ...key,
    kind: 'operator',
    oid,
    databaseOid: context.databaseOid,
    ownerOid: existing?.ownerOid ?? context.roleOid,
    functionOid: definition.oid,
    resultTypeOid: resultOid,
    commutatorOid,
    negatorOid,
    ...traits,
    ...(existing?.comment === undefined ? {} : { comment: existing.comment }),
  };
  context.objects.put(operator);
  if (definition.routine !== undefined) dependOn(context, oid, [{ oid: definition.oid, column: 0 }]);
  dependOnTypes(
    context,
    oid,
    [...types, resultOid].map((type) => ({ column: 0, type: { oid: type, typmod: -1 } })),
  );
  pointBack(context, commutatorOid, (other) => (other.commutatorOid === 0 ? { ...other, commutatorOid: oid } : other));
  pointBack(context, negatorOid, (other) => (other.negatorOid === 0 ? { ...other, negatorOid: oid } : other));
  return undefined;
}

/** The other operator knows this one from now on, if it is a user's and knows none. */
function pointBack(
  { objects }: DdlContext,
  oid: Oid,
  change: (operator: OperatorDescriptor) => OperatorDescriptor,
): void {
  const other = oid === 0 ? undefined : objects.object(oid);
  if (other?.kind === 'operator') objects.put(change(other));
}

function readOptions(context: DdlContext, definition: readonly Option[]): ReadonlyMap<string, Option> {
  const options = new Map<string, Option>();
  for (const option of definition) {
    const written = option.name.text;
    const name = written === 'procedure' ? 'function' : written;
    if (OPTIONS.includes(name)) options.set(name, option);
    else context.notice('WARNING', '42601', `operator attribute "${written}" not recognized`);
  }
  return options;
}

/** The oid of the type that an option names; 0 where there is no option. */
function typeOf({ picture }: DdlContext, option: Option | undefined): Oid {
  if (option?.value === undefined) return 0;
  const { value } = option;
  const type = value.kind === 'type' ? value.type : value.kind === 'word' ? typeNamed(value.name) : undefined;
  if (type === undefined) throw new PhantomError('42601', `argument of ${option.name.text} must be a type name`);
  if (type.setOf) throw invalid('SETOF type not allowed for operator argument');
  return resolveTypeName(picture, type).oid;
}

function typeNamed(name: QualifiedName): TypeName {
  const position = name[0]?.position ?? 0;
  const plain = { modifiers: [], intervalFields: [], arrayBounds: [], setOf: false, columnType: false };
  return { kind: 'type-name', name, system: false, ...plain, position };
}

/** The name that an option gives; undefined where there is none. */
function nameOf(option: Option | undefined): QualifiedName | undefined {
  const value = option?.value;
  if (value?.kind === 'word') return value.name;
  if (value?.kind === 'operator') {
    const { schema, symbol, position } = value.operator;
    return [...schema, { text: symbol, position, quoted: false }];
  }
  return value?.kind === 'type' ? value.type.name : undefined;
}

function traitsOf(
  options: ReadonlyMap<string, Option>,
  leftTypeOid: Oid,
  resultOid: Oid,
): Pick<OperatorDescriptor, 'restrict' | 'join' | 'hashes' | 'merges'> {
  const isBinary = leftTypeOid !== 0;
  const isBoolean = resultOid === TypeOid.bool;
  const [hashes, merges] = [isSet(options.get('hashes')), isSet(options.get('merges'))];
  const given = (name: string): boolean => options.has(name);
  if (!isBinary && given('commutator')) throw invalid('only binary operators can have commutators');
  if (!isBinary && given('join')) throw invalid('only binary operators can have join selectivity');
  if (!isBinary && merges) throw invalid('only binary operators can merge join');
  if (!isBinary && hashes) throw invalid('only binary operators can hash');
  if (!isBoolean && given('negator')) throw invalid('only boolean operators can have negators');
  if (!isBoolean && given('restrict')) throw invalid('only boolean operators can have restriction selectivity');
  if (!isBoolean && given('join')) throw invalid('only boolean operators can have join selectivity');
  if (!isBoolean && merges) throw invalid('only boolean operators can merge join');
  if (!isBoolean && hashes) throw invalid('only boolean operators can hash');
  const restrict = estimatorOf(options.get('restrict'), false);
  const join = estimatorOf(options.get('join'), true);
  return {
    ...(restrict === undefined ? {} : { restrict }),
    ...(join === undefined ? {} : { join }),
    ...(hashes ? { hashes } : {}),
    ...(merges ? { merges } : {}),
  };
}

function isSet(option: Option | undefined): boolean {
  if (option === undefined) return false;
  const { value } = option;
  if (value?.kind === 'boolean') return value.value;
  return value?.kind !== 'number' || Number(value.text) !== 0;
}

/** The name of PostgreSQL's estimator that an option gives; NONE is none. */
function estimatorOf(option: Option | undefined, ofJoins: boolean): string | undefined {
  const name = nameOf(option)?.at(-1)?.text;
  if (name === undefined || name === 'none') return undefined;
  if (estimatorOid(name, ofJoins) !== undefined) return name;
  const types = ofJoins ? 'internal, oid, internal, smallint, internal' : 'internal, oid, internal, integer';
  throw new PhantomError('42883', `function ${name}(${types}) does not exist`);
}

type OperatorKey = Pick<OperatorDescriptor, 'name' | 'schemaOid' | 'leftTypeOid' | 'rightTypeOid'>;

/** Takes the place of an operator; the one that is there, if one is. */
function* claimOperator(
  context: DdlContext,
  { name, schemaOid, leftTypeOid, rightTypeOid }: OperatorKey,
): Step<OperatorKey & { readonly existing: OperatorDescriptor | undefined }> {
  const key = { name, schemaOid, leftTypeOid, rightTypeOid };
  const found = yield* claimName(context, NameClass.Operator, schemaOid, operatorKeyName(key));
  return { ...key, existing: found?.kind === 'operator' ? found : undefined };
}

/** The commutator or negator that an option names: one that is there, this one, or a shell; 0 where nothing is named. */
function* otherOperator(
  context: DdlContext,
  option: Option | undefined,
  self: OperatorKey & { readonly oid: Oid },
  leftTypeOid: Oid,
  rightTypeOid: Oid,
): Step<Oid> {
  const written = nameOf(option);
  if (written === undefined) return 0;
  const { schema, name } = splitName(written, context.picture.databaseName);
  const found = operatorOf(context, schema, name, leftTypeOid, rightTypeOid);
  if (found !== undefined) return found;
  const place = creationSchema(context, written);
  const key = { name, schemaOid: place.schemaOid, leftTypeOid, rightTypeOid };
  if (operatorKeyName(key) === operatorKeyName(self) && key.schemaOid === self.schemaOid) return self.oid;
  const { existing } = yield* claimOperator(context, key);
  if (existing !== undefined) return existing.oid;
  const oid = context.catalog.allocateOid();
  const { databaseOid, roleOid: ownerOid } = context;
  const nothing = { functionOid: 0, resultTypeOid: 0, commutatorOid: 0, negatorOid: 0 };
  context.objects.put({ kind: 'operator', oid, ...key, databaseOid, ownerOid, ...nothing });
  return oid;
}

function operatorOf(
  { picture }: DdlContext,
  schema: string | undefined,
  name: string,
  leftTypeOid: Oid,
  rightTypeOid: Oid,
): Oid | undefined {
  const named = picture.functions.operatorsNamed(name, schema);
  return named.find(({ leftType, rightType }) => leftType === leftTypeOid && rightType === rightTypeOid)?.oid;
}

/** The user's operator that a reference means; undefined when there is none. */
export function findOperator(context: DdlContext, target: ObjectRef): OperatorDescriptor | undefined {
  const { schema, name } = splitName(target.name, context.picture.databaseName);
  if (schema !== undefined && !context.picture.schemaExists(schema)) return undefined;
  if (target.signature?.parameters[1]?.type === undefined)
    throw new PhantomError('42601', 'postfix operators are not supported');
  const [left, right] = target.signature.parameters.map(({ type }) =>
    type === undefined ? 0 : findTypeName(context.picture, type)?.oid,
  );
  if (left === undefined || right === undefined) return undefined;
  const oid = operatorOf(context, schema, name, left, right);
  const operator = oid === undefined ? undefined : context.objects.object(oid);
  return operator?.kind === 'operator' ? operator : undefined;
}

/** The role's own operator, locked. 42883 where there is none. */
export function* ownOperator(context: DdlContext, target: ObjectRef): Step<OperatorDescriptor> {
  const operator = findOperator(context, target);
  if (operator === undefined) throw missingObject(context, 'operator', false, target);
  requireOwner(context, operator);
  return (yield* lockForChange(context, operator)) ?? operator;
}

/** ALTER OPERATOR ... SET (RESTRICT = ..., JOIN = ...). */
export function* alterOperator(context: DdlContext, { target, options }: AlterDefinition): DdlExecution {
  const operator = yield* ownOperator(context, target);
  const { restrict: _restrict, join: _join, ...rest } = operator;
  let estimators = { restrict: operator.restrict, join: operator.join };
  for (const option of options) {
    const name = option.name.text;
    if (name !== 'restrict' && name !== 'join') {
      const isKnown = OPTIONS.includes(name) || name === 'procedure';
      throw new PhantomError(
        '42601',
        `operator attribute "${name}" ${isKnown ? 'cannot be changed' : 'not recognized'}`,
      );
    }
    const made = traitsOf(new Map([[name, option]]), operator.leftTypeOid, operator.resultTypeOid);
    estimators = { ...estimators, [name]: made[name] };
  }
  const { restrict, join } = estimators;
  context.objects.put({
    ...rest,
    ...(restrict === undefined ? {} : { restrict }),
    ...(join === undefined ? {} : { join }),
  });
  return undefined;
}

/** Gives an operator another schema. */
export function* moveOperator(context: DdlContext, target: ObjectRef, schemaOid: Oid): DdlExecution {
  const operator = yield* ownOperator(context, target);
  if (operator.schemaOid === schemaOid) return undefined;
  const { existing } = yield* claimOperator(context, { ...operator, schemaOid });
  if (existing !== undefined)
    throw new PhantomError(
      '42710',
      `operator ${operator.name} already exists in schema "${context.picture.schemaName(schemaOid)}"`,
    );
  context.objects.put({ ...operator, schemaOid });
  return undefined;
}

/** An operator goes: those that name it as their commutator or negator do so no more. */
export function forgetOperator({ objects }: DdlContext, { oid, databaseOid }: OperatorDescriptor): void {
  for (const other of objects.operators()) {
    if (other.databaseOid !== databaseOid || other.oid === oid) continue;
    if (other.commutatorOid !== oid && other.negatorOid !== oid) continue;
    const commutatorOid = other.commutatorOid === oid ? 0 : other.commutatorOid;
    const negatorOid = other.negatorOid === oid ? 0 : other.negatorOid;
    objects.put({ ...other, commutatorOid, negatorOid });
  }
}
