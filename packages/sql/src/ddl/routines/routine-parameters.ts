/** Parameters and result of a routine, as CREATE says them. */
import { PhantomError } from '@phantom/base';
import { type RoutineDescriptor, type RoutineParameter, type TypeRef, goesIn } from '@phantom/catalog';
import { resolveTypeName } from '../../expr/type-names.js';
import { bindRowExpression } from '../../expr/row-expression.js';
import { resultParameters } from '../../routine/routine-function.js';
import { COMMON_FAMILY, SIMPLE_FAMILY, isPolymorphic } from '../../functions/polymorphic-types.js';
import type { RoutineParameter as ParameterNode } from '../../text/ast-access.js';
import type { TypeName } from '../../text/ast-leaves.js';
import type { CreateRoutine } from '../../text/ast-statements.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { DdlContext } from '../context.js';
import { storedExpression } from '../stored-expressions.js';
import { requireTypeUsage } from '../types.js';

type Interface = Pick<RoutineDescriptor, 'parameters' | 'resultType' | 'returnsSet'>;

/** 42P13: the definition of a routine does not hold together. */
function invalid(message: string, position?: number, detail?: string): PhantomError {
  return new PhantomError('42P13', message, { position: position === undefined ? undefined : position + 1, detail });
}

export function routineInterface(context: DdlContext, node: CreateRoutine): Interface {
  const parameters = [
    ...node.parameters.map((parameter) => parameterOf(context, parameter)),
    ...tableColumns(context, node),
  ];
  checkOrder(node, parameters);
  checkNames(parameters);
  const returnsSet = node.returnsTable !== undefined || node.returns?.setOf === true;
  const resultType = resultOf(context, node, parameters);
  checkPolymorphism(parameters, resultType);
  return { parameters, resultType, returnsSet };
}

/** The type as a routine knows it: modifiers do not count. */
export function routineType(context: DdlContext, name: TypeName): TypeRef {
  try {
    const { oid } = resolveTypeName(context.picture, { ...name, setOf: false });
    return typeRef(oid);
  } catch (error) {
    throw error instanceof PhantomError ? error.with({ position: name.position + 1 }) : error;
  }
}

/** A parameter as it is kept. */
export function parameterOf(context: DdlContext, node: ParameterNode): RoutineParameter {
  const name = node.type as TypeName;
  if (name.setOf) throw invalid('functions cannot accept set arguments', node.position);
  const type = routineType(context, name);
  requireTypeUsage(context, type);
  const mode = node.mode ?? 'in';
  if (mode === 'variadic') checkVariadic(context, type, node.position);
  const parameter: RoutineParameter = { name: node.name?.text ?? '', mode, type };
  if (node.default === undefined) return parameter;
  if (mode === 'out') throw invalid('only input parameters can have default values', node.default.position);
  const defaultSql = storedExpression(context, node.default);
  bindRowExpression(defaultSql, {
    columns: [],
    relationName: undefined,
    catalog: context.picture,
    target: isPolymorphic(type.oid) ? undefined : type,
    purpose: 'default',
  });
  return { ...parameter, defaultSql };
}

function checkVariadic(context: DdlContext, { oid }: TypeRef, position: number): void {
  const isArray = oid === TypeOid.anyArray || oid === TypeOid.anyCompatibleArray || oid === TypeOid.any;
  if (!isArray && (context.picture.types.byOid(oid)?.elementOid ?? 0) === 0)
    throw invalid('VARIADIC parameter must be an array', position);
}

function tableColumns(context: DdlContext, node: CreateRoutine): RoutineParameter[] {
  const outside = node.parameters.find(({ mode }) => mode === 'out' || mode === 'inout');
  if (node.returnsTable !== undefined && outside !== undefined) {
    throw new PhantomError('42601', "OUT and INOUT arguments aren't allowed in TABLE functions", {
      position: outside.position + 1,
    });
  }
  return (node.returnsTable ?? []).map(({ name, type }) => ({
    name: name.text,
    mode: 'table',
    type: routineType(context, type),
  }));
}

