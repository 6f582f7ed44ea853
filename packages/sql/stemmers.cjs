// Stemmers of languages, each loaded when it is first asked for: together they are 300 kB of tables that most databases
// never need. CommonJS because only `require` can load code in the middle of a synchronous call, in every place that this
// package is built for: its sources, its bundles and the program of its threads.
module.exports = {
  arabic: () => require('@orama/stemmers/arabic'),
  armenian: () => require('@orama/stemmers/armenian'),
  danish: () => require('@orama/stemmers/danish'),
  dutch: () => require('@orama/stemmers/dutch'),
  finnish: () => require('@orama/stemmers/finnish'),
  french: () => require('@orama/stemmers/french'),
  german: () => require('@orama/stemmers/german'),
  greek: () => require('@orama/stemmers/greek'),
  hindi: () => require('@orama/stemmers/indian'),
  hungarian: () => require('@orama/stemmers/hungarian'),
  indonesian: () => require('@orama/stemmers/indonesian'),
  irish: () => require('@orama/stemmers/irish'),
  italian: () => require('@orama/stemmers/italian'),
  lithuanian: () => require('@orama/stemmers/lithuanian'),
  nepali: () => require('@orama/stemmers/nepali'),
  norwegian: () => require('@orama/stemmers/norwegian'),
  portuguese: () => require('@orama/stemmers/portuguese'),
  romanian: () => require('@orama/stemmers/romanian'),
  russian: () => require('@orama/stemmers/russian'),
  serbian: () => require('@orama/stemmers/serbian'),
  spanish: () => require('@orama/stemmers/spanish'),
  swedish: () => require('@orama/stemmers/swedish'),
  tamil: () => require('@orama/stemmers/tamil'),
  turkish: () => require('@orama/stemmers/turkish'),
};
