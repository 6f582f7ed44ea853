/**
 * Parsed texts and plans, shared by all sessions of an engine: a re-executed statement costs no parse and no plan.
 *
 * Texts map to syntax trees as they stand, least recently used out first. A text that is new waits in a short line until it
 * comes a second time: a statement holds a hundred kilobytes of trees, plan and code, and where every text is another one,
 * keeping them would cost the collector more than planning costs. A comment at the end is no part of a text here: tracing tools
 * write another one there each time (text-comment.ts). Plans hang on what they depend on: the syntax
 * tree's identity, the declared parameter types, and the catalog picture's `version`, which differs whenever any answer
 * the planner got could differ. So invalidation needs no list: a plan of another version is simply not found.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { ExecutionContext, WorkCounters } from '../exec/runtime.js';
import { planStatement } from '../plan/plan-statement.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { isCurrent, takingOver, type PreparedPlan } from '../plan/prepared-plan.js';
import type { RoutineBinding } from '../plan/routine-binding.js';
import type { ParsedStatement, Statement } from '../text/ast-statements.js';
import { parseScript, parseScriptWithEscapes } from '../text/parse.js';
import type { TypeContext, Value } from '../types/type.js';
import type { PlanStatement } from './statement.js';
import { type Literals, type Shape, StatementShapes } from './statement-shapes.js';
import { withoutLastComment } from './text-comment.js';

/** Texts longer than this are parsed each time: a dump's INSERTs would push everything else out. */
const CACHED_TEXT_CHARACTERS_MAX = 64 * 1024;

/** Texts that came once, oldest out first. */
const NEW_TEXTS_MAX = 16;

/** A parsed statement, and what it was parsed without. */
export interface CachedStatement extends ParsedStatement {
  readonly literals?: Literals | undefined;
  /** Backslashes in its plain strings are escapes. */
  readonly escapes?: true;
}

export class StatementCache {
  private readonly texts = new Map<string, readonly CachedStatement[]>();
  private readonly newTexts = new Map<string, readonly CachedStatement[]>();
  private readonly shapes = new StatementShapes();
  private readonly plans = new WeakMap<Statement, Map<string, PreparedPlan>>();
  private readonly entriesMax: number;
  private readonly counters: WorkCounters;

  constructor(entriesMax: number, counters: WorkCounters) {
    this.entriesMax = entriesMax;
    this.counters = counters;
  }

  /** All statements of a text, in order; 42601 and kin at the first error. */
  parse(text: string): readonly CachedStatement[] {
    const bare = withoutLastComment(text);
    if (bare !== text) {
      try {
        return this.parseBare(bare);
      } catch {
        // What looked like a comment was none, or the rest is wrong, too: the whole text tells.
      }
    }
    return this.parseBare(text);
  }

  private parseBare(text: string): readonly CachedStatement[] {
    const known = this.shapes.known(text);
    if (known?.shape.node !== undefined) return inGeneral(known.shape.node, text, known);
    const cached = this.texts.get(text);
    if (cached !== undefined) {
      // Moves it to the young end of the map's order.
      this.texts.delete(text);
      this.texts.set(text, cached);
      return cached;
    }
    const waiting = this.newTexts.get(text);
    if (waiting !== undefined) {
      this.newTexts.delete(text);
      keep(this.texts, text, waiting, this.entriesMax);
      return waiting;
    }
    const literals = known ?? this.shapes.find(text);
    if (literals?.shape.node !== undefined) return inGeneral(literals.shape.node, text, literals);
    const parsed = this.parsePlain(text).map((statement): CachedStatement =>
      literals?.shape.isOpen === true ? { ...statement, literals } : statement,
    );
    if (text.length <= CACHED_TEXT_CHARACTERS_MAX) keep(this.newTexts, text, parsed, NEW_TEXTS_MAX);
    return parsed;
  }

  /** Whether a statement of this text would find its plan here. */
  has(whole: string, picture: CatalogPort): boolean {
    const text = withoutLastComment(whole);
    const general = this.shapes.find(text)?.shape.node;
    const node = (this.texts.get(text) ?? this.newTexts.get(text))?.[0]?.node ?? general;
    if (node === undefined) return false;
    for (const plan of this.plans.get(node)?.values() ?? []) if (isCurrent(plan, picture)) return true;
    return false;
  }

  /** The same without looking for a shape: for errors that name places in the text. */
  parsePlain(text: string): readonly ParsedStatement[] {
    this.counters.parses++;
    return parseScript(text);
  }

  /** For a client to whom backslashes in plain strings are escapes: its texts mean something of their own. */
  parseWithEscapes(text: string): {
    readonly statements: readonly CachedStatement[];
    readonly plainEscapes: readonly string[];
  } {
    this.counters.parses++;
    const { statements, plainEscapes } = parseScriptWithEscapes(text);
    return { statements: statements.map((statement) => ({ ...statement, escapes: true })), plainEscapes };
  }

