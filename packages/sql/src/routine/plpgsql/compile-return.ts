/** RETURN, RETURN NEXT and RETURN QUERY, and what a body gives when it has ended. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { SqlRecord } from '@phantom/codec';
import type { RowBatch, RowSink } from '../../exec/runtime.js';
import { resultParameters } from '../routine-function.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { WantedResult } from '../../plan/routine-binding.js';
import { type Compilation, INLINE_BLOCK, shapeOf } from './compilation.js';
import { querySource } from './compile-queries.js';
import { notAssigned } from './fragments.js';
import { Completion, type Step, action, plain, waiting, waitingAction } from './steps.js';
import type { ExpressionFragment, ReturnNextNode, ReturnNode, ReturnQueryNode } from './syntax.js';
import type { Frame, RecordColumn, Variable } from './variables.js';

/** Parameters that go out: the result is theirs. */
export function outputVariables({ signature, parameters }: Compilation): readonly Variable[] {
  return parameters.filter((_, i) => {
    const mode = signature.routine.parameters[i]?.mode;
    return mode === 'out' || mode === 'inout' || mode === 'table';
  });
}

export function compileReturn(compilation: Compilation, node: ReturnNode): Step {
  const { value, at } = node;
  const { routine, wanted } = compilation.signature;
  if (value === undefined) {
    const needsValue =
      !routine.returnsSet &&
      wanted !== undefined &&
      routine.routine === 'function' &&
      outputVariables(compilation).length === 0;
    if (needsValue) throw compilation.error('42601', 'missing expression at or near ";"', at + 'return'.length);
    return plain(() => Completion.Return);
  }
  const refuse = (where: string, hint?: string, code = '42804'): never => {
    const error = compilation.error(code, `RETURN cannot have a parameter in ${where}`, value.at);
    throw hint === undefined ? error : error.with({ hint });
  };
  if (routine.returnsSet) refuse('function returning set', 'Use RETURN NEXT or RETURN QUERY.');
  if (routine.routine === 'procedure' && routine.name !== INLINE_BLOCK) refuse('a procedure', undefined, '42601');
  if (outputVariables(compilation).length > 0) refuse('function with OUT parameters');
  if (wanted === undefined) refuse('function returning void');
  const code = compilation.expression(value);
  const finish = (frame: Frame, result: Value): Completion => {
    frame.result = fitted(compilation, result, code.type, wanted as WantedResult);
    return Completion.Return;
  };
  if (code.isPlain) return plain((frame) => finish(frame, code.value(frame)));
  return waiting(function* (frame) {
    return finish(frame, yield* code.compute(frame));
  });
}

/** A value as what the function returns. */
function fitted(compilation: Compilation, value: Value, type: TypeRef, { type: wanted, columns }: WantedResult): Value {
  const isRow = columns !== undefined || wanted.oid === TypeOid.record;
  if (!isRow) return compilation.convert(value, type, wanted);
  if (value === null) return null;
  if (!(value instanceof SqlRecord))
    throw new PhantomError('42804', 'cannot return non-composite value from function returning composite type');
  if (columns === undefined) return value;
  return matchingRecord(compilation, value, wanted, columns);
}

/** A row whose columns must be of the very types wanted. */
function matchingRecord(
  compilation: Compilation,
  { fields, shape }: SqlRecord,
  wanted: TypeRef,
  columns: readonly RecordColumn[],
): SqlRecord {
  const given = shape.types.map((oid, i) => ({ name: shape.names[i] as string, type: typeRef(oid) }));
  checkColumns(compilation, given, columns, 'returned record type does not match expected record type');
  return new SqlRecord(wanted.oid, fields, shapeOf(columns));
}

export function compileReturnNext(compilation: Compilation, { value, at }: ReturnNextNode): Step {
  const { routine, wanted } = compilation.signature;
  if (!routine.returnsSet) throw compilation.error('42804', 'cannot use RETURN NEXT in a non-SETOF function', at);
  const outputs = outputVariables(compilation);
  if (outputs.length > 0) {
    if (value !== undefined)
      throw compilation.error('42804', 'RETURN NEXT cannot have a parameter in function with OUT parameters', value.at);
    return action((frame) => void compilation.addRow(frame, outputValue(compilation, outputs, frame)));
  }
  if (value === undefined) throw compilation.error('42601', 'missing expression at or near ";"', at);
  const code = compilation.expression(value);
  const record = bareRecord(compilation, value);
  return waitingAction(function* (frame) {
    if (record !== undefined && frame.values[record.slot] === null) throw notAssigned(record);
    const next = yield* code.compute(frame);
    const row = next === null && isRowResult(wanted as WantedResult) ? nullRow(wanted as WantedResult) : next;
    compilation.addRow(frame, fitted(compilation, row, code.type, wanted as WantedResult));
  });
}

