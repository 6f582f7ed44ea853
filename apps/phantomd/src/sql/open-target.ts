/** Opens what a command works on: a server by its URL, or a data directory in this process. */
import { terminalPassword } from './password-prompt.js';
import type { NoticeReceiver, SqlTarget } from './target.js';

export interface TargetOptions {
  /** One of the two is given. */
  readonly data?: string;
  readonly url?: string;
  /** Database in the data directory. */
  readonly database: string;
}

/** CommandError "cannot open" when it cannot be had. Notices go to stderr. */
export async function openTarget({ data, url, database }: TargetOptions): Promise<SqlTarget> {
  const notice: NoticeReceiver = (severity, message) => process.stderr.write(`${severity}:  ${message}\n`);
  if (url !== undefined) {
    const { RemoteTarget } = await import('./remote-target.js');
    return RemoteTarget.open(url, notice, terminalPassword());
  }
  const { EmbeddedTarget } = await import('./embedded-target.js');
  return EmbeddedTarget.open(data as string, database, notice);
}