function checkOrder({ routine, parameters: nodes }: CreateRoutine, parameters: readonly RoutineParameter[]): void {
  const inputs = parameters.filter(goesIn);
  const variadic = parameters.findIndex(({ mode }) => mode === 'variadic');
  const behind = variadic < 0 ? [] : parameters.slice(variadic + 1).filter(({ mode }) => mode !== 'table');
  if (behind.some((parameter) => goesIn(parameter) || routine === 'procedure'))
    throw invalid('VARIADIC parameter must be the last input parameter', nodes[variadic]?.position);
  const first = inputs.findIndex(({ defaultSql }) => defaultSql !== undefined);
  if (first >= 0 && inputs.slice(first).some(({ defaultSql }) => defaultSql === undefined))
    throw invalid('input parameters after one with a default value must also have defaults');
  const defaulted = parameters.findIndex(({ defaultSql }) => defaultSql !== undefined);
  if (routine === 'procedure' && defaulted >= 0 && parameters.slice(defaulted).some(({ mode }) => mode === 'out'))
    throw invalid('procedure OUT parameters cannot appear after one with a default value');
}

/** Names tell the parameters that go in from each other, and the columns that come out: one of each may share a name. */
function checkNames(parameters: readonly RoutineParameter[]): void {
  parameters.forEach((parameter, i) => {
    if (parameter.name === '') return;
    const twin = parameters
      .slice(0, i)
      .find(
        (other) =>
          other.name === parameter.name &&
          !(isOnlyIn(other) && isOnlyOut(parameter)) &&
          !(isOnlyOut(other) && isOnlyIn(parameter)),
      );
    if (twin !== undefined) throw invalid(`parameter name "${parameter.name}" used more than once`);
  });
}

function isOnlyIn({ mode }: RoutineParameter): boolean {
  return mode === 'in' || mode === 'variadic';
}

function isOnlyOut({ mode }: RoutineParameter): boolean {
  return mode === 'out' || mode === 'table';
}

function resultOf(context: DdlContext, node: CreateRoutine, parameters: readonly RoutineParameter[]): TypeRef {
  const outputs = resultParameters({ parameters });
  const [only] = outputs;
  const isRow = outputs.length > 1 || (only !== undefined && node.routine === 'procedure');
  const required = only === undefined ? undefined : isRow ? typeRef(TypeOid.record) : only.type;
  if (node.routine === 'procedure') return required ?? typeRef(TypeOid.void);
  if (node.returns === undefined) {
    if (required !== undefined) return required;
    throw invalid('function result type must be specified');
  }
  const declared = routineType(context, node.returns);
  requireTypeUsage(context, declared);
  if (required !== undefined && declared.oid !== required.oid) {
    const shown = context.picture.types.byOid(required.oid)?.displayName ?? '';
    throw invalid(`function result type must be ${shown} because of OUT parameters`);
  }
  return declared;
}

function checkPolymorphism(parameters: readonly RoutineParameter[], result: TypeRef): void {
  const given = parameters.filter(goesIn).map(({ type }) => type.oid);
  for (const { type } of [{ type: result }, ...resultParameters({ parameters })])
    checkResultFamily(given, type.oid, 'cannot determine result data type');
}

/** 42P13 for a type that the call decides, unless there is a parameter of the same family that decides it. */
export function checkResultFamily(given: readonly number[], oid: number, message: string): void {
  if (!isPolymorphic(oid)) return;
  const family = SIMPLE_FAMILY.has(oid) ? SIMPLE_FAMILY : COMMON_FAMILY;
  const name = family.get(oid) ?? '';
  const isRange = name.includes('range');
  const wanted = [...family].filter(([, other]) => !isRange || other.includes('range'));
  if (wanted.some(([other]) => given.includes(other))) return;
  const names = wanted.map(([, other]) => other);
  const listed = names.length === 2 ? names.join(' or ') : `${names.slice(0, -1).join(', ')}, or ${names.at(-1)}`;
  throw invalid(message, undefined, `A result of type ${name} requires at least one input of type ${listed}.`);
}
