/** A body compiled for one signature, and its calls. */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import type { RoutineHost, RoutineSignature } from '../routine-language.js';
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

/** The tree of a routine's body; 42601 and kin. */
export function treeOf(routine: RoutineDescriptor): BodyNode {
  let tree = parsed.get(routine);
  if (tree === undefined) parsed.set(routine, (tree = parseBody(routine.source)));
  return tree;
}

const CONFLICT_SETTINGS: Readonly<Record<string, VariableConflict>> = {
  use_variable: 'variables',
  use_column: 'columns',
};

export class PlpgsqlBody {
  readonly compilation: Compilation;
  /** Those that `declare` has made. */
  readonly variables: readonly Variable[];
  private readonly block: Step;
  private readonly inputs: readonly Variable[];
  private readonly outputs: readonly Variable[];

  constructor(
    signature: RoutineSignature,
    host: RoutineHost,
    declare: (compilation: Compilation) => readonly Variable[] = () => [],
    isValidated = false,
  ) {
    const { routine } = signature;
    const { block, conflict, endsTransactions, printsStrictParameters } = treeOf(routine);
    const setting = CONFLICT_SETTINGS[host.setting('plpgsql.variable_conflict')] ?? 'neither';
    this.compilation = new Compilation(signature, host, {
      conflict: conflict ?? setting,
      endsTransactions,
      printsStrictParameters: printsStrictParameters ?? host.setting('plpgsql.print_strict_params') === 'on',
      isValidated,
    });
    this.variables = declare(this.compilation);
    this.outputs = outputVariables(this.compilation);
    this.inputs = this.compilation.parameters.filter((_, i) => {
      const mode = routine.parameters[i]?.mode;
      return mode !== 'out' && mode !== 'table';
    });
    this.block = compileBlock(new Compiler(this.compilation), block);
  }

  *call(args: readonly Value[]): Generator<Yielded, Value, void> {
    const { inputs } = this;
    const frame = this.frame();
    for (let i = 0; i < inputs.length; i++) frame.values[(inputs[i] as Variable).slot] = args[i] ?? null;
    return yield* this.run(frame);
  }

  /** A fresh frame, in which nothing is found yet. */
  frame(): Frame {
    const frame = new Frame(this.compilation.slotCount);
    frame.values[this.compilation.found.slot] = false;
    return frame;
  }

  /** Runs the body over a frame that holds what the call is given. */
  *run(frame: Frame): Generator<Yielded, Value, void> {
    const { compilation, block } = this;
    try {
      const completion = yield* runStep(block, frame);
      return this.resultOf(frame, completion);
    } catch (error) {
      throw error instanceof PhantomError ? compilation.placed(error, frame) : error;
    }
  }

  private resultOf(frame: Frame, completion: Completion): Value {
    const { routine, wanted } = this.compilation.signature;
    if (routine.returnsSet) return frame.rows?.values ?? [];
    if (this.outputs.length > 0) return outputValue(this.compilation, this.outputs, frame);
    if (wanted === undefined) return routine.resultType.oid === TypeOid.void ? '' : null;
    if (completion === Completion.Return) return frame.result;
    frame.place = undefined;
    const what = routine.resultType.oid === TypeOid.trigger ? 'trigger procedure' : 'function';
    throw new PhantomError('2F005', `control reached end of ${what} without RETURN`);
  }
}
