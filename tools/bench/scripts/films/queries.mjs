/**
 * Eighteen queries of four to twelve tables, as data: what is joined on what, and what is asked of each table. So each can be written
 * as a plain list of tables, and in a join order of one's own, every step of it fenced in by OFFSET 0.
 */
const TABLE_OF = {
  t: 'title',
  t2: 'title',
  k: 'kind',
  k2: 'kind',
  tc: 'title_company',
  c: 'company',
  cr: 'company_role',
  cm: 'cast_member',
  cm2: 'cast_member',
  p: 'person',
  p2: 'person',
  pa: 'part',
  pa2: 'part',
  tk: 'title_keyword',
  tk2: 'title_keyword',
  w: 'keyword',
  tf: 'title_fact',
  ft: 'fact_type',
  tg: 'title_fact',
  gt: 'fact_type',
};

/** What an alias is joined on. A query has those whose aliases it names all. */
const JOINS = [
  ['t.kind_id', 'k.id'],
  ['t2.kind_id', 'k2.id'],
  ['tc.title_id', 't.id'],
  ['tc.company_id', 'c.id'],
  ['tc.role_id', 'cr.id'],
  ['cm.title_id', 't.id'],
  ['cm.person_id', 'p.id'],
  ['cm.part_id', 'pa.id'],
  ['cm2.person_id', 'p2.id'],
  ['cm2.part_id', 'pa2.id'],
  ['tk.title_id', 't.id'],
  ['tk.keyword_id', 'w.id'],
  ['tf.title_id', 't.id'],
  ['tf.type_id', 'ft.id'],
  ['tg.title_id', 't.id'],
  ['tg.type_id', 'gt.id'],
];

/** Filters by alias, and joins beside those above. */
const ASKED = [
  { t: "country = 'jp' and language = 'ja' and year > 2000", tc: '', c: "country = 'jp'", cr: "name = 'distribution'" },
  { t: "country = 'us' and language = 'en'", k: "name = 'film'", tk: '', w: "word like 'drama-%'" },
  {
    t: 'year between 2005 and 2010',
    k: "name = 'episode'",
    cm: "note = '(voice)'",
    p: "gender = 'f'",
    pa: "name = 'actress'",
  },
  { t: 'year < 1960', tf: "value = 'black and white'", ft: "name = 'colour'", tc: '', c: "country = 'fr'" },
  {
    t: "country = 'in' and language = 'hi'",
    tf: "value in ('drama', 'romance')",
    ft: "name = 'genre'",
    cm: '',
    p: "country = 'in'",
  },
  { t: '', tk: '', w: "word = 'horror-6'", tf: "value > '6.0'", ft: "name = 'rating'", tc: '', c: "country = 'us'" },
  {
    t: 'year > 2010',
    k: "name in ('film', 'series')",
    tg: "value = 'comedy'",
    gt: "name = 'genre'",
    tf: "value > '7.0'",
    ft: "name = 'rating'",
  },
  {
    t: "country = 'de' and language = 'de'",
    tc: 'note is not null',
    c: "country = 'de'",
    cr: "name = 'distribution'",
    k: "name = 'film'",
  },
  { t: '', cm: '', p: "name like 'W. Person 1%'", pa: "name = 'director'", tk: '', w: '' },
  { t: '', cm: 'place = 1', p: "country = 'jp'", tc: '', c: "country = 'jp'", tk: '', w: "word like 'western-%'" },
  {
    t: "year > 1990 and country = 'kr' and language = 'ko'",
    k: "name = 'film'",
    tc: '',
    c: '',
    cr: "name = 'production'",
    cm: '',
    p: "gender = 'm'",
    pa: "name = 'actor'",
  },
  {
    t: '',
    k: "name = 'video game'",
    cm: "note = '(voice)'",
    p: '',
    pa: "name in ('actor', 'actress')",
    tc: '',
    c: "country = 'jp'",
    tf: "value = 'action'",
    ft: "name = 'genre'",
  },
  {
    t: 'year > 2000',
    tc: '',
    c: "country = 'gb'",
    tk: '',
    w: "word like 'crime-%'",
    tf: "value = 'crime'",
    ft: "name = 'genre'",
    cm: '',
    p: "gender = 'm'",
  },
  {
    t: "country = 'us' and language = 'en' and year > 2005",
    k: "name = 'film'",
    tf: "value like '1__ m'",
    ft: "name = 'budget'",
    tg: "value < '5.0'",
    gt: "name = 'rating'",
    tc: '',
    c: '',
    cr: "name = 'effects'",
  },
  {
    t: "country = 'it'",
    t2: "country = 'it'",
    cm: '',
    cm2: '',
    p: "gender = 'f'",
    k: "name = 'film'",
    k2: "name = 'series'",
    on: [
      ['p.id', 'cm2.person_id'],
      ['cm2.title_id', 't2.id'],
    ],
  },
  {
    t: '',
    t2: 'year > 2015',
    tk: '',
    tk2: '',
    w: "word = 'drama-1'",
    tc: '',
    c: "country = 'jp'",
    on: [
      ['tk2.keyword_id', 'w.id'],
      ['tk2.title_id', 't2.id'],
    ],
  },
  {
    t: "country = 'se' and language = 'sv'",
    k: '',
    tc: '',
    c: "country = 'se'",
    cr: '',
    cm: '',
    p: "country = 'se'",
    pa: "name = 'writer'",
    tf: '',
    ft: "name = 'rating'",
  },
  {
    t: "country = 'es' and language = 'es' and year > 1990",
    k: "name = 'film'",
    tc: '',
    c: '',
    cr: "name = 'production'",
    cm: '',
    p: '',
    pa: "name = 'actress'",
    tk: '',
    w: '',
    tf: '',
    ft: "name = 'genre'",
  },
];

