/**
 * CREATE FUNCTION and CREATE PROCEDURE. A body that is a string is kept as it is, and bound when it is called; one in SQL is
 * kept with what its names meant, and stands on what it names.
 */
import { PhantomError } from '@phantom/base';
import { NameClass, type RoutineDescriptor, type StoredQuery, goesIn, routineKeyName } from '@phantom/catalog';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import { languageNamed } from '../../routine/languages.js';
import { resultParameters } from '../../routine/routine-function.js';
import type { CreateRoutine, ReturnStatement, RoutineBody, Statement } from '../../text/ast-statements.js';
import { deparseExpression, deparseStatement } from '../../text/deparse.js';
import { parseStatement } from '../../text/parse.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { claimName, creationSchema, lockForChange, requireOwner } from '../names.js';
import { ownership } from '../ownership.js';
import { dependOn } from '../stored-queries.js';
import { dependOnTypes } from '../types.js';
import { routineText } from './routine-names.js';
import {
  DEFAULT_OPTIONS,
  SET_ROWS_DEFAULT,
  type ReadOptions,
  changedSettings,
  readOptions,
  requireSuperuser,
} from './routine-options.js';
import { routineInterface } from './routine-parameters.js';

export function* createRoutine(context: DdlContext, node: CreateRoutine): DdlExecution {
  const place = creationSchema(context, node.name);
  const face = routineInterface(context, node);
  const options = readOptions(node.options, node.routine, face.returnsSet);
  const { language, source } = bodyOptions(node, options);
  languageNamed(language);
  const key = routineKeyName({ name: place.name, parameters: face.parameters });
  const claimed = yield* claimName(context, NameClass.Routine, place.schemaOid, key);
  const existing = claimed !== undefined && node.orReplace ? yield* lockForChange(context, claimed) : claimed;
  const before = existing?.kind === 'routine' ? existing : undefined;
  const { parallel, cost, leakproof, securityDefiner, strict, volatility } = { ...DEFAULT_OPTIONS, ...options };
  if (leakproof) requireSuperuser(context);
  const draft: RoutineDescriptor = {
    kind: 'routine',
    oid: before?.oid ?? context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'function', place.schemaOid),
    ...(before === undefined ? {} : { ownerOid: before.ownerOid }),
    ...(before?.acl === undefined ? {} : { acl: before.acl }),
    ...(before?.comment === undefined ? {} : { comment: before.comment }),
    routine: node.routine,
    language,
    ...face,
    volatility,
    strict,
    securityDefiner,
    leakproof,
    parallel,
    cost,
    rows: face.returnsSet ? (options.rows ?? SET_ROWS_DEFAULT) : 0,
    ...changedSettings(context, undefined, node.settings),
    searchPath: context.picture.searchPath,
    source,
  };
  if (before !== undefined) {
    if (!node.orReplace)
      throw new PhantomError('42723', `function "${place.name}" already exists with same argument types`);
    requireOwner(context, before);
    mayReplace(context, before, draft);
  }
  context.objects.put(draft);
  const uses = node.body === undefined ? [] : putBody(context, draft, node.body);
  dependOn(context, draft.oid, uses);
  const types = [...draft.parameters.map(({ type }) => type), draft.resultType];
  dependOnTypes(
    context,
    draft.oid,
    types.map((type) => ({ column: 0, type })),
  );
  if (context.evaluation.setting('check_function_bodies', true) === 'on' || node.body !== undefined)
    atSource(node, () => context.validateRoutine(context.objects.object(draft.oid) as RoutineDescriptor));
  return undefined;
}

/** Errors that point into the body point into the statement, where the body stands in it as it is. */
function atSource(node: CreateRoutine, validate: () => void): void {
  try {
    validate();
  } catch (error) {
    if (!(error instanceof PhantomError) || error.position === undefined) throw error;
    const option = node.options.find(({ kind }) => kind === 'as');
    const bodyAt = option?.kind === 'as' ? option.bodyAt : undefined;
    throw error.with({ position: bodyAt === undefined ? undefined : error.position + bodyAt });
  }
}

