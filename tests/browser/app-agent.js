// Does HTTP requests for a test from inside a network namespace.
process.on('message', async ({ id, url, options }) => {
  try {
    const response = await fetch(url, { ...options, headers: { 'content-type': 'application/json' } });
    process.send({ id, answer: { status: response.status, body: await response.text() } });
  } catch (error) {
    process.send({ id, error: `${error.message}: ${error.cause?.message ?? ''}` });
  }
});
process.on('disconnect', () => process.exit());
