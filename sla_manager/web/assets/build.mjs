// Builds the style sheet and the script, named by their content, and says in manifest.json what they are called.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const modules = join(here, "..", "..", "..", "node_modules");

mkdirSync(out, { recursive: true });
const manifest = {};

function write(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const built = name.replace(/(\.\w+)$/, `.${hash}$1`);
  writeFileSync(join(out, built), content);
  manifest[name] = built;
}

const styles = compile(join(here, "app.scss"), {
  loadPaths: [join(modules, ".."), modules],
  style: "compressed",
  quietDeps: true,
});
write("app.css", styles.css);

const script = await build({
  entryPoints: [join(here, "app.js")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  write: false,
  nodePaths: [modules],
  legalComments: "none",
});
write("app.js", script.outputFiles[0].text);
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

for (const name of readdirSync(out)) {
  if (/^app\./.test(name) && !Object.values(manifest).includes(name)) rmSync(join(out, name));
}
