/**
 * Bound expressions to code. `value` gives an expression's value as an atom, null being SQL NULL; `test` gives a JavaScript
 * boolean that is true exactly when the expression is TRUE (or FALSE), which is all that filters and joins ask, and costs no
 * three-valued intermediate results.
 */
import { PhantomError, unreachable } from '@phantom/base';
import type { SqlRecord } from '@phantom/codec';
import type { Call, ColumnId, Expression } from '../../expr/expression.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import type { Emitter } from '../code/emitter.js';
import {
  NULL,
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
  type Code,
  type Local,
} from '../code/ir.js';
import { valueComparison } from './comparator.js';
import { arithmetic, comparisonOperator, isWidening } from './intrinsics.js';
import { hasLong, longCallOf } from './long-call.js';
import { ColumnSource, Row, type Operand } from './row-scope.js';
import { scaledTest } from './scaled-tests.js';
import { textTest } from './text-tests.js';
import { constantArray, makeArray, nestArrays } from '../values/arrays.js';
import { recordMaker } from '../values/records.js';
import { memberTest } from '../values/members.js';
import { elementAt, sliceOf } from '../values/subscripts.js';
import { quantifyArray } from '../values/quantified.js';
import { compareRowValues } from '../values/row-comparison.js';
import type { ProgramBuilder } from './program-builder.js';
import type { SubplanCompiler } from './subplan-face.js';

const TRUE_CODE = literal(true);

export class ExpressionCompiler {
  readonly emitter: Emitter;
  readonly run: Local;
  readonly row: Row;
  /** The code is a step's, which may wait: routines of users are run by its driver. */
  private readonly waits: boolean;
  private readonly builder: ProgramBuilder;
  private readonly subplans: SubplanCompiler;

  constructor(
    builder: ProgramBuilder,
    emitter: Emitter,
    run: Local,
    row: Row,
    subplans: SubplanCompiler,
    waits: boolean,
  ) {
    this.waits = waits;
    this.builder = builder;
    this.emitter = emitter;
    this.run = run;
    this.row = row;
    this.subplans = subplans;
  }

  private evaluation(): Code {
    return this.emitter.hoist('evaluation', property(this.run, 'evaluation'));
  }

  /** The value of a column: of the current row, or of an enclosing query's. */
  column(column: ColumnId): Operand {
    const source = this.row.get(column);
    if (source !== undefined) return source.get(this.emitter);
    const index = this.outerIndex(column);
    const outer = this.emitter.hoist('outer', property(this.run, 'outer'));
    const local = this.emitter.hoist(`outer${index}`, element(outer, literal(index)));
    return { code: local, nullable: true };
  }

  private outerIndex(column: ColumnId): number {
    const index = this.builder.outerColumns.indexOf(column);
    if (index < 0) throw new PhantomError('XX000', `column ${column} is out of reach of the plan that uses it`);
    return index;
  }

  value(expression: Expression): Operand {
    switch (expression.kind) {
      case 'constant':
        if (expression.value === null) return { code: NULL, nullable: true };
        return { code: this.emitter.constant(expression.value), nullable: false };
      case 'parameter': {
        const parameters = this.emitter.hoist('parameters', property(this.run, 'parameters'));
        const { index } = expression;
        const code = this.emitter.hoist(`parameter${index}`, element(parameters, literal(index - 1)));
        return { code, nullable: true };
      }
      case 'column':
        return this.column(expression.column);
      case 'call':
        return this.callValue(expression);
      case 'cast':
        return this.castValue(expression);
      case 'typmod':
        return this.typmodValue(expression);
      case 'logical':
        return this.logicalValue(expression);
      case 'not': {
        const operand = this.value(expression.operand);
        const negated = not(operand.code);
        return this.keep(operand.nullable ? this.guard([operand], negated) : negated, operand.nullable);
      }
      case 'null-test':
      case 'boolean-test':
      case 'distinct-test':
        return this.keep(this.test(expression, true), false);
      case 'case':
        return this.caseValue(expression);
      case 'let': {
        const value = this.value(expression.value);
        const row = Row.of(this.row);
        row.set(expression.column, new ColumnSource(value.nullable, () => value.code));
        const inner = new ExpressionCompiler(this.builder, this.emitter, this.run, row, this.subplans, this.waits);
        return inner.value(expression.body);
      }
      case 'coalesce':
        return this.coalesceValue(expression.operands);
      case 'extreme':
        return this.extremeValue(expression);
      case 'array': {
        const known = constantArray(expression);
        if (known !== undefined) return this.keep(this.emitter.constant(known), false);
        const items = this.list(expression.elements);
        const make = this.emitter.constant(expression.nested ? nestArrays : makeArray);
        return this.keep(call(make, items, literal(expression.elementOid)), false);
      }
      case 'row': {
        const fields = this.list(expression.fields);
        const make = recordMaker(expression);
        return this.keep(call(this.emitter.constant(make), fields), false);
      }
      case 'field': {
        const operand = this.value(expression.operand);
        const { field } = expression;
        const read = (record: SqlRecord): Value => record.fields[field] ?? null;
        return this.keep(this.guard([operand], call(this.emitter.constant(read), operand.code)), true);
      }
      case 'subscript':
        return this.subscriptValue(expression);
      case 'array-quantified':
        return this.quantifiedValue(expression);
      case 'row-comparison': {
        const left = this.list(expression.left);
        const right = this.list(expression.right);
        const compare = compareRowValues(expression);
        return this.keep(call(this.emitter.constant(compare), left, right, this.evaluation()), true);
      }
      case 'subquery':
        return this.subplans.value(this, expression);
      case 'raise': {
        const { error } = expression;
        const raise = (): never => {
          throw error;
        };
        return this.keep(call(this.emitter.constant(raise)), true);
      }
      default:
        return unreachable(expression);
    }
  }

