/**
 * The second back end: a function of the IR as a tree of closures over a frame (an array of the locals). It serves where
 * code generation is forbidden, and statements that run once over little data, for which compiling would cost more.
 *
 * Statements answer with a signal: 0 goes on, RETURN ends the function (the value is in the frame's last slot), others
 * name a loop: 2 * label + 2 breaks it, 2 * label + 3 continues it. A statement that yields is a generator closure; all
 * others stay plain, and a list of statements is a generator only when one of its parts is.
 */
import { unreachable } from '@phantom/base';
import { isNullColumn, rowCodec, type RowLayout, type RowCodec } from '@phantom/codec';
import type { BinaryOperator, Code, FunctionCode, Statement } from './ir.js';

type Frame = unknown[];
type Evaluate = (frame: Frame) => unknown;
type Execute = (frame: Frame) => number;
type ExecuteSlowly = (frame: Frame) => Generator<unknown, number, unknown>;

const NEXT = 0;
const RETURN = 1;

/** A compiled statement, of one of the two kinds. */
type Compiled = { readonly slow: false; readonly run: Execute } | { readonly slow: true; readonly run: ExecuteSlowly };

type AnyFunction = (...args: unknown[]) => unknown;

const codecs = new WeakMap<RowLayout, RowCodec>();

function codecOf(layout: RowLayout): RowCodec {
  let codec = codecs.get(layout);
  if (codec === undefined) codecs.set(layout, (codec = rowCodec(layout, { generate: false })));
  return codec;
}

class ClosureCompiler {
  private readonly constants: readonly unknown[];
  private readonly resultSlot: number;

  constructor(constants: readonly unknown[], resultSlot: number) {
    this.constants = constants;
    this.resultSlot = resultSlot;
  }

  expression(code: Code): Evaluate {
    switch (code.kind) {
      case 'local': {
        const { id } = code;
        return (frame) => frame[id];
      }
      case 'constant': {
        const value = this.constants[code.index];
        return () => value;
      }
      case 'literal': {
        const { value } = code;
        return () => value;
      }
      case 'binary':
        return binaryClosure(code.operator, this.expression(code.left), this.expression(code.right));
      case 'unary': {
        const operand = this.expression(code.operand);
        return code.operator === '!' ? (frame) => operand(frame) !== true : (frame) => -(operand(frame) as number);
      }
      case 'conditional': {
        const test = this.expression(code.test);
        const then = this.expression(code.then);
        const otherwise = this.expression(code.otherwise);
        return (frame) => (test(frame) === true ? then(frame) : otherwise(frame));
      }
      case 'call':
        return this.callClosure(this.expression(code.target), code.arguments);
      case 'inline':
        return this.callClosure(this.expression(code.target), code.arguments);
      case 'method':
        return this.methodClosure(code.object, code.name, code.arguments);
      case 'property': {
        const object = this.expression(code.object);
        const { name } = code;
        return (frame) => (object(frame) as Record<string, unknown>)[name];
      }
      case 'element': {
        const object = this.expression(code.object);
        const index = this.expression(code.index);
        return (frame) => (object(frame) as unknown[])[index(frame) as number];
      }
      case 'array': {
        const items = code.items.map((item) => this.expression(item));
        return (frame) => items.map((item) => item(frame));
      }
      case 'read':
        return this.readClosure(code);
      default:
        return unreachable(code);
    }
  }

  private callClosure(target: Evaluate, args: readonly Code[]): Evaluate {
    const [a, b, c] = args.map((argument) => this.expression(argument)) as [Evaluate, Evaluate, Evaluate];
    switch (args.length) {
      case 0:
        return (frame) => (target(frame) as AnyFunction)();
      case 1:
        return (frame) => (target(frame) as AnyFunction)(a(frame));
      case 2:
        return (frame) => (target(frame) as AnyFunction)(a(frame), b(frame));
      case 3:
        return (frame) => (target(frame) as AnyFunction)(a(frame), b(frame), c(frame));
      default: {
        const all = args.map((argument) => this.expression(argument));
        return (frame) => (target(frame) as AnyFunction)(...all.map((argument) => argument(frame)));
      }
    }
  }