/** The variable of type `record` that the expression is; undefined where it is anything else, `(r)` too, as in PostgreSQL. */
function bareRecord(compilation: Compilation, { expression, paths, text }: ExpressionFragment): Variable | undefined {
  const [path] = paths;
  if (expression?.kind !== 'column' || path === undefined || text.startsWith('(')) return undefined;
  const found = compilation.names.find(path);
  if (found === undefined || found.used !== path.length) return undefined;
  return found.variable.isRow && found.variable.columns === undefined ? found.variable : undefined;
}

function isRowResult({ columns, type }: WantedResult): boolean {
  return columns !== undefined || type.oid === TypeOid.record;
}

function nullRow({ columns, type }: WantedResult): Value {
  if (columns === undefined) return null;
  return new SqlRecord(
    type.oid,
    columns.map(() => null),
    shapeOf(columns),
  );
}

export function compileReturnQuery(compilation: Compilation, node: ReturnQueryNode): Step {
  const { routine, wanted } = compilation.signature;
  if (!routine.returnsSet) throw compilation.error('42804', 'cannot use RETURN QUERY in a non-SETOF function', node.at);
  const source = querySource(compilation, node.query);
  return waitingAction(function* (frame) {
    const query = yield* source(frame);
    const sink = new ResultSink(compilation, frame, query.fields, wanted as WantedResult);
    const count = yield* query.run(sink);
    frame.rowCount = count;
    frame.values[compilation.found.slot] = count > 0;
  });
}

/** Rows of a query as rows of the result, whose types they must have. */
class ResultSink implements RowSink {
  readonly batchRowsMax = 1024;
  private readonly compilation: Compilation;
  private readonly frame: Frame;
  private readonly toValue: (values: readonly Value[]) => Value;

  constructor(compilation: Compilation, frame: Frame, fields: readonly RecordColumn[], wanted: WantedResult) {
    this.compilation = compilation;
    this.frame = frame;
    const message = 'structure of query does not match function result type';
    const { columns, type } = wanted;
    const isRow = isRowResult(wanted);
    const expected = isRow ? (columns ?? fields) : [{ name: '', type }];
    checkColumns(compilation, fields, expected, message);
    const shape = shapeOf(expected);
    this.toValue = isRow ? (values) => new SqlRecord(type.oid, values, shape) : (values) => values[0];
  }

  rows({ columns, count }: RowBatch): boolean {
    for (let r = 0; r < count; r++)
      this.compilation.addRow(this.frame, this.toValue(columns.map((column) => column[r])));
    return false;
  }
}

/** 42804 with `message` where columns are not of the types wanted. */
export function checkColumns(
  compilation: Compilation,
  given: readonly RecordColumn[],
  wanted: readonly RecordColumn[],
  message: string,
): void {
  if (given.length !== wanted.length) {
    const detail = `Number of returned columns (${given.length}) does not match expected column count (${wanted.length}).`;
    throw new PhantomError('42804', message, { detail });
  }
  const different = wanted.findIndex(({ type }, i) => type.oid !== given[i]?.type.oid);
  if (different < 0) return;
  const [is, should] = [given[different], wanted[different]].map((column) => compilation.typeName(column?.type));
  throw new PhantomError('42804', message, {
    detail: `Returned type ${is ?? ''} does not match expected type ${should ?? ''} in column ${different + 1}.`,
  });
}

/** The result that parameters make: one value, or a row of them. */
export function outputValue(compilation: Compilation, outputs: readonly Variable[], frame: Frame): Value {
  const { routine, wanted } = compilation.signature;
  const [only] = outputs;
  const isRow = outputs.length > 1 || routine.routine === 'procedure';
  if (!isRow && only !== undefined) return frame.values[only.slot];
  const columns = wanted?.columns ?? resultParameters(routine);
  return new SqlRecord(
    wanted?.type.oid ?? TypeOid.record,
    outputs.map(({ slot }) => frame.values[slot]),
    shapeOf(columns),
  );
}