  /** The value in a local of its own (or as an atom), so that it is computed once. */
  private keep(code: Code, nullable: boolean): Operand {
    return { code: this.emitter.atom(code), nullable };
  }

  /** Values as one array. */
  private list(expressions: readonly Expression[]): Code {
    return { kind: 'array', items: expressions.map((expression) => this.value(expression).code) };
  }

  /** null if any of the operands is, else the code. */
  private guard(operands: readonly Operand[], code: Code): Code {
    const tests = operands.filter((operand) => operand.nullable).map((operand) => isNull(operand.code));
    if (tests.length === 0) return code;
    return conditional(tests.reduce(or), NULL, code);
  }

  private noneNull(operands: readonly Operand[]): Code {
    return operands
      .filter((operand) => operand.nullable)
      .map((operand) => isNotNull(operand.code))
      .reduce(and, TRUE_CODE);
  }

  // ------------------------------------------------------------------------------------------------------ calls

  private callArguments(expression: Call): Operand[] {
    const operands = expression.arguments.map((argument) => this.value(argument));
    const { variadicFrom, variadicElement } = expression;
    if (variadicFrom === undefined || variadicElement === undefined) return operands;
    const items: Code = { kind: 'array', items: operands.slice(variadicFrom).map((operand) => operand.code) };
    const array = this.emitter.let(call(this.emitter.constant(makeArray), items, literal(variadicElement)));
    return [...operands.slice(0, variadicFrom), { code: array, nullable: false }];
  }

  /** The call itself, over arguments that are not null where the function is strict. */
  private callCode(expression: Call, operands: readonly Operand[]): Code {
    const definition = expression.function;
    const atoms = operands.map((operand) => operand.code);
    const [left, right] = atoms;
    if (left !== undefined && right !== undefined) {
      const operator = comparisonOperator(expression);
      if (operator !== undefined) return binary(operator, left, right);
    }
    const target = this.emitter.constant(definition.call);
    if (definition.inline !== undefined && definition.needsContext !== true && definition.needsTypes !== true) {
      return { kind: 'inline', target, write: definition.inline, arguments: atoms };
    }
    return { kind: 'call', target, arguments: this.wholeArguments(expression, atoms) };
  }

  /** The arguments with what the function asks for behind them. */
  private wholeArguments({ function: definition, ...expression }: Call, atoms: readonly Code[]): readonly Code[] {
    const args = [...atoms];
    if (definition.needsContext === true) args.push(this.evaluation());
    if (definition.needsTypes === true) {
      const types = {
        arguments: expression.arguments.map((argument) => argument.type),
        result: expression.type,
        columns: expression.recordColumns,
      };
      args.push(this.emitter.constant(types));
    }
    return args;
  }

  /** The call of what may wait, run by the step's driver; undefined where there is nothing to wait for, or nobody who could. */
  private waitingCall(expression: Call, operands: readonly Operand[]): Operand | undefined {
    const { execute, strict } = expression.function;
    if (execute === undefined || !this.waits) return undefined;
    const { emitter } = this;
    const atoms = operands.map((operand) => operand.code);
    const run = call(emitter.constant(execute), ...this.wholeArguments(expression, atoms));
    if (!strict || operands.every((operand) => !operand.nullable))
      return { code: emitter.delegate(run), nullable: true };
    const result = emitter.let(NULL);
    emitter.if(this.noneNull(operands), () => emitter.assign(result, emitter.delegate(run)));
    return { code: result, nullable: true };
  }

