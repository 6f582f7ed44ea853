// What each client is asked to do against a running daemon: its own getting started, schema and introspection, in short.
// A conversation gets `load` (imports a package of the clients' folder), the folder and the daemon's url; it throws when an
// answer is wrong.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One of each of what pg_dump has to write in the right order, and with names that its empty search path leads to. */
const DUMPED = `
  create view dear as select name, n * 2 as twice from t where n > 1; create schema s;
  create type mood as enum ('calm', 'merry'); create domain s.pos as int default 1 check (value > 0);
  create type s.comp as (a int, b s.pos); create type s.rng as range (subtype = int);
  create function s.one_more(int) returns int language plpgsql immutable as 'begin return $1 + 1; end';
  create function stamp() returns trigger language plpgsql as 'begin new.name = upper(new.name); return new; end';
  create trigger stamped before insert on t for each row when (new.n > 0) execute function stamp('a');
  create table s.felt (m mood default 'calm' check (m <> 'merry'::mood), c s.comp default row(1, 2)::s.comp, ma mood[] default '{calm}',
    t int references t on delete cascade, g int generated always as (s.one_more(1)) stored);
  create function s.all_felt() returns setof s.felt language sql begin atomic select * from s.felt; end;
  create view s.seen as select case when d.twice > 2 then 'calm'::mood end as m from s.felt join dear d on true;
  create materialized view s.counted as select count(*) as c from t; create sequence s.steps increment 5 start 10;
  create index on s.felt (m) where t is not null; alter table s.felt enable row level security;
  create policy p on s.felt for select using (t > 0); grant select (name) on t to public;
  alter default privileges in schema s grant select on tables to public; insert into s.felt (t) select id from t;
  comment on function s.one_more(int) is 'adds'; comment on trigger stamped on t is 'shouts'`;

