/**
 * Functions of the extension uuid-ossp, which is part of every database here. PostgreSQL gives them oids when the extension
 * is made; these are of none of its own objects. The form of a line is told in definitions.ts.
 */
export const uuidFacts = `
15900 uuid_nil - 2950 ix uuid_nil
15901 uuid_ns_dns - 2950 ix uuid_ns_dns
15902 uuid_ns_url - 2950 ix uuid_ns_url
15903 uuid_ns_oid - 2950 ix uuid_ns_oid
15904 uuid_ns_x500 - 2950 ix uuid_ns_x500
15905 uuid_generate_v1 - 2950 vx uuid_generate_v1
15906 uuid_generate_v1mc - 2950 vx uuid_generate_v1
15907 uuid_generate_v3 2950,25 2950 ix uuid_generate_v3
15908 uuid_generate_v4 - 2950 vx uuid_generate_v4
15909 uuid_generate_v5 2950,25 2950 ix uuid_generate_v5
`;
