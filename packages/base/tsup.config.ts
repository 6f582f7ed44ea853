import { library } from '../../tsup.shared.mjs';

export default library({ index: 'src/index.ts', 'wasm-code': 'src/wasm-code.ts' });
