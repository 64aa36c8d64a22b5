// Beats for `ticker.js`: told the interval in milliseconds, posts a message that often.
addEventListener('message', (event) => {
  setInterval(() => postMessage(null), event.data);
});
