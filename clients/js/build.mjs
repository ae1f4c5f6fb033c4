// Builds dist/doorward.js: one ES module, for browsers and for Node, not minified: whoever serves it can read it.
//
//   node build.mjs             writes it
//   node build.mjs --check     fails where the committed one is not what the sources build to

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const OUT = new URL("dist/doorward.js", import.meta.url);
const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

const { outputFiles } = await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["src/index.ts"],
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `// doorward-client ${version}, MIT OR Apache-2.0. Built from clients/js/src by \`npm run build\`: do not edit.` },
  write: false,
});
const built = outputFiles[0].text;

if (process.argv.includes("--check")) {
  if (built !== (await readFile(OUT, "utf8").catch(() => ""))) {
    console.error("clients/js/dist/doorward.js is not what the sources build to: run `npm run build` in clients/js and commit it");
    process.exit(1);
  }
} else {
  await writeFile(OUT, built);
  console.log(`dist/doorward.js: ${built.length} bytes`);
}
