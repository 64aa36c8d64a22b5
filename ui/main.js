// Assembles the page: platform, language, route.
import { languages, load, nearest } from './texts/index.js';
import { listen, tellTo } from './trouble.js';
import { start } from './views/app.js';
import { recall } from './views/storage.js';

/** @typedef {import('./platform/types').Platform} Platform */

listen();
// Set by Tauri before any script of the page runs.
const inApp = '__TAURI_INTERNALS__' in window;
/** @type {{ createPlatform(): Platform | Promise<Platform> }} */
const { createPlatform } = await (inApp ? import('./platform/tauri/index.js') : import('./platform/browser/index.js'));
const platform = await createPlatform();
tellTo(platform.trouble);

await load(firstLanguage());
const root = document.getElementById('app');
if (root) start(root, platform, location);

/** What was chosen here before, else the first of the system's languages that there are texts in. */
function firstLanguage() {
  const chosen = recall('language');
  if (chosen && chosen in languages) return /** @type {import('./texts/index.js').Language} */ (chosen);
  return nearest([...navigator.languages, platform.language()]);
}
