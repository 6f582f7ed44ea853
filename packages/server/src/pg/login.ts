/**
 * How one client shows who it is, from its start-up message until it is let in or refused:
 *
 *   begin --trusted, or by its certificate--> in
 *         --mechanisms--> SASLInitialResponse --> SASLResponse --> in
 */
import { refuseWithoutPassword, requireProof, type AuthenticationContext } from '../auth/authentication.js';
import type { Applicant } from '../auth/rules.js';
import type { ScramExchange } from '../auth/scram.js';
import { writeAuthenticationSasl, writeAuthenticationSaslData } from './backend-messages.js';
import type { LoginRole } from './database-session.js';
import { readSaslInitial, readSaslResponse } from './frontend-messages.js';
import type { MessageReader } from './message-reader.js';
import type { MessageWriter } from './message-writer.js';
import { AuthenticationKind, Frontend } from './protocol.js';
import { fatal, readOrEnd } from './reports.js';

export class Login {
  private readonly user: string;
  private readonly exchange: ScramExchange | undefined;
  private hasBegun = false;

  /** FatalError with 28000 when there is no way in for the applicant. */
  constructor(applicant: Applicant, context: AuthenticationContext) {
    this.user = applicant.user;
    this.exchange = requireProof(applicant, context);
  }

  /** True when the client is let in as it stands; else it is told how it can prove itself. */
  begin(messages: MessageWriter): boolean {
    if (this.exchange === undefined) return true;
    writeAuthenticationSasl(messages, this.exchange.mechanisms);
    return false;
  }

  /**
   * Takes a message of the exchange and answers it; true when the client has proved itself. `role` is who it would be by now. FatalError and
   * PhantomError for what is no proof.
   */
  proceed(type: number, reader: MessageReader, role: () => LoginRole | undefined, messages: MessageWriter): boolean {
    const { exchange, user } = this;
    if (type !== Frontend.Authentication || exchange === undefined)
      throw fatal('08P01', `expected SASL response, got message type ${type}`);
    if (!this.hasBegun) {
      const { mechanism, response } = readOrEnd(() => readSaslInitial(reader));
      writeAuthenticationSaslData(messages, AuthenticationKind.SaslContinue, exchange.first(response, mechanism));
      this.hasBegun = true;
      return false;
    }
    const answer = exchange.last(readOrEnd(() => readSaslResponse(reader)));
    refuseWithoutPassword(user, role());
    writeAuthenticationSaslData(messages, AuthenticationKind.SaslFinal, answer);
    return true;
  }
}