const PREFIXED = /\b(name|country|language|year|note|word|value|gender|place)\b(?!')/g;

export const QUERIES = ASKED.map(({ on = [], ...filters }) => {
  const aliases = Object.keys(filters);
  const joins = [...JOINS, ...on].filter((sides) => sides.every((side) => aliases.includes(side.split('.')[0])));
  const conditions = aliases.map((alias) => filters[alias].replaceAll(PREFIXED, `${alias}.$1`));
  return { aliases, joins, conditions: new Map(aliases.map((alias, i) => [alias, conditions[i]])) };
});

/** How many there are, and the least and the greatest of what tells wrong pairs apart. */
function outputsOf(aliases, name) {
  const told = new Set(['t', 't2', 'p', 'c', 'w']);
  const columns = aliases.filter((alias) => told.has(alias)).map((alias) => name(`${alias}.id`));
  const outputs = columns.flatMap((column, i) => [`min(${column}) as least${i}`, `sum(${column}) as sum${i}`]);
  return ['count(*)', ...outputs].join(', ');
}

/** The query as one writes it. */
export function plainText({ aliases, joins, conditions }) {
  const tables = aliases.map((alias) => `${TABLE_OF[alias]} ${alias}`).join(', ');
  const where = [...joins.map(([a, b]) => `${a} = ${b}`), ...[...conditions.values()].filter((text) => text !== '')];
  return `select ${outputsOf(aliases, (column) => column)} from ${tables} where ${where.join(' and ')}`;
}

/** The query with its tables joined in an order of one's own, one after the other. */
export function orderedText({ aliases, joins, conditions }, order) {
  const flat = (column) => column.replace('.', '_');
  const wanted = aliases.flatMap((alias) => [
    ...new Set([`${alias}.id`, ...joins.flat().filter((column) => column.startsWith(`${alias}.`))]),
  ]);
  const joined = [];
  let text = '';
  for (const alias of order) {
    const own = wanted.filter((column) => column.startsWith(`${alias}.`));
    const condition = conditions.get(alias);
    const earlier = wanted
      .filter((column) => joined.includes(column.split('.')[0]))
      .map((column) => `x.${flat(column)}`);
    const columns = [...earlier, ...own.map((column) => `${column} as ${flat(column)}`)].join(', ');
    const on = joins.flatMap(([a, b]) => {
      const [first, second] = a.startsWith(`${alias}.`) ? [a, b] : [b, a];
      const isNow = first.startsWith(`${alias}.`) && joined.includes(second.split('.')[0]);
      return isNow ? [`${first} = x.${flat(second)}`] : [];
    });
    const where = [...on, ...(condition === '' ? [] : [condition])];
    const from = joined.length === 0 ? '' : `(${text}) x, `;
    text = `select ${columns} from ${from}${TABLE_OF[alias]} ${alias}${where.length === 0 ? '' : ` where ${where.join(' and ')}`} offset 0`;
    joined.push(alias);
  }
  return `select ${outputsOf(aliases, (column) => `x.${flat(column)}`)} from (${text}) x`;
}

/** An order in which each table but the first is joined with one before. `random` gives numbers in [0, 1). */
export function randomOrder({ aliases, joins }, random) {
  const order = [aliases[Math.floor(random() * aliases.length)]];
  while (order.length < aliases.length) {
    const next = aliases.filter(
      (alias) =>
        !order.includes(alias) &&
        joins.some((sides) => {
          const [a, b] = sides.map((side) => side.split('.')[0]);
          return (a === alias && order.includes(b)) || (b === alias && order.includes(a));
        }),
    );
    order.push(next[Math.floor(random() * next.length)]);
  }
  return order;
}