  private methodClosure(objectCode: Code, name: string, args: readonly Code[]): Evaluate {
    const object = this.expression(objectCode);
    const all = args.map((argument) => this.expression(argument));
    return (frame) => {
      const target = object(frame) as Record<string, AnyFunction>;
      return (target[name] as AnyFunction).apply(
        target,
        all.map((argument) => argument(frame)),
      );
    };
  }

  private readClosure(code: Code & { kind: 'read' }): Evaluate {
    const buffer = this.expression(code.buffer);
    const start = this.expression(code.start);
    const { index } = code;
    if (code.part === 'is-null') {
      return (frame) => isNullColumn(buffer(frame) as Uint8Array, start(frame) as number, index);
    }
    const end = this.expression(code.end);
    const codec = codecOf(code.layout);
    return (frame) =>
      codec.readColumn(buffer(frame) as Uint8Array, start(frame) as number, end(frame) as number, index);
  }

  statements(list: readonly Statement[]): Compiled {
    const parts = list.map((statement) => this.statement(statement));
    if (parts.some((part) => part.slow)) return { slow: true, run: slowSequence(parts) };
    const runs = parts.map((part) => part.run as Execute);
    if (runs.length === 1) return { slow: false, run: runs[0] as Execute };
    return {
      slow: false,
      run: (frame) => {
        for (let i = 0; i < runs.length; i++) {
          const signal = (runs[i] as Execute)(frame);
          if (signal !== NEXT) return signal;
        }
        return NEXT;
      },
    };
  }

  private statement(statement: Statement): Compiled {
    switch (statement.kind) {
      case 'let':
      case 'assign': {
        const { id } = statement.local;
        const value = this.expression(statement.value);
        return plain((frame) => {
          frame[id] = value(frame);
        });
      }
      case 'set-element': {
        const object = this.expression(statement.object);
        const index = this.expression(statement.index);
        const value = this.expression(statement.value);
        return plain((frame) => {
          const target = object(frame) as unknown[];
          const at = index(frame) as number;
          target[at] = value(frame);
        });
      }
      case 'set-property': {
        const object = this.expression(statement.object);
        const value = this.expression(statement.value);
        const { name } = statement;
        return plain((frame) => {
          const target = object(frame) as Record<string, unknown>;
          target[name] = value(frame);
        });
      }
      case 'evaluate': {
        const value = this.expression(statement.value);
        return plain((frame) => {
          value(frame);
        });
      }
      case 'if':
        return this.ifStatement(statement);
      case 'loop':
        return this.loopStatement(statement);
      case 'break':
      case 'continue': {
        const signal = 2 * statement.label + (statement.kind === 'break' ? 2 : 3);
        return { slow: false, run: () => signal };
      }
      case 'return': {
        const value = this.expression(statement.value);
        const slot = this.resultSlot;
        return {
          slow: false,
          run: (frame) => {
            frame[slot] = value(frame);
            return RETURN;
          },
        };
      }
      case 'yield': {
        const value = this.expression(statement.value);
        return {
          slow: true,
          run: function* (frame) {
            yield value(frame);
            return NEXT;
          },
        };
      }
      case 'delegate': {
        const generator = this.expression(statement.generator);
        const { id } = statement.local;
        return {
          slow: true,
          run: function* (frame) {
            frame[id] = yield* generator(frame) as Generator<unknown, unknown, unknown>;
            return NEXT;
          },
        };
      }
      default:
        return unreachable(statement);
    }
  }

