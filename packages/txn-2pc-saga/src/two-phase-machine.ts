/**
 * Two-phase commit as one function: what has happened goes in, what to do comes out. It has no clock, no disk and no network, so
 * every order of events can be tried. Presumed abort (Mohan, Lindsay and Obermarck, "Transaction management in the R* distributed
 * database management system", 1986, section 3): an abort is written nowhere, and what nobody has decided is aborted.
 *
 *                 all have voted                record durable            all have answered
 *   voting ──────────────────────► deciding ──────────────────► committing ────────────────► committed
 *      │ one refuses                  │ certainly not written
 *      ▼                              ▼                          deciding ── nobody knows ──► unknown
 *   aborting ── no vote is out ──► aborted
 *
 * Invariants:
 *   1. Nobody is told to commit before the decision is durable.
 *   2. Nobody is told to roll back once the decision may be durable.
 *   3. A branch that votes read-only has ended, and is told nothing more.
 *   4. The decision is forgotten once everybody who was prepared has answered to it, and not before.
 *   5. `unknown` does nothing: whoever reads the log after the restart knows.
 *
 * Left out: waiting for answers to a rollback. Who does not hear of it asks, and is told the same (in-doubt.ts). Left out also:
 * one phase where there is one branch, since a connection that breaks during its commit would leave its outcome unknown.
 */
import { assert, unreachable } from '@phantom/base';
import type { Vote } from './participant.js';

export type TwoPhaseStatus = 'voting' | 'deciding' | 'committing' | 'aborting' | 'committed' | 'aborted' | 'unknown';

/** `asked`: its vote is out. `over`: it has nothing to do any more, or has been told to roll back. */
export type BranchStatus = 'asked' | 'prepared' | 'over';

export interface TwoPhaseState {
  readonly status: TwoPhaseStatus;
  readonly branches: ReadonlyMap<string, BranchStatus>;
}

export type TwoPhaseEvent =
  | { readonly kind: 'voted'; readonly branch: string; readonly vote: Vote }
  /** It said no, or nothing in time. It may be prepared. */
  | { readonly kind: 'refused'; readonly branch: string }
  | { readonly kind: 'decided' }
  /** The decision is certainly not in the log. */
  | { readonly kind: 'decision-failed' }
  | { readonly kind: 'decision-unknown' }
  /** It has committed. */
  | { readonly kind: 'answered'; readonly branch: string };

export type TwoPhaseAction =
  | { readonly kind: 'prepare'; readonly branch: string }
  /** Make durable that these are to commit; with none of them, that the coordinator's own work is. */
  | { readonly kind: 'decide'; readonly branches: readonly string[] }
  | { readonly kind: 'commit'; readonly branch: string }
  | { readonly kind: 'rollback'; readonly branch: string }
  | { readonly kind: 'forget' };

export interface TwoPhaseStep {
  readonly state: TwoPhaseState;
  /** In this order. */
  readonly actions: readonly TwoPhaseAction[];
}

/** Asks all of them for their votes. */
export function beginTwoPhase(branches: readonly string[]): TwoPhaseStep {
  const state: TwoPhaseState = { status: 'voting', branches: new Map(branches.map((branch) => [branch, 'asked'])) };
  if (branches.length === 0) return decideWhenAllVoted(state);
  return { state, actions: branches.map((branch) => ({ kind: 'prepare', branch })) };
}

/** After a restart, of a decision that was found in the log. */
export function resumeTwoPhase(branches: readonly string[]): TwoPhaseStep {
  const state: TwoPhaseState = { status: 'committing', branches: new Map(branches.map((name) => [name, 'prepared'])) };
  return { state, actions: branches.map((branch) => ({ kind: 'commit', branch })) };
}

/** What to do now that this has happened. Asserts that it can have happened. */
export function stepTwoPhase(state: TwoPhaseState, event: TwoPhaseEvent): TwoPhaseStep {
  switch (event.kind) {
    case 'voted':
      return voted(state, event.branch, event.vote);
    case 'refused':
      return refused(state, event.branch);
    case 'decided':
      return decided(state);
    case 'decision-failed':
      assert(state.status === 'deciding', 'a decision fails while it is being made');
      return abort(state);
    case 'decision-unknown':
      assert(state.status === 'deciding', 'a decision is lost while it is being made');
      return { state: { ...state, status: 'unknown' }, actions: [] };
    case 'answered':
      return answered(state, event.branch);
    default:
      return unreachable(event);
  }
}

function voted(state: TwoPhaseState, branch: string, vote: Vote): TwoPhaseStep {
  expectAsked(state, branch);
  const next = withBranch(state, branch, vote === 'prepared' ? 'prepared' : 'over');
  return state.status === 'voting' ? decideWhenAllVoted(next) : abort(next);
}

function refused(state: TwoPhaseState, branch: string): TwoPhaseStep {
  expectAsked(state, branch);
  // Perhaps it is prepared, and its answer was lost.
  return abort(withBranch(state, branch, 'prepared'));
}

function expectAsked({ status, branches }: TwoPhaseState, branch: string): void {
  assert(status === 'voting' || status === 'aborting', 'votes come before the decision');
  assert(branches.get(branch) === 'asked', 'a branch votes once');
}

function decideWhenAllVoted(state: TwoPhaseState): TwoPhaseStep {
  if (named(state, 'asked').length > 0) return { state, actions: [] };
  return {
    state: { ...state, status: 'deciding' },
    actions: [{ kind: 'decide', branches: named(state, 'prepared') }],
  };
}

/** Those that are prepared roll back; those whose vote is out will, once it is in. */
function abort(state: TwoPhaseState): TwoPhaseStep {
  const prepared = named(state, 'prepared');
  let next = state;
  for (const branch of prepared) next = withBranch(next, branch, 'over');
  const status = named(next, 'asked').length > 0 ? 'aborting' : 'aborted';
  return { state: { ...next, status }, actions: prepared.map((branch) => ({ kind: 'rollback', branch })) };
}

function decided(state: TwoPhaseState): TwoPhaseStep {
  assert(state.status === 'deciding', 'a decision follows the votes');
  const prepared = named(state, 'prepared');
  if (prepared.length === 0) return { state: { ...state, status: 'committed' }, actions: [] };
  return {
    state: { ...state, status: 'committing' },
    actions: prepared.map((branch) => ({ kind: 'commit', branch })),
  };
}

function answered(state: TwoPhaseState, branch: string): TwoPhaseStep {
  assert(state.status === 'committing', 'answers follow the decision');
  assert(state.branches.get(branch) === 'prepared', 'a branch answers once');
  const next = withBranch(state, branch, 'over');
  if (named(next, 'prepared').length > 0) return { state: next, actions: [] };
  return { state: { ...next, status: 'committed' }, actions: [{ kind: 'forget' }] };
}

function named({ branches }: TwoPhaseState, status: BranchStatus): string[] {
  return Array.from(branches)
    .filter(([, its]) => its === status)
    .map(([name]) => name);
}

function withBranch(state: TwoPhaseState, branch: string, status: BranchStatus): TwoPhaseState {
  return { ...state, branches: new Map(state.branches).set(branch, status) };
}
