/**
 * CREATE EXTENSION of what is not part of every database: its types and functions are put into the catalog as members of it, its operators,
 * casts and operator classes get numbers (extensions/extension.ts). All of it is in one schema, and goes with the extension.
 */
import { PhantomError } from '@phantom/base';
import {
  BootstrapOid,
  type ExtensionDescriptor,
  NameClass,
  type Oid,
  type RoutineDescriptor,
  type TypeDescriptor,
  hasPrivilege,
  isSuperuser,
  routineKeyName,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { availableExtension } from '../extensions/available.js';
import { type ExtensionFacts, type FunctionFact, parsedFacts } from '../extensions/extension.js';
import { ownTypes } from '../extensions/installed.js';
import type { Name } from '../text/ast-leaves.js';
import type { CreateExtension } from '../text/ast-schema.js';
import { typeOidNamed } from '../types/type-facts.js';
import { TypeOid } from '../types/type-oids.js';
import { typeRef } from '../types/type-refs.js';
import type { DdlContext } from './context.js';
import { claimName, findSchema, schemaNamed } from './names.js';
import { SET_ROWS_DEFAULT } from './routines/routine-options.js';
import { claimTypeName } from './types.js';

type Step<T> = Generator<Yielded, T, void>;

/** Makes the extension, and with CASCADE those that it requires. 42710 where it is there already, 42704 where one is missing. */
export function* makeExtension(context: DdlContext, node: CreateExtension, facts: ExtensionFacts): Step<void> {
  const { name } = facts;
  const existing = yield* claimName(context, NameClass.Extension, context.databaseOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw new PhantomError('42710', `extension "${name}" already exists`);
    context.notice('NOTICE', '42710', `extension "${name}" already exists, skipping`);
    return;
  }
  mayCreate(context, name);
  const version = optionOf(node, 'version');
  if (version !== undefined && version !== facts.version) {
    const message = `extension "${name}" has no installation script nor update path for version "${version}"`;
    throw new PhantomError('22023', message, { hint: `There is version ${facts.version}.` });
  }
  for (const required of facts.requires) yield* require(context, node, required);
  const schemaOid = schemaFor(context, optionOf(node, 'schema'));
  yield* putMembers(context, facts, schemaOid);
}

function optionOf({ options }: CreateExtension, wanted: string): string | undefined {
  const found = options.filter((option) => option.name.text === wanted);
  if (found.length > 1)
    throw new PhantomError('42601', 'conflicting or redundant options', { position: (found[1]?.position ?? 0) + 1 });
  const value = found[0]?.value;
  if (value?.kind === 'string') return value.value;
  return value?.kind === 'word' ? (value.name.at(-1) as Name).text : undefined;
}

/** All are such that PostgreSQL trusts: whoever may create in the database may make them. */
function mayCreate(context: DdlContext, name: string): void {
  const database = context.objects.object(context.databaseOid);
  if (database !== undefined && hasPrivilege(context.objects, context.roleOid, database, 'C')) return;
  throw new PhantomError('42501', `permission denied to create extension "${name}"`, {
    hint: 'Must have CREATE privilege on current database to create this extension.',
  });
}

function* require(context: DdlContext, node: CreateExtension, required: string): Step<void> {
  const facts = availableExtension(required);
  if (
    facts === undefined ||
    context.objects.oidByName(NameClass.Extension, context.databaseOid, required) !== undefined
  )
    return;
  if (!node.options.some((option) => option.name.text === 'cascade')) {
    throw new PhantomError('42704', `required extension "${required}" is not installed`, {
      hint: 'Use CREATE EXTENSION ... CASCADE to install required extensions too.',
    });
  }
  context.notice('NOTICE', '00000', `installing required extension "${required}"`);
  const options = node.options.filter((option) => option.name.text !== 'version');
  yield* makeExtension(context, { ...node, name: { ...node.name, text: required }, options }, facts);
}

/** The schema that is named, else the first of the search path; who may make extensions need not have rights on it. */
function schemaFor(context: DdlContext, named: string | undefined): Oid {
  if (named !== undefined) {
    if (named.startsWith('pg_') || named === 'information_schema')
      throw new PhantomError('0A000', `an extension in the schema "${named}" is not supported`);
    return schemaNamed(context, named).oid;
  }
  for (const candidate of context.picture.searchPath) {
    const schema = findSchema(context, candidate);
    if (schema !== undefined) return schema.oid;
  }
  throw new PhantomError('3F000', 'no schema has been selected to create in');
}

/** What all members have in common. */
interface Membership {
  readonly databaseOid: Oid;
  readonly schemaOid: Oid;
  readonly ownerOid: Oid;
  readonly extensionOid: Oid;
}

function* putMembers(context: DdlContext, facts: ExtensionFacts, schemaOid: Oid): Step<void> {
  const { catalog, objects, databaseOid, roleOid } = context;
  const { functions, operators, casts, operatorClasses } = parsedFacts(facts);
  const numbers = (count: number): Oid[] => Array.from({ length: count }, () => catalog.allocateOid());
  const oid = catalog.allocateOid();
  const extension: ExtensionDescriptor = {
    kind: 'extension',
    oid,
    name: facts.name,
    databaseOid,
    schemaOid,
    ownerOid: roleOid,
    version: facts.version,
    members: {
      types: numbers(facts.types.length),
      functions: numbers(functions.length),
      operators: numbers(operators.length),
      casts: numbers(casts.length),
      operatorClasses: numbers(operatorClasses.length),
    },
    comment: facts.description,
  };
  // Nobody but a superuser may change what PostgreSQL's scripts of trusted extensions make.
  const ownerOid = isSuperuser(objects, roleOid) ? roleOid : BootstrapOid.Superuser;
  const membership: Membership = { databaseOid, schemaOid, ownerOid, extensionOid: oid };
  objects.put(extension);
  depend(context, oid, schemaOid, 'normal');
  for (const required of facts.requires) {
    const requiredOid = objects.oidByName(NameClass.Extension, databaseOid, required);
    if (requiredOid !== undefined) depend(context, oid, requiredOid, 'normal');
  }
  for (const [i, name] of facts.types.entries()) {
    yield* claimTypeName(context, schemaOid, name);
    const type: TypeDescriptor = {
      kind: 'type',
      oid: extension.members.types[i] as Oid,
      name,
      ...membership,
      arrayOid: catalog.allocateOid(),
      definition: { kind: 'base', symbol: name },
    };
    objects.put(type);
    depend(context, type.oid, oid, 'automatic');
  }
  const types = ownTypes(facts, extension.members.types, objects);
  const oidOf = (name: string): Oid => types.get(name) ?? typeOidNamed(name);
  for (const [i, fact] of functions.entries()) {
    const steps = functions.findIndex((other) => other.kind === 'native' && other.symbol === fact.symbol);
    const stepOid = fact.kind === 'aggregate' ? (extension.members.functions[steps] as Oid) : undefined;
    const body = facts.bodies[fact.symbol];
    const routine: RoutineDescriptor = {
      ...routineOf(fact, oidOf, body, stepOid),
      oid: extension.members.functions[i] as Oid,
      ...membership,
    };
    const taken = yield* claimName(context, NameClass.Routine, schemaOid, routineKeyName(routine));
    if (taken !== undefined)
      throw new PhantomError('42723', `function "${fact.name}" already exists with same argument types`);
    objects.put(routine);
    depend(context, routine.oid, oid, 'automatic');
  }
}

function depend(
  { objects }: DdlContext,
  dependentOid: Oid,
  referencedOid: Oid,
  strength: 'normal' | 'automatic',
): void {
  objects.addDependency({ dependentOid, dependentColumn: 0, referencedOid, referencedColumn: 0, strength });
}

const COST_OF_SQL = 100;

function routineOf(
  fact: FunctionFact,
  oidOf: (name: string) => Oid,
  body: string | undefined,
  stepOid: Oid | undefined,
): Omit<RoutineDescriptor, keyof Membership | 'oid'> {
  const parameters = fact.arguments.map((type, i) => ({
    name: fact.argumentNames[i] ?? '',
    mode: 'in' as const,
    type: typeRef(oidOf(type)),
  }));
  const columns = fact.columns.map(({ name, type }) => ({ name, mode: 'out' as const, type: typeRef(oidOf(type)) }));
  const resultType = columns.length > 1 ? typeRef(TypeOid.record) : typeRef(oidOf(fact.result));
  return {
    kind: 'routine',
    name: fact.name,
    routine: fact.kind === 'aggregate' ? 'aggregate' : 'function',
    language: fact.kind === 'sql' ? 'sql' : stepOid === undefined ? 'c' : 'internal',
    parameters: [...parameters, ...columns],
    resultType,
    returnsSet: fact.returnsSet,
    volatility: fact.volatility,
    strict: fact.strict,
    securityDefiner: false,
    leakproof: false,
    parallel: 'safe',
    cost: fact.kind === 'sql' ? COST_OF_SQL : 1,
    rows: fact.returnsSet ? SET_ROWS_DEFAULT : 0,
    searchPath: [],
    source: stepOid !== undefined ? 'aggregate_dummy' : fact.kind === 'sql' ? (body as string) : fact.symbol,
    ...(stepOid === undefined ? {} : { aggregate: { stepOid, finalHasArguments: false, stateType: resultType } }),
  };
}
