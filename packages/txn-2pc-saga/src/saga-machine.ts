/**
 * A saga as one function: its journal entry and what has happened give the next entry (Garcia-Molina and Salem, "Sagas", 1987: a sequence of
 * transactions, each with a compensation; backward recovery in reverse order, forward recovery by trying again).
 *
 *   running(0) ──► running(1) ──► ... ──► done
 *       │ attempts used up, or asked to compensate
 *       ▼
 *   compensating(i) ──► compensating(i - 1) ──► ... ──► compensated
 *       │ attempts used up
 *       ▼
 *     stuck ── retry ──► where it was           (a step that says so is stuck forward, too)
 *
 * Invariants:
 *   1. Steps are compensated in reverse order, those that are done, and the one whose outcome is unknown, and no others.
 *   2. Whoever has begun to compensate never runs a step again.
 *   3. Each attempt counts: at a step and at its compensation there are at most `attemptsMax`, then somebody is told.
 *   4. An entry's revision grows with each change: work that began under another one must not count (saga-log.ts refuses it).
 */
import { PhantomError, SqlState, unreachable } from '@phantom/base';
import type { SagaState, SagaValue } from './saga-definition.js';

/** What the machine knows of a step. */
export interface StepShape {
  readonly name: string;
  /** Its effects cannot commit with its entry: an attempt that has begun may have had them. */
  readonly isRemote: boolean;
  readonly compensates: boolean;
  readonly attemptsMax: number;
  readonly onExhausted: 'compensate' | 'stuck';
}

/** The journal entry of a saga. */
export interface SagaEntry {
  readonly name: string;
  readonly steps: readonly string[];
  readonly state: SagaState;
  /** Where it goes once it is no longer stuck. */
  readonly direction: 'forward' | 'backward';
  /** Index of the step that it is at. */
  readonly at: number;
  /** At that step; of a remote one counted when they begin, of a local one when they fail. */
  readonly attempts: number;
  /** It is remote and was asked to run: what it has done nobody knows, until it is done. */
  readonly mayHaveRun: boolean;
  readonly error: string | undefined;
  readonly input: SagaValue;
  /** Of the steps that are done. */
  readonly results: Readonly<Record<string, SagaValue>>;
  readonly startedMs: number;
  readonly changedMs: number;
  readonly revision: number;
}

export type SagaEvent =
  /** An attempt at a remote step or its compensation begins. */
  | { readonly kind: 'begun' }
  /** The step, or its compensation, is done. */
  | { readonly kind: 'done'; readonly result?: SagaValue }
  /** `isFinal`: another attempt would do no better. */
  | { readonly kind: 'failed'; readonly error: string; readonly isFinal: boolean }
  | { readonly kind: 'compensate' }
  | { readonly kind: 'retry' };

export function beginSaga(name: string, steps: readonly StepShape[], input: SagaValue, nowMs: number): SagaEntry {
  return {
    name,
    steps: steps.map((step) => step.name),
    state: 'running',
    direction: 'forward',
    at: 0,
    attempts: 0,
    mayHaveRun: false,
    error: undefined,
    input,
    results: {},
    startedMs: nowMs,
    changedMs: nowMs,
    revision: 1,
  };
}

export function isOver({ state }: SagaEntry): boolean {
  return state === 'done' || state === 'compensated';
}

/** The entry once this has happened; 55000 when a person asks for what cannot be. */
export function stepSaga(steps: readonly StepShape[], entry: SagaEntry, event: SagaEvent, nowMs: number): SagaEntry {
  const next = changed(steps, entry, event);
  return { ...next, changedMs: nowMs, revision: entry.revision + 1 };
}

function changed(steps: readonly StepShape[], entry: SagaEntry, event: SagaEvent): SagaEntry {
  switch (event.kind) {
    case 'begun':
      return { ...entry, attempts: entry.attempts + 1, mayHaveRun: true };
    case 'done':
      return entry.direction === 'forward'
        ? forward(steps, entry, event.result)
        : backwardFrom(steps, entry, entry.at - 1);
    case 'failed':
      return failed(steps, entry, event.error, event.isFinal);
    case 'compensate':
      if (isOver(entry)) throw wrongState(entry, 'compensated');
      return entry.direction === 'forward' ? turnBack(steps, entry) : resumed(entry);
    case 'retry':
      if (entry.state !== 'stuck') throw wrongState(entry, 'tried again');
      return resumed(entry);
    default:
      return unreachable(event);
  }
}

function forward(steps: readonly StepShape[], entry: SagaEntry, result: SagaValue): SagaEntry {
  const { name } = shapeAt(steps, entry);
  const results = { ...entry.results, [name]: result ?? null };
  const at = entry.at + 1;
  const state = at === steps.length ? 'done' : 'running';
  return { ...entry, results, at, state, attempts: 0, mayHaveRun: false, error: undefined };
}

/** Goes on to compensate at `from` or the first before it that compensates and has anything to undo. */
function backwardFrom(steps: readonly StepShape[], entry: SagaEntry, from: number): SagaEntry {
  let at = from;
  while (at >= 0 && steps[at]?.compensates !== true) at--;
  return {
    ...entry,
    at: Math.max(at, 0),
    direction: 'backward',
    state: at < 0 ? 'compensated' : 'compensating',
    attempts: 0,
    mayHaveRun: false,
  };
}

/** The step that it is at is compensated as well where it may have done something. */
function turnBack(steps: readonly StepShape[], entry: SagaEntry): SagaEntry {
  return backwardFrom(steps, entry, entry.mayHaveRun ? entry.at : entry.at - 1);
}

function failed(steps: readonly StepShape[], entry: SagaEntry, error: string, isFinal: boolean): SagaEntry {
  const { isRemote, attemptsMax, onExhausted } = shapeAt(steps, entry);
  const next = { ...entry, error, attempts: isRemote ? entry.attempts : entry.attempts + 1 };
  if (!isFinal && next.attempts < attemptsMax) return next;
  if (entry.direction === 'forward' && onExhausted === 'compensate') return turnBack(steps, next);
  return { ...next, state: 'stuck' };
}

/** All attempts anew. */
function resumed(entry: SagaEntry): SagaEntry {
  return { ...entry, attempts: 0, state: entry.direction === 'forward' ? 'running' : 'compensating' };
}

function shapeAt(steps: readonly StepShape[], { at }: SagaEntry): StepShape {
  return steps[at] as StepShape;
}

function wrongState({ name, state }: SagaEntry, what: string): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, `saga "${name}" is ${state} and cannot be ${what}`);
}
