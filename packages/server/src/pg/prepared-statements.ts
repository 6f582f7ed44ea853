/**
 * The statements a client has parsed, and what is kept ready beside each: types of its parameters, encoders of its rows.
 *
 * Named statements live in the session, beside those of SQL's PREPARE, so that either side sees and drops them. The
 * unnamed one is the protocol's own. What is kept ready is found by the name, holds for that statement alone, and is made anew
 * when the statement's plan was.
 */
import { PhantomError } from '@phantom/base';
import type { PlanField, SessionStatement, SqlType, Value } from '@phantom/db/session';
import type { DatabaseSession } from './database-session.js';
import type { BindMessage } from './frontend-messages.js';
import type { MessageReader } from './message-reader.js';
import { PROTOCOL_VIOLATION, Format } from './protocol.js';
import { RowEncoder, type TypeFinder, refuseHiddenText } from './row-encoder.js';

/** Named statements of one connection. */
export const STATEMENTS_MAX = 10_000;
const NO_FIELDS: readonly PlanField[] = [];
const NO_TYPES: readonly ParameterType[] = [];

/** A SELECT has rows to show even where its list is empty. */
export function isQuery(statement: SessionStatement): boolean {
  return statement.kind === 'plan' && statement.node.kind === 'query';
}

/** The rows that a SELECT's tag counts. */
export function rowsOfTag(tag: string): number {
  return Number(tag.slice(tag.lastIndexOf(' ') + 1));
}

export interface ParameterType {
  readonly oid: number;
  readonly typmod: number;
}

/** A statement with what is kept ready for it. */
export class ReadyStatement {
  readonly statement: SessionStatement;
  private textRows: RowEncoder | undefined;
  private binaryRows: RowEncoder | undefined;
  private parameterTypes: readonly ParameterType[] = NO_TYPES;
  private readonly resolved: (SqlType | undefined)[] = [];

  constructor(statement: SessionStatement) {
    this.statement = statement;
  }

  /** The columns as they are now. */
  fields(session: DatabaseSession): readonly PlanField[] {
    const { statement } = this;
    if (statement.kind === 'plan') return session.currentPlan(statement).fields;
    return statement.kind === 'utility' ? statement.utility.fields : NO_FIELDS;
  }

  parameters(session: DatabaseSession): readonly ParameterType[] {
    const { statement } = this;
    if (statement.kind === 'plan') return session.currentPlan(statement).parameterTypes;
    return statement.kind === 'utility' ? statement.utility.parameterTypes : NO_TYPES;
  }

  /** Encoder of rows with these fields in the formats of a Bind message. */
  encoder(fields: readonly PlanField[], bind: BindMessage, types: TypeFinder): RowEncoder {
    const { resultFormats } = bind;
    if (resultFormats.length > 1) {
      if (resultFormats.length !== fields.length) {
        throw new PhantomError(
          PROTOCOL_VIOLATION,
          `bind message has ${resultFormats.length} result formats but query has ${fields.length} columns`,
        );
      }
      return new RowEncoder(fields, types, (index) => bind.resultFormat(index));
    }
    if (resultFormats.length === 1 && resultFormats[0] === Format.Binary) {
      if (this.binaryRows?.fields !== fields) this.binaryRows = new RowEncoder(fields, types, () => Format.Binary);
      return this.binaryRows;
    }
    return this.textEncoder(fields, types);
  }

  textEncoder(fields: readonly PlanField[], types: TypeFinder): RowEncoder {
    if (this.textRows?.fields !== fields) this.textRows = new RowEncoder(fields, types, () => Format.Text);
    return this.textRows;
  }

  /** Values of a Bind message, whose bytes lie in the reader's buffer, as values of the parameters' types. A new array for each portal. */
  values(bind: BindMessage, reader: MessageReader, session: DatabaseSession): Value[] {
    const parameters = this.parameters(session);
    if (bind.valueCount !== parameters.length) {
      throw new PhantomError(
        PROTOCOL_VIOLATION,
        `bind message supplies ${bind.valueCount} parameters, but prepared statement "${bind.statement}" requires ${parameters.length}`,
      );
    }
    if (parameters !== this.parameterTypes) this.resolve(parameters, session.evaluation.types);
    const values: Value[] = [];
    for (let i = 0; i < bind.valueCount; i++) values.push(this.value(bind, i, reader, session));
    return values;
  }

