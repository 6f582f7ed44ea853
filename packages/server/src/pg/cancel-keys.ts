/**
 * Who may cancel what. A client is told a number and a secret when it is let in; a CancelRequest comes on a connection of its
 * own, shows both, and gets no answer either way, so nothing can be learned from it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Protocol 3.0 has room for these many. */
const SECRET_BYTES = 4;

interface Entry {
  readonly secret: Buffer;
  readonly cancel: () => void;
}

export class CancelKeys {
  private readonly entries = new Map<number, Entry>();

  /** Makes the secret of a session; `cancel` is called when somebody shows it. */
  register(processId: number, cancel: () => void): Uint8Array {
    const secret = randomBytes(SECRET_BYTES);
    this.entries.set(processId, { secret, cancel });
    return secret;
  }

  remove(processId: number): void {
    this.entries.delete(processId);
  }

  /** Cancels what the session runs. False when there is none or the secret is another; the time taken does not tell which byte. */
  request(processId: number, secret: Uint8Array): boolean {
    const entry = this.entries.get(processId);
    if (entry === undefined || entry.secret.length !== secret.length || !timingSafeEqual(entry.secret, secret))
      return false;
    entry.cancel();
    return true;
  }
}
