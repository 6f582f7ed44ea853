import { library } from '../../tsup.shared.mjs';

// ajv is some eighty small CommonJS files: an import of them from where they lie takes as long as all the rest of the database's opening.
export default library({ index: 'src/index.ts' }, { bundle: ['ajv'] });