  private value(bind: BindMessage, index: number, reader: MessageReader, session: DatabaseSession): Value {
    const bytes = bind.valueBytes[index] as number;
    if (bytes === -1) return null;
    const start = bind.valueStarts[index] as number;
    const { oid, typmod } = this.parameterTypes[index] as ParameterType;
    const type = this.resolved[index];
    if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
    const isText = bind.parameterFormat(index) === Format.Text;
    try {
      const { buffer, encoding } = reader;
      // A text is the same in both formats.
      if (!isText && (encoding === undefined || type.category !== 'S')) {
        if (encoding !== undefined) refuseHiddenText(type);
        return type.receive(buffer, start, start + bytes, typmod, session.evaluation);
      }
      const text = reader.text(start, start + bytes);
      if (text.includes('\0')) throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
      return type.input(text, typmod, session.evaluation);
    } catch (error) {
      if (!(error instanceof PhantomError) || error.where !== undefined) throw error;
      const portal = bind.portal === '' ? 'unnamed portal' : `portal "${bind.portal}"`;
      // Values are not shown: the report may end in a log.
      throw error.with({ where: `${portal} parameter $${index + 1}${isText ? " = '...'" : ''}` });
    }
  }

  private resolve(parameters: readonly ParameterType[], types: TypeFinder): void {
    this.parameterTypes = parameters;
    this.resolved.length = 0;
    for (const { oid } of parameters) this.resolved.push(types.byOid(oid));
  }
}

/** The statements of one connection, by name. */
export class PreparedStatements {
  private readonly session: DatabaseSession;
  /** By name, as long as the session's statement of that name is the one. */
  private readonly ready = new Map<string, ReadyStatement>();
  private unnamed: ReadyStatement | undefined;

  constructor(session: DatabaseSession) {
    this.session = session;
  }

  /** The statement of a name, '' the unnamed one. 26000 when there is none. */
  get(name: string): ReadyStatement {
    if (name === '') {
      if (this.unnamed === undefined) throw new PhantomError('26000', 'unnamed prepared statement does not exist');
      return this.unnamed;
    }
    const statement = this.session.prepared.get(name);
    if (statement === undefined) {
      this.ready.delete(name);
      throw new PhantomError('26000', `prepared statement "${name}" does not exist`, {
        routine: 'FetchPreparedStatement',
      });
    }
    let ready = this.ready.get(name);
    if (ready?.statement !== statement) {
      // More than there are statements: some were dropped by SQL.
      if (this.ready.size >= this.session.prepared.size) this.ready.clear();
      this.ready.set(name, (ready = new ReadyStatement(statement)));
    }
    return ready;
  }

  /** Before a Parse: the unnamed statement gives way, a named one does not (42P05), and there may be only so many (53400). */
  admit(name: string): void {
    const { prepared } = this.session;
    if (name === '') {
      this.unnamed = undefined;
    } else if (prepared.has(name)) {
      throw new PhantomError('42P05', `prepared statement "${name}" already exists`);
    } else if (prepared.size >= STATEMENTS_MAX) {
      throw new PhantomError('53400', `a connection keeps at most ${STATEMENTS_MAX} prepared statements`, {
        hint: 'Close or DEALLOCATE statements that are no longer used.',
        data: { statementsMax: STATEMENTS_MAX },
      });
    }
  }

  put(name: string, statement: SessionStatement): void {
    if (name === '') this.unnamed = new ReadyStatement(statement);
    else this.session.prepared.set(name, statement);
  }

  /** Drops a statement; none of that name is no error. */
  close(name: string): void {
    if (name === '') this.unnamed = undefined;
    else if (this.session.prepared.delete(name)) this.ready.delete(name);
  }
}
