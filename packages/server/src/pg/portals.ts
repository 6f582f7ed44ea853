/**
 * Portals of a connection: a statement with its values, on the way to its rows. The database's portal behind one is made
 * when it is first executed: until then nothing has happened that could be left over.
 */
import { PhantomError } from '@phantom/base';
import type { PlanField, Value } from '@phantom/db/session';
import type { DatabasePortal } from './database-session.js';
import type { ReadyStatement } from './prepared-statements.js';
import type { RowEncoder } from './row-encoder.js';

/** Portals of one connection at once. */
export const PORTALS_MAX = 1000;

export class ProtocolPortal {
  readonly ready: ReadyStatement;
  readonly values: readonly Value[];
  readonly fields: readonly PlanField[];
  readonly encoder: RowEncoder;
  portal: DatabasePortal | undefined;
  /** True once an Execute stopped at its row limit. */
  suspended = false;
  /** True once it was executed on a straight road, without the database's portal. */
  done = false;

  constructor(ready: ReadyStatement, values: readonly Value[], fields: readonly PlanField[], encoder: RowEncoder) {
    this.ready = ready;
    this.values = values;
    this.fields = fields;
    this.encoder = encoder;
  }
}

export class Portals {
  private unnamed: ProtocolPortal | undefined;
  private readonly named = new Map<string, ProtocolPortal>();

  has(name: string): boolean {
    return name === '' ? this.unnamed !== undefined : this.named.has(name);
  }

  get(name: string): ProtocolPortal {
    const portal = name === '' ? this.unnamed : this.named.get(name);
    if (portal === undefined) throw new PhantomError('34000', `portal "${name}" does not exist`);
    return portal;
  }

  /** Before a Bind: the unnamed portal gives way, a named one does not (42P03), and there may be only so many (53400). */
  admit(name: string): void {
    if (name === '') {
      this.unnamed?.portal?.close();
      this.unnamed = undefined;
    } else if (this.named.has(name)) {
      throw new PhantomError('42P03', `cursor "${name}" already exists`);
    } else if (this.named.size >= PORTALS_MAX) {
      throw new PhantomError('53400', `a connection keeps at most ${PORTALS_MAX} portals`, {
        data: { portalsMax: PORTALS_MAX },
      });
    }
  }

  put(name: string, portal: ProtocolPortal): void {
    if (name === '') this.unnamed = portal;
    else this.named.set(name, portal);
  }

  /** Closes a portal; none of that name is no error. */
  close(name: string): void {
    const portal = name === '' ? this.unnamed : this.named.get(name);
    portal?.portal?.close();
    if (name === '') this.unnamed = undefined;
    else this.named.delete(name);
  }

  /** Closes all of them: a transaction has ended. */
  closeAll(): void {
    this.unnamed?.portal?.close();
    this.unnamed = undefined;
    if (this.named.size === 0) return;
    for (const portal of this.named.values()) portal.portal?.close();
    this.named.clear();
  }
}
