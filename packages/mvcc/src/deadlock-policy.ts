/**
 * Deadlocks: who of a cycle loses, and what it is told; and the two ways never to have one (Rosenkrantz, Stearns and Lewis,
 * "System Level Concurrency Control for Distributed Database Systems", 1978):
 *
 *   detect       whoever has to wait waits; a wait that closes a cycle breaks it (the default)
 *   wait-die     who is older waits, who is younger dies and is run again, as old as it was
 *   wound-wait   who is younger waits, who is older ends the younger ones in its way
 *
 * Age is that of the first attempt: a transaction that is run again keeps it (`retryOf`, or the session remembers), so it is
 * the oldest some day and nobody starves. In a cycle, too, nobody loses twice while another has not lost at all.
 */
import { PhantomError, SqlState } from '@phantom/base';
import { MODE_NAMES } from './lock-strength.js';
import type { LockParty, LockRequest } from './lock-owner.js';
import { shownStatement } from './statement-text.js';
import type { DeadlockPolicy } from './types.js';

/** The member that loses: of those that have lost least often, the one the policy names; the youngest where it leaves a choice. */
export function chooseVictim(cycle: readonly LockParty[], policy: DeadlockPolicy): LockParty {
  const lossesMin = Math.min(...cycle.map(({ losses }) => losses));
  let victim: LockParty | undefined;
  for (const member of cycle) {
    if (member.losses > lossesMin) continue;
    if (victim === undefined || isRather(member, victim, policy)) victim = member;
  }
  return victim as LockParty;
}

function isRather(a: LockParty, b: LockParty, policy: DeadlockPolicy): boolean {
  if (policy === 'least work' && a.work !== b.work) return a.work < b.work;
  if (policy === 'priority' && a.priority !== b.priority) return a.priority < b.priority;
  return a.age > b.age;
}

/** One step of a cycle: who waits, with which request, for whom. */
export interface WaitStep {
  readonly party: LockParty;
  readonly request: LockRequest;
  readonly blocker: LockParty;
}

/** 40P01 with the whole cycle: who waits for whom, on what, and with which statement. */
export function deadlockError(steps: readonly WaitStep[], describeKey: (key: Uint8Array) => string): PhantomError {
  const waits = steps.map(({ party, request, blocker }) => waitText(party, request, blocker, describeKey));
  const statements = steps.flatMap(({ party }) =>
    party.statement === undefined ? [] : [`${capital(party.name)} runs "${shownStatement(party.statement)}".`],
  );
  return new PhantomError(SqlState.DeadlockDetected, 'deadlock detected', {
    detail: [...waits, ...statements].join(' '),
    hint: 'Run the transaction again.',
    data: { cycle: steps.map(({ party }) => party.id) },
  });
}

/** 40P01 of a prevention mode: the younger one makes way before there is a cycle. */
export function preventionError(
  kind: 'dies' | 'wounded',
  { party, request, blocker }: WaitStep,
  describeKey: (key: Uint8Array) => string,
): PhantomError {
  const older = kind === 'dies' ? blocker : party;
  return new PhantomError(SqlState.DeadlockDetected, 'deadlock prevented', {
    detail: `${waitText(party, request, blocker, describeKey)} ${capital(older.name)} is older.`,
    hint: 'Run the transaction again.',
    data: { older: older.id },
  });
}

function waitText(
  party: LockParty,
  { mode, key }: LockRequest,
  blocker: LockParty,
  describeKey: (key: Uint8Array) => string,
): string {
  return `${capital(party.name)} waits for lock "${MODE_NAMES[mode]}" on ${describeKey(key)}, which ${blocker.name} blocks.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
