// Coverage by V8, taken once a worker in place of once a test file.
//
// The files of a package share their modules (vitest.shared.mjs), so V8 counts on from one file to the next: what it counted after
// the last of them is all of it. As vitest comes with it, the counts of every function of every module, those of the packages below
// among them, are taken after each file, sent to the main process, and merged there: a sixth of the time of a large package's tests.
// Here only the package's own modules are counted in the end, once. What is reported is the same.
// Sources that Node loaded itself (tested-sources.mjs) are reported as the sources they are made of.
import { fileURLToPath } from 'node:url';
import v8 from '@vitest/coverage-v8';
import { asCoverageOfSource, testedCode } from './tested-paths.mjs';

/** What a worker of vitest knows of its work. */
const stateOfWorker = () => globalThis.__vitest_worker__;

export default {
  ...v8,
  async takeCoverage(options) {
    const { ctx, config, filepath } = stateOfWorker();
    if (ctx.files.at(-1).filepath !== filepath) return undefined;
    const { result } = await v8.takeCoverage(options);
    const own = result.filter(({ url }) => fileURLToPath(url).startsWith(config.root));
    return { result: own.map((coverage) => asCoverageOfSource(config.root, coverage)) };
  },
  async getProvider() {
    const provider = await v8.getProvider();
    // Workers are told this name: under that of V8's own provider they would never load what stands here.
    provider.name = 'custom';
    const asViteRuns = provider.transformFile.bind(provider);
    provider.transformFile = async (path, project, environment) => {
      const isMade = project.vite.config.plugins.some(({ name }) => name === 'tested-sources');
      return (isMade ? testedCode(project.config.root, path) : undefined) ?? asViteRuns(path, project, environment);
    };
    return provider;
  },
};