  /** A call that another thread makes where its values are long; undefined for one that is over soon, or must not wait. */
  private longCall(expression: Call, operands: readonly Operand[]): Operand | undefined {
    const long = this.waits ? longCallOf(expression) : undefined;
    if (long === undefined) return undefined;
    const { emitter } = this;
    const atoms = operands.map((operand) => operand.code);
    const result = emitter.let(NULL);
    const make = (): void => {
      emitter.if(
        hasLong(emitter, expression.arguments, atoms),
        () => {
          const args: Code = { kind: 'array', items: atoms };
          const made = method(this.evaluation(), 'callElsewhere', emitter.constant(long), args);
          emitter.assign(result, emitter.delegate(made));
        },
        () => emitter.assign(result, this.callCode(expression, operands)),
      );
    };
    if (expression.function.strict) emitter.if(this.noneNull(operands), make);
    else make();
    return { code: result, nullable: true };
  }

  private callValue(expression: Call): Operand {
    const operands = this.callArguments(expression);
    const waiting = this.waitingCall(expression, operands) ?? this.longCall(expression, operands);
    if (waiting !== undefined) return waiting;
    const nullable = !(comparisonOperator(expression) !== undefined) || operands.some((operand) => operand.nullable);
    if (!expression.function.strict) return this.keep(this.callCode(expression, operands), true);
    const [left, right] = operands;
    if (operands.length === 2 && left !== undefined && right !== undefined) {
      const guarded = this.arithmeticValue(expression, left, right);
      if (guarded !== undefined) return guarded;
    }
    return this.keep(this.guard(operands, this.callCode(expression, operands)), nullable);
  }

  private arithmeticValue(expression: Call, left: Operand, right: Operand): Operand | undefined {
    if (!left.nullable && !right.nullable) {
      const code = arithmetic(this.emitter, expression, left.code, right.code);
      return code === undefined ? undefined : this.keep(code, false);
    }
    let code: Code | undefined;
    const result = this.emitter.newLocal();
    const statements = this.emitter.inBlock(() => {
      code = arithmetic(this.emitter, expression, left.code, right.code);
      if (code !== undefined) this.emitter.assign(result, code);
    });
    if (code === undefined) return undefined;
    this.emitter.add({ kind: 'let', local: result, value: NULL });
    this.emitter.add({ kind: 'if', test: this.noneNull([left, right]), then: statements, otherwise: [] });
    return { code: result, nullable: true };
  }

  private castValue(expression: Expression & { kind: 'cast' }): Operand {
    const operand = this.value(expression.operand);
    const convert = expression.definition.call;
    if (convert === undefined || isWidening(expression.operand.type.oid, expression.type.oid)) return operand;
    const target = this.emitter.constant(convert);
    const converted = call(
      target,
      operand.code,
      literal(expression.type.typmod),
      literal(expression.explicit),
      this.evaluation(),
    );
    return this.keep(this.guard([operand], converted), true);
  }

  private typmodValue(expression: Expression & { kind: 'typmod' }): Operand {
    const operand = this.value(expression.operand);
    const type = this.builder.context.types.byOid(expression.type.oid);
    if (type?.coerceTypmod === undefined) return operand;
    const { typmod } = expression.type;
    const { explicit } = expression;
    const coerce = (value: Value): Value => type.coerceTypmod?.(value, typmod, explicit);
    return this.keep(this.guard([operand], call(this.emitter.constant(coerce), operand.code)), operand.nullable);
  }

  // ------------------------------------------------------------------------------------------------ logic and choice

  private logicalValue(expression: Expression & { kind: 'logical' }): Operand {
    const isAnd = expression.operator === 'and';
    const deciding = literal(!isAnd);
    const result = this.emitter.let(literal(isAnd));
    this.logicalStep(expression.operands, 0, result, deciding);
    return { code: result, nullable: true };
  }

