import { program } from '../../tsup.shared.mjs';

export default program({ main: 'src/main.ts' });
