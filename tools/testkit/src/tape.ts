/**
 * Runs suites that were written for `tape`, as published ones often are, as cases of another runner. It knows as much of
 * tape as abstract-level's suite uses, and is as strict: a plan must be met exactly, an asynchronous case ends when its
 * promise does, any other with its plan or with `end`; assertions after the end count as failures.
 */
import { isDeepStrictEqual } from 'node:util';

/** What a case is given. Assertions never throw: the case fails when it has ended. */
export interface TapeTest {
  /** So many assertions, sub-tests included, and the case ends with the last one. */
  plan(assertions: number): void;
  end(): void;
  ok(value: unknown, message?: string): void;
  is(actual: unknown, expected: unknown, message?: string): void;
  isNot(actual: unknown, expected: unknown, message?: string): void;
  /** Deeply equal, prototypes included. */
  same(actual: unknown, expected: unknown, message?: string): void;
  throws(call: () => unknown, expected?: RegExp | ((error: unknown) => boolean), message?: string): void;
  doesNotThrow(call: () => unknown, message?: string): void;
  pass(message?: string): void;
  fail(message?: string): void;
  /** Runs once the outer case has ended. */
  test(name: string, body: TapeBody): void;
}

type TapeBody = (test: TapeTest) => unknown;

/** Makes tape's `test(name, body)` of a runner's `it`. */
export function tapeRunner(
  it: (name: string, body: () => Promise<void>) => void,
): (name: string, body: TapeBody) => void {
  return (name, body) => {
    it(name, async () => {
      const failures = await new Case(name).run(body);
      if (failures.length > 0) throw new Error(failures.join('\n'));
    });
  };
}

class Case implements TapeTest {
  private readonly name: string;
  private readonly failures: string[] = [];
  private readonly subtests: { readonly name: string; readonly body: TapeBody }[] = [];
  private planned: number | undefined = undefined;
  private count = 0;
  private hasEnded = false;
  private resolveEnd: () => void = () => undefined;
  private readonly ended: Promise<void>;

  constructor(name: string) {
    this.name = name;
    this.ended = new Promise((resolve) => {
      this.resolveEnd = resolve;
    });
    // Cases hand these on as callbacks.
    this.pass = this.pass.bind(this);
    this.fail = this.fail.bind(this);
  }

  /** What failed, in this case and those inside it. */
  async run(body: TapeBody): Promise<string[]> {
    try {
      const result = body(this);
      if (result instanceof Promise) await result;
      else if (!this.isPlanMadeOfSubtests()) await this.ended;
    } catch (error) {
      this.failures.push(`${this.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    for (let subtest = this.subtests.shift(); subtest !== undefined; subtest = this.subtests.shift()) {
      this.count++;
      this.failures.push(...(await new Case(`${this.name} > ${subtest.name}`).run(subtest.body)));
    }
    if (this.planned !== undefined && this.planned !== this.count) {
      this.failures.push(`${this.name}: ${this.count} assertions instead of ${this.planned}`);
    }
    this.hasEnded = true;
    return this.failures;
  }

  plan(assertions: number): void {
    this.planned = assertions;
    if (assertions === 0) this.resolveEnd();
  }

  end(): void {
    this.resolveEnd();
  }

  ok(value: unknown, message?: string): void {
    this.assert(Boolean(value), message ?? 'is falsy');
  }

  is(actual: unknown, expected: unknown, message?: string): void {
    this.assert(Object.is(actual, expected), `${message ?? 'is another'}: ${String(actual)}, not ${String(expected)}`);
  }

  isNot(actual: unknown, expected: unknown, message?: string): void {
    this.assert(!Object.is(actual, expected), message ?? 'is the same');
  }

  same(actual: unknown, expected: unknown, message?: string): void {
    const isSame = isDeepStrictEqual(actual, expected);
    const texts = isSame ? '' : `: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`;
    this.assert(isSame, `${message ?? 'differs'}${texts}`);
  }

  throws(call: () => unknown, expected?: RegExp | ((error: unknown) => boolean), message?: string): void {
    let isRight = false;
    try {
      call();
    } catch (error) {
      if (expected === undefined) isRight = true;
      else isRight = expected instanceof RegExp ? expected.test(String(error)) : expected(error);
    }
    this.assert(isRight, message ?? 'does not throw what it should');
  }

  doesNotThrow(call: () => unknown, message?: string): void {
    try {
      call();
      this.assert(true, '');
    } catch (error) {
      this.assert(false, `${message ?? 'throws'}: ${String(error)}`);
    }
  }

  pass(): void {
    this.assert(true, '');
  }

  fail(message?: string): void {
    this.assert(false, String(message));
  }

  test(name: string, body: TapeBody): void {
    this.subtests.push({ name, body });
  }

  private isPlanMadeOfSubtests(): boolean {
    return this.planned !== undefined && this.subtests.length > 0 && this.planned === this.count + this.subtests.length;
  }

  private assert(isRight: boolean, message: string): void {
    this.count++;
    if (this.hasEnded) throw new Error(`${this.name}: an assertion after the end: ${message}`);
    if (!isRight) this.failures.push(`${this.name}: ${message}`);
    if (this.planned === this.count) this.resolveEnd();
  }
}
