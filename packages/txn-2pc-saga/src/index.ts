/** @phantom/txn-2pc-saga: transactions over several databases, decided in one of them. */
export type { CoordinatorOptions } from './coordinator-options.js';
export {
  type CommitOwn,
  type Completion,
  Coordinator,
  type UnansweredDecision,
  type WriteDecision,
} from './coordinator.js';
export { type LocalParticipant, localParticipant } from './local-participant.js';
export type { Branch, Ending, Participant, Vote } from './participant.js';
