/** CREATE DOMAIN and ALTER DOMAIN: a type with a default, NOT NULL and CHECKs of its own. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { DomainCheck, Oid, TableDescriptor, TypeDescriptor, TypeRef } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import { resolveTypeName } from '../expr/type-names.js';
import { withNamedCollation } from '../expr/named-collation.js';
import type { Expression } from '../text/ast.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { AlterDomain, CreateDomain } from '../text/ast-schema.js';
import type { Value } from '../types/type.js';
import type { DdlContext, DdlExecution } from './context.js';
import { typeNamed } from './create-type.js';
import { storedExpression } from './stored-expressions.js';
import { ownership } from './ownership.js';
import { creationSchema, lockForChange, lockFound, requireOwner } from './names.js';
import { claimTypeName, dependOnTypes, renewUsers, requireTypeUsage } from './types.js';
import { eachRow } from './validate.js';
import { BOOL } from '../types/type-refs.js';

type DomainDefinition = Extract<TypeDescriptor['definition'], { kind: 'domain' }>;

export function* createDomain(context: DdlContext, node: CreateDomain): DdlExecution {
  const place = creationSchema(context, node.name);
  yield* claimTypeName(context, place.schemaOid, place.name);
  const base = resolveTypeName(context.picture, node.type);
  const baseType = context.picture.types.byOid(base.oid);
  if (baseType === undefined || baseType.kind === 'pseudo') {
    throw new PhantomError('42804', `"${baseType?.displayName ?? base.oid}" is not a valid base type for a domain`);
  }
  requireTypeUsage(context, base);
  let definition: DomainDefinition = {
    kind: 'domain',
    base: withNamedCollation(context.picture, base, node.collation),
    notNull: false,
    checks: [],
  };
  let nullable: boolean | undefined;
  for (const constraint of node.constraints) {
    switch (constraint.kind) {
      case 'null':
      case 'not-null': {
        const wanted = constraint.kind === 'null';
        if (nullable !== undefined && nullable !== wanted)
          throw new PhantomError('42601', 'conflicting NULL/NOT NULL constraints');
        nullable = wanted;
        definition = { ...definition, notNull: !wanted };
        break;
      }
      case 'default':
        if (definition.defaultSql !== undefined) throw new PhantomError('42601', 'multiple default expressions');
        definition = withDefault(context, definition, place.name, constraint.value);
        break;
      case 'check':
        definition = {
          ...definition,
          checks: [...definition.checks, checkOf(context, definition, place.name, constraint.name?.text, constraint)],
        };
        break;
      case 'unique':
        throw new PhantomError('42601', 'unique constraints not possible for domains');
      case 'primary-key':
        throw new PhantomError('42601', 'primary key constraints not possible for domains');
      case 'references':
        throw new PhantomError('42601', 'foreign key constraints not possible for domains');
      default:
        throw new PhantomError('42601', `${constraint.kind} is not possible for domains`);
    }
  }
  const type: TypeDescriptor = {
    kind: 'type',
    oid: context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'type', place.schemaOid),
    arrayOid: context.catalog.allocateOid(),
    definition,
  };
  context.objects.put(type);
  dependOnTypes(context, type.oid, [{ column: 0, type: base }]);
  return undefined;
}

function withDefault(
  context: DdlContext,
  definition: DomainDefinition,
  name: string,
  value: Expression,
): DomainDefinition {
  if (value.kind === 'null') return definition;
  const defaultSql = storedExpression(context, value);
  bindRowExpression(defaultSql, {
    columns: [],
    relationName: name,
    catalog: context.picture,
    target: definition.base,
    purpose: 'default',
  });
  return { ...definition, defaultSql };
}

function checkOf(
  context: DdlContext,
  definition: DomainDefinition,
  domain: string,
  given: string | undefined,
  node: { readonly condition: Expression },
): DomainCheck {
  const taken = (name: string): boolean => definition.checks.some((check) => check.name === name);
  let name = given ?? `${domain}_check`;
  if (given !== undefined && taken(given)) {
    throw new PhantomError('42710', `constraint "${given}" for domain "${domain}" already exists`);
  }
  for (let attempt = 1; given === undefined && taken(name); attempt++) name = `${domain}_check${attempt}`;
  const expressionSql = storedExpression(context, node.condition);
  bindDomainCheck(context, expressionSql, definition.base);
  return { oid: context.catalog.allocateOid(), name, expressionSql, validated: true };
}

/** The condition over the one name it may use, VALUE. */
function bindDomainCheck(context: DdlContext, sql: string, base: TypeRef): RowExpression {
  return bindRowExpression(sql, {
    columns: [{ number: 1, name: 'value', type: base, notNull: false, dropped: false, sinceVersion: 1 }],
    relationName: undefined,
    catalog: context.picture,
    target: BOOL,
    purpose: 'check',
  });
}