function bodyOptions(node: CreateRoutine, options: ReadOptions): { language: string; source: string } {
  const { language, source } = options;
  if (node.body !== undefined) {
    if (source !== undefined) throw new PhantomError('42P13', 'duplicate function body specified');
    if (language !== undefined && language !== 'sql')
      throw new PhantomError('42P13', 'inline SQL function body only valid for language SQL');
    return { language: 'sql', source: '' };
  }
  if (language === undefined) throw new PhantomError('42P13', 'no language specified');
  if (source === undefined) throw new PhantomError('42P13', 'no function body specified');
  return { language, source };
}

/** 42P13 where what is there could not go on being called as it is. */
function mayReplace(context: DdlContext, before: RoutineDescriptor, after: RoutineDescriptor): void {
  if (before.routine !== after.routine) {
    const detail = `"${before.name}" is a ${before.routine}.`;
    throw new PhantomError('42809', 'cannot change routine kind', { detail });
  }
  const hint = `Use DROP ${before.routine.toUpperCase()} ${routineText(context, before)} first.`;
  const [columns, newColumns] = [resultParameters(before), resultParameters(after)];
  const sameColumns =
    columns.length === newColumns.length &&
    columns.every(({ name, type }, i) => name === newColumns[i]?.name && type.oid === newColumns[i]?.type.oid);
  const sameType = before.resultType.oid === after.resultType.oid && before.returnsSet === after.returnsSet;
  if (!sameType || (!sameColumns && columns.length + newColumns.length > 2)) {
    const message = `cannot change ${before.routine === 'procedure' ? 'whether a procedure has output parameters' : 'return type of existing function'}`;
    const detail = sameType ? 'Row type defined by OUT parameters is different.' : undefined;
    throw new PhantomError('42P13', message, { detail, hint });
  }
  const [inputs, newInputs] = [before.parameters.filter(goesIn), after.parameters.filter(goesIn)];
  inputs.forEach(({ name, defaultSql }, i) => {
    if (name !== '' && name !== newInputs[i]?.name)
      throw new PhantomError('42P13', `cannot change name of input parameter "${name}"`, { hint });
    if (defaultSql !== undefined && newInputs[i]?.defaultSql === undefined)
      throw new PhantomError('42P13', 'cannot remove parameter defaults from existing function', { hint });
  });
}

type Uses = Parameters<typeof dependOn>[2];

/** Keeps a body that is written in SQL; answers what it stands on. */
function putBody(context: DdlContext, routine: RoutineDescriptor, body: RoutineBody): Uses {
  if (routine.parameters.some(({ type }) => isPolymorphic(type.oid)))
    throw new PhantomError('42P13', 'SQL function with unquoted function body cannot have polymorphic arguments');
  const written = body.kind === 'return' ? [asReturn(body)] : body.statements;
  const uses: Uses[number][] = [];
  const statements = written.map((statement): StoredQuery => {
    const querySql = textOf(statement);
    const described = context.describeRoutine(routine, parseStatement(querySql), querySql);
    uses.push(...described.uses);
    return { querySql, searchPath: routine.searchPath, names: described.names };
  });
  context.objects.put({ ...routine, body: { kind: body.kind, statements } });
  return uses;
}

function asReturn({ value, position }: Extract<RoutineBody, { kind: 'return' }>): ReturnStatement {
  return { kind: 'return-statement', value, position };
}

function textOf(statement: Statement | ReturnStatement): string {
  switch (statement.kind) {
    case 'return-statement':
      return `SELECT ${deparseExpression(statement.value)}`;
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return deparseStatement(statement);
    default:
      throw new PhantomError('0A000', `${statement.kind} is not yet supported in unquoted SQL function body`);
  }
}
