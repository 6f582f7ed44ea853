/** `information_schema` of the implementation itself: features of ISO 9075, its parts, limits and ways. */
import { type CatalogRow, informationView } from './catalog-view.js';
import { featureFacts } from './feature-facts.js';
import type { SystemView, SystemViewSource } from './system-view.js';

function* featureRows(): Iterable<CatalogRow> {
  for (const line of featureFacts.trim().split('\n')) {
    const [feature_id, works, ...name] = line.split(' ') as [string, string];
    yield {
      feature_id,
      feature_name: name.join(' '),
      sub_feature_id: '',
      sub_feature_name: '',
      is_supported: works.toUpperCase(),
    };
  }
}

/** Parts of the standard by number. Supported means whole, and none is. */
const PARTS: readonly (readonly [id: string, name: string])[] = [
  ['1', 'Framework (SQL/Framework)'],
  ['2', 'Foundation (SQL/Foundation)'],
  ['3', 'Call-Level Interface (SQL/CLI)'],
  ['4', 'Persistent Stored Modules (SQL/PSM)'],
  ['9', 'Management of External Data (SQL/MED)'],
  ['10', 'Object Language Bindings (SQL/OLB)'],
  ['11', 'Information and Definition Schema (SQL/Schemata)'],
  ['13', 'Routines and Types Using the Java Programming Language (SQL/JRT)'],
  ['14', 'XML-Related Specifications (SQL/XML)'],
  ['15', 'Multi-Dimensional Arrays (SQL/MDA)'],
];

const NAME_BYTES = 63;
const NAME_COMMENT = 'Bytes in UTF-8: fewer characters where they take more than one.';

/** The standard's sizes by number; 0 is no limit of its own, null one that is not known. See docs/limits.md. */
const SIZES: readonly (readonly [id: number, name: string, value: number | null])[] = [
  [97, 'MAXIMUM COLUMNS IN GROUP BY', 0],
  [99, 'MAXIMUM COLUMNS IN ORDER BY', 0],
  [100, 'MAXIMUM COLUMNS IN SELECT', 1664],
  [101, 'MAXIMUM COLUMNS IN TABLE', 1600],
  [1, 'MAXIMUM CONCURRENT ACTIVITIES', 0],
  [0, 'MAXIMUM DRIVER CONNECTIONS', null],
  [20000, 'MAXIMUM STATEMENT OCTETS', 0],
  [20001, 'MAXIMUM STATEMENT OCTETS DATA', 0],
  [20002, 'MAXIMUM STATEMENT OCTETS SCHEMA', 0],
  [106, 'MAXIMUM TABLES IN SELECT', 0],
  [25000, 'MAXIMUM CURRENT DEFAULT TRANSFORM GROUP LENGTH', null],
  [25001, 'MAXIMUM CURRENT TRANSFORM GROUP LENGTH', null],
  [25002, 'MAXIMUM CURRENT PATH LENGTH', 0],
  [25003, 'MAXIMUM CURRENT ROLE LENGTH', null],
  [34, 'MAXIMUM CATALOG NAME LENGTH', NAME_BYTES],
  [30, 'MAXIMUM COLUMN NAME LENGTH', NAME_BYTES],
  [31, 'MAXIMUM CURSOR NAME LENGTH', NAME_BYTES],
  [10005, 'MAXIMUM IDENTIFIER LENGTH', NAME_BYTES],
  [32, 'MAXIMUM SCHEMA NAME LENGTH', NAME_BYTES],
  [35, 'MAXIMUM TABLE NAME LENGTH', NAME_BYTES],
  [107, 'MAXIMUM USER NAME LENGTH', NAME_BYTES],
  [25004, 'MAXIMUM SESSION USER LENGTH', NAME_BYTES],
  [25005, 'MAXIMUM SYSTEM USER LENGTH', NAME_BYTES],
];

type Information = readonly [
  id: string,
  name: string,
  integer: number | null,
  text: string | null,
  comment: string | null,
];

function ways(source: SystemViewSource): readonly Information[] {
  const version = source.settings().find(({ name }) => name === 'server_version')?.setting ?? null;
  return [
    ['10003', 'CATALOG NAME', null, 'Y', null],
    ['10004', 'COLLATING SEQUENCE', null, 'C', null],
    ['23', 'CURSOR COMMIT BEHAVIOR', 1, null, 'cursors are closed, prepared statements kept'],
    ['2', 'DATA SOURCE NAME', null, '', null],
    ['17', 'DBMS NAME', null, 'PostgreSQL', 'the one whose behaviour this is'],
    ['18', 'DBMS VERSION', null, version, null],
    ['26', 'DEFAULT TRANSACTION ISOLATION', 2, null, 'READ COMMITTED, unless the user has it otherwise'],
    ['28', 'IDENTIFIER CASE', 3, null, 'kept as written between quotes, case matters'],
    ['85', 'NULL COLLATION', 0, null, 'nulls above all values'],
    ['13', 'SERVER NAME', null, '', null],
    ['94', 'SPECIAL CHARACTERS', null, '', 'all characters beyond ASCII may be in names'],
    ['46', 'TRANSACTION CAPABLE', 2, null, 'data and definitions'],
  ];
}

export const INFORMATION_STANDARD_VIEWS: readonly SystemView[] = [
  informationView('sql_features', featureRows),
  informationView('sql_parts', () =>
    PARTS.map(([feature_id, feature_name]) => ({ feature_id, feature_name, is_supported: 'NO' })),
  ),
  informationView('sql_sizing', () =>
    SIZES.map(([sizing_id, sizing_name, supported_value]) => ({
      sizing_id,
      sizing_name,
      supported_value,
      comments: supported_value === NAME_BYTES ? NAME_COMMENT : null,
    })),
  ),
  informationView('sql_implementation_info', (source) =>
    ways(source).map(([id, name, integer_value, character_value, comments]) => ({
      implementation_info_id: id,
      implementation_info_name: name,
      integer_value,
      character_value,
      comments,
    })),
  ),
];
