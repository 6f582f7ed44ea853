/**
 * LANGUAGE plpgsql, after chapter 43 of PostgreSQL's manual and its src/pl/plpgsql.
 *
 *   source ──parse-body──► tree, one for each routine ──compiler──► closures, for each session and signature ──► calls
 *
 * Expressions and statements inside are SQL: parsed with the body, bound when they are first run, with variables as their
 * parameters; plans are shared with other sessions as those of any statement. An expression without a query is computed
 * without a plan. Left out: the parts of PostgreSQL that are about its own checks (#print_strict_params, extra_warnings).
 */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import type { RoutineBody, RoutineHost, RoutineLanguage, RoutineSignature } from '../routine-language.js';
import { Compilation } from './compilation.js';
import { compileBlock } from './compile-blocks.js';
import { outputVariables, outputValue } from './compile-return.js';
import { Compiler } from './compiler.js';
import { parseBody } from './parse-body.js';
import { Completion, type Step, runStep } from './steps.js';
import type { BodyNode, VariableConflict } from './syntax.js';
import { Frame, type Variable } from './variables.js';

/** Syntax trees of bodies: shared by all sessions, since plans hang on them. */
const parsed = new WeakMap<RoutineDescriptor, BodyNode>();

function treeOf(routine: RoutineDescriptor): BodyNode {
  let tree = parsed.get(routine);
  if (tree === undefined) parsed.set(routine, (tree = parseBody(routine.source)));
  return tree;
}

const CONFLICT_SETTINGS: Readonly<Record<string, VariableConflict>> = {
  use_variable: 'variables',
  use_column: 'columns',
};

class PlpgsqlBody {
  private readonly compilation: Compilation;
  private readonly block: Step;
  private readonly inputs: readonly Variable[];
  private readonly outputs: readonly Variable[];

  constructor(signature: RoutineSignature, host: RoutineHost) {
    const { routine } = signature;
    const { block, conflict } = treeOf(routine);
    const setting = CONFLICT_SETTINGS[host.setting('plpgsql.variable_conflict')] ?? 'neither';
    this.compilation = new Compilation(signature, host, routine.source, conflict ?? setting);
    this.outputs = outputVariables(this.compilation);
    this.inputs = this.compilation.parameters.filter((_, i) => {
      const mode = routine.parameters[i]?.mode;
      return mode !== 'out' && mode !== 'table';
    });
    this.block = compileBlock(new Compiler(this.compilation), block);
  }

  *call(args: readonly Value[]): Generator<Yielded, Value, void> {
    const { compilation, block, inputs } = this;
    const frame = new Frame(compilation.slotCount);
    frame.values[compilation.found.slot] = false;
    for (let i = 0; i < inputs.length; i++) frame.values[(inputs[i] as Variable).slot] = args[i] ?? null;
    try {
      const completion = yield* runStep(block, frame);
      return this.resultOf(frame, completion);
    } catch (error) {
      throw error instanceof PhantomError ? compilation.placed(error, frame) : error;
    }
  }

  private resultOf(frame: Frame, completion: Completion): Value {
    const { routine, wanted } = this.compilation.signature;
    if (routine.returnsSet) return frame.rows;
    if (this.outputs.length > 0) return outputValue(this.compilation, this.outputs, frame);
    if (wanted === undefined) return routine.resultType.oid === TypeOid.void ? '' : null;
    if (completion === Completion.Return) return frame.result;
    frame.place = undefined;
    throw new PhantomError('2F005', 'control reached end of function without RETURN');
  }
}

export const plpgsqlLanguage: RoutineLanguage = {
  name: 'plpgsql',
  compile(signature, host): RoutineBody {
    const body = new PlpgsqlBody(signature, host);
    return (args) => body.call(args);
  },
  validate(signature, host) {
    const { parameters, resultType } = signature.routine;
    const types = [...parameters.map(({ type }) => type), resultType];
    // Where types are known with a call alone, the body is read and no more.
    if (types.some(({ oid }) => isPolymorphic(oid))) treeOf(signature.routine);
    else new PlpgsqlBody(signature, host);
  },
};
