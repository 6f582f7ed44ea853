copy em from stdin;

\.
copy em from stdin;
x
\.
select count(*) from em;copy em from stdin csv;

\.
select count(*) from em;