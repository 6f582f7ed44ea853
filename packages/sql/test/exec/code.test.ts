/** The code IR on both back ends: the same functions, the same answers. */
import { describe, expect, it } from 'vitest';
import { closureFunction } from '../../src/exec/code/closures.js';
import { ConstantTable, Emitter } from '../../src/exec/code/emitter.js';
import {
  NULL,
  ONE,
  ZERO,
  and,
  binary,
  call,
  conditional,
  element,
  isNotNull,
  isNull,
  literal,
  method,
  not,
  or,
  property,
  type BinaryOperator,
  type Code,
  type FunctionCode,
} from '../../src/exec/code/ir.js';
import { functionText, generateFunction } from '../../src/exec/code/javascript.js';

type Build = (emitter: Emitter, parameters: ReturnType<Emitter['parameters']>) => void;

function write(count: number, build: Build): { readonly code: FunctionCode; readonly constants: readonly unknown[] } {
  const constants = new ConstantTable();
  const emitter = new Emitter(constants);
  const parameters = emitter.parameters(count);
  build(emitter, parameters);
  return { code: emitter.finish('f', parameters), constants: constants.values };
}

/** The function on each back end. */
function both(count: number, build: Build): ((...args: unknown[]) => unknown)[] {
  const { code, constants } = write(count, build);
  return [generateFunction(code, constants), closureFunction(code, constants)];
}

function expectBoth(count: number, build: Build, args: readonly unknown[], result: unknown): void {
  for (const f of both(count, build)) expect(f(...args)).toEqual(result);
}

describe('expressions', () => {
  const operators: readonly [BinaryOperator, unknown, unknown, unknown][] = [
    ['+', 2, 3, 5],
    ['-', 2, 3, -1],
    ['*', 2, 3, 6],
    ['%', 7, 4, 3],
    ['&', 6, 3, 2],
    ['|', 6, 3, 7],
    ['===', 'a', 'a', true],
    ['!==', 'a', 'a', false],
    ['<', 1, 2n, true],
    ['<=', 2, 2, true],
    ['>', 1, 2, false],
    ['>=', 3, 2, true],
    ['&&', true, false, false],
    ['||', false, true, true],
  ];
  it.each(operators)('%s', (operator, left, right, result) => {
    expectBoth(2, (e, [a, b]) => e.return(binary(operator, a!, b!)), [left, right], result);
  });

  it('tests null, negates, chooses', () => {
    const build: Build = (e, [a]) =>
      e.return(conditional(isNull(a!), literal(-1), conditional(not(binary('>', a!, ZERO)), ZERO, ONE)));
    expectBoth(1, build, [null], -1);
    expectBoth(1, build, [-5], 0);
    expectBoth(1, build, [5], 1);
    expectBoth(1, (e, [a]) => e.return({ kind: 'unary', operator: '-', operand: a! }), [4], -4);
  });

  it('shortens logic with a known side', () => {
    const known = literal(true);
    const other = binary('>', ONE, ZERO);
    expect(and(known, other)).toBe(other);
    expect(and(other, known)).toBe(other);
    expect(and(literal(false), other)).toEqual(literal(false));
    expect(or(known, other)).toBe(known);
    expect(or(literal(false), other)).toBe(other);
    expect(or(other, literal(false))).toBe(other);
    expect(not(not(other))).toBe(other);
    expect(not(literal(false))).toEqual(literal(true));
  });

  it('calls functions with any number of arguments, methods, properties, elements', () => {
    const sum = (...args: unknown[]): number => (args as number[]).reduce((x, y) => x + y, 0);
    for (let count = 0; count < 6; count++) {
      const args = Array.from({ length: count }, (_, i) => literal(i));
      expectBoth(0, (e) => e.return(call(e.constant(sum), ...args)), [], [0, 0, 1, 3, 6, 10][count]);
    }
    expectBoth(1, (e, [a]) => e.return(method(a!, 'indexOf', literal(7))), [[5, 7]], 1);
    expectBoth(1, (e, [a]) => e.return(property(a!, 'length')), ['four'], 4);
    expectBoth(2, (e, [a, b]) => e.return(element(a!, b!)), [['x', 'y'], 1], 'y');
    expectBoth(1, (e, [a]) => e.return({ kind: 'array', items: [a!, ONE, NULL] }), ['q'], ['q', 1, null]);
  });

  it('writes a call in place, or makes it', () => {
    const build: Build = (e, [a, b]) =>
      e.return({
        kind: 'inline',
        target: e.constant((x: number, y: number) => x * 10 + y),
        write: ([x, y]) => `${x} * 10 + ${y}`,
        arguments: [a!, b!],
      });
    expectBoth(2, build, [4, 2], 42);
  });

  it('keeps -0 and undefined', () => {
    for (const f of both(0, (e) => e.return(literal(-0)))) expect(Object.is(f(), -0)).toBe(true);
    expectBoth(0, (e) => e.return(literal(undefined)), [], undefined);
  });
});

