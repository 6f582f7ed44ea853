/** PostgreSQL 15's pg_proc: functions of xml. The form of a line is told in definitions.ts. */
export const xmlFacts = `
2614 xmlexists 25,142 16 ix xmlexists
2895 xmlcomment 25 142 ix xmlcomment
2896 xml 25 142 sx texttoxml
2897 xmlvalidate 142,25 16 ix xmlvalidate
2900 xmlconcat2 142,142 142 i xmlconcat2
2901 xmlagg 142 142 ia xmlagg:xml
2922 text 142 25 ix xmltotext
2931 xpath 25,142,1009 143 ix xpath
2932 xpath 25,142 143 ix xpath:text,xml
3049 xpath_exists 25,142,1009 16 ix xpath_exists
3050 xpath_exists 25,142 16 ix xpath_exists:text,xml
3051 xml_is_well_formed 25 16 sx xml_is_well_formed
3052 xml_is_well_formed_document 25 16 ix xml_is_well_formed_document
3053 xml_is_well_formed_content 25 16 ix xml_is_well_formed_content
`;