/** A domain by name; 42704 and 42809 when there is none. */
type Domain = TypeDescriptor & { definition: DomainDefinition };

export function domainNamed(context: DdlContext, name: QualifiedName): Domain {
  const type = typeNamed(context, name);
  if (type.definition.kind !== 'domain') throw new PhantomError('42809', `"${type.name}" is not a domain`);
  return type as Domain;
}

/** As domainNamed; 42501 where the current role does not own it. */
export function ownDomain(context: DdlContext, name: QualifiedName): Domain {
  const type = domainNamed(context, name);
  requireOwner(context, type);
  return type;
}

export function* alterDomain(context: DdlContext, node: AlterDomain): DdlExecution {
  const type = yield* lockFound(context, () => ownDomain(context, node.name));
  const { definition } = type;
  const { action } = node;
  const put = (changed: DomainDefinition): void => {
    context.objects.put({ ...type, definition: changed });
    renewUsers(context, type.oid);
  };
  switch (action.kind) {
    case 'set-default': {
      const { defaultSql: _old, ...rest } = definition;
      put(withDefault(context, rest, type.name, action.value));
      return undefined;
    }
    case 'drop-default': {
      const { defaultSql: _old, ...rest } = definition;
      put(rest);
      return undefined;
    }
    case 'set-not-null':
      yield* checkStoredValues(context, type.oid, (value, place) => {
        if (value === null) throw new PhantomError('23502', `column ${place} contains null values`);
      });
      put({ ...definition, notNull: true });
      return undefined;
    case 'drop-not-null':
      put({ ...definition, notNull: false });
      return undefined;
    case 'add-constraint': {
      const { constraint } = action;
      if (constraint.kind !== 'check') {
        throw new PhantomError('42601', `${constraint.kind.replaceAll('-', ' ')} constraints not possible for domains`);
      }
      const made = checkOf(context, definition, type.name, constraint.name?.text, constraint);
      if (!constraint.notValid) yield* validateCheck(context, type, made);
      put({ ...definition, checks: [...definition.checks, { ...made, validated: !constraint.notValid }] });
      return undefined;
    }
    case 'drop-constraint': {
      const left = definition.checks.filter((check) => check.name !== action.name.text);
      if (left.length === definition.checks.length) {
        const message = `constraint "${action.name.text}" of domain "${type.name}" does not exist`;
        if (!action.ifExists) throw new PhantomError('42704', message);
        context.notice('NOTICE', '00000', `${message}, skipping`);
        return undefined;
      }
      put({ ...definition, checks: left });
      return undefined;
    }
    case 'validate-constraint': {
      const check = definition.checks.find((candidate) => candidate.name === action.name.text);
      if (check === undefined) {
        throw new PhantomError('42704', `constraint "${action.name.text}" of domain "${type.name}" does not exist`);
      }
      yield* validateCheck(context, type, check);
      put({
        ...definition,
        checks: definition.checks.map((other) => (other === check ? { ...check, validated: true } : other)),
      });
      return undefined;
    }
  }
}

function* validateCheck(
  context: DdlContext,
  type: TypeDescriptor & { definition: DomainDefinition },
  check: DomainCheck,
): Generator<Yielded, void, void> {
  const condition = bindDomainCheck(context, check.expressionSql, type.definition.base);
  yield* checkStoredValues(context, type.oid, (value, place) => {
    if (condition.evaluate(condition.columns.length === 0 ? [] : [value], context.evaluation) === false) {
      throw new PhantomError('23514', `column ${place} contains values that violate the new constraint`);
    }
  });
}

/** Shows every stored value of the domain to `visit`; 0A000 where the domain stands inside of another type. */
function* checkStoredValues(
  context: DdlContext,
  typeOid: Oid,
  visit: (value: Value, place: string) => void,
): Generator<Yielded, void, void> {
  for (const dependency of Array.from(context.objects.dependentsOf(typeOid))) {
    const dependent = context.objects.object(dependency.dependentOid);
    if (dependent?.kind === 'type') {
      if (dependent.definition.kind === 'domain') yield* checkStoredValues(context, dependent.oid, visit);
      else throw unsupportedError(`a new constraint of a domain that type ${dependent.name} uses`);
    }
    if (dependent?.kind !== 'table') continue;
    const table = (yield* lockForChange(context, dependent)) as TableDescriptor | undefined;
    const at = table?.columns.findIndex((column) => column.number === dependency.dependentColumn) ?? -1;
    const column = table?.columns[at];
    if (table === undefined || column === undefined || column.dropped) continue;
    if (column.type.oid !== typeOid)
      throw unsupportedError(`a new constraint of a domain with arrays in ${table.name}`);
    yield* eachRow(context, table, (row) => visit(row[at], `"${column.name}" of table "${table.name}"`));
  }
}
