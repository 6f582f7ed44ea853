/** A wait for a client or another thread, and for no lock: lock_timeout does not end it. */
export class LongWait extends Promise<void> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static of(wait: Promise<void>): LongWait {
    return new LongWait((resolve, reject) => wait.then(resolve, reject));
  }
}
