// `npm run vscode`: bundles the extension with its server and packs it as dist/spikec-vscode.vsix (another path: the argument).
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { bundled, library, read, root, text } from '../bundle.mjs';

const target = resolve(process.argv[2] ?? join(root, 'dist', 'spikec-vscode.vsix'));
const manifest = JSON.parse(text('editors/vscode/manifest.json'));

const bundles = {
  'extension.cjs': { input: 'vscode/extension.ts', platform: 'node', format: 'cjs', external: ['vscode'] },
  'extension-web.cjs': { input: 'vscode/extension-web.ts', format: 'cjs', external: ['vscode'] },
  'server.mjs': { input: 'vscode/server.ts', platform: 'node', format: 'esm' },
  'graph-page.js': { input: 'vscode/graph-page.ts', format: 'iife' },
  'server-web.js': { input: 'server-worker.ts', format: 'iife' },
};

const files = {
  'extension/package.json': read('editors/vscode/manifest.json'),
  'extension/language-configuration.json': read('editors/vscode/language-configuration.json'),
  'extension/snippets.json': read('editors/vscode/snippets.json'),
  'extension/spike.tmLanguage.json': read('grammar/spike.tmLanguage.json'),
  'extension/readme.md': read('editors/vscode/README.md'),
  'extension/LICENSE.txt': read('LICENSE'),
  '[Content_Types].xml': strToU8(contentTypes()),
  'extension.vsixmanifest': strToU8(vsixManifest()),
};
for (const [name, content] of Object.entries(library))
  files[`extension/models/${name.slice('spikec/'.length)}.spike`] = strToU8(content);
for (const [name, { input, ...options }] of Object.entries(bundles))
  files[`extension/out/${name}`] = strToU8(await bundled(input, options));

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
