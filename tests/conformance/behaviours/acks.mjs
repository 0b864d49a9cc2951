// socket.io-client: answers to the client's events, and the client's answers to the server's.
const bytes = Buffer.from([1, 2, 3]);

const replies = (name, ...args) => ({
  name: `the server answers with ${name}`, run: async ctx => {
    const client = await ctx.stock("a");
    const answer = await new Promise(resolve => client.emit("reply", ...args, (...answers) => resolve(answers)));
    return ctx.transcript({ answer });
  },
});
const asks = (name, ...answers) => ({
  name: `the client answers with ${name}`, run: async ctx => {
    const client = await ctx.stock("a");
    client.answer("question", () => answers);
    const results = await client.do(["ask", "question", "why"], ["askWithin", 2000, "question", "how"]);
    return ctx.transcript({ results });
  },
});
const contents = [
  ["nothing"], ["one value", 1], ["several values", 1, "two", { three: [3] }, null], ["an empty list", []], ["null", null],
  ["bytes", bytes], ["bytes among others", { a: bytes }, "b", [bytes, bytes]], ["false", false], ["100 KB", "x".repeat(100_000)],
];

const fromServer = [
  { name: "an answer that never comes, with a timeout of the client", run: async ctx => {
    const client = await ctx.stock("a");
    const outcome = await client.socket.timeout(100).emitWithAck("hold").then(() => "answered", error => error.message);
    return ctx.transcript({ outcome });
  } },
  { name: "answering twice is answering once", run: async ctx => {
    const client = await ctx.stock("a");
    const answers = [];
    client.emit("reply-twice", answer => answers.push(answer));
    await client.do(["emit", "behind"]);
    return ctx.transcript({ answers });
  } },
  { name: "answers that are kept back come when they are released", run: async ctx => {
    const client = await ctx.stock("a");
    const answers = [];
    for (const i of [1, 2, 3]) client.emit("hold", answer => answers.push([i, answer]));
    await client.do(["emit", "before"]);
    client.emit("release", "now");
    await client.do(["emit", "behind"]);
    return ctx.transcript({ answers });
  } },
  { name: "an answer overtakes an earlier one", run: async ctx => {
    const client = await ctx.stock("a");
    const answers = [];
    client.emit("hold", answer => answers.push(answer));
    answers.push(await client.ask("reply", "fast"));
    client.emit("release", "slow");
    await client.do(["emit", "behind"]);
    return ctx.transcript({ answers });
  } },
  { name: "an answer with bytes that was kept back", run: async ctx => {
    const client = await ctx.stock("a");
    const answers = [];
    client.emit("hold", (...answer) => answers.push(answer));
    client.emit("release", bytes, { a: [bytes] });
    await client.do(["emit", "behind"]);
    return ctx.transcript({ answers });
  } },
  { name: "an event that nobody handles is not answered", run: async ctx => {
    const client = await ctx.stock("a");
    const outcome = await client.socket.timeout(100).emitWithAck("nobody").then(() => "answered", error => error.message);
    return ctx.transcript({ outcome });
  } },
  { name: "fifty answers come to their events", run: async ctx => {
    const client = await ctx.stock("a");
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => client.ask("reply", i)));
    return ctx.transcript({ answers });
  } },
  { name: "two namespaces count apart", run: async ctx => {
    const client = await ctx.stock("a");
    const other = await client.in("/custom");
    const answers = await Promise.all([client.ask("reply", "main"), other.ask("reply", "other"), client.ask("reply", "main 2")]);
    return ctx.transcript({ answers });
  } },
  { name: "a listener beside the one that answers", run: async ctx => {
    const client = await ctx.stock("a");
    await client.do(["on", "reply"], ["onAny", "any"]);
    const answer = await client.ask("reply", 1);
    return ctx.transcript({ answer });
  } },
];

const fromClient = [
  { name: "the client does not answer in time", run: async ctx => {
    const client = await ctx.stock("a");
    const results = await client.do(["askWithin", 60, "question", 1], ["emit", "behind"]);
    return ctx.transcript({ results });
  } },
  { name: "the client answers too late", run: async ctx => {
    const client = await ctx.stock("a");
    const late = [];
    client.socket.on("question", (...args) => late.push(args.pop()));
    const results = await client.do(["askWithin", 60, "question", 1]);
    for (const answer of late) answer("late");
    await client.do(["emit", "behind"]);
    return ctx.transcript({ results });
  } },
  { name: "the client answers twice", run: async ctx => {
    const client = await ctx.stock("a");
    client.socket.on("question", answer => { answer("first"); answer("second"); });
    const results = await client.do(["ask", "question"], ["ask", "question"]);
    return ctx.transcript({ results });
  } },
  { name: "the client answers in the other order", run: async ctx => {
    const client = await ctx.stock("a");
    const open = [];
    client.socket.on("question", (name, answer) => {
      open.push([name, answer]);
      if (open.length === 3) for (const [asked, reply] of open.reverse()) reply(`to ${asked}`);
    });
    const results = await Promise.all(["x", "y", "z"].map(name => client.do(["askWithin", 2000, "question", name])));
    return ctx.transcript({ results });
  } },
  { name: "one question behind another", run: async ctx => {
    const client = await ctx.stock("a");
    client.answer("question", n => [n * 2]);
    const results = await client.do(["ask", "question", 1], ["ask", "question", 2], ["ask", "question", 3]);
    return ctx.transcript({ results });
  } },
  { name: "a question with bytes", run: async ctx => {
    const client = await ctx.stock("a");
    client.answer("question", given => [given, "and", given]);
    const results = await client.do(["ask", "question", bytes]);
    return ctx.transcript({ results });
  } },
  { name: "questions in two namespaces", run: async ctx => {
    const client = await ctx.stock("a");
    const other = await client.in("/custom");
    client.answer("question", () => ["main"]);
    other.answer("question", () => ["other"]);
    const results = await Promise.all([client.do(["ask", "question"]), other.do(["ask", "question"])]);
    return ctx.transcript({ results });
  } },
  { name: "forty questions at once", run: async ctx => {
    const client = await ctx.stock("a", { quiet: ["question"] });
    client.answer("question", n => [n]);
    const results = await Promise.all(Array.from({ length: 25 }, (_, i) => client.do(["askWithin", 3000, "question", i])));
    return ctx.transcript({ results });
  } },
  { name: "the client leaves without answering, and there is no timeout", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["askAndReport", 0, "question"]);
    await client.got("question");
    client.socket.disconnect();
    await ctx.reported("a", "disconnect");
    await new Promise(resolve => setTimeout(resolve, 100));
    return ctx.transcript();
  } },
  { name: "the client leaves without answering, and there is a timeout", run: async ctx => {
    const client = await ctx.stock("a");
    client.tell(["askAndReport", 150, "question"]);
    await client.got("question");
    client.socket.disconnect();
    await ctx.reported("a", "disconnect");
    await ctx.reported("a", "asked");
    return ctx.transcript();
  } },
];

export const acks = {
  name: "acks", transports: ["polling", "websocket", "upgrade"], parsers: ["json", "msgpack"],
  behaviours: [...contents.map(row => replies(...row)), ...contents.map(row => asks(...row)), ...fromServer, ...fromClient],
};
