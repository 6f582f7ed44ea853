/**
 * Sessions for the asynchronous API: one statement at a time runs in a session, so concurrent calls take one each. Idle
 * ones are kept for the next call; a session that was left inside a transaction is rolled back before it goes back, and one that
 * was ended (by a limit of time) is not kept.
 */
import { PhantomError } from '@phantom/base';
import type { SqlSession } from '@phantom/sql';

/** Idle sessions kept. */
const IDLE_MAX = 256;
/** Sessions at once: statements beyond it are refused rather than queued without bound. */
const SESSIONS_MAX = 10_000;

export class SessionPool {
  private readonly make: () => SqlSession;
  private readonly idle: SqlSession[] = [];
  private inUse = 0;

  constructor(make: () => SqlSession) {
    this.make = make;
  }

  acquire(): SqlSession {
    if (this.inUse >= SESSIONS_MAX) {
      throw new PhantomError('53300', `more than ${SESSIONS_MAX} statements are running`, {
        hint: 'Await statements before starting more of them.',
      });
    }
    const session = this.idle.pop() ?? this.make();
    this.inUse++;
    return session;
  }

  release(session: SqlSession): void {
    this.inUse--;
    if (session.transaction !== undefined) session.rollback();
    session.traces?.rest();
    session.locks.unlockAll();
    if (this.idle.length < IDLE_MAX && !session.watch.isEnded) this.idle.push(session);
    else session.close();
  }
}
