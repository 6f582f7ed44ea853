/**
 * Parsed texts and plans, shared by all sessions of an engine: a re-executed statement costs no parse and no plan.
 *
 * Texts map to syntax trees as they stand, least recently used out first. Plans hang on what they depend on: the syntax
 * tree's identity, the declared parameter types, and the catalog picture's `version`, which differs whenever any answer
 * the planner got could differ. So invalidation needs no list: a plan of another version is simply not found.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { WorkCounters } from '../exec/runtime.js';
import { planStatement } from '../plan/plan-statement.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { ParsedStatement, Statement } from '../text/ast-statements.js';
import { parseScript } from '../text/parse.js';
import type { PlanStatement } from './statement.js';

/** Texts longer than this are parsed each time: a dump's INSERTs would push everything else out. */
const CACHED_TEXT_CHARACTERS_MAX = 64 * 1024;

export class StatementCache {
  private readonly texts = new Map<string, readonly ParsedStatement[]>();
  private readonly plans = new WeakMap<Statement, Map<string, PreparedPlan>>();
  private readonly entriesMax: number;
  private readonly counters: WorkCounters;

  constructor(entriesMax: number, counters: WorkCounters) {
    this.entriesMax = entriesMax;
    this.counters = counters;
  }

  parse(text: string): readonly ParsedStatement[] {
    const cached = this.texts.get(text);
    if (cached !== undefined) {
      // Moves it to the young end of the map's order.
      this.texts.delete(text);
      this.texts.set(text, cached);
      return cached;
    }
    this.counters.parses++;
    const parsed = parseScript(text);
    if (text.length <= CACHED_TEXT_CHARACTERS_MAX) {
      this.texts.set(text, parsed);
      if (this.texts.size > this.entriesMax) this.texts.delete(this.texts.keys().next().value as string);
    }
    return parsed;
  }

  /** The plan of a statement for a picture of the catalog: from the cache, or made now. */
  plan(picture: CatalogPort, statement: PlanStatement): PreparedPlan {
    const { node } = statement;
    let byKey = this.plans.get(node);
    if (byKey === undefined) this.plans.set(node, (byKey = new Map()));
    const key = statement.declaredTypes.length === 0 ? '' : statement.declaredTypes.join(',');
    const cached = byKey.get(key);
    if (cached !== undefined && cached.catalogVersion === picture.version) return cached;
    const plan = this.planUncached(picture, node, statement.declaredTypes, statement.text);
    byKey.set(key, plan);
    return plan;
  }

  planUncached(picture: CatalogPort, node: Statement, declaredTypes: readonly Oid[], text = ''): PreparedPlan {
    this.counters.plans++;
    switch (node.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return planStatement(node, picture, { declaredTypes, text });
      default:
        throw new PhantomError('0A000', `${node.kind} has no plan`);
    }
  }
}
