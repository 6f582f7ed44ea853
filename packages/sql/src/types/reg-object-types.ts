/**
 * regproc, regprocedure, regoper, regoperator, regnamespace, regrole and regcollation: functions, operators, schemas, roles and collations by
 * name.
 * regproc and regoper name what has one form only; regprocedure and regoperator say the argument types.
 */
import { estimatorName } from '../functions/estimators.js';
import { PhantomError } from '@phantom/base';
import { goesIn } from '@phantom/catalog';
import {
  type NamedFunction,
  type NamedOperator,
  type NameCatalog,
  catalogOf,
  quoteIdentifier,
  regType,
  splitIdentifiers,
} from './reg-types.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext } from './type.js';

/** Ways to find an object: its oid, or undefined when there is none. Errors are for texts that are no names. */
export type ObjectFinder = (text: string, context: TypeContext) => number | undefined;

/** Functions of a name that may have its schema before it. 3F000 for a schema that is not there. */
function functionsOf(text: string, catalog: NameCatalog | undefined): readonly NamedFunction[] {
  const parts = splitIdentifiers(text);
  const schema = parts.at(-2);
  if (schema !== undefined && catalog?.schemaOid(schema) === undefined)
    throw new PhantomError('3F000', `schema "${schema}" does not exist`);
  return catalog?.functions.functionsNamed(parts.at(-1) as string, schema) ?? [];
}

export const findFunction: ObjectFinder = (text, context) => {
  const found = functionsOf(text, catalogOf(context));
  if (found.length > 1) throw new PhantomError('42725', `more than one function named "${text}"`);
  return found[0]?.oid;
};

