/**
 * Features of ISO/IEC 9075: the ID, whether all examples of it run, and its name. Written, as docs/sql-features.md is, by the test that runs
 * the examples.
 */
export const featureFacts = `
E011 yes Numeric data types
E021 yes Character data types
E031 yes Identifiers
E051 yes Basic query specification
E061 yes Basic predicates and search conditions
E071 yes Basic query expressions
E081 yes Basic Privileges
E091 yes Set functions
E101 yes Basic data manipulation
E111 no Single row SELECT statement
E121 yes Basic cursor support
E131 yes Null value support (nulls in lieu of values)
E141 yes Basic integrity constraints
E151 yes Transaction support
E152 yes Basic SET TRANSACTION statement
E153 yes Updatable queries with subqueries
E161 yes SQL comments using leading double minus
E171 yes SQLSTATE support
E182 no Host language binding
F021 yes Basic information schema
F031 yes Basic schema manipulation
F032 yes CASCADE drop behavior
F033 yes ALTER TABLE statement: DROP COLUMN clause
F034 yes Extended REVOKE statement
F041 yes Basic joined table
F051 yes Basic date and time
F052 yes Intervals and datetime arithmetic
F053 yes OVERLAPS predicate
F054 no TIMESTAMP in DATE type precedence list
F081 yes UNION and EXCEPT in views
F111 yes Isolation levels other than SERIALIZABLE
F121 no Basic diagnostics management
F122 no Enhanced diagnostics management
F123 no All diagnostics
F131 yes Grouped operations
F171 yes Multiple schemas per user
F181 no Multiple module support
F191 yes Referential delete actions
F200 yes TRUNCATE TABLE statement
F201 yes CAST function
F202 yes TRUNCATE TABLE: identity column restart option
F221 yes Explicit defaults
F222 yes INSERT statement: DEFAULT VALUES clause
F231 yes Privilege tables
F251 yes Domain support
F261 yes CASE expression
F262 yes Extended CASE expression
F263 yes Comma-separated predicates in simple CASE expression
F271 yes Compound character literals
F281 yes LIKE enhancements
F291 yes UNIQUE predicate
F292 yes UNIQUE null treatment
F301 yes CORRESPONDING in query expressions
F302 yes INTERSECT table operator
F304 yes EXCEPT ALL table operator
F311 yes Schema definition statement
F312 yes MERGE statement
F313 yes Enhanced MERGE statement
F314 yes MERGE statement with DELETE branch
F321 yes User authorization
F341 no Usage tables
F361 yes Subprogram support
F381 yes Extended schema manipulation
F382 yes Alter column data type
F383 yes Set column not null clause
F384 yes Drop identity property clause
F385 yes Drop column generation expression clause
F386 yes Set identity column generation clause
F391 yes Long identifiers
F392 yes Unicode escapes in identifiers
F393 yes Unicode escapes in literals
F394 yes Optional normal form specification
F401 yes Extended joined table
F402 yes Named column joins for LOBs, arrays, and multisets
F403 no Partitioned joined tables
F404 yes Range variable for common column names
F411 yes Time zone specification
F421 yes National character
F431 yes Read-only scrollable cursors
F441 yes Extended set function support
F442 yes Mixed column references in set functions
F451 no Character set definition
F461 no Named character sets
F471 yes Scalar subquery values
F481 yes Expanded NULL predicate
F491 yes Constraint management
F492 no Optional table constraint enforcement
F501 no Features and conformance views
F502 yes Enhanced documentation tables
F521 no Assertions
F531 yes Temporary tables
F555 yes Enhanced seconds precision
F561 yes Full value expressions
F571 yes Truth value tests
F591 yes Derived tables
F611 no Indicator data types
F641 yes Row and table constructors
F651 yes Catalog name qualifiers
F661 yes Simple tables
F671 no Subqueries in CHECK
F672 no Retrospective check constraints
F673 no Reads SQL-data routine invocations in CHECK constraints
F690 yes Collation support
F692 yes Extended collation support
F693 no SQL-session and client module collations
F695 no Translation support
F696 no Additional translation documentation
F701 yes Referential update actions
F711 yes ALTER domain
F721 yes Deferrable constraints
F731 yes INSERT column privileges
F741 yes Referential MATCH types
F751 yes View CHECK enhancements
F761 yes Session management
F762 yes CURRENT_CATALOG
F763 yes CURRENT_SCHEMA
F771 no Connection management
F781 yes Self-referencing operations
F791 yes Insensitive cursors
F801 yes Full set function
F812 no Basic flagging
F813 no Extended flagging
F821 no Local table references
F831 no Full cursor update
F841 no LIKE_REGEX predicate
F842 no OCCURRENCES_REGEX function
F843 no POSITION_REGEX function
F844 no SUBSTRING_REGEX function
F845 no TRANSLATE_REGEX function
F846 no Octet support in regular expression operators
F847 no Nonconstant regular expressions
F850 yes Top-level <order by clause> in <query expression>
F851 yes <order by clause> in subqueries
F852 yes Top-level <order by clause> in views
F855 yes Nested <order by clause> in <query expression>
F856 yes Nested <fetch first clause> in <query expression>
F857 yes Top-level <fetch first clause> in <query expression>
F858 yes <fetch first clause> in subqueries
F859 yes Top-level <fetch first clause> in views
F860 yes <fetch first row count> in <fetch first clause>
F861 yes Top-level <result offset clause> in <query expression>
F862 yes <result offset clause> in subqueries
F863 yes Nested <result offset clause> in <query expression>
F864 yes Top-level <result offset clause> in views
F865 yes <offset row count> in <result offset clause>
F866 yes FETCH FIRST clause: PERCENT option
F867 yes FETCH FIRST clause: WITH TIES option
R010 no row pattern recognition
S011 yes Distinct data types
S051 no Create table of type
S071 no SQL paths in function and type name resolution
S091 yes Basic array support
S092 yes Arrays of user-defined types
S094 no Arrays of reference types
S095 yes Array constructors by query
S096 yes Optional array bounds
S097 yes Array element assignment
S098 yes ARRAY_AGG
S111 yes ONLY
S281 no Nested collection types
S291 no Unique constraint on entire row
S301 yes Enhanced UNNEST
S404 yes TRIM_ARRAY
T011 no Timestamp in Information Schema
T021 no BINARY and VARBINARY data types
T022 no Advanced support for BINARY and VARBINARY data types
T023 no Compound binary literal
T024 no Spaces in binary literals
T031 yes BOOLEAN data type
T041 no Basic LOB data type support
T042 no Extended LOB data type support
T043 no Multiplier T
T044 no Multiplier P
T051 yes Row types
T053 yes Explicit aliases for all-fields reference
T061 no UCS support
T071 yes BIGINT data type
T076 no DECFLOAT data type
T101 no Enhanced nullability determination
T111 no Updatable joins, unions, and columns
T121 yes WITH (excluding RECURSIVE) in query expression
T122 yes WITH (excluding RECURSIVE) in subquery
T131 yes Recursive query
T132 yes Recursive query in subquery
T133 yes Enhanced cycle mark values
T141 yes SIMILAR predicate
T151 yes DISTINCT predicate
T152 yes DISTINCT predicate with negation
T171 yes LIKE clause in table definition
T172 yes AS subquery clause in table definition
T173 yes Extended LIKE clause in table definition
T174 yes Identity columns
T175 yes Generated columns
T176 yes Sequence generator support
T177 yes Sequence generator support: simple restart option
T178 yes Identity columns:  simple restart option
T180 no System-versioned tables
T181 no Application-time period tables
T191 yes Referential action RESTRICT
T201 yes Comparable data types for referential constraints
T211 yes Basic trigger capability
T212 yes Enhanced trigger capability
T213 yes INSTEAD OF triggers
T231 no Sensitive cursors
T241 yes START TRANSACTION statement
T251 yes SET TRANSACTION statement: LOCAL option
T261 yes Chained transactions
T271 yes Savepoints
T272 no Enhanced savepoint management
T281 yes SELECT privilege with column granularity
T285 yes Enhanced derived column names
T301 yes Functional dependencies
T312 yes OVERLAY function
T321 yes Basic SQL-invoked routines
T322 no Declared data type attributes
T323 no Explicit security for external routines
T324 yes Explicit security for SQL routines
T325 yes Qualified SQL parameter references
T326 yes Table functions
T331 yes Basic roles
T332 yes Extended roles
T341 yes Overloading of SQL-invoked functions and procedures
T351 yes Bracketed SQL comments (/*...*/ comments)
T431 yes Extended grouping capabilities
T432 yes Nested and concatenated GROUPING SETS
T433 yes Multiargument GROUPING function
T434 yes GROUP BY DISTINCT
T441 yes ABS and MOD functions
T461 yes Symmetric BETWEEN predicate
T471 no Result sets return value
T472 no DESCRIBE CURSOR
T491 yes LATERAL derived table
T495 no Combined data change and retrieval
T501 yes Enhanced EXISTS predicate
T502 no Period predicates
T511 no Transaction counts
T521 yes Named arguments in CALL statement
T522 yes Default values for IN parameters of SQL-invoked procedures
T523 no Default values for INOUT parameters of SQL-invoked procedures
T524 yes Named arguments in routine invocations other than a CALL statement
T525 yes Default values for parameters of SQL-invoked functions
T551 yes Optional key words for default syntax
T561 no Holdable locators
T571 no Array-returning external SQL-invoked functions
T572 no Multiset-returning external SQL-invoked functions
T581 yes Regular expression substring function
T591 yes UNIQUE constraints of possibly null columns
T601 no Local cursor references
T611 yes Elementary OLAP operations
T612 yes Advanced OLAP operations
T613 yes Sampling
T614 yes NTILE function
T615 yes LEAD and LAG functions
T616 yes Null treatment option for LEAD and LAG functions
T617 yes FIRST_VALUE and LAST_VALUE function
T618 yes NTH_VALUE function
T619 no Nested window functions
T620 yes WINDOW clause: GROUPS option
T621 yes Enhanced numeric functions
T622 yes Trigonometric functions
T623 yes General logarithm functions
T624 yes Common logarithm functions
T625 yes LISTAGG
T626 yes ANY_VALUE
T631 yes IN predicate with one list element
T641 yes Multiple column assignment
T651 yes SQL-schema statements in SQL routines
T652 yes SQL-dynamic statements in SQL routines
T653 no SQL-schema statements in external routines
T654 no SQL-dynamic statements in external routines
T655 yes Cyclically dependent routines
T661 yes integer literals of other bases
T662 yes underscores in literals
T801 yes JSON type
T811 yes Basic SQL/JSON constructor functions
T812 yes SQL/JSON: JSON_OBJECTAGG
T813 yes SQL/JSON: JSON_ARRAYAGG with ORDER BY
T814 yes Colon in JSON_OBJECT or JSON_OBJECTAGG
T821 yes Basic SQL/JSON query operators
T822 yes SQL/JSON: IS JSON WITH UNIQUE KEYS predicate
T823 yes SQL/JSON: PASSING clause
T824 yes JSON_TABLE: specific PLAN clause
T825 yes SQL/JSON: ON EMPTY and ON ERROR clauses
T826 yes General value expression in ON ERROR or ON EMPTY clauses
T827 no JSON_TABLE: sibling NESTED COLUMNS clauses
T828 yes JSON_QUERY
T829 yes JSON_QUERY: array wrapper options
T830 yes Enforcing unique keys in SQL/JSON constructor functions
T831 yes SQL/JSON path language: strict mode
T832 yes SQL/JSON path language: item method
T833 yes SQL/JSON path language: multiple subscripts
T834 yes SQL/JSON path language: wildcard member accessor
T835 yes SQL/JSON path language: filter expressions
T836 yes SQL/JSON path language: starts with predicate
T837 yes SQL/JSON path language: regex_like predicate
T838 no JSON_TABLE: PLAN DEFAULT clause
T839 no Formatted cast of datetimes to/from character strings
T851 yes optional keywords
T860 yes simplified accessor
X010 yes XML type
X011 yes Arrays of XML type
X013 yes Distinct types of XML type
X014 yes Attributes of XML type
X015 yes Fields of XML type
X016 yes Persistent XML values
X020 yes XMLConcat
X025 no XMLCast
X030 no XMLDocument
X031 yes XMLElement
X032 yes XMLForest
X034 yes XMLAgg
X035 yes XMLAgg: ORDER BY option
X036 yes XMLComment
X037 yes XMLPI
X038 no XMLText
X040 no Basic table mapping
X041 no Basic table mapping: null absent
X042 no Basic table mapping: null as nil
X043 no Basic table mapping: table as forest
X044 no Basic table mapping: table as element
X045 no Basic table mapping: with target namespace
X046 no Basic table mapping: data mapping
X047 no Basic table mapping: metadata mapping
X048 yes Basic table mapping: base64 encoding of binary strings
X049 yes Basic table mapping: hex encoding of binary strings
X060 yes XMLParse: character string input and CONTENT option
X061 yes XMLParse: character string input and DOCUMENT option
X065 no XMLParse: binary string input and CONTENT option
X066 no XMLParse: binary string input and DOCUMENT option
X069 no XMLSerialize: INDENT
X070 yes XMLSerialize: character string serialization and CONTENT option
X071 yes XMLSerialize: character string serialization and DOCUMENT option
X072 yes XMLSerialize: character string serialization
X073 no XMLSerialize: binary string serialization and CONTENT option
X074 no XMLSerialize: binary string serialization and DOCUMENT option
X076 no XMLSerialize: VERSION
X077 no XMLSerialize: explicit ENCODING option
X078 no XMLSerialize: explicit XML declaration
X080 no Namespaces in XML publishing
X082 no XML namespace declarations in DDL
X090 yes XML document predicate
X091 no XML content predicate
X096 yes XMLExists
X120 yes XML parameters in SQL routines
X131 no Query-level XMLBINARY clause
X141 no IS VALID predicate: data-driven case
X191 no XML(DOCUMENT) type
X192 no XML(CONTENT) type
X200 no XMLQuery
X221 yes XML passing mechanism BY VALUE
X222 no XML passing mechanism BY REF
X300 yes XMLTable
X301 yes XMLTable: derived column list option
X302 yes XMLTable: ordinality column option
X303 yes XMLTable: column default option
X304 yes XMLTable: passing a context item
X305 no XMLTable: initializing an XQuery variable
X400 yes Name and identifier mapping
X410 yes Alter column data type: XML type
`;
