// Builds the page into a folder: `node build.mjs FOLDER`. The same sources make the same bytes.
//
// Beside the files it writes what of others is in them: `packages.json`, for the list of what an installation
// holds, and `licences.txt`, which the page shows.
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2];
const here = import.meta.dirname;
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

const made = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.tsx" },
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  chunkNames: "[name]-[hash]",
  metafile: true,
});
await build({
  absWorkingDir: here,
  entryPoints: { page: "src/styles/page.css" },
  outdir: folder,
  bundle: true,
  minify: true,
  target: "es2022",
});
for (const name of ["index.html", "icon.svg"]) {
  await cp(join(here, "src", name), join(folder, name));
}

const used = new Set();
for (const input of Object.keys(made.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) used.add(found[1]);
}
const packages = [];
const licences = [];
for (const name of [...used].sort()) {
  const root = join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  packages.push({ name, version, licence: license });
  const file = (await readdir(root)).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? await readFile(join(root, file), "utf8") : license;
  licences.push(`${name} ${version}\n\n${text.trim()}\n`);
}
await writeFile(join(folder, "packages.json"), `${JSON.stringify(packages, null, 2)}\n`);
await writeFile(join(folder, "licences.txt"), licences.join(`\n${"-".repeat(78)}\n\n`));
