// `npm run vscode`: bundles the extension with its server and packs it as dist/spikec-vscode.vsix (another path: the argument).
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strToU8, zipSync } from 'fflate';
import { rolldown } from 'rolldown';

const folder = dirname(fileURLToPath(import.meta.url));
const root = resolve(folder, '..', '..');
const target = resolve(process.argv[2] ?? join(root, 'dist', 'spikec-vscode.vsix'));
const read = (path) => readFileSync(join(root, path));
const manifest = JSON.parse(read('editors/vscode/manifest.json').toString());
const library = Object.fromEntries(
  ['neurons', 'blocks'].map((name) => [`spikec/${name}`, read(`models/${name}.spike`).toString()]),
);

const bundles = {
  'extension.cjs': { input: 'extension.ts', platform: 'node', format: 'cjs', external: ['vscode'] },
  'extension-web.cjs': { input: 'extension-web.ts', platform: 'browser', format: 'cjs', external: ['vscode'] },
  'server.mjs': { input: 'server.ts', platform: 'node', format: 'esm', external: [] },
  'server-web.js': { input: 'server-web.ts', platform: 'browser', format: 'iife', external: [] },
};

async function bundled({ input, platform, format, external }) {
  const bundle = await rolldown({
    input: join(folder, input),
    platform,
    external: (id) => external.includes(id) || (platform === 'node' && id.startsWith('node:')),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { define: { spikecLibrary: JSON.stringify(library) } },
    onLog: (level, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format, codeSplitting: false, minify: true });
  await bundle.close();
  return output[0].code;
}

const files = {
  'extension/package.json': read('editors/vscode/manifest.json'),
  'extension/language-configuration.json': read('editors/vscode/language-configuration.json'),
  'extension/snippets.json': read('editors/vscode/snippets.json'),
  'extension/spike.tmLanguage.json': read('grammar/spike.tmLanguage.json'),
  'extension/readme.md': read('editors/vscode/README.md'),
  'extension/LICENSE.txt': read('LICENSE'),
  'extension/models/neurons.spike': read('models/neurons.spike'),
  'extension/models/blocks.spike': read('models/blocks.spike'),
  '[Content_Types].xml': strToU8(contentTypes()),
  'extension.vsixmanifest': strToU8(vsixManifest()),
};
for (const [name, options] of Object.entries(bundles)) files[`extension/out/${name}`] = strToU8(await bundled(options));

mkdirSync(dirname(target), { recursive: true });
// a fixed time: the same sources give the same file
const packed = zipSync(files, { mtime: new Date('2020-01-01T00:00:00Z'), level: 9 });
writeFileSync(`${target}.tmp`, packed);
renameSync(`${target}.tmp`, target);
process.stdout.write(`${target}: ${Object.keys(files).length} files, ${(packed.length / 1e6).toFixed(2)} MB\n`);

function contentTypes() {
  const types = { json: 'application/json', md: 'text/markdown', txt: 'text/plain', spike: 'text/plain' };
  const scripts = { js: 'application/javascript', cjs: 'application/javascript', mjs: 'application/javascript' };
  const rows = Object.entries({ ...types, ...scripts, vsixmanifest: 'text/xml' });
  const defaults = rows.map(([extension, type]) => `<Default Extension=".${extension}" ContentType="${type}"/>`);
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${defaults.join('')}</Types>
`;
}

function vsixManifest() {
  const { name, version, publisher, displayName, description, keywords, categories, engines } = manifest;
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"/>
    <DisplayName>${displayName}</DisplayName>
    <Description xml:space="preserve">${description}</Description>
    <Tags>${keywords.join(',')},__ext_spike,__web_extension</Tags>
    <Categories>${categories.join(',')}</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${engines.vscode}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace,web"/>
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/readme.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}
