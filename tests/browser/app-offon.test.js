// A host that is switched off before others heard of it: a goodbye would make them deaf to its return.
import { test } from 'node:test';
import { whyNot } from './app-lan.js';
import { ward } from './app-ward.js';
import { PATIENCE } from './browsers.js';

test('a host that is switched off before it was announced, and on again, is in the others’ list', { timeout: 5 * PATIENCE, skip: whyNot() || false }, async (t) => {
  const here = ward(t, ['a', 'b'], { ward: 'Medicina 3 Norte', grace: 3 });
  const [a, b] = await Promise.all([here.window('a'), here.window('b')]);
  await a.click('host-panel-off');
  await a.click('host-switch');
  await a.reads('host-url', here.url('a'));
  // In the page: the driver's own clicks take longer than an announcement.
  await a.page.run(() => {
    const find = (id) => document.querySelector(`[data-testid=${id}]`);
    new MutationObserver((_, observer) => {
      if (!/Not hosting/.test(find('host-state')?.textContent ?? '')) return;
      observer.disconnect();
      find('host-switch').click();
    }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
    find('host-switch').click();
  });
  await b.reads('host-row', 'Medicina 3 Norte');
});
