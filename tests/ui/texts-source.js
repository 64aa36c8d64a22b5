// What a source file of the page asks the catalogues for, and what it says without asking.
import ts from 'typescript';

/** Calls whose argument of this number is a text's id. */
const ASKS = { t: 0, sayTitle: 0, sayText: 1, chip: 1, say: 1, sayAttribute: 2, setChip: 2, setBusy: 2 };
/** Properties of options that are a text's id; `text` is one too, except where it goes to `h`, which shows it as it is. */
const ID_PROPERTIES = new Set(['t', 'title', 'hint', 'verb', 'label']);
/** What people read or hear of an element beside its text. */
const SPOKEN = new Set([
  'aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'aria-placeholder', 'title', 'placeholder', 'alt', 'label', 'content',
  'ariaLabel', 'ariaDescription', 'ariaRoleDescription', 'ariaValueText', 'ariaPlaceholder', 'textContent', 'innerText', 'nodeValue',
]);
/** Methods whose arguments become text. */
const SHOWS = new Set(['append', 'prepend', 'replaceChildren', 'before', 'after', 'replaceWith', 'createTextNode', 'fillText', 'strokeText', 'setCustomValidity']);
/** Operators that come to one of their sides, or to both. */
const CHOOSES = new Set([ts.SyntaxKind.BarBarToken, ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.PlusToken, ts.SyntaxKind.CommaToken]);
const TALKS = new Set(['alert', 'confirm', 'prompt']);
const WINDOWS = new Set(['Notification', 'Option', 'Text']);

/**
 * @param {string} source
 * @returns {{ literals: Set<string>, templates: Set<string>, ids: Set<string>, spoken: string[] }}
 *   `templates`: with `${}` for what is put in, `ids`: what is asked for as a text,
 *   `spoken`: what reaches a person without being one
 */
export function readSource(source) {
  const file = ts.createSourceFile('x.js', source, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const found = { literals: new Set(), templates: new Set(), ids: new Set(), spoken: [] };
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isStringLiteralLike(node)) found.literals.add(node.text);
    if (ts.isTemplateExpression(node)) found.templates.add(shape(node));
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) call(node, found);
    if (ts.isPropertyAssignment(node)) property(node, found);
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isPropertyAccessExpression(node.left) && SPOKEN.has(node.left.name.text)) {
      speak(node.right, found);
    }
    if ((ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) && prose(words(node)) && !aside(node)) found.spoken.push(words(node));
    ts.forEachChild(node, visit);
  };
  visit(file);
  found.spoken = [...new Set(found.spoken)];
  return found;
}

/** @param {ts.CallExpression | ts.NewExpression} node @param {ReturnType<typeof readSource>} found */
function call(node, found) {
  const name = nameOf(node.expression);
  const given = node.arguments ?? ts.factory.createNodeArray();
  // A part's own `say` takes the text first.
  const at = name === 'say' && ts.isPropertyAccessExpression(node.expression) ? 0 : Object.hasOwn(ASKS, name) ? ASKS[/** @type {keyof typeof ASKS} */ (name)] : -1;
  if (at >= 0 && given[at]) ask(given[at], found);
  if (name === 'h') for (const child of given.slice(2)) speak(child, found);
  if (SHOWS.has(name)) for (const one of given) speak(one, found);
  if ((ts.isIdentifier(node.expression) && TALKS.has(name)) || (ts.isNewExpression(node) && WINDOWS.has(name))) for (const one of given) speak(one, found);
  if ((name === 'setAttribute' || name === 'toggleAttribute') && given[1] && ts.isStringLiteralLike(given[0]) && SPOKEN.has(given[0].text)) speak(given[1], found);
}

/** @param {ts.PropertyAssignment} node @param {ReturnType<typeof readSource>} found */
function property(node, found) {
  const name = ts.isIdentifier(node.name) || ts.isStringLiteralLike(node.name) ? node.name.text : '';
  const holder = node.parent.parent;
  const inside = ts.isPropertyAssignment(holder) && (ts.isIdentifier(holder.name)) ? holder.name.text : '';
  if (inside === 'said') return ask(node.initializer, found);
  if (inside === 'attributes') return SPOKEN.has(name) ? speak(node.initializer, found) : undefined;
  const toElement = ts.isCallExpression(holder) && nameOf(holder.expression) === 'h';
  if (name === 'text' && toElement) return speak(node.initializer, found);
  if (ID_PROPERTIES.has(name) || name === 'text') return ask(node.initializer, found);
  return undefined;
}

