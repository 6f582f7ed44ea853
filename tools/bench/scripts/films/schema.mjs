/**
 * Films, who made them and what is known of them: twelve tables after the shape of the Join Order Benchmark's (V. Leis et al., "How Good
 * Are Query Optimizers, Really?", VLDB 2015, over IMDB), with generated rows instead of IMDB's. All of PostgreSQL's SQL.
 */
const COLUMNS = {
  kind: 'id int primary key, name text not null',
  company_role: 'id int primary key, name text not null',
  part: 'id int primary key, name text not null',
  fact_type: 'id int primary key, name text not null',
  title:
    'id int primary key, name text not null, kind_id int not null, year int, country text not null, language text not null',
  company: 'id int primary key, name text not null, country text',
  person: 'id int primary key, name text not null, gender text, country text not null',
  keyword: 'id int primary key, word text not null',
  title_company: 'id int primary key, title_id int not null, company_id int not null, role_id int not null, note text',
  cast_member:
    'id int primary key, title_id int not null, person_id int not null, part_id int not null, place int, note text',
  title_keyword: 'id int primary key, title_id int not null, keyword_id int not null',
  title_fact: 'id int primary key, title_id int not null, type_id int not null, value text not null',
};

export const TABLES = Object.keys(COLUMNS);

/** Statements that make the tables. */
export function createTables() {
  return TABLES.map((table) => `create table ${table} (${COLUMNS[table]})`);
}

/** Statements that make an index on each column that refers to another table. */
export function createIndexes() {
  return TABLES.flatMap((table) => {
    const columns = COLUMNS[table].split(', ').map((column) => column.split(' ')[0]);
    const keys = columns.filter((column) => column.endsWith('_id'));
    return keys.map((column) => `create index ${table}_${column} on ${table} (${column})`);
  });
}

export function widthOf(table) {
  return COLUMNS[table].split(', ').length;
}
