/**
 * `npm run build`: writes `dist/`. The program and what it uses of other packages become a few files, because node takes
 * longer to find and read 250 modules one by one than soxplan takes for all else that it does at its start.
 */

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'

const project = fileURLToPath(new URL('..', import.meta.url))
const source = join(project, 'src')
const built = join(project, 'dist')

/** Found beside the code at run time: the worker's parts in bash. */
const COPIED = /\.(sh|awk)$/

/** The check of a plan in finished code: loading ajv and making the check anew would take a third of a start. */
async function finishedCheck() {
  const { outputFiles } = await build({
    entryPoints: [join(source, 'plan/schema/plan.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  })
  const { checkOptions, planSchema } = await import(
    `data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`
  )
  const ajv = new Ajv2020({ ...checkOptions, code: { source: true, esm: true } })
  return standalone.default(ajv, ajv.compile(planSchema))
}

/** @type {import('esbuild').Plugin} */
const checkPlugin = {
  name: 'schema-check',
  setup({ onLoad }) {
    onLoad({ filter: /\/plan\/schema-check\.ts$/ }, async () => ({
      contents: await finishedCheck(),
      resolveDir: source,
      loader: 'js',
    }))
  },
}

/**
 * The licences of the packages that became part of our files ask to go with them.
 * @param {string[]} inputs
 */
function licences(inputs) {
  const folders = new Set(
    inputs.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.slice(0, 1) ?? []),
  )
  return [...folders].sort().map((folder) => {
    const file = readdirSync(join(project, folder)).find((name) => /^licen[cs]e/i.test(name))
    if (file === undefined) throw new Error(`${folder} has no licence to pass on`)
    const name = folder.replace(/^.*node_modules\//, '')
    return `${name}\n${'='.repeat(name.length)}\n\n${readFileSync(join(project, folder, file), 'utf8').trim()}\n`
  })
}

const { metafile } = await build({
  absWorkingDir: project,
  entryPoints: ['src/cli.ts', 'src/edge/look-thread.ts'],
  outdir: 'dist',
  outbase: 'src',
  // Each part lies as deep as the module it comes from, since modules look for files beside themselves.
  chunkNames: 'edge/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // What packages written for CommonJS ask for when they ask for a module of node's.
  banner: {
    js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
  },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [checkPlugin],
})
const written = new Set(Object.keys(metafile.outputs).map((path) => join(project, path)))
for (const path of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (!COPIED.test(path)) continue
  mkdirSync(dirname(join(built, path)), { recursive: true })
  cpSync(join(source, path), join(built, path))
  written.add(join(built, path))
}
writeFileSync(join(built, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)).join('\n\n'))
written.add(join(built, 'LICENSES.txt'))
// What an older build wrote would otherwise stay in the published package.
for (const entry of readdirSync(built, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !written.has(path)) rmSync(path)
}