  /** The plan of a statement for a picture of the catalog: from the cache, or made now. */
  plan(picture: CatalogPort, statement: PlanStatement, context: TypeContext): PreparedPlan {
    const { node, literals } = statement;
    if (literals !== undefined && literals.shape.node === node) {
      const { shape, texts } = literals;
      if (shape.plan === undefined || !isCurrent(shape.plan, picture))
        shape.plan = this.shared(picture, { node, declaredTypes: shape.types, text: shape.text });
      return withLiterals(shape.plan, texts, picture, context);
    }
    const { plans } = this.counters;
    const plan = this.shared(picture, statement);
    // A text that comes again has its plan already: only new ones tell what sharing would save.
    const isNew = this.counters.plans > plans;
    if (isNew && literals !== undefined && literals.shape.isOpen) this.weigh(picture, literals.shape, plan);
    return plan;
  }

  /** Takes note of a plan for its own values, and of the general one when that is due. */
  private weigh(picture: CatalogPort, shape: Shape, plan: PreparedPlan): void {
    shape.noteCustom(plan.traits.cost);
    if (!shape.isDue(plan)) return;
    const node = shape.parse();
    if (node === undefined) {
      shape.isOpen = false;
      return;
    }
    try {
      const general = this.shared(picture, { node, declaredTypes: shape.types, text: shape.text });
      shape.decide(node, general.traits.cost);
    } catch {
      // With parameters the statement means something else, or nothing: its texts stay texts.
      shape.isOpen = false;
    }
  }

  private shared(
    picture: CatalogPort,
    statement: Pick<PlanStatement, 'node' | 'declaredTypes' | 'text' | 'routine'>,
  ): PreparedPlan {
    const { node, routine } = statement;
    // Relations that only one trigger knows: the same statement of its function means others elsewhere.
    if ((routine?.relations?.size ?? 0) > 0)
      return this.planUncached(picture, node, statement.declaredTypes, statement.text, routine);
    let byKey = this.plans.get(node);
    if (byKey === undefined) this.plans.set(node, (byKey = new Map()));
    const types = statement.declaredTypes.length === 0 ? '' : statement.declaredTypes.join(',');
    const key = types + wantedKey(routine);
    const cached = byKey.get(key);
    if (cached !== undefined && isCurrent(cached, picture)) return cached;
    const plan = this.planUncached(picture, node, statement.declaredTypes, statement.text, routine);
    const kept = cached === undefined ? plan : takingOver(plan, cached);
    byKey.set(key, kept);
    return kept;
  }

  planUncached(
    picture: CatalogPort,
    node: Statement,
    declaredTypes: readonly Oid[],
    text = '',
    routine?: RoutineBinding,
  ): PreparedPlan {
    this.counters.plans++;
    switch (node.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return planStatement(node, picture, { declaredTypes, text, routine });
      default:
        throw new PhantomError('0A000', `${node.kind} has no plan`);
    }
  }
}

/** A text whose shape has a general plan. */
function inGeneral(node: Statement, text: string, literals: Literals): readonly CachedStatement[] {
  return [{ node, start: 0, end: text.length, literals }];
}

/** The types that a body's rows are made into: a column definition list says them anew for each call. */
function wantedKey(routine: RoutineBinding | undefined): string {
  const columns = routine?.wanted?.columns;
  return columns === undefined ? '' : `>${columns.map(({ type }) => `${type.oid} ${type.typmod}`).join(',')}`;
}

/** Adds an entry; the one at the old end of the map's order goes when there are too many. */
function keep<V>(entries: Map<string, V>, key: string, value: V, entriesMax: number): void {
  entries.set(key, value);
  if (entries.size > entriesMax) entries.delete(entries.keys().next().value as string);
}

/** A shape's plan with the values of one text: to its callers a plan without parameters. */
function withLiterals(
  shared: PreparedPlan,
  texts: readonly string[],
  picture: CatalogPort,
  context: TypeContext,
): PreparedPlan {
  const values = texts.map((text, i): Value => {
    const type = picture.types.byOid(shared.parameterTypes[i]?.oid ?? 0);
    if (type === undefined) throw new PhantomError('42P18', `could not determine data type of parameter $${i + 1}`);
    return type.input(text, -1, context);
  });
  const { pointLookup, pointLock, pointWrite } = shared;
  return {
    ...shared,
    parameterTypes: [],
    pointLookup:
      pointLookup === undefined
        ? undefined
        : { run: (read, _none, evaluation, into) => pointLookup.run(read, values, evaluation, into) },
    pointLock:
      pointLock === undefined
        ? undefined
        : { run: (transaction, _none, evaluation, into) => pointLock.run(transaction, values, evaluation, into) },
    pointWrite:
      pointWrite === undefined ? undefined : { run: (execution) => pointWrite.run(boundTo(execution, values)) },
    execute: (execution, sink) => shared.execute(boundTo(execution, values), sink),
  };
}

/** An execution belongs to one statement, so its parameters may be exchanged before it begins. */
function boundTo(execution: ExecutionContext, values: readonly Value[]): ExecutionContext {
  (execution as { parameters: readonly Value[] }).parameters = values;
  return execution;
}
