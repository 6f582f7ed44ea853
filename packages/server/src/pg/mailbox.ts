/**
 * Notifications on their way to a client. They are sent between its transactions only: at once while it rests, else before
 * the ReadyForQuery that ends the transaction. A client that stays in a transaction, or does not read, is not worth more
 * memory than WAITING_BYTES_MAX: past it the connection ends, since a notification left out would be one it never hears of.
 */
import { PhantomError } from '@phantom/base';
import type { Notification } from '@phantom/db/session';
import { writeNotificationResponse } from './backend-messages.js';
import type { MessageWriter } from './message-writer.js';

/** Notifications that wait for one client, by their bytes. */
export const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** What one costs besides its texts. */
const ENTRY_BYTES = 128;

export class Mailbox {
  private waiting: Notification[] = [];
  private waitingBytes = 0;

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Keeps a notification; 53400 when too many wait. */
  put(notification: Notification): void {
    this.waitingBytes += notification.payload.length + notification.channel.length + ENTRY_BYTES;
    if (this.waitingBytes > WAITING_BYTES_MAX) {
      this.waiting = [];
      throw new PhantomError('53400', `more than ${WAITING_BYTES_MAX} bytes of notifications wait for this client`, {
        hint: 'End transactions soon, and read what is sent.',
        data: { waitingBytesMax: WAITING_BYTES_MAX },
      });
    }
    this.waiting.push(notification);
  }

  /** Writes all that wait. */
  deliver(messages: MessageWriter): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.waitingBytes = 0;
    for (const { processId, channel, payload } of waiting)
      writeNotificationResponse(messages, processId, channel, payload);
  }
}