/** `name(type, ...)` taken apart; the name is not read yet. */
function signature(text: string): { name: string; args: string[] } {
  const open = text.indexOf('(');
  if (open < 0) throw new PhantomError('22P02', 'expected a left parenthesis');
  if (!text.trimEnd().endsWith(')')) throw new PhantomError('22P02', 'expected a right parenthesis');
  const inside = text.slice(open + 1, text.lastIndexOf(')'));
  const args: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === '(') depth++;
    else if (inside[i] === ')') depth--;
    else if (inside[i] === ',' && depth === 0) {
      args.push(inside.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = inside.slice(start).trim();
  if (last !== '' || args.length > 0) args.push(last);
  return { name: text.slice(0, open).trim(), args };
}

export const findProcedure: ObjectFinder = (text, context) => {
  const { name, args } = signature(text);
  const catalog = catalogOf(context);
  const named = functionsOf(name, catalog);
  if (catalog === undefined) return undefined;
  const types = args.map((argument) => catalog.typeOfText(argument).oid);
  return named.find((one) => inputTypes(one).join() === types.join())?.oid;
};

/** Types that tell a function from others of its name: those of what goes in. */
function inputTypes({ routine, argumentTypes }: NamedFunction): readonly number[] {
  return routine === undefined ? argumentTypes : routine.parameters.filter(goesIn).map(({ type }) => type.oid);
}

/** Operators of a name that may have its schema before it. 3F000 for a schema that is not there. */
function operatorsOf(text: string, catalog: NameCatalog | undefined): readonly NamedOperator[] {
  const match = /^(?:(.*)\.)?([^.]+)$/su.exec(text.trim());
  const schema = match?.[1] === undefined ? undefined : splitIdentifiers(match[1]).at(-1);
  if (schema !== undefined && catalog?.schemaOid(schema) === undefined)
    throw new PhantomError('3F000', `schema "${schema}" does not exist`);
  return catalog?.functions.operatorsNamed(match?.[2] ?? '', schema) ?? [];
}

export const findOperator: ObjectFinder = (text, context) => {
  const found = operatorsOf(text, catalogOf(context));
  if (found.length > 1) throw new PhantomError('42725', `more than one operator named ${text}`);
  return found[0]?.oid;
};

export const findOperatorWithTypes: ObjectFinder = (text, context) => {
  const { name, args } = signature(text);
  if (args.length === 1) {
    throw new PhantomError('42P02', 'missing argument', {
      hint: 'Use NONE to denote the missing argument of a unary operator.',
    });
  }
  if (args.length !== 2) {
    throw new PhantomError('54023', 'too many arguments', { hint: 'Provide two argument types for operator.' });
  }
  const catalog = catalogOf(context);
  if (catalog === undefined) return undefined;
  const [left, right] = args.map((argument) => (/^none$/i.test(argument) ? 0 : catalog.typeOfText(argument).oid));
  return operatorsOf(name, catalog).find((one) => one.leftType === left && one.rightType === right)?.oid;
};

/** A name of one part. */
function singleName(text: string): string {
  const parts = splitIdentifiers(text);
  if (parts.length !== 1) throw new PhantomError('42602', 'invalid name syntax');
  return parts[0] as string;
}

export const findSchema: ObjectFinder = (text, context) => catalogOf(context)?.schemaOid(singleName(text));
export const findRole: ObjectFinder = (text, context) => catalogOf(context)?.roleOid(singleName(text));

/** Collations are in pg_catalog, all of them. 3F000 for a schema that is not there. */
export const findCollation: ObjectFinder = (text, context) => {
  const catalog = catalogOf(context);
  const parts = splitIdentifiers(text);
  const schema = parts.at(-2) ?? 'pg_catalog';
  if (catalog?.schemaOid(schema) === undefined) throw new PhantomError('3F000', `schema "${schema}" does not exist`);
  return schema === 'pg_catalog' ? catalog.collationOid(parts.at(-1) as string) : undefined;
};

/** The name, with its schema where the search path does not lead to it. */
function qualified(one: NamedFunction, isVisible: boolean, catalog: NameCatalog | undefined): string {
  const schema = isVisible || one.routine === undefined ? undefined : catalog?.schemaName(one.routine.schemaOid);
  return schema === undefined ? quoteIdentifier(one.name) : `${quoteIdentifier(schema)}.${quoteIdentifier(one.name)}`;
}

function showFunction(one: NamedFunction, context: TypeContext): string {
  const catalog = catalogOf(context);
  const [found, ...others] = catalog?.functions.functionsNamed(one.name) ?? [];
  return qualified(one, found?.oid === one.oid && others.length === 0, catalog);
}

function showProcedure(one: NamedFunction, context: TypeContext): string {
  const catalog = catalogOf(context);
  const types = inputTypes(one);
  const found = catalog?.functions.functionsNamed(one.name).find((other) => inputTypes(other).join() === types.join());
  const shown = types.map((oid) => typeText(oid, context)).join(',');
  return `${qualified(one, found?.oid === one.oid, catalog)}(${shown})`;
}

function typeText(oid: number, context: TypeContext): string {
  return oid === 0 ? 'NONE' : (context.types.byOid(oid)?.displayName ?? String(oid));
}

/** The symbol, with its schema where the search path does not lead to it, or not to it alone. */
function showOperator(one: NamedOperator, context: TypeContext): string {
  const catalog = catalogOf(context);
  const named = catalog?.functions.operatorsNamed(one.name) ?? [];
  return named.length === 1 && named[0]?.oid === one.oid ? one.name : `${schemaOf(one, catalog)}.${one.name}`;
}

function showOperatorWithTypes(one: NamedOperator, context: TypeContext): string {
  const catalog = catalogOf(context);
  const isVisible = catalog?.functions.operatorsNamed(one.name).some(({ oid }) => oid === one.oid) === true;
  const name = isVisible || one.schemaOid === undefined ? one.name : `${schemaOf(one, catalog)}.${one.name}`;
  return `${name}(${typeText(one.leftType, context)},${typeText(one.rightType, context)})`;
}

function schemaOf({ schemaOid }: NamedOperator, catalog: NameCatalog | undefined): string {
  return schemaOid === undefined ? 'pg_catalog' : quoteIdentifier(catalog?.schemaName(schemaOid) ?? '');
}

function objectType<T>(
  oid: number,
  find: ObjectFinder,
  missing: (text: string) => PhantomError,
  byOid: (oid: number, catalog: NameCatalog) => T | undefined,
  show: (object: T, context: TypeContext) => string,
): SqlType {
  return regType(
    oid,
    (text, context) => {
      const found = find(text, context);
      if (found === undefined) throw missing(text);
      return found;
    },
    (value, context) => {
      const catalog = catalogOf(context);
      const object = catalog === undefined ? undefined : byOid(value, catalog);
      return object === undefined ? String(value) : show(object, context);
    },
  );
}

const ESTIMATOR_TYPES = [TypeOid.internal, TypeOid.oid, TypeOid.internal, TypeOid.int4];
const JOIN_ESTIMATOR_TYPES = [TypeOid.internal, TypeOid.oid, TypeOid.internal, TypeOid.int2, TypeOid.internal];

/** An estimator that an operator names: there is no such function to call. */
function estimator(oid: number): NamedFunction | undefined {
  const name = estimatorName(oid);
  if (name === undefined) return undefined;
  return { oid, name, argumentTypes: name.endsWith('joinsel') ? JOIN_ESTIMATOR_TYPES : ESTIMATOR_TYPES };
}

const noFunction = (text: string): PhantomError => new PhantomError('42883', `function "${text}" does not exist`);
const noOperator = (text: string): PhantomError => new PhantomError('42883', `operator does not exist: ${text}`);

export const regObjectTypes: readonly SqlType[] = [
  objectType(
    TypeOid.regproc,
    findFunction,
    noFunction,
    (oid, catalog) => catalog.functions.functionByOid(oid) ?? estimator(oid),
    showFunction,
  ),
  objectType(
    TypeOid.regprocedure,
    findProcedure,
    noFunction,
    (oid, catalog) => catalog.functions.functionByOid(oid) ?? estimator(oid),
    showProcedure,
  ),
  objectType(
    TypeOid.regoper,
    findOperator,
    noOperator,
    (oid, catalog) => catalog.functions.operatorByOid(oid),
    showOperator,
  ),
  objectType(
    TypeOid.regoperator,
    findOperatorWithTypes,
    noOperator,
    (oid, catalog) => catalog.functions.operatorByOid(oid),
    showOperatorWithTypes,
  ),
  objectType(
    TypeOid.regnamespace,
    findSchema,
    (text) => new PhantomError('3F000', `schema "${singleName(text)}" does not exist`),
    (oid, catalog) => catalog.schemaName(oid) || undefined,
    quoteIdentifier,
  ),
  objectType(
    TypeOid.regrole,
    findRole,
    (text) => new PhantomError('42704', `role "${singleName(text)}" does not exist`),
    (oid, catalog) => catalog.roleName(oid),
    quoteIdentifier,
  ),
  objectType(
    TypeOid.regcollation,
    findCollation,
    (text) =>
      new PhantomError('42704', `collation "${splitIdentifiers(text).at(-1)}" for encoding "UTF8" does not exist`),
    (oid, catalog) => catalog.collationName(oid),
    quoteIdentifier,
  ),
];
