// Which modules the page imports, read from their sources.
import { readFileSync } from 'node:fs';

const ui = new URL('../../ui/', import.meta.url);

/** What `start` imports, and what that imports; the platforms, of which one is chosen, are not followed. @returns {string[]} */
export function preloads() {
  /** @type {Set<string>} */
  const seen = new Set();
  /** @param {URL} module */
  const visit = (module) => {
    const path = module.pathname.slice(ui.pathname.length - 1);
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, target] of readFileSync(module, 'utf8').matchAll(/^(?:import|export)\b[^;]*?from ['"](\.[^'"]+)['"]/gm)) visit(new URL(target, module));
  };
  visit(new URL('main.js', ui));
  seen.delete('/main.js');
  return [...seen].sort();
}
