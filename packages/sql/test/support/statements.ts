/** Statements in a session, and what came of them in a word. */
import { PhantomError } from '@phantom/base';
import type { SqlSession } from '../../src/index.js';

/** Runs statements; the tag of the last, or the code of the error. */
export async function run(session: SqlSession, sql: string): Promise<string> {
  let answer = '';
  try {
    for (const parsed of session.parse(sql)) {
      const portal = session.portal(session.prepare(parsed, sql), []);
      answer = (await portal.fetch(0, () => undefined)).tag;
    }
    await session.sync();
    return answer;
  } catch (error) {
    return error instanceof PhantomError ? error.code : String(error);
  }
}

/** Rows of one statement, each as its values with blanks between; the code of an error as the only row. */
export async function rows(session: SqlSession, sql: string): Promise<string[]> {
  const found: string[] = [];
  try {
    const portal = session.portal(session.prepareText(sql), []);
    await portal.fetch(0, ({ count, columns }) => {
      for (let row = 0; row < count; row++) found.push(columns.map((column) => String(column[row])).join(' '));
    });
    await session.sync();
    return found;
  } catch (error) {
    return [error instanceof PhantomError ? error.code : String(error)];
  }
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
