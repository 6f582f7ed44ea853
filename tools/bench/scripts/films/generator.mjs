/**
 * The rows of the films, the same at every call. What makes join orders hard is in them: few persons, companies and keywords have
 * most of the rows (Zipf), and columns depend on one another, within a table (a title's language on its country) and across joins
 * (companies and persons work in their own country, keywords follow the genre, the genre the country and kind).
 */
const COUNTRIES = 'us gb in jp fr de it ca es cn kr br mx se au nl dk be ru pl ar hk tr fi cz gr no at hu ie'.split(
  ' ',
);
const LANGUAGES = 'en en hi ja fr de it en es zh ko pt es sv en nl da nl ru pl es zh tr fi cs el no de hu en'.split(
  ' ',
);
const KINDS = ['film', 'series', 'television film', 'video', 'video game', 'episode', 'short'];
const COMPANY_ROLES = ['production', 'distribution', 'effects', 'other'];
const PARTS = ['actor', 'actress', 'producer', 'writer', 'director', 'composer', 'editor', 'cinematographer', 'guest'];
const FACTS = ['genre', 'rating', 'runtime', 'budget', 'colour', 'votes'];
const GENRES = [
  'drama',
  'comedy',
  'documentary',
  'action',
  'thriller',
  'horror',
  'romance',
  'animation',
  'crime',
  'western',
];
const NOTES = [null, null, null, '(voice)', '(uncredited)', '(as himself)'];

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number below `size`, small ones much more often. */
function skewed(random, size, power = 3) {
  return Math.min(size - 1, Math.floor(size * random() ** power));
}

function genreOf(title) {
  return GENRES[(COUNTRIES.indexOf(title[4]) * 3 + title[2] + (title[0] % 3)) % GENRES.length];
}

/** Rows by table. `scale` 1 has 20,000 titles and some 420,000 rows in all. */
export function rowsOfAll(scale) {
  const random = randomOf(7);
  const count = (size) => Math.max(30, Math.round(size * scale));
  const named = (names) => names.map((name, i) => [i + 1, name]);
  const titles = Array.from({ length: count(20_000) }, (_, i) => titleOf(i + 1, random));
  const companies = Array.from({ length: count(3_000) }, (_, i) => {
    const country = COUNTRIES[skewed(random, COUNTRIES.length)];
    return [i + 1, `${country} pictures ${i + 1}`, random() < 0.1 ? null : country];
  });
  const persons = Array.from({ length: count(30_000) }, (_, i) => {
    const gender = random() < 0.15 ? null : random() < 0.62 ? 'm' : 'f';
    return [
      i + 1,
      `${'ABCDEFGHKLMNPRSTW'[skewed(random, 17, 1.5)]}. Person ${i + 1}`,
      gender,
      COUNTRIES[skewed(random, 30)],
    ];
  });
  const keywords = Array.from({ length: count(4_000) }, (_, i) => [i + 1, `${GENRES[i % GENRES.length]}-${i + 1}`]);
  const rows = {
    kind: named(KINDS),
    company_role: named(COMPANY_ROLES),
    part: named(PARTS),
    fact_type: named(FACTS),
    title: titles,
    company: companies,
    person: persons,
    keyword: keywords,
    title_company: [],
    cast_member: [],
    title_keyword: [],
    title_fact: [],
  };
  const companiesOf = grouped(companies, 2);
  const personsOf = grouped(persons, 3);
  const keywordsOf = new Map(GENRES.map((genre) => [genre, keywords.filter(([, word]) => word.startsWith(genre))]));
  const pick = (all, own, share) => {
    const from = own !== undefined && own.length > 0 && random() < share ? own : all;
    return from[skewed(random, from.length, 2.5)];
  };
  const push = (table, ...values) => rows[table].push([rows[table].length + 1, ...values]);
  for (const title of titles) {
    const [id, , kind, year, country] = title;
    const genre = genreOf(title);
    const isLarge = kind === 1 || kind === 2;
    for (let n = 1 + skewed(random, isLarge ? 6 : 3, 2); n > 0; n--) {
      const company = pick(companies, companiesOf.get(country), 0.85);
      const role = 1 + skewed(random, 4, 1.8);
      push('title_company', id, company[0], role, role === 2 && random() < 0.4 ? `(${year ?? 'no year'})` : null);
    }
    for (let n = 1 + skewed(random, isLarge ? 30 : 8, 2), place = 1; n > 0; n--, place++) {
      const person = pick(persons, personsOf.get(country), 0.8);
      const part = place < 5 ? (person[2] === 'f' ? 2 : 1) : 1 + skewed(random, PARTS.length, 1.2);
      push('cast_member', id, person[0], part, random() < 0.3 ? null : place, NOTES[skewed(random, NOTES.length, 1)]);
    }
    for (let n = skewed(random, isLarge ? 20 : 6, 3); n > 0; n--) {
      push('title_keyword', id, pick(keywords, keywordsOf.get(genre), 0.9)[0]);
    }
    push('title_fact', id, 1, genre);
    if (random() < 0.6)
      push('title_fact', id, 2, (3 + ((id * 7) % 50) / 10 + (genre === 'documentary' ? 1.5 : 0)).toFixed(1));
    if (isLarge) push('title_fact', id, 3, `${60 + skewed(random, 120, 1.5)}`);
    if (kind === 1 && random() < 0.4) push('title_fact', id, 4, `${1 + skewed(random, 200)} m`);
    push('title_fact', id, 5, (year ?? 2000) < 1960 ? 'black and white' : 'colour');
    if (random() < 0.5) push('title_fact', id, 6, `${10 + skewed(random, 90_000, 6)}`);
  }
  return rows;
}

function titleOf(id, random) {
  const place = skewed(random, COUNTRIES.length);
  const year = random() < 0.03 ? null : 2022 - skewed(random, 100, 2.2);
  // Episodes and games came late.
  const kind =
    year === null || year > 1985
      ? [1, 6, 6, 6, 2, 4, 7, 3, 5][skewed(random, 9, 1.1)]
      : [1, 1, 7, 3][skewed(random, 4, 1.5)];
  const language = random() < 0.93 ? LANGUAGES[place] : 'en';
  return [id, `Title ${id}`, kind, year, COUNTRIES[place], language];
}

function grouped(rows, column) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row[column]);
    if (group === undefined) groups.set(row[column], [row]);
    else group.push(row);
  }
  return groups;
}
