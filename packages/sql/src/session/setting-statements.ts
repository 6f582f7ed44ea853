/** SET, RESET, SHOW and DISCARD. */
import { PhantomError } from '@phantom/base';
import type { Discard, Reset, SetSetting, Show } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import { importSnapshot } from './exported-snapshots.js';
import { settingText } from './setting-forms.js';
import { readSetting } from './settings.js';
import { type Utility, field, sendRows } from './statement.js';
import { type IsolationLevel, isMode } from './transaction-modes.js';
import { changeModes } from './transaction-statements.js';
import { TypeOid } from '../types/type-oids.js';

/** Settings of SET that are actions rather than values. */
const ROLE_SETTINGS = new Set(['role', 'session_authorization']);

export function setUtility(node: SetSetting): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      const local = node.scope === 'local';
      if (local && session.transaction?.explicit !== true && !session.routines.isRunning) {
        session.notice('WARNING', '25P01', 'SET LOCAL can only be used in transaction blocks');
      }
      if (ROLE_SETTINGS.has(node.name)) setRole(session, node, local);
      else if (isMode(node.name)) setMode(session, node);
      else if (node.name === 'transaction_snapshot' && node.value.kind === 'values')
        importSnapshot(session, settingText(node.name, node.value.values));
      else if (node.value.kind === 'default') session.settings.reset(node.name, session.transaction !== undefined);
      else if (node.value.kind === 'values')
        session.applySetting(node.name, settingText(node.name, node.value.values), local);
      else throw new PhantomError('0A000', 'SET ... FROM CURRENT is for routines only');
      return 0;
    },
  };
}

export function resetUtility(node: Reset): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      const inTransaction = session.transaction !== undefined;
      if (node.name === undefined) session.settings.resetAll(inTransaction);
      else if (node.name === 'role') session.roles.actAs(undefined);
      else if (node.name === 'session_authorization') session.roles.authorizeAs(undefined);
      else session.settings.reset(node.name, inTransaction);
      return 0;
    },
  };
}

export function showUtility(node: Show, session: SqlSession): Utility {
  const { name } = node;
  if (name === undefined) {
    return {
      fields: [field('name', TypeOid.text), field('setting', TypeOid.text), field('description', TypeOid.text)],
      parameterTypes: [],
      transaction: 'any',
      run: (running, _parameters, sink) =>
        sendRows(
          running.settings.rows(running.roles.mayReadAllSettings).map((row) => [row.name, row.value, row.description]),
          3,
          sink,
        ),
    };
  }
  if (!ROLE_SETTINGS.has(name)) {
    session.settings.get(name);
    session.settings.refuseGuarded(name, session.roles.mayReadAllSettings);
  }
  return {
    fields: [field(session.settings.title(name), TypeOid.text)],
    parameterTypes: [],
    transaction: 'any',
    run: (running, _parameters, sink) => {
      const value = name === 'role' ? running.roles.setting : running.settings.show(name);
      return sendRows([[value]], 1, sink);
    },
  };
}

export function discardUtility(node: Discard): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session) {
      if (node.what === 'temporary' || node.what === 'all') {
        if (session.transaction !== undefined)
          throw new PhantomError(
            '25001',
            `DISCARD ${node.what === 'all' ? 'ALL' : 'TEMP'} cannot run inside a transaction block`,
          );
        session.temporary.dropAll();
      }
      if (node.what === 'all') {
        session.prepared.clear();
        session.cursors.closeAll();
        session.engine.notifications.unlisten(session, undefined);
        session.settings.resetAll(false);
        session.roles.authorizeAs(undefined);
      }
      if (node.what === 'all' || node.what === 'sequences') session.evaluation.forgetSequences();
      return 0;
    },
  };
}

function setRole(session: SqlSession, node: SetSetting, local: boolean): void {
  const item = node.value.kind === 'values' ? node.value.values[0] : undefined;
  const isNone = item === undefined || (item.kind === 'word' && (item.text === 'none' || item.text === 'default'));
  const name = isNone ? undefined : item.text;
  if (node.name === 'role') session.roles.actAs(name, local);
  else session.roles.authorizeAs(name, local);
}

/** SET transaction_isolation and kin say what SET TRANSACTION says. */
function setMode(session: SqlSession, node: SetSetting): void {
  const { transaction, settings } = session;
  const text = node.value.kind === 'values' ? settingText(node.name, node.value.values) : undefined;
  const value = text === undefined ? settings.get(`default_${node.name}`) : readSetting(node.name, text);
  // Outside of a block it would be over before anybody could see it, as in PostgreSQL.
  if (transaction === undefined || !(transaction.explicit || session.routines.isRunning)) return;
  changeModes(session, transaction, {
    isolation: node.name === 'transaction_isolation' ? (value as IsolationLevel) : undefined,
    readOnly: node.name === 'transaction_read_only' ? value === 'on' : undefined,
    deferrable: node.name === 'transaction_deferrable' ? value === 'on' : undefined,
  });
}
