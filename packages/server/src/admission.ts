/**
 * How many clients are let in. A connection takes a place when it says who it is and gives it back when it ends; the last
 * few places are kept for superusers, so that somebody can look what is wrong when all others are taken.
 */
import { PhantomError } from '@phantom/base';

/** Connections beyond the limit that may stand at the door: they want to cancel something, or to be told that there is no room. */
const DOOR_CONNECTIONS_MAX = 128;

export interface AdmissionLimits {
  readonly connectionsMax: number;
  readonly connectionsReserved: number;
}

/** What is asked of a role. */
export interface AdmissionRole {
  readonly name: string;
  readonly superuser: boolean;
  readonly connectionLimit?: number;
}

export class Admission {
  private readonly limits: AdmissionLimits;
  private readonly byRole = new Map<string, number>();
  private sockets = 0;
  private count = 0;

  constructor(limits: AdmissionLimits) {
    this.limits = limits;
  }

  /** Clients that have been let in. */
  get connections(): number {
    return this.count;
  }

  /** A socket was accepted; false: there are so many that it is not even heard. */
  arrive(): boolean {
    if (this.sockets >= this.limits.connectionsMax + DOOR_CONNECTIONS_MAX) return false;
    this.sockets++;
    return true;
  }

  /** A socket that had arrived is gone. */
  leave(): void {
    this.sockets--;
  }

  /** Takes a place for the role, or throws 53300. */
  enter(role: AdmissionRole): void {
    const { connectionsMax, connectionsReserved } = this.limits;
    const free = connectionsMax - this.count;
    if (free <= 0) throw tooMany('sorry, too many clients already', connectionsMax);
    if (free <= connectionsReserved && !role.superuser) {
      throw tooMany('remaining connection slots are reserved for superusers', connectionsMax);
    }
    const ofRole = this.byRole.get(role.name) ?? 0;
    const { connectionLimit } = role;
    if (connectionLimit !== undefined && connectionLimit >= 0 && ofRole >= connectionLimit && !role.superuser) {
      throw tooMany(`too many connections for role "${role.name}"`, connectionLimit);
    }
    this.byRole.set(role.name, ofRole + 1);
    this.count++;
  }

  /** Gives a place back. */
  exit(role: AdmissionRole): void {
    const left = (this.byRole.get(role.name) ?? 1) - 1;
    if (left === 0) this.byRole.delete(role.name);
    else this.byRole.set(role.name, left);
    this.count--;
  }
}

function tooMany(message: string, connectionsMax: number): PhantomError {
  return new PhantomError('53300', message, { data: { connectionsMax } });
}
