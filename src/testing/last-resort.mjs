// Loaded into every process of the test runner. A test file that takes too long is told to end, and this way it
// ends as others do, with the servers that it has started: they would outlive it otherwise. One that has servers
// to end which take their time listens for itself. It also ends when whoever started it has gone without a word.
const end = () => process.exit(143);

process.once("SIGTERM", () => process.listenerCount("SIGTERM") === 0 && end());

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
}, 1000).unref();
