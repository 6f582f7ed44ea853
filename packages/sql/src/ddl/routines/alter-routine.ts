/** ALTER FUNCTION, PROCEDURE and ROUTINE: options, name, schema. Callers know a routine by number and hear of nothing. */
import { PhantomError } from '@phantom/base';
import { NameClass, type Oid, type RoutineDescriptor, routineKeyName } from '@phantom/catalog';
import type { ObjectRef } from '../../text/ast-access.js';
import type { AlterRoutine } from '../../text/ast-statements.js';
import type { Yielded } from '../../exec/runtime.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { claimName, lockForChange, requireOwner } from '../names.js';
import { routineNamed, routineText } from './routine-names.js';
import { renameRoutineInTexts } from '../renamed-texts.js';
import { changedSettings, readOptions, requireSuperuser } from './routine-options.js';

/** The routine, owned by the current role and locked. */
export function* ownRoutine(context: DdlContext, target: ObjectRef): Generator<Yielded, RoutineDescriptor, void> {
  const routine = routineNamed(context, target);
  requireOwner(context, routine);
  return (yield* lockForChange(context, routine)) ?? routineNamed(context, target);
}

export function* alterRoutine(context: DdlContext, node: AlterRoutine): DdlExecution {
  const routine = yield* ownRoutine(context, node.target);
  const {
    language: _language,
    source: _source,
    ...options
  } = readOptions(node.options, routine.routine, routine.returnsSet);
  if (options.leakproof === true) requireSuperuser(context);
  const { settings, ...rest } = routine;
  context.objects.put({ ...rest, ...options, ...changedSettings(context, settings, node.settings) });
  return `ALTER ${node.target.object.toUpperCase()}`;
}

export function* renameRoutine(context: DdlContext, target: ObjectRef, name: string): DdlExecution {
  const routine = yield* ownRoutine(context, target);
  yield* move(context, { ...routine, name });
  return undefined;
}

export function* moveRoutine(context: DdlContext, target: ObjectRef, schemaOid: Oid): DdlExecution {
  const routine = yield* ownRoutine(context, target);
  if (routine.schemaOid !== schemaOid) yield* move(context, { ...routine, schemaOid });
  return undefined;
}

function* move(context: DdlContext, routine: RoutineDescriptor): Generator<Yielded, void, void> {
  const taken = yield* claimName(context, NameClass.Routine, routine.schemaOid, routineKeyName(routine));
  if (taken !== undefined) {
    const schema = context.picture.schemaName(routine.schemaOid);
    const shown = routineText(context, routine);
    throw new PhantomError('42723', `${routine.routine} ${shown} already exists in schema "${schema}"`);
  }
  const before = context.objects.object(routine.oid) as RoutineDescriptor;
  yield* renameRoutineInTexts(context, before, routine);
  context.objects.put({
    ...(context.objects.object(routine.oid) as RoutineDescriptor),
    name: routine.name,
    schemaOid: routine.schemaOid,
  });
}