  /** Operand by operand, left to right: the deciding value ends it, a null is remembered. */
  private logicalStep(operands: readonly Expression[], index: number, result: Local, deciding: Code): void {
    const operand = operands[index];
    if (operand === undefined) return;
    const value = this.value(operand);
    this.emitter.if(
      binary('===', value.code, deciding),
      () => this.emitter.assign(result, deciding),
      () => {
        if (value.nullable) this.emitter.if(isNull(value.code), () => this.emitter.assign(result, NULL));
        this.logicalStep(operands, index + 1, result, deciding);
      },
    );
  }

  private caseValue(expression: Expression & { kind: 'case' }): Operand {
    const result = this.emitter.let(NULL);
    let nullable = false;
    const assign = (branch: Expression): void => {
      const value = this.value(branch);
      nullable ||= value.nullable;
      this.emitter.assign(result, value.code);
    };
    const step = (index: number): void => {
      const branch = expression.branches[index];
      if (branch === undefined) {
        assign(expression.otherwise);
        return;
      }
      this.emitter.if(
        this.test(branch.when, true),
        () => assign(branch.then),
        () => step(index + 1),
      );
    };
    step(0);
    return { code: result, nullable };
  }

  private coalesceValue(operands: readonly Expression[]): Operand {
    const result = this.emitter.let(NULL);
    let nullable = true;
    const step = (index: number): void => {
      const operand = operands[index];
      if (operand === undefined) return;
      const value = this.value(operand);
      this.emitter.assign(result, value.code);
      if (!value.nullable) {
        nullable = false;
        return;
      }
      if (index < operands.length - 1) this.emitter.if(isNull(result), () => step(index + 1));
    };
    step(0);
    return { code: result, nullable };
  }

  private extremeValue(expression: Expression & { kind: 'extreme' }): Operand {
    const compare = valueComparison(this.builder, expression.type);
    const sign = expression.which === 'greatest' ? 1 : -1;
    const choose = (values: readonly Value[]): Value => {
      let best: Value = null;
      for (const value of values) {
        if (value === null) continue;
        if (best === null || (compare !== undefined && sign * compare(value, best) > 0)) best = value;
      }
      return best;
    };
    return this.keep(call(this.emitter.constant(choose), this.list(expression.operands)), true);
  }

  private subscriptValue(expression: Expression & { kind: 'subscript' }): Operand {
    const operand = this.value(expression.operand);
    const bound = (part: Expression | undefined): Code =>
      part === undefined ? literal(undefined) : this.value(part).code;
    const parts: Code[] = [];
    for (const subscript of expression.subscripts) {
      if (expression.slice) parts.push(bound(subscript.lower ?? undefined), bound(subscript.upper ?? subscript.index));
      else parts.push(bound(subscript.index));
    }
    const read = this.emitter.constant(expression.slice ? sliceOf : elementAt);
    return this.keep(this.guard([operand], call(read, operand.code, { kind: 'array', items: parts })), true);
  }

  private quantifiedValue(expression: Expression & { kind: 'array-quantified' }): Operand {
    const left = this.value(expression.left);
    const { quantifier } = expression;
    const listed = expression.array;
    const members = memberTest(expression, this.builder.context.types);
    if (members !== undefined) {
      const isMember = this.emitter.hoistAnew(call(this.emitter.constant(members), this.run));
      return this.keep(call(isMember, left.code), true);
    }
    if (listed.kind === 'array' && listed.elements.every((e) => e.kind === 'constant') && expression.role === '=') {
      const set = this.constantSet(expression.left, listed.elements);
      if (set !== undefined && quantifier === 'any') {
        return this.keep(this.guard([left], call(this.emitter.constant(set), left.code)), true);
      }
    }
    const array = this.value(listed);
    const quantify = quantifyArray(expression, this.builder.context.types.byOid(listed.type.oid)?.elementOid ?? 0);
    const tested = call(this.emitter.constant(quantify), left.code, array.code, this.evaluation());
    return this.keep(this.guard([array], tested), true);
  }

  /** Membership in a list of constants by hash. */
  private constantSet(
    left: Expression,
    elements: readonly Expression[],
  ): ((value: Value) => boolean | null) | undefined {
    const type = this.builder.context.types.byOid(left.type.oid);
    const elementType = elements[0]?.type.oid;
    const hashKey = type?.hashKey;
    if (hashKey === undefined || elementType !== left.type.oid || left.type.collation !== undefined) return undefined;
    const keys = new Set<unknown>();
    let hasNull = false;
    for (const item of elements) {
      const value = item.kind === 'constant' ? item.value : null;
      if (value === null) hasNull = true;
      else keys.add(hashKey(value));
    }
    const miss = hasNull ? null : false;
    return (value) => (keys.has(hashKey(value)) ? true : miss);
  }

