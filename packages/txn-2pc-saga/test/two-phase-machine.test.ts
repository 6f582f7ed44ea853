/** Every order in which votes, refusals, answers and failures can come, tried on the machine. */
import { describe, expect, it } from 'vitest';
import {
  type TwoPhaseAction,
  type TwoPhaseEvent,
  type TwoPhaseState,
  type TwoPhaseStep,
  beginTwoPhase,
  resumeTwoPhase,
  stepTwoPhase,
} from '../src/two-phase-machine.js';

/** What can come of an action. */
function eventsOf(action: TwoPhaseAction): TwoPhaseEvent[] {
  switch (action.kind) {
    case 'prepare':
      return [
        { kind: 'voted', branch: action.branch, vote: 'prepared' },
        { kind: 'voted', branch: action.branch, vote: 'read-only' },
        { kind: 'refused', branch: action.branch },
      ];
    case 'decide':
      return [{ kind: 'decided' }, { kind: 'decision-failed' }, { kind: 'decision-unknown' }];
    case 'commit':
      return [{ kind: 'answered', branch: action.branch }];
    default:
      return [];
  }
}

interface Path {
  readonly state: TwoPhaseState;
  readonly actions: readonly TwoPhaseAction[];
  readonly events: readonly TwoPhaseEvent[];
}

/** Every path to an end: one outstanding action after the other comes back, in every order, with everything that can come of it. */
function* paths({ state, actions }: TwoPhaseStep): Generator<Path> {
  const walk = function* (path: Path, outstanding: readonly TwoPhaseAction[]): Generator<Path> {
    let isEnd = true;
    for (const action of outstanding) {
      for (const event of eventsOf(action)) {
        isEnd = false;
        const next = stepTwoPhase(path.state, event);
        const rest = outstanding.filter((other) => other !== action);
        yield* walk(
          { state: next.state, actions: [...path.actions, ...next.actions], events: [...path.events, event] },
          [...rest, ...next.actions],
        );
      }
    }
    if (isEnd) yield path;
  };
  yield* walk({ state, actions, events: [] }, actions);
}

function branches(actions: readonly TwoPhaseAction[], kind: 'commit' | 'rollback'): string[] {
  return actions.flatMap((action) => (action.kind === kind ? [action.branch] : []));
}

describe('two-phase commit as a machine', () => {
  it('keeps its invariants in every order of events over three branches', () => {
    const ends = new Map<string, number>();
    for (const { state, actions, events } of paths(beginTwoPhase(['a', 'b', 'c']))) {
      const prepared = events.flatMap((event) =>
        event.kind === 'voted' && event.vote === 'prepared' ? [event.branch] : [],
      );
      const doubtful = events.flatMap((event) => (event.kind === 'refused' ? [event.branch] : []));
      const isDecided = events.some(({ kind }) => kind === 'decided');
      const commits = branches(actions, 'commit');
      const rollbacks = branches(actions, 'rollback');
      if (isDecided) {
        expect([commits.toSorted(), rollbacks]).toEqual([prepared.toSorted(), []]);
        expect(state.status).toBe('committed');
        expect(actions.filter(({ kind }) => kind === 'forget')).toHaveLength(prepared.length > 0 ? 1 : 0);
      } else if (state.status === 'unknown') {
        expect([commits, rollbacks]).toEqual([[], []]);
      } else {
        expect(state.status).toBe('aborted');
        expect([commits, rollbacks.toSorted()]).toEqual([[], [...prepared, ...doubtful].toSorted()]);
      }
      ends.set(state.status, (ends.get(state.status) ?? 0) + 1);
    }
    expect([...ends.keys()].toSorted()).toEqual(['aborted', 'committed', 'unknown']);
  });

  it('decides nothing but its own work without branches', () => {
    expect(beginTwoPhase([])).toMatchObject({
      state: { status: 'deciding' },
      actions: [{ kind: 'decide', branches: [] }],
    });
  });

  it('goes on after a restart where the decision was', () => {
    for (const { state, actions } of paths(resumeTwoPhase(['a', 'b']))) {
      expect(state.status).toBe('committed');
      expect(actions.map(({ kind }) => kind)).toEqual(['commit', 'commit', 'forget']);
    }
  });

  it('refuses what cannot happen', () => {
    const { state } = beginTwoPhase(['a']);
    expect(() => stepTwoPhase(state, { kind: 'decided' })).toThrow('a decision follows the votes');
    expect(() => stepTwoPhase(state, { kind: 'answered', branch: 'a' })).toThrow('answers follow the decision');
    const voted = stepTwoPhase(state, { kind: 'voted', branch: 'a', vote: 'prepared' }).state;
    expect(() => stepTwoPhase(voted, { kind: 'refused', branch: 'a' })).toThrow('votes come before the decision');
  });
});