describe('statements', () => {
  it('loops with break and continue of inner and outer loops', () => {
    // Counts pairs (i, j) with i < 4 and j < i, leaving out i = 2 and stopping at j = 2.
    const build: Build = (e) => {
      const count = e.let(ZERO);
      const i = e.let(literal(-1));
      e.loop((outer) => {
        e.assign(i, binary('+', i, ONE));
        e.if(binary('>=', i, literal(4)), () => e.break(outer));
        e.if(binary('===', i, literal(2)), () => e.continue(outer));
        const j = e.let(ZERO);
        e.loop((inner) => {
          e.if(binary('>=', j, i), () => e.break(inner));
          e.if(binary('===', j, literal(2)), () => e.break(outer));
          e.assign(count, binary('+', count, ONE));
          e.assign(j, binary('+', j, ONE));
        });
      });
      e.return(count);
    };
    expectBoth(0, build, [], 3);
  });

  it('returns from inside a loop', () => {
    const build: Build = (e, [a]) => {
      const i = e.let(ZERO);
      e.loop(() => {
        e.if(binary('===', i, a!), () => e.return(binary('*', i, i)));
        e.assign(i, binary('+', i, ONE));
      });
    };
    expectBoth(1, build, [9], 81);
  });

  it('sets elements and properties, evaluates for effect, takes known branches', () => {
    const build: Build = (e, [a, o]) => {
      e.setElement(a!, ONE, literal(5));
      e.setProperty(o!, 'count', binary('+', property(o!, 'count'), ONE));
      e.evaluate(method(a!, 'push', literal(9)));
      e.if(
        literal(true),
        () => e.setProperty(o!, 'yes', literal(true)),
        () => e.setProperty(o!, 'no', literal(true)),
      );
      e.if(literal(false), () => e.setProperty(o!, 'no', literal(true)));
      e.if(
        isNotNull(a!),
        () => undefined,
        () => e.setProperty(o!, 'no', literal(true)),
      );
      e.return(ZERO);
    };
    for (const f of both(2, build)) {
      const array = [0, 0];
      const object = { count: 1 };
      f(array, object);
      expect(array).toEqual([0, 5, 9]);
      expect(object).toEqual({ count: 2, yes: true });
    }
  });

  it('computes what is hoisted once, at the head', () => {
    const { code } = write(1, (e, [a]) => {
      const size = e.hoist('size', property(a!, 'length'));
      expect(e.hoist('size', literal(0))).toBe(size);
      expect(e.isHoisted(size)).toBe(true);
      expect(e.isHoisted(a!)).toBe(true);
      expect(e.isHoisted(e.let(ONE))).toBe(false);
      e.return(size);
    });
    expect(code.body[0]).toMatchObject({ kind: 'let', value: { kind: 'property', name: 'length' } });
    expect(generateFunction(code, [])('abc')).toBe(3);
  });
});

describe('generators', () => {
  function* twice(value: number): Generator<string, number, void> {
    yield `wait ${value}`;
    return value * 2;
  }

  it('yields, and runs other generators inside', () => {
    const build: Build = (e, [a]) => {
      e.yield(a!);
      const i = e.let(ZERO);
      e.loop((label) => {
        e.if(binary('>=', i, literal(2)), () => e.break(label));
        const result = e.delegate(call(e.constant(twice), i));
        e.assign(i, binary('+', binary('+', i, ONE), result));
      });
      e.if(
        binary('>', i, ONE),
        () => e.yield(literal(100)),
        () => e.yield(literal(200)),
      );
      e.return(i);
    };
    for (const f of both(1, build)) {
      const seen: unknown[] = [];
      const generator = f('start') as Generator<unknown, unknown, void>;
      let step = generator.next();
      while (step.done !== true) {
        seen.push(step.value);
        step = generator.next();
      }
      expect(seen).toEqual(['start', 'wait 0', 'wait 1', 100]);
      expect(step.value).toBe(4);
    }
  });

  it('is a generator only when something in it yields', () => {
    expect(write(0, (e) => e.return(ONE)).code.generator).toBe(false);
    expect(write(0, (e) => e.inBlock(() => e.yield(ONE))).code.generator).toBe(true);
    const { code, constants } = write(0, (e) => {
      e.if(
        binary('>', ONE, ZERO),
        () => e.return(literal(7)),
        () => e.yield(ONE),
      );
    });
    for (const f of [generateFunction(code, constants), closureFunction(code, constants)]) {
      expect((f() as Generator<unknown, unknown, void>).next()).toEqual({ done: true, value: 7 });
    }
  });
});

