/** pg_catalog's text search: PostgreSQL's own configurations and dictionaries, its parser and the templates behind them. */
import { configurations, dictionaries } from '../search/configurations.js';
import { TOKEN_KINDS } from '../search/token-kinds.js';
import { catalogView } from './catalog-view.js';
import { BOOTSTRAP_ROLE_OID } from './oids.js';
import { PG_CATALOG_OID, type SystemView } from './system-view.js';

const PARSER_OID = 3722;
const SIMPLE_TEMPLATE_OID = 3727;
const SNOWBALL_TEMPLATE_OID = 13150;
const SIMPLE_DICTIONARY_OID = 3765;

export const TEXT_SEARCH_VIEWS: readonly SystemView[] = [
  catalogView('pg_ts_config', () =>
    configurations.map(({ oid, name }) => ({
      oid,
      cfgname: name,
      cfgnamespace: PG_CATALOG_OID,
      cfgowner: BOOTSTRAP_ROLE_OID,
      cfgparser: PARSER_OID,
    })),
  ),
  catalogView('pg_ts_config_map', () =>
    configurations.flatMap((configuration) =>
      TOKEN_KINDS.flatMap(([kind]) => {
        const dictionary = configuration.dictionaryOf(kind);
        return dictionary === undefined
          ? []
          : [{ mapcfg: configuration.oid, maptokentype: kind, mapseqno: 1, mapdict: dictionary.oid }];
      }),
    ),
  ),
  catalogView('pg_ts_dict', () =>
    dictionaries.map(({ oid, name, options }) => ({
      oid,
      dictname: name,
      dictnamespace: PG_CATALOG_OID,
      dictowner: BOOTSTRAP_ROLE_OID,
      dicttemplate: oid === SIMPLE_DICTIONARY_OID ? SIMPLE_TEMPLATE_OID : SNOWBALL_TEMPLATE_OID,
      dictinitoption: options,
    })),
  ),
  catalogView('pg_ts_parser', () => [
    {
      oid: PARSER_OID,
      prsname: 'default',
      prsnamespace: PG_CATALOG_OID,
      prsstart: 0,
      prstoken: 0,
      prsend: 0,
      prsheadline: 0,
      prslextype: 0,
    },
  ]),
  catalogView('pg_ts_template', () =>
    [
      [SIMPLE_TEMPLATE_OID, 'simple'],
      [SNOWBALL_TEMPLATE_OID, 'snowball'],
    ].map(([oid, tmplname]) => ({ oid, tmplname, tmplnamespace: PG_CATALOG_OID, tmplinit: 0, tmpllexize: 0 })),
  ),
];
