/** Cursors that bodies of routines open: a session's own, so that FETCH of the client finds them. */
import { PhantomError } from '@phantom/base';
import type { Yielded } from '../exec/runtime.js';
import type { FetchedRows, OpenedCursor, RoutineCursors } from '../routine/routine-language.js';
import type { Fetch } from '../text/ast-session.js';
import { Cursor } from './cursor.js';
import type { SqlSession } from './session.js';

export class SessionRoutineCursors implements RoutineCursors {
  private readonly session: SqlSession;
  private unnamed = 0;

  constructor(session: SqlSession) {
    this.session = session;
  }

  /** All rows are read at once: what the body writes later does not show in them. */
  *open({ name: given, text, fields, tableOid, reads, scroll, run }: OpenedCursor): Generator<Yielded, string, void> {
    const { session } = this;
    const name = given ?? this.freeName();
    if (session.cursors.has(name)) throw new PhantomError('42P03', `cursor "${name}" already in use`);
    const declaredMicros = session.evaluation.statementMicros;
    const cursor = new Cursor(
      { name, text, fields, tableOid, reads, scroll, hold: false, declaredMicros },
      session.engine.memoryLimitBytes,
    );
    cursor.readFrom(run(cursor));
    yield* cursor.readTo(Infinity);
    session.cursors.add(cursor);
    return name;
  }

  pin(name: string): void {
    this.session.cursors.get(name).isPinned = true;
  }

  *fetch(node: Fetch): Generator<Yielded, FetchedRows, void> {
    const cursor = this.session.cursors.get(node.cursor.text);
    const { fields } = cursor.facts;
    const rows = yield* cursor.move(node);
    // Behind the fields a row may tell where it stands, for WHERE CURRENT OF.
    return { rows: rows.map((row) => row.slice(0, fields.length)), fields };
  }

  close(name: string): void {
    this.session.cursors.close(name);
  }

  private freeName(): string {
    let name: string;
    do name = `<unnamed portal ${++this.unnamed}>`;
    while (this.session.cursors.has(name));
    return name;
  }
}
