/** By the name of the language: loads its stemmer, which takes words in lower case. */
declare const stemmers: Readonly<Record<string, () => { readonly stemmer: (word: string) => string }>>;
export = stemmers;
