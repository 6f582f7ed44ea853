/** Every sequence of successes, failures and requests up to a length, tried on the machine of sagas. */
import { describe, expect, it } from 'vitest';
import { type SagaEntry, type SagaEvent, type StepShape, beginSaga, isOver, stepSaga } from '../src/saga-machine.js';

const step = (name: string, more: Partial<StepShape> = {}): StepShape => ({
  name,
  isRemote: false,
  compensates: true,
  attemptsMax: 2,
  onExhausted: 'compensate',
  ...more,
});

const STEPS = [
  step('a'),
  step('b', { isRemote: true }),
  step('c', { compensates: false }),
  step('d', { onExhausted: 'stuck' }),
];

interface Walk {
  readonly entry: SagaEntry;
  /** What has taken effect, in order: `+a`, `-a`; `?b` where it may have. */
  readonly effects: readonly string[];
  readonly attempts: number;
}

/** What can happen to an entry that is not over. */
function events({ entry }: Walk): SagaEvent[] {
  const asked: SagaEvent[] = [{ kind: 'compensate' }];
  if (entry.state === 'stuck') return [{ kind: 'retry' }, ...asked];
  const ends: SagaEvent[] = [
    { kind: 'done', result: 1 },
    { kind: 'failed', error: 'no', isFinal: false },
    { kind: 'failed', error: 'never', isFinal: true },
  ];
  return [...ends, ...asked];
}

function happen({ entry, effects, attempts }: Walk, event: SagaEvent): Walk {
  const shape = STEPS[entry.at] as StepShape;
  const isAttempt = event.kind === 'done' || event.kind === 'failed';
  const begun = isAttempt && shape.isRemote ? stepSaga(STEPS, entry, { kind: 'begun' }, 1) : entry;
  const next = stepSaga(STEPS, begun, event, 2);
  expect(next.revision).toBeGreaterThan(entry.revision);
  const sign = entry.direction === 'forward' ? '+' : '-';
  const effect =
    event.kind === 'done'
      ? [`${sign}${shape.name}`]
      : isAttempt && shape.isRemote && sign === '+'
        ? [`?${shape.name}`]
        : [];
  return {
    entry: next,
    effects: [...effects, ...effect],
    attempts: isAttempt && isSamePlace(next, entry) ? attempts + 1 : 0,
  };
}

const isSamePlace = (a: SagaEntry, b: SagaEntry): boolean =>
  a.at === b.at && a.direction === b.direction && a.state !== 'stuck';

describe('a saga as a machine', () => {
  it('ends done or undone in reverse order, whatever happens in whatever order', () => {
    const ends = new Set<string>();
    const walk = (state: Walk, depth: number): void => {
      if (isOver(state.entry)) {
        ends.add(state.entry.state);
        check(state);
        return;
      }
      expect(state.attempts).toBeLessThanOrEqual(2);
      if (depth === 0) return;
      for (const event of events(state)) walk(happen(state, event), depth - 1);
    };
    walk({ entry: beginSaga('order', STEPS, null, 0), effects: [], attempts: 0 }, 6);
    expect(ends).toEqual(new Set(['done', 'compensated']));
  });

  function check({ entry, effects }: Walk): void {
    const done = effects.filter((one) => one.startsWith('+')).map((one) => one.slice(1));
    const undone = effects.filter((one) => one.startsWith('-')).map((one) => one.slice(1));
    if (entry.state === 'done') {
      expect([done, undone]).toEqual([['a', 'b', 'c', 'd'], []]);
      expect(Object.keys(entry.results)).toEqual(done);
      return;
    }
    const doubtful = effects.includes('?b') && !done.includes('b') ? ['b'] : [];
    expect(undone).toEqual([...done, ...doubtful].filter((name) => name !== 'c').toReversed());
  }

  it('is stuck where its attempts are used up, and is told what to do', () => {
    const begin = beginSaga('order', [step('only', { onExhausted: 'stuck' })], null, 0);
    const shapes = [step('only', { onExhausted: 'stuck' })];
    const stuck = stepSaga(shapes, begin, { kind: 'failed', error: 'no', isFinal: true }, 1);
    expect(stuck).toMatchObject({ state: 'stuck', direction: 'forward', attempts: 1, error: 'no' });
    expect(stepSaga(shapes, stuck, { kind: 'retry' }, 2)).toMatchObject({ state: 'running', attempts: 0 });
    const over = stepSaga(shapes, stuck, { kind: 'compensate' }, 2);
    expect(over).toMatchObject({ state: 'compensated' });
    expect(() => stepSaga(shapes, over, { kind: 'retry' }, 3)).toThrow('cannot be tried again');
    expect(() => stepSaga(shapes, over, { kind: 'compensate' }, 3)).toThrow('cannot be compensated');
  });

  it('does not forget that a remote step may have run when it is tried again by hand', () => {
    const shapes = [step('a', { isRemote: true, onExhausted: 'stuck', attemptsMax: 1 })];
    let entry = beginSaga('order', shapes, null, 0);
    for (const event of [
      { kind: 'begun' },
      { kind: 'failed', error: 'no', isFinal: false },
      { kind: 'retry' },
    ] as const)
      entry = stepSaga(shapes, entry, event, 1);
    expect(stepSaga(shapes, entry, { kind: 'compensate' }, 2)).toMatchObject({ state: 'compensating', at: 0 });
  });
});
