import { library } from '../../tsup.shared.mjs';

export default library({ index: 'src/index.ts' }, { bundle: ['chevrotain', /^@orama\/stemmers/] });
