/**
 * Groups of documents: what $group, $bucket and $bucketAuto make. Those of $group are in a table by the keys of their ids; when it has filled
 * its share of the memory, what their accumulators have so far goes to a file, in the order of the keys, and the table begins anew. In the
 * end files and table are merged, and the states of a key joined in the order they came about:
 *
 *   documents ──► table ──full──► file 1: a {..} c {..}   file 2: a {..} b {..}   table: c {..}          merge: a = 1 + 2, b = 2, c = 1 + table
 *
 *   entry of a file   the key, the id, the state of each accumulator (spilled-values.ts)
 *
 *   1. A document is added once; a state counts every document since the table was last empty.
 *   2. Joining is exact but for sums of doubles, whose rounding follows the order in which they are added.
 *   3. Groups come in no order that is promised: as they were met where all fit into memory, by their keys otherwise.
 */
import { EntryFile, type EntryFileReader, type MemoryBudget, MemoryShare, SLICE_MS } from '@phantom/base';
import { badArgument } from '../errors.js';
import { memoryBytes } from '../memory-bytes.js';
import type { PlainObject } from '../order.js';
import { setField } from '../path.js';
import { Merged, type SortedSource } from '../spill/merged.js';
import { type Room, isCrowded, isUnwritable, windowBytes } from '../spill/room.js';
import { SpilledValues, writeSpilled } from '../spill/spilled-values.js';
import { type Accumulator, type AccumulatorMaker, compileAccumulator } from './accumulators.js';
import type { Variables } from './evaluate.js';
import { valueKey } from './value-keys.js';
import type { Work } from './work.js';

/** What a group takes beside its id and values, and each of its accumulators. */
const GROUP_BYTES = 160;
const ACCUMULATOR_BYTES = 80;
/** Groups that are sorted at one go, and between two looks at the clock. */
const RUN_GROUPS = 2048;
const GROUPS_PER_LOOK = 64;
/** Groups, or bytes of them, after which they are handed on. */
const BATCH_GROUPS = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Or this share of the memory that is left. */
const BATCH_SHARE = 1 / 8;

/** A field that is accumulated. */
export interface Output {
  readonly name: string;
  readonly maker: AccumulatorMaker;
}

export interface Group {
  readonly id: unknown;
  readonly states: readonly Accumulator[];
}

/** Compiles the accumulated fields of a stage. 22023 for what are none. */
export function accumulated(fields: PlainObject, variables: Variables): readonly Output[] {
  return Object.keys(fields).map((name) => {
    if (name.includes('.')) throw badArgument(`the accumulated field "${name}" has a dot`);
    if (name.startsWith('$')) throw badArgument(`the accumulated field "${name}" begins with a dollar`);
    return { name, maker: compileAccumulator(fields[name], variables) };
  });
}

/** Takes what a group does with an id and its first values. */
export function newGroup(id: unknown, outputs: readonly Output[], memory: MemoryBudget): Group {
  memory.take(GROUP_BYTES + memoryBytes(id) + ACCUMULATOR_BYTES * outputs.length);
  return { id, states: outputs.map(({ maker }) => maker.make(memory)) };
}

/** The document of a group. */
export function groupResult({ id, states }: Group, outputs: readonly Output[]): PlainObject {
  const result: PlainObject = { _id: id };
  for (let i = 0; i < outputs.length; i++)
    setField(result, (outputs[i] as Output).name, (states[i] as Accumulator).result());
  return result;
}

