// Builds dist/doorward.js and dist/ninep.js: an ES module each, for browsers and for Node, not minified: whoever serves it can read it.
//
//   node build.mjs             writes them
//   node build.mjs --check     fails where a committed one is not what the sources build to

import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const MODULES = { "doorward.js": "src/index.ts", "ninep.js": "src/ninep.ts" };
const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

for (const [name, entry] of Object.entries(MODULES)) {
  const out = new URL(`dist/${name}`, import.meta.url);
  const { outputFiles } = await build({
    absWorkingDir: new URL(".", import.meta.url).pathname,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    banner: { js: `// doorward-client ${version}, MIT OR Apache-2.0. Built from clients/js/src by \`npm run build\`: do not edit.` },
    write: false,
  });
  const built = outputFiles[0].text;

  if (!process.argv.includes("--check")) {
    await writeFile(out, built);
    console.log(`dist/${name}: ${built.length} bytes`);
  } else if (built !== (await readFile(out, "utf8").catch(() => ""))) {
    console.error(`clients/js/dist/${name} is not what the sources build to: run \`npm run build\` in clients/js and commit it`);
    process.exit(1);
  }
}
