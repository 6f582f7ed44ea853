// A reporter for mocha: the outcome of each test as one JSON text in the file of SUITE_RESULTS. Mocha's own JSON fails where an error
// holds itself.
const { writeFileSync } = require('node:fs');

module.exports = class {
  constructor(runner) {
    const results = [];
    runner.on('pass', (test) => results.push({ title: test.fullTitle(), passed: true }));
    runner.on('fail', (test, error) =>
      results.push({ title: test.fullTitle(), passed: false, message: String(error?.stack ?? error) }),
    );
    runner.on('end', () => writeFileSync(process.env.SUITE_RESULTS, JSON.stringify(results)));
  }
};
