/** The built daemon as a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export function phantomd(args: readonly string[], input = ''): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    input,
    encoding: 'utf8',
    timeout: 15_000,
  });
  return { code: status, out: stdout, err: stderr };
}

export class Daemon {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  out = '';
  err = '';

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, 'serve', '--pg-port', '0', '--http-port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.exited = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
  }

  /** Starts one and waits for its ready line. */
  static async start(...args: string[]): Promise<Daemon> {
    const daemon = new Daemon(args);
    for (let i = 0; i < 1500 && !daemon.out.includes('\n'); i++) {
      if (daemon.child.exitCode !== null) throw new Error(`the daemon ended: ${daemon.err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return daemon;
  }

  get pgPort(): number {
    return Number(/pg=127\.0\.0\.1:(\d+)/.exec(this.out)?.[1]);
  }

  get httpPort(): number {
    return Number(/http=127\.0\.0\.1:(\d+)/.exec(this.out)?.[1]);
  }

  get url(): string {
    return `postgres://phantom@127.0.0.1:${this.pgPort}/phantom`;
  }

  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}