/** @param {ts.Expression} node @param {ReturnType<typeof readSource>} found */
function ask(node, found) {
  // What is put into an id isn't one.
  for (const one of ts.isTemplateExpression(node) ? [node] : branches(node)) {
    if (ts.isArrayLiteralExpression(one) && one.elements[0]) ask(one.elements[0], found);
    if (ts.isStringLiteralLike(one) && one.text) found.ids.add(one.text);
    if (ts.isTemplateExpression(one)) found.ids.add(shape(one));
  }
}

/** @param {ts.Node} node @param {ReturnType<typeof readSource>} found */
function speak(node, found) {
  for (const one of branches(node)) {
    if ((ts.isStringLiteralLike(one) || ts.isTemplateExpression(one)) && /\p{L}/u.test(words(one))) found.spoken.push(words(one));
  }
}

/** What an expression may come to, without what functions answer. @param {ts.Node} node @returns {ts.Node[]} */
function branches(node) {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return branches(node.expression);
  if (ts.isConditionalExpression(node)) return [...branches(node.whenTrue), ...branches(node.whenFalse)];
  if (ts.isBinaryExpression(node)) return CHOOSES.has(node.operatorToken.kind) ? [...branches(node.left), ...branches(node.right)] : [];
  if (ts.isTemplateExpression(node)) return [node, ...node.templateSpans.flatMap((span) => branches(span.expression))];
  if (ts.isSpreadElement(node) && ts.isArrayLiteralExpression(node.expression)) return node.expression.elements.flatMap(branches);
  return [node];
}

/** @param {ts.TemplateExpression} node */
const shape = (node) => node.head.text + node.templateSpans.map((span) => `\${}${span.literal.text}`).join('');

/** @param {ts.Node} node */
function words(node) {
  if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join(' ').trim();
  return ts.isStringLiteralLike(node) ? node.text : '';
}

/** Whether it reads like something said to a person. @param {string} text */
function prose(text) {
  return /[^ -~\s]/.test(text.replace(/[\u2000-\u206f]/g, '')) && /\p{L}/u.test(text)
    || /\p{Lu}\p{Ll}+ \p{L}/u.test(text) || /\p{Ll}+ \p{Ll}+ .*\p{Ll}[.?]$/u.test(text);
}

/** Said to the log or to the developer. @param {ts.Node} node */
function aside(node) {
  for (let at = node.parent; at; at = at.parent) {
    if (ts.isNewExpression(at) && /Error$/.test(nameOf(at.expression))) return true;
    if (ts.isCallExpression(at) && ts.isPropertyAccessExpression(at.expression) && at.expression.expression.getText() === 'console') return true;
    if (ts.isFunctionLike(at)) return false;
  }
  return false;
}

/** @param {ts.Node} node */
function nameOf(node) {
  if (ts.isIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) ? node.name.text : '';
}

/**
 * What a page's markup says: each text with its language, and what stands in attributes.
 * @param {string} html
 */
export function readMarkup(html) {
  const plain = html.replace(/<!--[^]*?-->/g, '').replace(/<(script|style)\b[^]*?<\/\1>/g, '');
  const title = /<title>([^<]*)<\/title>/.exec(plain)?.[1] ?? '';
  const body = /<body[^>]*>([^]*)<\/body>/.exec(plain)?.[1] ?? '';
  /** @type {{ lang: string, text: string }[]} */
  const said = [];
  let lang = '';
  for (const [, tag, text] of body.matchAll(/<([^>]*)>([^<]*)/g)) {
    if (!tag.startsWith('/')) lang = /\blang="([^"]*)"/.exec(tag)?.[1] ?? '';
    else lang = '';
    if (text.trim()) said.push({ lang, text: text.trim() });
  }
  const attributes = [...plain.matchAll(/\b(?:aria-label|aria-description|title|placeholder|alt)="([^"]+)"/g)].map((match) => match[1]);
  return { title, said, attributes };
}

/** What Rust hands to menus, windows and notifications as it stands. @param {string} source */
export function readRust(source) {
  const own = source.replace(/^\s*\/\/.*$/gm, '');
  return [...own.matchAll(/\.(?:text|title|set_title|body|summary|tooltip|set_tooltip|set_text|message|submenu|check)\(\s*(?:\w+,\s*|"[^"]*",\s*)?(?:Some\()?"([^"]*\p{L}[^"]*)"/gu)].map((match) => match[1]);
}
