/** Asks whoever sits at the terminal for a password, without showing what is typed. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

export type AskPassword = (user: string) => Promise<string>;

/** On this process's terminal; undefined where there is none, so that scripts fail instead of waiting. */
export function terminalPassword(): AskPassword | undefined {
  return process.stdin.isTTY && process.stderr.isTTY
    ? (user) => askFor(user, process.stdin, process.stderr)
    : undefined;
}

/** What is typed up to the end of the line; '' when the input ends or Ctrl-C is pressed. */
export function askFor(user: string, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  output.write(`Password for ${user}: `);
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      output.write('\n');
      resolve('');
    });
  });
}
