/** @phantom/txn-2pc-saga: transactions over several databases, decided in one of them, and sagas. */
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
export {
  type CompensationContext,
  type LocalStep,
  type RemoteStep,
  type RetryPolicy,
  type SagaDefinition,
  type SagaState,
  type SagaStatus,
  type SagaStep,
  type StepContext,
  defineSaga,
} from './saga-definition.js';
export type { SagaRunnerOptions, Transact, WriteJournal } from './saga-options.js';
export { SagaRunner, listSagas } from './saga-runner.js';
