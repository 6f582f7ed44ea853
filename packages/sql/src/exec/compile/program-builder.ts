/** A program in the making: state slots, tasks, constants, and the columns of enclosing queries that it uses. */
import type { Oid } from '@phantom/catalog';
import type { ColumnId } from '../../expr/expression.js';
import type { TypeLookup } from '../../types/type.js';
import { type ConstantTable, Emitter } from '../code/emitter.js';
import { element, literal, property, type Code, type FunctionCode, type Local } from '../code/ir.js';
import { CompiledFunction, type Program, type Task, type TaskMeasure } from '../program.js';
import type { Run } from '../run.js';

/** What compiling a whole statement shares. */
export interface CompileContext {
  readonly types: TypeLookup;
  readonly constants: ConstantTable;
  /** Tables that several parts of the statement update or delete from: each row only once. */
  readonly sharedTargets?: ReadonlySet<Oid>;
  /** Columns that can never be null, as the catalog says. */
  isNotNull(column: ColumnId): boolean;
}

export class ProgramBuilder implements Program {
  readonly context: CompileContext;
  readonly slots: ((run: Run) => unknown)[] = [];
  readonly tasks: Task[] = [];
  /** Columns of enclosing queries, by position in Run.outer. */
  readonly outerColumns: ColumnId[];
  measure: TaskMeasure | undefined = undefined;
  /** References to rows that nobody needs once the scan goes on. */
  readonly lentReferences = new Set<ColumnId>();

  constructor(context: CompileContext, outerColumns: readonly ColumnId[]) {
    this.context = context;
    this.outerColumns = [...outerColumns];
  }

  /** A state slot, filled anew by `make` at the start of each run. */
  addSlot(make: (run: Run) => unknown): number {
    this.slots.push(make);
    return this.slots.length - 1;
  }

  addTask(task: Task): void {
    this.tasks.push(task);
  }

  emitter(): Emitter {
    return new Emitter(this.context.constants);
  }

  compiled(code: FunctionCode): CompiledFunction {
    return new CompiledFunction(code, this.context.constants.values);
  }
}

/** The state object of a slot, read once at the head of the function. */
export function stateOf(emitter: Emitter, run: Local, slot: number): Code {
  return emitter.hoist(`state${slot}`, element(property(run, 'state'), literal(slot)));
}
