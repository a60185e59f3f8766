// Loaded into every process of the test runner. A test file that takes too long is told to end: this way it
// ends as others do, with the servers that it has started. They would outlive it otherwise.
process.once("SIGTERM", () => process.exit(143));
