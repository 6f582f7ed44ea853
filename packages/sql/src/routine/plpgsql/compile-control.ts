/** Assignment, IF, CASE, EXIT and CONTINUE. */
import { PhantomError } from '@phantom/base';
import { SqlRecord } from '@phantom/codec';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, typeRef } from '../../types/type-refs.js';
import { type Compilation, shapeOf } from './compilation.js';
import type { Compiler } from './compiler.js';
import { ExpressionCode } from './fragments.js';
import { Completion, type Step, action, plain, runStep, waiting, waitingAction } from './steps.js';
import {
  type AssignNode,
  CASE_FIELD,
  type CaseNode,
  type ExitNode,
  type ExpressionFragment,
  type IfNode,
  type Node,
} from './syntax.js';
import { Target, checkConstant, targetOf } from './targets.js';
import type { Frame } from './variables.js';

/** A condition as a function; null counts as false. */
export function compileCondition(
  compilation: Compilation,
  fragment: ExpressionFragment,
): { readonly code: ExpressionCode; holds(value: unknown): boolean } {
  const code = compilation.expression(fragment);
  return { code, holds: (value) => compilation.convert(value, code.type, BOOL) === true };
}

export function compileAssign(compilation: Compilation, node: AssignNode): Step {
  const { code, target } = assignment(compilation, node);
  if (code.isPlain) return action((frame) => target.assign(frame, code.value(frame), code.type));
  const step = waitingAction(function* (frame) {
    const value = yield* code.compute(frame);
    target.assign(frame, value, code.type);
  });
  if (!code.isMostlyPlain) return step;
  const runNow = (frame: Frame): Completion | undefined => {
    if (code.takesLong(frame)) return undefined;
    target.assign(frame, code.value(frame), code.type);
    return Completion.Next;
  };
  return { ...step, runNow };
}

function assignment(
  compilation: Compilation,
  { target: node, part, value }: AssignNode,
): { readonly code: ExpressionCode; readonly target: Target } {
  const { path, at } = node;
  const { variable, rest } = compilation.variable(path, at);
  const isDeep = part !== undefined || (variable.columns !== undefined && rest.length > 1);
  if (!isDeep) return { code: compilation.expression(value), target: targetOf(compilation, node) };
  checkConstant(compilation, variable, at);
  if (variable.isRow && variable.columns === undefined)
    throw new PhantomError(
      '0A000',
      `assignment to a part of a field of the record "${variable.name}" is not supported`,
    );
  const fields = rest.map((text) => ({ text, position: at, quoted: true }));
  const name = { text: variable.name, position: at, quoted: true };
  const target = { name, path: [...fields, ...(part?.path ?? [])], position: 0 };
  return {
    code: new ExpressionCode(value, compilation.scope, { variable, target }),
    target: new Target(compilation, variable),
  };
}

/** The first branch whose condition holds. */
function branches(
  compiler: Compiler,
  nodes: readonly { readonly condition: ExpressionFragment; readonly body: readonly Node[] }[],
  otherwise: Step,
): Step {
  const conditions = nodes.map(({ condition }) => compileCondition(compiler.compilation, condition));
  const bodies = nodes.map(({ body }) => compiler.list(body));
  const isPlain = conditions.every(({ code }) => code.isPlain);
  const bodiesNow = bodies.flatMap((body) => (body.waits ? [] : [body]));
  if (isPlain && bodiesNow.length === bodies.length && !otherwise.waits) {
    return plain((frame) => {
      for (let i = 0; i < conditions.length; i++) {
        const { code, holds } = conditions[i] as (typeof conditions)[number];
        if (holds(code.value(frame))) return (bodiesNow[i] as (typeof bodiesNow)[number]).run(frame);
      }
      return otherwise.run(frame);
    });
  }
  return waiting(function* (frame) {
    for (let i = 0; i < conditions.length; i++) {
      const { code, holds } = conditions[i] as (typeof conditions)[number];
      const value = yield* code.compute(frame);
      if (holds(value)) return yield* runStep(bodies[i] as Step, frame);
    }
    return yield* runStep(otherwise, frame);
  });
}

export function compileIf(compiler: Compiler, node: IfNode): Step {
  return branches(compiler, node.branches, compiler.list(node.otherwise ?? []));
}

export function compileCase(compiler: Compiler, node: CaseNode): Step {
  const { compilation } = compiler;
  const { operand, branches: nodes } = node;
  const otherwise = (): Step =>
    node.otherwise === undefined
      ? action(() => {
          throw new PhantomError('20000', 'case not found', { hint: 'CASE statement is missing ELSE part.' });
        })
      : compiler.list(node.otherwise);
  if (operand === undefined) return branches(compiler, nodes, otherwise());
  const code = compilation.expression(operand.value);
  return compilation.within(undefined, () => {
    // Of the type that the operand turns out to have: like the field of a record that is made anew each time.
    const variable = compilation.declare(operand.variable, typeRef(TypeOid.record));
    const chosen = branches(compiler, nodes, otherwise());
    return waiting(function* (frame) {
      const value = yield* code.compute(frame);
      frame.values[variable.slot] = new SqlRecord(
        TypeOid.record,
        [value],
        shapeOf([{ name: CASE_FIELD, type: code.type }]),
      );
      return yield* runStep(chosen, frame);
    });
  });
}

export function compileExit(compiler: Compiler, node: ExitNode): Step {
  const { compilation } = compiler;
  const { label, when, continues, at } = node;
  const found = compiler.label(label);
  const what = continues ? 'CONTINUE' : 'EXIT';
  if (found === undefined) {
    if (label !== undefined)
      throw compilation.error(
        '42601',
        `there is no label "${label}" attached to any block or loop enclosing this statement`,
        at,
      );
    throw compilation.error(
      '42601',
      `${what} cannot be used outside a loop${continues ? '' : ', unless it has a label'}`,
      at,
    );
  }
  if (continues && !found.isLoop)
    throw compilation.error('42601', `block label "${label ?? ''}" cannot be used in CONTINUE`, at);
  const completion = continues ? Completion.Continue : Completion.Exit;
  const leave = (frame: Frame): Completion => {
    frame.label = label;
    return completion;
  };
  if (when === undefined) return plain(leave);
  const { code, holds } = compileCondition(compilation, when);
  if (code.isPlain) return plain((frame) => (holds(code.value(frame)) ? leave(frame) : Completion.Next));
  return waiting(function* (frame) {
    const value = yield* code.compute(frame);
    return holds(value) ? leave(frame) : Completion.Next;
  });
}