  // ------------------------------------------------------------------------------------------------------- tests

  /** Code that is true when the expression IS TRUE (`wanted` true) or IS FALSE. */
  test(expression: Expression, wanted: boolean): Code {
    const onBytes = textTest(this.emitter, this.row, expression, wanted);
    if (onBytes !== undefined) return onBytes;
    const onNumbers = scaledTest(this.emitter, this.row, expression, wanted, () => this.usualTest(expression, wanted));
    return onNumbers ?? this.usualTest(expression, wanted);
  }

  private usualTest(expression: Expression, wanted: boolean): Code {
    switch (expression.kind) {
      case 'constant':
        return literal(expression.value === wanted);
      case 'not':
        return this.test(expression.operand, !wanted);
      case 'logical': {
        // TRUE of an AND and FALSE of an OR need all; the other two need one.
        const all = (expression.operator === 'and') === wanted;
        return this.testAll(expression.operands, wanted, all);
      }
      case 'null-test': {
        if (expression.row) return this.rowNullTest(expression, wanted);
        const operand = this.value(expression.operand);
        if (!operand.nullable) return literal(expression.negated === wanted);
        return expression.negated === wanted ? isNotNull(operand.code) : isNull(operand.code);
      }
      case 'boolean-test': {
        const positive = expression.negated !== wanted;
        if (expression.value === null) {
          const operand = this.value(expression.operand);
          return positive ? isNull(operand.code) : isNotNull(operand.code);
        }
        const holds = this.test(expression.operand, expression.value);
        return positive ? holds : not(holds);
      }
      case 'distinct-test':
        return this.distinctTest(expression, wanted);
      case 'call':
        return this.callTest(expression, wanted);
      default: {
        const value = this.value(expression);
        return binary('===', value.code, literal(wanted));
      }
    }
  }

  private testAll(operands: readonly Expression[], wanted: boolean, all: boolean): Code {
    let result: Code | undefined;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i] as Expression;
      if (result === undefined) {
        result = this.test(operand, wanted);
        continue;
      }
      let right: Code = TRUE_CODE;
      const statements = this.emitter.inBlock(() => {
        right = this.test(operand, wanted);
      });
      if (statements.length === 0) {
        result = all ? and(result, right) : or(result, right);
        continue;
      }
      // The right side needs statements: they run only when the left side has not decided.
      const outcome = this.emitter.let(result);
      const then = [...statements, { kind: 'assign', local: outcome, value: right } as const];
      this.emitter.add({ kind: 'if', test: all ? outcome : not(outcome), then, otherwise: [] });
      result = outcome;
    }
    return result ?? literal(all);
  }

  private callTest(expression: Call, wanted: boolean): Code {
    const { strict, execute, takesLong } = expression.function;
    if (!strict || execute !== undefined || takesLong === true || expression.type.oid !== TypeOid.bool) {
      return binary('===', this.value(expression).code, literal(wanted));
    }
    const operands = this.callArguments(expression);
    const operator = comparisonOperator(expression);
    const code = this.callCode(expression, operands);
    const guard = this.noneNull(operands);
    if (operator !== undefined) return and(guard, wanted ? code : not(code));
    return and(guard, binary('===', code, literal(wanted)));
  }

  private distinctTest(expression: Expression & { kind: 'distinct-test' }, wanted: boolean): Code {
    const left = this.value(expression.left);
    const right = this.value(expression.right);
    const equality = expression.equality as { call: (...args: never[]) => Value; needsContext?: boolean };
    const args = [left.code, right.code];
    if (equality.needsContext === true) args.push(this.evaluation());
    const equal: Code = { kind: 'call', target: this.emitter.constant(equality.call), arguments: args };
    const same = conditional(
      or(isNull(left.code), isNull(right.code)),
      binary('===', left.code, right.code),
      binary('===', equal, TRUE_CODE),
    );
    // IS DISTINCT FROM is the negation of "the same".
    return expression.negated === wanted ? same : not(same);
  }

  private rowNullTest(expression: Expression & { kind: 'null-test' }, wanted: boolean): Code {
    const operand = this.value(expression.operand);
    const { negated } = expression;
    const tested = (record: Value): boolean => {
      if (record === null) return !negated;
      const fields = (record as SqlRecord).fields as readonly Value[];
      return fields.every((field) => (field === null) !== negated);
    };
    return binary('===', call(this.emitter.constant(tested), operand.code), literal(wanted));
  }
}
