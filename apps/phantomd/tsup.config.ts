import { program } from '../../tsup.shared.mjs';

export default program(
  { main: 'src/main.ts' },
  {
    script: 'src/dashboard/app.ts',
    files: ['src/dashboard/index.html', 'src/dashboard/style.css', 'src/dashboard/icon.svg'],
    outDir: 'dist/dashboard',
  },
);