describe('text', () => {
  it('holds constants by index and nothing of their content', () => {
    const { code, constants } = write(0, (e) => {
      e.return(
        call(
          e.constant((x: string) => x),
          e.constant('`); process.exit(1); //'),
        ),
      );
    });
    expect(functionText(code)).toBe('function f() {\nreturn c0(c1);\n}');
    expect(generateFunction(code, constants)()).toBe('`); process.exit(1); //');
  });
});

describe('blocks of their own', () => {
  /** Enough code to be worth a function: adds 1 to ten elements. */
  const raise = (e: Emitter, array: Code): void => {
    for (let i = 0; i < 10; i++) e.setElement(array, literal(i), binary('+', element(array, literal(i)), ONE));
  };
  const tens = (): number[] => Array.from({ length: 10 }, () => 9);

  it('get what they read as parameters, and may lie within each other', () => {
    const build: Build = (e, [array, limit]) => {
      const first = e.let(element(array!, ZERO));
      e.ifApart(binary('>', limit!, first), () => {
        raise(e, array!);
        const second = e.let(element(array!, ONE));
        e.ifApart(binary('>', limit!, second), () => {
          raise(e, array!);
          e.setElement(array!, ZERO, binary('+', first, second));
        });
      });
      e.return(array!);
    };
    expect(functionText(write(2, build).code).match(/^function \w+\(.*\)/gm)).toEqual([
      'function f2(v0, v2, v3)',
      'function f1(v0, v1, v2)',
      'function f(v0, v1)',
    ]);
    for (const f of both(2, build)) {
      expect(f(tens(), 9)).toEqual(tens());
      expect(f(tens(), 10)).toEqual(tens().fill(10));
      expect(f(tens(), 11)).toEqual([19, ...tens().fill(11, 1).slice(1)]);
    }
  });

  it('end the function around them, or let it go on', () => {
    const build: Build = (e, [array, answer]) => {
      e.ifApart(isNotNull(answer!), () => {
        raise(e, array!);
        e.if(binary('>', element(array!, ZERO), ONE), () => e.return(answer!));
      });
      e.ifApart(isNull(answer!), () => {
        raise(e, array!);
        e.return(literal(undefined));
      });
      e.return(literal(-5));
    };
    expect(functionText(write(2, build).code)).toContain('function f2');
    for (const f of both(2, build)) {
      expect(f(tens(), null)).toBe(undefined);
      expect(f(tens(), 3)).toBe(3);
      expect(f(tens().fill(0), 3)).toBe(-5);
    }
  });

  it('yield through the function around them', () => {
    const build: Build = (e, [array]) => {
      e.ifApart(binary('>', element(array!, ZERO), ONE), () => {
        raise(e, array!);
        e.yield(element(array!, ZERO));
      });
      e.return(literal(1));
    };
    expect(functionText(write(1, build).code)).toContain('yield* f1(v0)');
    for (const f of both(1, build)) {
      expect([...(f(tens()) as Iterable<unknown>)]).toEqual([10]);
      expect((f([0]) as Generator).next()).toEqual({ done: true, value: 1 });
    }
  });

  it('stay where they are when they are small, jump out, or set what is around them', () => {
    const texts = [
      write(1, (e, [a]) => e.ifApart(isNotNull(a!), () => e.return(a!))),
      write(1, (e, [a]) =>
        e.loop((label) => {
          e.ifApart(isNotNull(a!), () => {
            raise(e, a!);
            e.break(label);
          });
        }),
      ),
      write(1, (e, [a]) => {
        const sum = e.let(ZERO);
        e.ifApart(isNotNull(a!), () => {
          raise(e, a!);
          e.assign(sum, ONE);
        });
      }),
    ].map(({ code }) => functionText(code));
    for (const text of texts) expect(text).not.toContain('f1');
  });
});