export const conversations = {
  async pg({ load, url }) {
    const { Client } = (await load('pg')).default;
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query('create table if not exists pg_t (id serial primary key, n numeric, tags text[])');
    const { rows } = await client.query('insert into pg_t (n, tags) values ($1, $2) returning n, tags', [
      '1.50',
      ['a', 'b'],
    ]);
    assert.deepEqual(rows, [{ n: '1.50', tags: ['a', 'b'] }]);
    await client.end();
  },

  async postgres({ load, url }) {
    const sql = (await load('postgres')).default(url, { max: 2, onnotice() {} });
    await sql`create table if not exists pj (id serial primary key, tags text[], j jsonb)`;
    const [row] = await sql`insert into pj ${sql([{ tags: ['a', 'b'], j: { x: 1 } }])} returning *`;
    assert.deepEqual([row.tags, row.j], [['a', 'b'], { x: 1 }]);
    await sql.begin((transaction) => transaction`insert into pj (tags) values (${['c']})`);
    let rows = 0;
    await sql`select * from pj limit 2`.cursor(1, () => rows++);
    assert.equal(rows, 2);
    let hear;
    const heard = new Promise((resolve) => (hear = resolve));
    await sql.listen('channel', hear);
    await sql.notify('channel', 'hello');
    assert.equal(await heard, 'hello');
    const copy = await sql`copy pj (tags) from stdin`.writable();
    await new Promise((resolve, reject) => copy.on('error', reject).on('finish', resolve).end('{z}\n'));
    await sql.end();
  },

  async kysely({ load, url }) {
    const { Kysely, PostgresDialect } = await load('kysely');
    const { Migrator } = await load('kysely/migration');
    const { Pool } = (await load('pg')).default;
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool({ connectionString: url }) }) });
    const provider = {
      getMigrations: async () => ({
        first: {
          up: (schema) =>
            schema.schema
              .createTable('ky')
              .addColumn('id', 'serial', (column) => column.primaryKey())
              .addColumn('name', 'varchar(20)', (column) => column.notNull())
              .execute(),
        },
      }),
    };
    const { error } = await new Migrator({ db, provider }).migrateToLatest();
    assert.equal(error, undefined);
    await db.insertInto('ky').values({ name: 'a' }).returning('id').executeTakeFirstOrThrow();
    const table = (await db.introspection.getTables()).find(({ name }) => name === 'ky');
    assert.equal(table.columns[0].isAutoIncrementing, true);
    await db.destroy();
  },

  async knex({ load, url }) {
    const knex = (await load('knex')).default({ client: 'pg', connection: url });
    const migrationSource = {
      getMigrations: async () => ['first'],
      getMigrationName: (name) => name,
      getMigration: async () => ({
        up: (schema) =>
          schema.schema.createTable('kn', (table) => {
            table.increments();
            table.string('name').index();
            table.timestamps(true, true);
            table.jsonb('j');
          }),
        down: (schema) => schema.schema.dropTable('kn'),
      }),
    };
    await knex.migrate.latest({ migrationSource });
    await knex('kn').insert({ name: 'x', j: { a: 1 } });
    await knex.schema.alterTable('kn', (table) => table.integer('n').defaultTo(3));
    await knex.transaction((transaction) => transaction('kn').insert({ name: 'y' }));
    assert.deepEqual(await knex('kn').select('name', 'n').orderBy('name'), [
      { name: 'x', n: 3 },
      { name: 'y', n: 3 },
    ]);
    assert.equal((await knex('kn').columnInfo()).name.maxLength, 255);
    await knex.destroy();
  },

  async 'drizzle-orm'({ load, url }) {
    const { drizzle } = await load('drizzle-orm/node-postgres');
    const { integer, pgTable, serial, text } = await load('drizzle-orm/pg-core');
    const { eq, sql } = await load('drizzle-orm');
    const { Pool } = (await load('pg')).default;
    const pool = new Pool({ connectionString: url });
    const db = drizzle(pool);
    await db.execute(sql`create table if not exists dz (id serial primary key, name text, n integer)`);
    const table = pgTable('dz', { id: serial('id').primaryKey(), name: text('name'), n: integer('n') });
    await db.insert(table).values({ name: 'a', n: 1 }).returning();
    await db.transaction((transaction) => transaction.update(table).set({ n: 2 }).where(eq(table.name, 'a')));
    assert.equal((await db.select().from(table))[0].n, 2);
    await pool.end();
  },

  /** The schema of the program is pushed, changed and pushed again; the third time there is nothing to do. */
  async 'drizzle-kit'({ load, url, folder }) {
    const client = new (await load('pg')).default.Client({ connectionString: url });
    await client.connect();
    await client.query('create database drizzle');
    await client.end();
    const program = join(folder, 'drizzle-program');
    mkdirSync(program, { recursive: true });
    const config = {
      dialect: 'postgresql',
      schema: './schema.mjs',
      out: './pulled',
      dbCredentials: { url: url.replace(/phantom$/, 'drizzle') },
    };
    writeFileSync(join(program, 'drizzle.config.json'), JSON.stringify(config));
    const kit = (...args) => {
      const command = [join(folder, 'node_modules', 'drizzle-kit', 'bin.cjs'), ...args];
      const done = spawnSync(process.execPath, command, { cwd: program, encoding: 'utf8' });
      const text = `${done.stdout}${done.stderr}`;
      assert.equal(done.status, 0, text);
      return text;
    };
    const schema = (more) => `
      import { boolean, index, integer, jsonb, numeric, pgEnum, pgTable, primaryKey, serial, text, timestamp, uuid, varchar } from 'drizzle-orm/pg-core';
      export const mood = pgEnum('dk_mood', ['sad', 'happy']);
      export const users = pgTable('dk_users', {
        id: serial('id').primaryKey(), email: varchar('email', { length: 255 }).notNull().unique(), mood: mood('mood').default('happy'),
        balance: numeric('balance', { precision: 12, scale: 2 }).default('0'), meta: jsonb('meta').default({ a: 1 }),
        active: boolean('active').notNull().default(true), token: uuid('token').defaultRandom(),
        made: timestamp('made', { withTimezone: true }).notNull().defaultNow(), ${more}
      }, (table) => [index('dk_users_mood').on(table.mood)]);
      export const tags = pgTable('dk_tags', {
        user: integer('user').notNull().references(() => users.id, { onDelete: 'cascade' }), tag: text('tag').notNull(),
      }, (table) => [primaryKey({ columns: [table.user, table.tag] })]);`;
    writeFileSync(join(program, 'schema.mjs'), schema(''));
    assert.match(kit('push', '--force'), /Changes applied/);
    writeFileSync(join(program, 'schema.mjs'), schema(`name: text('name').notNull().default('none')`));
    assert.match(kit('push', '--force'), /Changes applied/);
    assert.match(kit('push', '--force'), /No changes detected/);
    kit('pull');
    const pulled = readFileSync(join(program, 'pulled', 'schema.ts'), 'utf8');
    for (const part of [
      `numeric({ precision: 12, scale:  2 }).default('0')`,
      '.onDelete("cascade")',
      `pgEnum("dk_mood"`,
    ])
      assert.ok(pulled.includes(part), pulled);
  },

  async typeorm({ load, url }) {
    await load('reflect-metadata');
    const { DataSource, EntitySchema } = (await load('typeorm')).default;
    const Cat = new EntitySchema({
      name: 'Cat',
      tableName: 'cat',
      columns: {
        id: { type: Number, primary: true, generated: true },
        name: { type: String, length: 30 },
        born: { type: 'timestamptz', createDate: true },
      },
      indices: [{ columns: ['name'] }],
    });
    const source = new DataSource({ type: 'postgres', url, entities: [Cat], synchronize: true });
    await source.initialize();
    // The second time it reads back what the first has made, and finds nothing to do.
    await source.synchronize();
    await source.transaction((manager) => manager.save('Cat', { name: 'tom' }));
    assert.equal((await source.getRepository('Cat').find({ where: { name: 'tom' } })).length, 1);
    await source.destroy();
  },

  async sequelize({ load, url }) {
    const { DataTypes, Sequelize } = (await load('sequelize')).default;
    const sequelize = new Sequelize(url, { logging: false });
    const User = sequelize.define('User', {
      name: { type: DataTypes.STRING, allowNull: false },
      data: DataTypes.JSONB,
      mood: DataTypes.ENUM('calm', 'merry'),
    });
    const Post = sequelize.define('Post', { title: DataTypes.TEXT });
    Post.belongsTo(User);
    User.hasMany(Post);
    await sequelize.sync({ force: true });
    await sequelize.sync({ alter: true });
    const user = await User.create({ name: 'x', data: { q: 1 }, mood: 'merry' });
    const given = { where: { name: 'y' }, defaults: { mood: 'calm' } };
    assert.deepEqual([(await User.findOrCreate(given))[1], (await User.findOrCreate(given))[1]], [true, false]);
    await sequelize.transaction((transaction) => Post.create({ title: 't', UserId: user.id }, { transaction }));
    assert.equal((await User.findOne({ where: { mood: 'merry' }, include: Post })).Posts.length, 1);
    assert.equal((await sequelize.getQueryInterface().describeTable('Users')).name.allowNull, false);
    await sequelize.close();
  },

  // The programs of PostgreSQL 15, where they are installed.
  async psql({ url }) {
    const psql = (database, ...args) =>
      execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', url.replace(/phantom$/, database), ...args], {
        encoding: 'utf8',
      });
    psql('phantom', '-c', 'create database dumped', '-c', 'create database restored');
    psql(
      'dumped',
      '-c',
      "create table t (id serial primary key, name text default 'x' unique, n numeric(8, 2) check (n > 0))",
    );
    psql('dumped', '-c', "insert into t (n) values (1.5); comment on table t is 'a table'");
    psql('dumped', '-c', DUMPED);
    for (const command of ['\\d', '\\d t', '\\dt+', '\\di', '\\dn', '\\du', '\\l', '\\df lower'])
      assert.notEqual(psql('dumped', '-c', command), '');
    const dump = execFileSync('pg_dump', [url.replace(/phantom$/, 'dumped')], { encoding: 'utf8' });
    execFileSync('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', url.replace(/phantom$/, 'restored')], { input: dump });
    assert.equal(psql('restored', '-c', 'select * from t'), '1|x|1.50\n');
    assert.equal(psql('restored', '-c', 'select twice, s.one_more(1) from dear'), '3.00|2\n');
    // What was restored dumps as what it came from did, but for the word that newer versions make up for each dump.
    const again = execFileSync('pg_dump', [url.replace(/phantom$/, 'restored')], { encoding: 'utf8' });
    const lasting = (text) => text.replaceAll(/^\\(un)?restrict .*$/gm, '');
    assert.equal(lasting(again), lasting(dump));
    execFileSync('pgbench', ['-i', '-q', '-s', '1', url], { stdio: 'ignore' });
    for (const workload of ['tpcb-like', 'simple-update', 'select-only'])
      execFileSync('pgbench', ['-n', '-c', '2', '-t', '20', '-M', 'prepared', '-b', workload, url], {
        stdio: 'ignore',
      });
  },
};
