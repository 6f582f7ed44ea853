/** Work on definitions as a generator, so that SQL's synchronous statements run it as well as promises do. */
import { eventLoop } from '@phantom/base';

/** A promise is to be waited for; undefined is a place where others may have a turn. */
export type Steps<T> = Generator<Promise<void> | undefined, T, void>;

/** Takes the steps, waiting and giving others their turns in between. */
export async function driven<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { value, done } = steps.next();
    if (done === true) return value;
    await (value ?? eventLoop.nextTurn());
  }
}
