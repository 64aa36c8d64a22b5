// The page must parse in Chrome and Android WebView 94, Firefox 115 and Safari 15.4, without a
// build step; these rules hold the line where `tsc` can't.
import js from '@eslint/js';
import globals from 'globals';

const rules = {
  ...js.configs.recommended.rules,
  'curly': ['error', 'multi-line'],
  'eqeqeq': ['error', 'always', { null: 'ignore' }],
  'no-console': ['error', { allow: ['warn', 'error'] }],
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-new-func': 'error',
  'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
  'no-var': 'error',
  'prefer-const': 'error',
  'max-lines': ['error', { max: 600 }],
};

/** What parses or exists only in browsers younger than the oldest that are meant to work. */
const tooYoung = [
  { selector: 'StaticBlock', message: 'Safari 15.4 has no static blocks.' },
  { selector: 'ImportAttribute', message: 'The oldest browsers have no import attributes.' },
  { selector: 'Literal[regex.pattern=/\\(\\?<[=!]/]', message: 'Safari 15.4 has no lookbehind.' },
  { selector: 'Literal[regex.flags=/v/]', message: 'The oldest browsers have no v flag.' },
  {
    selector: 'MemberExpression[property.name=/^(toSorted|toReversed|toSpliced|findLast|findLastIndex|withResolvers|fromAsync|groupBy|structuredClone|any|throwIfAborted)$/]',
    message: 'Not in Chrome 94 or Safari 15.4.',
  },
  {
    selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]',
    message: "People's text becomes markup this way; make elements and set textContent.",
  },
];

export default [
  { ignores: ['target/', 'gen/', 'ui/vendor/', 'ui/generated/', 'node_modules/', '.run/'] },
  {
    files: ['ui/**/*.js'],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: 'module',
      globals: { ...globals.browser },
    },
    // A comment that switches a rule off must be needed.
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { ...rules, 'no-undef': 'off', 'no-restricted-syntax': ['error', ...tooYoung] },
  },
  {
    // Pure: no document, no clock, no timers, no network.
    files: ['ui/protocol/**/*.js', 'ui/call/**/*.js'],
    rules: {
      'no-restricted-globals': [
        'error', 'document', 'window', 'navigator', 'location', 'localStorage', 'performance',
        'setTimeout', 'setInterval', 'requestAnimationFrame', 'fetch', 'WebSocket', 'Date',
      ],
    },
  },
  {
    files: ['tests/**/*.js', 'scripts/**/*.js', 'eslint.config.js'],
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: 'module',
      globals: { ...globals.node, ...globals.browser },
    },
    rules: { ...rules, 'no-console': 'off' },
  },
];
