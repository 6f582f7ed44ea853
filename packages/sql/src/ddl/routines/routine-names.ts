/** Which routine is meant where ALTER, DROP, COMMENT or GRANT names one. */
import { PhantomError } from '@phantom/base';
import { type RoutineDescriptor, goesIn } from '@phantom/catalog';
import type { FunctionDefinition } from '../../functions/registry.js';
import type { ObjectRef, RoutineParameter as ParameterNode } from '../../text/ast-access.js';
import type { TypeName } from '../../text/ast-leaves.js';
import { formatType } from '../../types/format-type.js';
import type { DdlContext } from '../context.js';
import { missingObject } from '../drop-unmade.js';
import { splitName } from '../names.js';
import { routineType } from './routine-parameters.js';

type RoutineWord = 'function' | 'procedure' | 'aggregate' | 'routine';

/** True for the words that mean routines. */
export function isRoutineWord(word: string): word is RoutineWord {
  return word === 'function' || word === 'procedure' || word === 'aggregate' || word === 'routine';
}

/** The routine that the reference means; undefined when a user has made none. 42725, 42809. */
export function findRoutine(context: DdlContext, target: ObjectRef): RoutineDescriptor | undefined {
  const { schema, name } = splitName(target.name, context.picture.databaseName);
  if (schema !== undefined && !context.picture.schemaExists(schema)) return undefined;
  const named = context.picture.functions.functionsNamed(name, schema);
  const word = target.object as RoutineWord;
  const { signature } = target;
  if (signature === undefined) {
    const fitting = named.filter((definition) => isMeant(word, kindOf(definition)));
    if (fitting.length > 1) {
      throw new PhantomError('42725', `${word} name "${name}" is not unique`, {
        hint: `Specify the argument list to select the ${word} unambiguously.`,
      });
    }
    return fitting[0]?.routine;
  }
  const routines = named.flatMap(({ routine }) => (routine === undefined ? [] : [routine]));
  const byInputs = routines.find((routine) => hasInputs(context, routine, signature.parameters));
  const byAll =
    word === 'procedure' || word === 'routine'
      ? routines.find((routine) => hasParameters(context, routine, signature.parameters))
      : undefined;
  if (byInputs !== undefined && byAll !== undefined && byAll !== byInputs) {
    throw new PhantomError('42725', `${word} name "${name}" is not unique`);
  }
  const found = byInputs ?? byAll;
  if (found !== undefined && !isMeant(word, found.routine)) {
    const message =
      word === 'aggregate'
        ? `function ${routineText(context, found).replaceAll(',', ', ')} is not an aggregate`
        : `${routineText(context, found)} is not a ${word}`;
    throw new PhantomError('42809', message);
  }
  return found;
}

function kindOf({ kind, routine }: FunctionDefinition): RoutineDescriptor['routine'] {
  return routine?.routine ?? (kind === 'aggregate' ? 'aggregate' : 'function');
}

/** An aggregate is a function, too, except where functions are dropped. */
function isMeant(word: RoutineWord, kind: RoutineDescriptor['routine']): boolean {
  return word === 'routine' || word === kind || (word === 'function' && kind === 'aggregate');
}

/** The same; 42883 when there is none. */
export function routineNamed(context: DdlContext, target: ObjectRef): RoutineDescriptor {
  const routine = findRoutine(context, target);
  if (routine === undefined) throw missingObject(context, target.object, false, target);
  return routine;
}

function hasInputs(context: DdlContext, routine: RoutineDescriptor, given: readonly ParameterNode[]): boolean {
  const inputs = given.filter(({ mode }) => mode !== 'out');
  const declared = routine.parameters.filter(goesIn);
  return sameTypes(context, declared, inputs);
}

/** Procedures may be told by all that CALL names, parameters that go out among them, where no mode is told. */
function hasParameters(context: DdlContext, routine: RoutineDescriptor, given: readonly ParameterNode[]): boolean {
  const isPlain = given.every(({ mode }) => mode === undefined);
  return isPlain && routine.routine === 'procedure' && sameTypes(context, routine.parameters, given);
}

function sameTypes(
  context: DdlContext,
  declared: RoutineDescriptor['parameters'],
  given: readonly ParameterNode[],
): boolean {
  return (
    declared.length === given.length &&
    declared.every(({ type }, i) => type.oid === routineType(context, given[i]?.type as TypeName).oid)
  );
}

/** `name(integer, text)`. */
export function routineText({ picture }: Pick<DdlContext, 'picture'>, { name, parameters }: RoutineDescriptor): string {
  const types = parameters.filter(goesIn).map(({ type }) => {
    const found = picture.types.byOid(type.oid);
    return found === undefined ? '???' : formatType(found, -1);
  });
  return `${name}(${types.join(',')})`;
}
