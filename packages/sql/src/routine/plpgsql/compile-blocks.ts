/**
 * Blocks: variables made anew at each entry, and EXCEPTION over a savepoint.
 *
 *   savepoint ─► body ─► released
 *                  │ error
 *                  └──► undone ─► the first handler that its SQLSTATE matches, or raised on
 */
import { PhantomError } from '@phantom/base';
import { TEXT, typeRef } from '../../types/type-refs.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Yielded } from '../../exec/runtime.js';
import type { Compilation } from './compilation.js';
import { compileCursor } from './compile-cursors.js';
import { afterTurn } from './compile-loops.js';
import type { Compiler } from './compiler.js';
import { matches, statesOf } from './conditions.js';
import { Completion, type Step, runStep, waiting } from './steps.js';
import type { BlockNode, ConditionNode, Declaration, HandlerNode, VariableDeclaration } from './syntax.js';
import { Target } from './targets.js';
import type { BodyPlace, Frame } from './variables.js';

type Initial = (frame: Frame) => Generator<Yielded, void, void>;

export function compileBlock(compiler: Compiler, node: BlockNode): Step {
  const { compilation } = compiler;
  const { label } = node;
  return compilation.within(label, () =>
    compiler.labelled(label, false, () => {
      const initials = node.declarations.map((declaration) => compileDeclaration(compilation, declaration));
      const body = compiler.list(node.body);
      const guarded = node.handlers.length === 0 ? body : guardedBody(compiler, node, body);
      if (initials.length === 0 && label === undefined) return guarded;
      return waiting(function* (frame) {
        for (const { place, initial } of initials) {
          frame.place = place;
          yield* initial(frame);
        }
        const completion = yield* runStep(guarded, frame);
        if (label === undefined || completion !== Completion.Exit || frame.label !== label) return completion;
        return afterTurn(completion, label, frame) ?? Completion.Next;
      });
    }),
  );
}

function compileDeclaration(
  compilation: Compilation,
  declaration: Declaration,
): { readonly place: BodyPlace; readonly initial: Initial } {
  switch (declaration.kind) {
    case 'variable':
      return { place: initialPlace(declaration.line), initial: compileVariable(compilation, declaration) };
    case 'alias': {
      const { variable } = compilation.variable(declaration.target, declaration.at);
      compilation.alias(declaration.name, variable, declaration.at);
      return { place: initialPlace(0), initial: noInitial };
    }
    default:
      return { place: initialPlace(declaration.line), initial: compileCursor(compilation, declaration) };
  }
}

function initialPlace(line: number): BodyPlace {
  return { line, what: 'during statement block local variable initialization' };
}

function* noInitial(): Generator<Yielded, void, void> {}

function reset(slot: number): Initial {
  return function* (frame) {
    frame.values[slot] = null;
  };
}

function compileVariable(compilation: Compilation, node: VariableDeclaration): Initial {
  const type = compilation.type(node.type);
  // Its own name does not hold yet where its value is computed.
  const code = node.initial === undefined ? undefined : compilation.expression(node.initial);
  const { name, constant, notNull, at } = node;
  const variable = compilation.declare(name, type, { constant, notNull, at });
  const target = new Target(compilation, variable);
  if (code !== undefined) {
    return function* (frame) {
      frame.values[variable.slot] = null;
      const value = yield* code.compute(frame);
      target.assign(frame, value, code.type);
    };
  }
  const isDomain = compilation.host.catalog.types.byOid(type.oid)?.kind === 'domain';
  if (!isDomain) return reset(variable.slot);
  return function* (frame) {
    // A domain may have a say about null.
    target.assign(frame, null, typeRef(TypeOid.unknown));
  };
}

interface Handler {
  readonly conditions: readonly (readonly string[] | 'others')[];
  readonly body: Step;
  readonly stateSlot: number;
  readonly messageSlot: number;
}

function guardedBody(compiler: Compiler, { handlers: nodes, line }: BlockNode, body: Step): Step {
  const { host } = compiler.compilation;
  const handlers = nodes.map((node) => compileHandler(compiler, node));
  const entry: BodyPlace = { line, what: 'during statement block entry' };
  return waiting(function* (frame) {
    frame.place = entry;
    const savepoint = host.savepoint();
    let isOpen = true;
    frame.guarded++;
    const depth = frame.errors.length;
    let failure: PhantomError;
    try {
      const completion = yield* runStep(body, frame);
      savepoint.release();
      isOpen = false;
      return completion;
    } catch (error) {
      if (!(error instanceof PhantomError)) throw error;
      failure = compiler.compilation.placed(error, frame);
    } finally {
      frame.guarded--;
      frame.errors.length = depth;
      if (isOpen) savepoint.rollback();
    }
    const { code } = failure;
    const handler = handlers.find(({ conditions }) => conditions.some((states) => matches(code, states)));
    if (handler === undefined) {
      frame.told = failure;
      throw failure;
    }
    frame.errors.push(failure);
    frame.values[handler.stateSlot] = code;
    frame.values[handler.messageSlot] = failure.message;
    try {
      return yield* runStep(handler.body, frame);
    } finally {
      frame.errors.length = depth;
    }
  });
}

function compileHandler(compiler: Compiler, { conditions, body }: HandlerNode): Handler {
  const { compilation } = compiler;
  return compilation.within(undefined, () => {
    const stateSlot = compilation.declare('sqlstate', TEXT, { constant: true }).slot;
    const messageSlot = compilation.declare('sqlerrm', TEXT, { constant: true }).slot;
    return { conditions: conditions.map(statesOfCondition), body: compiler.list(body), stateSlot, messageSlot };
  });
}

function statesOfCondition({ kind, text }: ConditionNode): readonly string[] | 'others' {
  if (kind === 'state') return [text];
  if (text === 'others') return 'others';
  return namedStates(text);
}

/** 42704 for a name that no error has. */
export function namedStates(name: string): readonly string[] {
  const states = statesOf(name);
  if (states === undefined) throw new PhantomError('42704', `unrecognized exception condition "${name}"`);
  return states;
}
