/**
 * What an operator looks up of the server itself: how sessions are encrypted, who may come in from where, what its file says. Maps of names of
 * the system's users there are none, so pg_ident_file_mappings is always empty. As in PostgreSQL files are for superusers.
 */
import { Decimal, SqlArray } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import type { SystemView, SystemViewSource } from './system-view.js';

/** Sessions that came over a network, of whom the role may know it. */
function* encryptionRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { processId, client, encryption } of source.sessions()) {
    if (client === undefined || !source.activity.maySee(processId)) continue;
    const { version = null, cipher = null, bits = null, certificate } = encryption ?? {};
    yield {
      pid: processId,
      ssl: encryption !== undefined,
      version,
      cipher,
      bits,
      client_dn: certificate?.subject ?? null,
      client_serial: certificate === undefined ? null : (Decimal.parse(BigInt(certificate.serial).toString()) ?? null),
      issuer_dn: certificate?.issuer ?? null,
    };
  }
}

function* gssRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { processId, client } of source.sessions())
    if (client !== undefined && source.activity.maySee(processId))
      yield { pid: processId, gss_authenticated: false, encrypted: false };
}

function texts(names: readonly string[] | undefined): SqlArray | null {
  return names === undefined ? null : SqlArray.of(TypeOid.text, names);
}

function* ruleRows({ server }: SystemViewSource): Iterable<CatalogRow> {
  for (const rule of server?.rules() ?? [])
    yield {
      line_number: rule.line,
      type: rule.connection ?? null,
      database: texts(rule.databases),
      user_name: texts(rule.users),
      address: rule.address ?? null,
      netmask: rule.mask ?? null,
      auth_method: rule.method ?? null,
      error: rule.error ?? null,
    };
}

function* fileSettingRows({ server }: SystemViewSource): Iterable<CatalogRow> {
  for (const [i, { file, line, name, value, applied }] of (server?.fileSettings() ?? []).entries())
    yield { sourcefile: file, sourceline: line, seqno: i + 1, name, setting: value, applied };
}

export const SERVER_VIEWS: readonly SystemView[] = [
  catalogView('pg_stat_ssl', encryptionRows),
  catalogView('pg_stat_gssapi', gssRows),
  { ...catalogView('pg_hba_file_rules', ruleRows), restricted: true },
  { ...catalogView('pg_ident_file_mappings', () => []), restricted: true },
  { ...catalogView('pg_file_settings', fileSettingRows), restricted: true },
];
