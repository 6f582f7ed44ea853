/** Assignment: values and rows into variables, and into fields of records. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { SqlRecord } from '@phantom/codec';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import { type Compilation, shapeOf } from './compilation.js';
import { checkAssignedCount } from './extra-checks.js';
import { withoutField } from './fragments.js';
import type { TargetNode } from './syntax.js';
import type { Frame, RecordColumn, Variable } from './variables.js';

export class Target {
  readonly variable: Variable;
  readonly field: string | undefined;
  private readonly compilation: Compilation;

  constructor(compilation: Compilation, variable: Variable, field?: string) {
    this.compilation = compilation;
    this.variable = variable;
    this.field = field;
  }

  /** It takes a row as a whole. */
  get isRow(): boolean {
    return this.field === undefined && this.variable.isRow;
  }

  assign(frame: Frame, value: Value, type: TypeRef): void {
    const { variable, field, compilation } = this;
    if (field !== undefined) this.assignField(frame, field, value, type);
    else if (variable.isRow) this.hold(frame, this.row(value));
    else {
      const converted = compilation.convert(value, type, variable.type);
      if (converted === null) this.checkNull();
      frame.values[variable.slot] = converted;
    }
  }

  /** A row of a query, column by column. */
  assignRow(frame: Frame, values: readonly Value[] | undefined, columns: readonly RecordColumn[]): void {
    const { variable, compilation } = this;
    const given = values ?? columns.map(() => null);
    const [only] = columns;
    if (only !== undefined && columns.length === 1 && isSameRow(variable, given[0], only.type)) {
      this.assign(frame, given[0], only.type);
      return;
    }
    if (variable.columns !== undefined) checkAssignedCount(compilation.host, columns.length, variable.columns.length);
    const row =
      variable.columns === undefined
        ? new SqlRecord(TypeOid.record, given, shapeOf(columns))
        : compilation.record(
            variable.rowTypeOid,
            variable.columns,
            given,
            columns.map(({ type }) => type),
          );
    this.hold(frame, row);
  }

  /** Takes a row, once the domain does that the variable may be of. */
  private hold(frame: Frame, row: SqlRecord | null): void {
    const { variable, compilation } = this;
    const { type, rowTypeOid, slot } = variable;
    frame.values[slot] = type.oid === rowTypeOid ? row : compilation.convert(row, typeRef(rowTypeOid), type);
  }

  private row(value: Value): SqlRecord | null {
    const { variable, compilation } = this;
    if (value === null) {
      this.checkNull();
      return null;
    }
    if (!(value instanceof SqlRecord))
      throw new PhantomError('42804', 'cannot assign non-composite value to a record variable');
    const { columns, rowTypeOid } = variable;
    if (columns === undefined || value.typeOid === rowTypeOid) return value;
    return compilation.record(
      rowTypeOid,
      columns,
      value.fields,
      value.shape.types.map((oid, i) => typeRef(oid, value.shape.typmods[i])),
    );
  }

  private assignField(frame: Frame, field: string, value: Value, type: TypeRef): void {
    const { variable, compilation } = this;
    let record = frame.values[variable.slot] as SqlRecord | null;
    if (record === null && variable.columns !== undefined)
      record = compilation.record(variable.rowTypeOid, variable.columns, [], []);
    const place = record?.shape.names.indexOf(field) ?? -1;
    if (record === null || place < 0) throw withoutField(variable, record, field);
    const wanted = typeRef(record.shape.types[place] as number, record.shape.typmods[place]);
    const converted = compilation.convert(value, type, wanted);
    const fields = record.fields.map((old, i) => (i === place ? converted : old));
    this.hold(frame, new SqlRecord(record.typeOid, fields, record.shape));
  }

  private checkNull(): void {
    const { name, notNull } = this.variable;
    if (!notNull) return;
    throw new PhantomError('22004', `null value cannot be assigned to variable "${name}" declared NOT NULL`);
  }
}

/** True where the one column of a row is the row that the variable holds. */
function isSameRow({ type, rowTypeOid, columns }: Variable, value: Value, given: TypeRef): boolean {
  if (columns !== undefined)
    return (
      given.oid === type.oid || given.oid === rowTypeOid || (given.oid === TypeOid.record && value instanceof SqlRecord)
    );
  return value instanceof SqlRecord;
}

/** The variable or field of a path; 42601 and kin where there is none, and for constants. */
export function targetOf(compilation: Compilation, { path, at }: TargetNode): Target {
  const { variable, rest } = compilation.variable(path, at);
  checkConstant(compilation, variable, at);
  if (rest.length === 0) return new Target(compilation, variable);
  const [field] = rest;
  if (!variable.isRow || rest.length > 1)
    throw compilation.error('42601', `"${path.join('.')}" is not a known variable`, at);
  // Which fields there are is seen when one is assigned: a trigger's function serves tables with different columns.
  return new Target(compilation, variable, field);
}

export function checkConstant(compilation: Compilation, { name, constant }: Variable, at: number): void {
  if (constant) throw compilation.error('22005', `variable "${name}" is declared CONSTANT`, at);
}

/** Where the rows of a query go: one record, or variables one by one. */
export class RowTargets {
  private readonly targets: readonly Target[];
  private readonly host: Compilation['host'];

  constructor(compilation: Compilation, nodes: readonly TargetNode[]) {
    this.host = compilation.host;
    this.targets = nodes.map((node) => targetOf(compilation, node));
    const row = nodes.findIndex((_, i) => nodes.length > 1 && (this.targets[i] as Target).isRow);
    if (row < 0) return;
    const node = nodes[row] as TargetNode;
    throw compilation.error('42601', `record variable cannot be part of multiple-item INTO list`, node.at);
  }

  /** A row, or none: nulls then. */
  assign(frame: Frame, values: readonly Value[] | undefined, columns: readonly RecordColumn[]): void {
    const { targets } = this;
    const [first] = targets;
    if (first?.isRow === true) {
      first.assignRow(frame, values, columns);
      return;
    }
    checkAssignedCount(this.host, columns.length, targets.length);
    for (let i = 0; i < targets.length; i++) {
      const type = columns[i]?.type;
      const target = targets[i] as Target;
      const isGiven = values !== undefined && type !== undefined;
      target.assign(frame, isGiven ? values[i] : null, type ?? target.variable.type);
    }
  }
}
