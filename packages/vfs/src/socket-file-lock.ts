/**
 * Holding a name with socket files, where the kernel has no names of its own that die with their process (macOS, BSD).
 *
 * A socket file outlives its process, so finding one proves nothing, and removing a stale one races with whoever just put
 * a live one in its place. So no file is ever taken over: every attempt announces itself under a name of its own and then
 * looks at the others (Dekker's idea: raise your flag, then read the other's; Dijkstra, EWD 123, 1965).
 *
 *   1. Announce: listen on `<prefix><random id>`, state "starting".
 *   2. Look: ask every other `<prefix>*`. Dead: remove the file. Holding: give up. Silent: give up, and say so.
 *      Starting: the smaller id goes first, so with a larger id give up; with the smaller one wait and look again.
 *   3. Nobody alive: check that the own file still leads to this process (somebody may have found it in the instant between
 *      bind and listen and removed it for dead); if so the name is held, else begin again under a new id.
 *
 * Why two cannot both hold: each announced before it looked, so of any two at least one saw the other alive. Why a removed
 * file does no harm: its remover was alive when it looked, hence either seen in step 2 or gone before step 3.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { Server } from 'node:net';
import { type Answer, type HolderAnswer, ask, closeServer, listenAt } from './lock-socket.js';
import type { LockHolder } from './vfs.js';

/** Pause before another look at somebody who is starting too. */
const LOOK_AGAIN_MS = 10;

export interface SocketFileLock {
  /** The listening socket, or who is in the way. */
  readonly server: Server | undefined;
  readonly answer: Answer | undefined;
}

export async function holdSocketFile(
  directory: string,
  prefix: string,
  holder: () => LockHolder,
  timeoutMs: number,
): Promise<SocketFileLock> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const self: { id: string; state: HolderAnswer['state'] } = {
      id: randomBytes(6).toString('hex'),
      state: 'starting',
    };
    const address = `${directory}/${prefix}${self.id}`;
    const server = await listenAt(address, () => ({ ...holder(), ...self }));
    if (server === undefined) continue;
    const inTheWay = await lookAround(directory, prefix, self.id, deadlineMs);
    if (inTheWay === undefined) {
      const own = await ask(address, timeoutMs);
      if (own.kind === 'holder' && own.holder.id === self.id) {
        self.state = 'holding';
        return { server, answer: undefined };
      }
    }
    await closeServer(server);
    if (inTheWay !== undefined) return { server: undefined, answer: inTheWay };
    if (performance.now() > deadlineMs) return { server: undefined, answer: { kind: 'silent' } };
  }
}

/** Whoever forbids this attempt to hold the name; undefined when nobody else is alive. */
async function lookAround(
  directory: string,
  prefix: string,
  id: string,
  deadlineMs: number,
): Promise<Answer | undefined> {
  for (;;) {
    let waits = false;
    for (const name of fs.readdirSync(directory)) {
      if (!name.startsWith(prefix) || name === prefix + id) continue;
      const leftMs = Math.max(1, deadlineMs - performance.now());
      const answer = await ask(`${directory}/${name}`, leftMs);
      if (answer.kind === 'dead') fs.rmSync(`${directory}/${name}`, { force: true });
      else if (answer.kind === 'silent' && fs.existsSync(`${directory}/${name}`)) return answer;
      else if (answer.kind === 'holder') {
        if (answer.holder.state === 'holding' || answer.holder.id < id) return answer;
        waits = true;
      }
    }
    if (!waits) return undefined;
    if (performance.now() > deadlineMs) return { kind: 'silent' };
    await new Promise<void>((resolve) => {
      setTimeout(resolve, LOOK_AGAIN_MS);
    });
  }
}
