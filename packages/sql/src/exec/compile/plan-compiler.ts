/** Physical plan to program: the dispatcher. Operators are written by the files beside this one. */
import { unreachable } from '@phantom/base';
import type { PhysicalNode } from '../../plan/physical/physical.js';
import type { PhysicalPlanner } from '../../plan/physical/planner.js';
import { isAimed } from '../../plan/physical/subquery-runs.js';
import { binary, literal, ONE, property, type Code } from '../code/ir.js';
import type { PlanMeasure, ProgramMeasure } from '../plan-measure.js';
import type { SegmentCount } from '../runtime.js';
import { produceAggregate } from './aggregate.js';
import { produceSortedAggregate } from './sorted-aggregate.js';
import { produceAimedScan } from './aimed-scan.js';
import { produceAppend, produceSetOperation } from './append.js';
import { produceColumnScan } from './column-scan.js';
import { produceCteScan, produceWith } from './common-tables.js';
import { produceDistinct } from './distinct.js';
import { filterBy } from './filter.js';
import { produceFunctionScan, produceProjectSet, produceVirtualScan } from './function-scans.js';
import { produceGather } from './gather.js';
import { produceHashJoin } from './hash-join.js';
import { produceLimit } from './limit.js';
import { produceLockRows } from './lock-rows.js';
import { produceModification } from './modification.js';
import { produceNestedLoop } from './nested-loop.js';
import type { ProgramBuilder } from './program-builder.js';
import { project } from './project.js';
import { produceSort } from './sort.js';
import type { Consume, PlanCompiler, StepContext } from './step.js';
import type { SubplanCompiler } from './subplan-face.js';
import { Subplans } from './subplans.js';
import { produceTableScan } from './table-scan.js';
import { produceValues } from './values.js';
import { produceWindow } from './window.js';

export class PlanToProgram implements PlanCompiler {
  readonly builder: ProgramBuilder;
  readonly planner: PhysicalPlanner;
  readonly subplans: SubplanCompiler;

  private readonly counted: PhysicalNode | undefined;
  readonly measure: PlanMeasure | undefined;
  /** Set with `measure`. */
  private readonly program: ProgramMeasure | undefined;
  /** The program runs many times in a statement. */
  private readonly isRepeated: boolean;

  constructor(
    builder: ProgramBuilder,
    planner: PhysicalPlanner,
    counted: PhysicalNode | undefined,
    measure?: PlanMeasure,
    program = measure?.program,
    isRepeated = false,
  ) {
    this.builder = builder;
    this.planner = planner;
    this.counted = counted;
    this.measure = measure;
    this.program = program;
    builder.measure = program;
    this.isRepeated = isRepeated;
    this.subplans = new Subplans(this);
  }

  produceIn(program: ProgramBuilder, node: PhysicalNode, consume: Consume, isPartition = false): void {
    const { planner, counted, measure } = this;
    const of = measure?.programOf(node, isPartition);
    new PlanToProgram(program, planner, counted, measure, of, true).produce(node, consume);
  }

  count(context: StepContext, node: PhysicalNode, what: 'rows' | 'loops', test: Code = literal(true)): void {
    const { measure, program } = this;
    if (measure === undefined || program === undefined) return;
    const { emitter } = context;
    const counts = measure.of(node, program);
    counts.flowsIn(context.state);
    const counters = emitter.constant(counts);
    emitter.if(test, () => emitter.setProperty(counters, what, binary('+', property(counters, what), ONE)));
  }

  segmentsOf(node: PhysicalNode): SegmentCount | undefined {
    const { measure, program } = this;
    return program === undefined ? undefined : measure?.segmentsOf(node, program);
  }

  isCounted(node: PhysicalNode): boolean {
    return node === this.counted;
  }

  produce(node: PhysicalNode, consume: Consume): void {
    const { measure, program, builder } = this;
    if (measure === undefined || program === undefined) {
      this.write(node, consume);
      return;
    }
    const from = builder.tasks.length;
    this.write(node, (context) => {
      this.count(context, node, 'rows');
      consume(context);
    });
    measure.of(node, program).spans(from, builder.tasks.length);
  }

  private write(node: PhysicalNode, consume: Consume): void {
    switch (node.kind) {
      case 'table-scan':
        if (this.isRepeated && isAimed(node)) produceAimedScan(this, node, consume);
        else produceTableScan(this, node, consume);
        return;
      case 'column-scan':
        produceColumnScan(this, node, consume);
        return;
      case 'virtual-scan':
        produceVirtualScan(this, node, consume);
        return;
      case 'values':
        produceValues(this, node, consume);
        return;
      case 'function-scan':
        produceFunctionScan(this, node, consume);
        return;
      case 'filter':
        this.produce(node.input, (context) => {
          filterBy(context, node.conditions, () => consume(context));
        });
        return;
      case 'project':
        this.produce(node.input, (context) => consume(project(this, context, node)));
        return;
      case 'project-set':
        produceProjectSet(this, node, consume);
        return;
      case 'hash-join':
        produceHashJoin(this, node, consume);
        return;
      case 'nested-loop':
        produceNestedLoop(this, node, consume);
        return;
      case 'aggregate':
        if (node.sorted) produceSortedAggregate(this, node, consume);
        else produceAggregate(this, node, consume);
        return;
      case 'gather':
        produceGather(this, node, consume);
        return;
      case 'window':
        produceWindow(this, node, consume);
        return;
      case 'sort':
        produceSort(this, node, consume);
        return;
      case 'limit':
        produceLimit(this, node, consume);
        return;
      case 'distinct':
        produceDistinct(this, node, consume);
        return;
      case 'append':
        produceAppend(this, node, consume);
        return;
      case 'set-operation':
        produceSetOperation(this, node, consume);
        return;
      case 'with':
        produceWith(this, node, consume);
        return;
      case 'cte-scan':
        produceCteScan(this, node, consume);
        return;
      case 'lock-rows':
        produceLockRows(this, node, consume);
        return;
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        produceModification(this, node, consume);
        return;
      default:
        unreachable(node);
    }
  }
}