  private ifStatement(statement: Statement & { kind: 'if' }): Compiled {
    const test = this.expression(statement.test);
    const then = this.statements(statement.then);
    const otherwise = this.statements(statement.otherwise);
    if (!then.slow && !otherwise.slow) {
      const thenRun = then.run;
      const otherwiseRun = otherwise.run;
      return { slow: false, run: (frame) => (test(frame) === true ? thenRun(frame) : otherwiseRun(frame)) };
    }
    return {
      slow: true,
      run: function* (frame) {
        const chosen = test(frame) === true ? then : otherwise;
        return chosen.slow ? yield* chosen.run(frame) : chosen.run(frame);
      },
    };
  }

  private loopStatement(statement: Statement & { kind: 'loop' }): Compiled {
    const body = this.statements(statement.body);
    const breakSignal = 2 * statement.label + 2;
    const continueSignal = 2 * statement.label + 3;
    if (!body.slow) {
      const { run } = body;
      return {
        slow: false,
        run: (frame) => {
          for (;;) {
            const signal = run(frame);
            if (signal === NEXT || signal === continueSignal) continue;
            return signal === breakSignal ? NEXT : signal;
          }
        },
      };
    }
    const { run } = body;
    return {
      slow: true,
      run: function* (frame) {
        for (;;) {
          const signal = yield* run(frame);
          if (signal === NEXT || signal === continueSignal) continue;
          return signal === breakSignal ? NEXT : signal;
        }
      },
    };
  }
}

function plain(run: (frame: Frame) => void): Compiled {
  return {
    slow: false,
    run: (frame) => {
      run(frame);
      return NEXT;
    },
  };
}

function slowSequence(parts: readonly Compiled[]): ExecuteSlowly {
  return function* (frame) {
    for (const part of parts) {
      const signal = part.slow ? yield* part.run(frame) : part.run(frame);
      if (signal !== NEXT) return signal;
    }
    return NEXT;
  };
}

function binaryClosure(operator: BinaryOperator, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case '+':
      return (frame) => (left(frame) as number) + (right(frame) as number);
    case '-':
      return (frame) => (left(frame) as number) - (right(frame) as number);
    case '*':
      return (frame) => (left(frame) as number) * (right(frame) as number);
    case '%':
      return (frame) => (left(frame) as number) % (right(frame) as number);
    case '&':
      return (frame) => (left(frame) as number) & (right(frame) as number);
    case '|':
      return (frame) => (left(frame) as number) | (right(frame) as number);
    case '===':
      return (frame) => left(frame) === right(frame);
    case '!==':
      return (frame) => left(frame) !== right(frame);
    case '<':
      return (frame) => (left(frame) as number) < (right(frame) as number);
    case '<=':
      return (frame) => (left(frame) as number) <= (right(frame) as number);
    case '>':
      return (frame) => (left(frame) as number) > (right(frame) as number);
    case '>=':
      return (frame) => (left(frame) as number) >= (right(frame) as number);
    case '&&':
      return (frame) => left(frame) === true && right(frame) === true;
    case '||':
      return (frame) => left(frame) === true || right(frame) === true;
    default:
      return unreachable(operator);
  }
}

/** Compiles a function of the IR into closures. */
export function closureFunction(code: FunctionCode, constants: readonly unknown[]): (...args: unknown[]) => unknown {
  const resultSlot = code.localCount;
  const compiler = new ClosureCompiler(constants, resultSlot);
  const body = compiler.statements(code.body);
  const slots = code.parameters.map((parameter) => parameter.id);
  const makeFrame = (args: readonly unknown[]): Frame => {
    const frame: Frame = new Array<unknown>(code.localCount + 1);
    for (let i = 0; i < slots.length; i++) frame[slots[i] as number] = args[i];
    return frame;
  };
  if (code.generator) {
    return function* (...args: unknown[]): Generator<unknown, unknown, unknown> {
      const frame = makeFrame(args);
      if (body.slow) yield* body.run(frame);
      else body.run(frame);
      return frame[resultSlot];
    };
  }
  return (...args) => {
    const frame = makeFrame(args);
    (body.run as Execute)(frame);
    return frame[resultSlot];
  };
}