/** Documents of groups, in batches. */
export function* resultsOf(groups: Iterable<Group>, outputs: readonly Output[]): Generator<PlainObject[], void> {
  let batch: PlainObject[] = [];
  for (const one of groups) {
    batch.push(groupResult(one, outputs));
    if (batch.length < BATCH_GROUPS) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

type Key = string | number;

function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}

export class GroupTable {
  private readonly outputs: readonly Output[];
  private readonly room: Room;
  private readonly work: Work;
  private readonly memory: MemoryShare;
  private groups = new Map<Key, Group>();
  private readonly files: EntryFile[] = [];
  /** What was taken when it was last asked whether that is much. */
  private lookedBytes = 0;
  /** Some state has no form in files. */
  private staysInMemory: boolean;

  constructor(outputs: readonly Output[], room: Room, work: Work) {
    this.outputs = outputs;
    this.room = room;
    this.work = work;
    this.memory = new MemoryShare(room.memory, '$group');
    this.staysInMemory = room.scratch === undefined;
  }

  /** Adds a document to the group of an id. A promise where room has to be made before the next. 53200 and 53100. */
  add(id: unknown, document: PlainObject): Promise<void> | undefined {
    const { groups, memory } = this;
    const key = valueKey(id);
    let found = groups.get(key);
    if (found === undefined) {
      found = newGroup(id, this.outputs, memory);
      if (typeof key === 'string') memory.take(memoryBytes(key));
      groups.set(key, found);
    }
    const { states } = found;
    for (let i = 0; i < states.length; i++) (states[i] as Accumulator).add(document);
    // Most documents come to groups that are there, and leave nothing.
    if (memory.usedBytes === this.lookedBytes || this.staysInMemory) return undefined;
    this.lookedBytes = memory.usedBytes;
    return isCrowded(this.room, memory.usedBytes) ? this.spill() : undefined;
  }

  /** The documents of all groups, in batches. Nothing may be added any more. */
  async *results(): AsyncGenerator<readonly PlainObject[], void> {
    const { groups, files, outputs, room, memory } = this;
    if (files.length === 0) {
      yield* resultsOf(groups.values(), outputs);
      return;
    }
    const bytes = windowBytes(room.memory, files.length);
    memory.take(bytes * files.length);
    const merged = this.merge(files.map((file) => new FileSource(file.reader(bytes), outputs.length)));
    const joined = new MemoryShare(room.memory, '$group');
    const most = Math.min(BATCH_BYTES, room.memory.leftBytes * BATCH_SHARE);
    try {
      let batch: PlainObject[] = [];
      let key: Key | undefined;
      let group: Group | undefined;
      for (let source = merged.next(); source !== undefined; source = merged.next()) {
        if (group !== undefined && source.key !== key) {
          batch.push(groupResult(group, outputs));
          group = undefined;
          if (batch.length >= BATCH_GROUPS || joined.usedBytes >= most) {
            yield batch;
            batch = [];
            joined.release();
          }
        }
        if (this.work.isDue()) await this.work.rest();
        key = source.key;
        group ??= newGroup(source.id, outputs, joined);
        for (const [i, state] of source.states().entries()) (group.states[i] as Accumulator).join(state);
      }
      if (group !== undefined) batch.push(groupResult(group, outputs));
      yield batch;
    } finally {
      joined.release();
    }
  }

  /** Gives back what it has taken. */
  release(): void {
    this.memory.release();
    this.groups.clear();
    for (const file of this.files) file.close();
    this.files.length = 0;
  }

  /** Sources, and what is in the table behind them, in the order of keys. */
  private merge(sources: Source[]): Merged<Source> {
    let run: (readonly [Key, Group])[] = [];
    const endRun = (): void => {
      sources.push(new RunSource(run.sort(([a], [b]) => compareKeys(a, b))));
      run = [];
    };
    for (const entry of this.groups) if (run.push(entry) === RUN_GROUPS) endRun();
    endRun();
    return new Merged(sources, (a, b) => compareKeys(a.key, b.key));
  }

  /** Puts the states of all groups into a file. */
  private async spill(): Promise<void> {
    const { room, work } = this;
    if (room.scratch === undefined) return;
    const file = new EntryFile(room.scratch, 'group');
    this.files.push(file);
    const merged = this.merge([]);
    let sliceEnd = performance.now() + SLICE_MS;
    try {
      for (let source = merged.next(); source !== undefined; source = merged.next()) {
        const { key, id } = source;
        const states = source.states();
        file.append((writer) => {
          for (const value of [key, id, ...states]) writeSpilled(writer, value);
        });
        if (file.count % GROUPS_PER_LOOK > 0 || performance.now() < sliceEnd) continue;
        await work.rest();
        sliceEnd = performance.now() + SLICE_MS;
      }
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      this.staysInMemory = true;
      this.files.pop();
      file.close();
      return;
    }
    this.groups = new Map();
    this.memory.release();
  }
}

/** Groups in the order of their keys. */
interface Source extends SortedSource {
  readonly key: Key;
  readonly id: unknown;
  states(): readonly unknown[];
}

class RunSource implements Source {
  private readonly run: readonly (readonly [Key, Group])[];
  private at = -1;

  constructor(run: readonly (readonly [Key, Group])[]) {
    this.run = run;
  }

  get key(): Key {
    return this.entry[0];
  }

  get id(): unknown {
    return this.entry[1].id;
  }

  states(): readonly unknown[] {
    return this.entry[1].states.map((state) => state.state());
  }

  next(): boolean {
    return ++this.at < this.run.length;
  }

  private get entry(): readonly [Key, Group] {
    return this.run[this.at] as readonly [Key, Group];
  }
}

class FileSource implements Source {
  key: Key = 0;
  private readonly entries: EntryFileReader;
  private readonly stateCount: number;
  private idAt = 0;

  constructor(entries: EntryFileReader, stateCount: number) {
    this.entries = entries;
    this.stateCount = stateCount;
  }

  get id(): unknown {
    return new SpilledValues(this.entries.buffer, this.idAt).next();
  }

  states(): readonly unknown[] {
    const values = new SpilledValues(this.entries.buffer, this.idAt);
    values.next();
    return Array.from({ length: this.stateCount }, () => values.next());
  }

  next(): boolean {
    const { entries } = this;
    if (!entries.next()) return false;
    const values = new SpilledValues(entries.buffer, entries.start);
    this.key = values.next() as Key;
    this.idAt = values.at;
    return true;
  }
}
