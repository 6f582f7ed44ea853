/**
 * Compiled statements. Those that neither run queries nor loop are plain functions; the others are generators by the
 * protocol of exec/runtime.ts. A list is plain where all of its statements are, so that most of a body costs no generator.
 */
import type { Yielded } from '../../exec/runtime.js';
import type { BodyPlace, Frame } from './variables.js';

/** How a statement ends. */
export const Completion = { Next: 0, Return: 1, Exit: 2, Continue: 3 } as const;
export type Completion = (typeof Completion)[keyof typeof Completion];

export interface PlainStep {
  readonly waits: false;
  run(frame: Frame): Completion;
}

export interface WaitingStep {
  readonly waits: true;
  run(frame: Frame): Generator<Yielded, Completion, void>;
  /** Does it at once where it need not wait this time, which costs no generator; undefined: nothing is done, `run` it. */
  readonly runNow?: ((frame: Frame) => Completion | undefined) | undefined;
}

export type Step = PlainStep | WaitingStep;

export function plain(run: (frame: Frame) => Completion): PlainStep {
  return { waits: false, run };
}

/** A statement after which the next one follows. */
export function action(run: (frame: Frame) => void): PlainStep {
  return plain((frame) => {
    run(frame);
    return Completion.Next;
  });
}

export function waiting(run: (frame: Frame) => Generator<Yielded, Completion, void>): WaitingStep {
  return { waits: true, run };
}

/** A statement after which the next one follows. */
export function waitingAction(run: (frame: Frame) => Generator<Yielded, void, void>): WaitingStep {
  return waiting(function* (frame) {
    yield* run(frame);
    return Completion.Next;
  });
}

/** Runs a step, plain or not. */
export function* runStep(step: Step, frame: Frame): Generator<Yielded, Completion, void> {
  return step.waits ? yield* step.run(frame) : step.run(frame);
}

/** Statements one after the other, each with the place that errors in it are told with. */
export function sequence(steps: readonly { readonly step: Step; readonly place: BodyPlace }[]): Step {
  const places = steps.map(({ place }) => place);
  const all = steps.map(({ step }) => step);
  const none = all.filter((step): step is PlainStep => !step.waits);
  if (none.length === all.length) {
    return plain((frame) => {
      for (let i = 0; i < none.length; i++) {
        frame.place = places[i];
        const completion = (none[i] as PlainStep).run(frame);
        if (completion !== Completion.Next) return completion;
      }
      return Completion.Next;
    });
  }
  return waiting(function* (frame) {
    for (let i = 0; i < all.length; i++) {
      frame.place = places[i];
      const step = all[i] as Step;
      const completion = step.waits ? (step.runNow?.(frame) ?? (yield* step.run(frame))) : step.run(frame);
      if (completion !== Completion.Next) return completion;
    }
    return Completion.Next;
  });
}
