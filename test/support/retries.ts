/* In CI, a test that failed is tried once more, and what it failed with is printed: a busy machine may be late. */
const retries = Number(process.env.ESP32GPT_RETRIES ?? "0");
if (retries > 0) jest.retryTimes(retries, { logErrorsBeforeRetry: true });
