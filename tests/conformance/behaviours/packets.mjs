// Socket.IO packets as bytes: what is understood, what ends the session. Each row is a name and the steps: a packet,
// or several that are sent at once; what is behind a step is sent when the server has seen it.
const B = Buffer.from([1, 2, 3]);
const C = Buffer.from([4, 5]);
const one = '{"_placeholder":true,"num":0}';
const two = '{"_placeholder":true,"num":1}';
const nested = (depth, inside = "") => "[".repeat(depth) + inside + "]".repeat(depth);

/** Joins "/" first, unless the row says otherwise. */
async function steps(ctx, list, joined) {
  const client = await ctx.raw("a");
  if (joined) await client.connect();
  for (const step of list) {
    client.send(...[step].flat());
    await client.barrier();
  }
  const transcript = await ctx.transcript();
  // Which of the two a polling session is told depends on whether its poll has arrived: nobody can know.
  if (ctx.variant.transport !== "polling") return transcript;
  return JSON.parse(JSON.stringify(transcript).replaceAll("forced server close", "forced close"));
}
const row = joined => ([name, ...list]) => ({ name, run: ctx => steps(ctx, list, joined) });

const connecting = [
  ["CONNECT", "40"],
  ["CONNECT names the main namespace", "40/,"],
  ["CONNECT names the main namespace without a comma", "40/"],
  ["CONNECT with a payload", '40{"token":"123"}', '42["do",["auth"]]'],
  ["CONNECT with an empty payload", "40{}"],
  ["CONNECT to another namespace", "40/custom,"],
  ["CONNECT to another namespace without a comma", "40/custom"],
  ["CONNECT to another namespace with a payload", '40/custom,{"a":[1,{"b":null}]}'],
  ["CONNECT to an unknown namespace", "40/random"],
  ["CONNECT to an unknown namespace with a payload", '40/random,{"a":1}'],
  ["CONNECT to an unknown namespace, twice", "40/random,", "40/random,"],
  ["CONNECT to two namespaces", "40", "40/custom,"],
  ["CONNECT where the name has a query", "40/custom?x=1,"],
  ["CONNECT where the name has another case", "40/CUSTOM,"],
  ["CONNECT where the name ends in a slash", "40/custom/,"],
  ["CONNECT where the name is empty", "40//,"],
  ["CONNECT without a slash", "40custom"],
  ["CONNECT with an ack id", "4012"],
  ["CONNECT with a list", "40[]"],
  ["CONNECT with null", "40null"],
  ["CONNECT with a string", '40"a"'],
  ["CONNECT with a number", "40/custom,1.5"],
  ["CONNECT with broken JSON", '40{"a":'],
  ["CONNECT with something behind the JSON", '40{"a":1}x'],
  ["EVENT first", '42["echo",1]'],
  ["EVENT for a namespace that is not joined", "40", '42/custom,["echo",1]'],
  ["ACK first", "430[]"],
  ["DISCONNECT first", "41"],
  ["DISCONNECT of a namespace that is not joined", "40", "41/custom,"],
  ["CONNECT_ERROR first", '44{"message":"x"}'],
  ["a binary message first", B],
  ["an empty message first", "4"],
  ["a word first", "4abc"],
];

const leaving = [
  ["CONNECT again", "40"],
  ["CONNECT again with a payload", '40{"a":1}'],
  ["DISCONNECT", "41"],
  ["DISCONNECT with a comma", "41,"],
  ["DISCONNECT with a payload", '41"bye"'],
  ["DISCONNECT with an object", "41{}"],
  ["DISCONNECT with an ack id", "4112"],
  ["DISCONNECT, then an event", "41", '42["echo",1]'],
  ["DISCONNECT, then CONNECT", "41", "40", '42["echo",1]'],
  ["DISCONNECT of one of two namespaces", "40/custom,", "41/custom,", '42["echo",1]'],
  ["DISCONNECT and CONNECT of one of two namespaces", "40/custom,", "41/custom,", "40/custom,", '42/custom,["echo",1]'],
  ["DISCONNECT of the main namespace only", "40/custom,", "41", '42/custom,["echo",1]'],
  ["CONNECT_ERROR", '44{"message":"x"}'],
  ["CONNECT_ERROR with a string", '44"x"'],
  ["CONNECT_ERROR without a payload", "44"],
  ["CONNECT_ERROR with a number", "441"],
];

const events = [
  ["an event", '42["echo",1,"a",true,null,{"b":[]}]'],
  ["an event without arguments", '42["echo"]'],
  ["an event that names the main namespace", '42/,["echo",1]'],
  ["an event of another namespace", "40/custom,", '42/custom,["echo",1]'],
  ["an event with an ack id", '420["reply",1,"a"]'],
  ["an ack id with leading zeros", '42007["reply",1]'],
  ["an ack id without arguments", '421["reply"]'],
  ["a large ack id", '42999999999999["reply"]'],
  ["the largest exact ack id", '429007199254740991["reply"]'],
  ["an ack id that is too large", '4299999999999999999999["reply",1]'],
  ["an ack id of another namespace", "40/custom,", '42/custom,13["reply","x"]'],
  ["a negative ack id", '42-1["reply",1]'],
  ["a broken ack id", '421.5["reply",1]'],
  ["an unknown event", '42["nobody",1]', '42["echo",2]'],
  ["an unknown event with an ack id", '423["nobody",1]', '42["echo",2]'],
  ["an event named by a number", '42[1,2]', '42["echo",2]'],
  ["an event with an empty name", '42["",2]', '42["echo",2]'],
  ["an event named __proto__", '42["__proto__",2]', '42["echo",2]'],
  ["an event named error", '42["error",1]', '42["echo",2]'],
  ["an event named message", '42["message",1]', '42["echo",2]'],
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
    name => [`the reserved event ${name}`, `42["${name}",1]`]),
  ["a list without a name", "42[]"],
  ["a name that is null", "42[null]"],
  ["a name that is true", "42[true]"],
  ["a name that is a list", '42[["echo"]]'],
  ["a name that is an object", '42[{"echo":1}]'],
  ["no payload", "42"],
  ["an object", '42{"0":"echo"}'],
  ["a string", '42"echo"'],
  ["broken JSON", '42["echo",'],
  ["a comma too many", '42["echo",]'],
  ["something behind the JSON", '42["echo"]x'],
  ["a byte order mark before the JSON", '42\ufeff["echo"]'],
  ["single quotes", "42['echo']"],
  ["NaN", '42["echo",NaN]'],
  ["a comment", '42["echo",/**/1]'],
  ["a number with a plus", '42["echo",+1]'],
  ["a number with leading zeros", '42["echo",01]'],
  ["a control character in a string", '42["echo","\u0001"]'],
  ["space inside the JSON", '42[ "echo" , 1 ]'],
  ["space behind the JSON", '42["echo",1] \r\n\t'],
  ["space before the JSON", '42 ["echo",1]'],
  ["numbers in all spellings", '42["echo",1.0,1E2,0.1e-7,1e21,1e-7,123456789.125]'],
  ["minus zero", '42["echo",-0]'],
  ["integers that are not exact", '42["echo",9007199254740993,123456789012345678901234567890]'],
  ["a number that is too large", '42["echo",1e999]'],
  ["escapes in all spellings", '42["echo","\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\"]'],
  ["a lone surrogate", '42["echo","\\ud800"]'],
  ["characters beyond the basic plane", '42["echo","\ud83d\ude00\u2028\u2029\u007f\u00e9"]'],
  ["the same member twice", '42["echo",{"a":1,"b":2,"a":3}]'],
  ["a member named __proto__", '42["echo",{"__proto__":1,"constructor":2}]'],
  ["members that are numbers", '42["echo",{"b":1,"2":2,"1":3}]'],
  ["members with an empty name", '42["echo",{"":1}]'],
  ["nesting of 30", `42["echo",${nested(30)}]`],
  ["nesting of 40", `42["echo",${nested(40)}]`],
  ["a name of 128 bytes", `42["${"n".repeat(128)}"]`, '42["echo"]'],
  ["a name of 200 bytes", `42["${"n".repeat(200)}"]`, '42["echo"]'],
  ["text of 100 KB", `42["echo","${"x".repeat(100_000)}"]`],
  ["three events at once", ['42["echo",1]', '42["echo",2]', '42["echo",3]']],
  ["the unknown type 7", "47"],
  ["the unknown type 9", '49["echo"]'],
  ["an empty message", "4"],
];

const acks = [
  ["an ack that nobody waits for", '435["x"]', '42["echo",1]'],
  ["an ack without an id", '43["x"]', '42["echo",1]'],
  ["an ack without a payload", "435", '42["echo",1]'],
  ["an ack without anything", "43", '42["echo",1]'],
  ["an ack with an object", "435{}"],
  ["an ack with a string", '435"x"'],
  ["an ack of another namespace", "40/custom,", '43/custom,5["x"]', '42["echo",1]'],
];

const attachments = [
  ["an attachment", [`451-["echo",${one}]`, B]],
  ["two attachments", [`452-["echo",${one},"between",${two}]`, B, C]],
  ["two attachments in the other order", [`452-["echo",${two},${one}]`, B, C]],
  ["attachments deep inside", [`452-["echo",{"a":[${one},{"b":${two}}]}]`, B, C]],
  ["an empty attachment", [`451-["echo",${one}]`, Buffer.alloc(0)]],
  ["an attachment of another namespace", "40/custom,", [`451-/custom,["echo",${one}]`, B]],
  ["an attachment and an ack id", [`451-7["reply",${one}]`, B]],
  ["an attachment of 100 KB", [`451-["echo",${one}]`, Buffer.alloc(100_000, 7)]],
  ["a binary ack that nobody waits for", [`461-5[${one}]`, B], '42["echo",1]'],
  ["ten attachments", [`4510-["echo",${Array.from({ length: 10 }, (_, i) => `{"_placeholder":true,"num":${i}}`)}]`, ...Array(10).fill(B)]],
  ["eleven attachments", `4511-["echo",${Array.from({ length: 11 }, (_, i) => `{"_placeholder":true,"num":${i}}`)}]`],
  ["no attachments", '450-["echo",1]', '42["echo",2]'],
  ["an attachment without a placeholder", ['451-["echo",1]', B], '42["echo",2]'],
  ["a placeholder without an attachment", `42["echo",${one}]`],
  ["a placeholder that is false", ['451-["echo",{"_placeholder":false,"num":0}]', B]],
  ["a placeholder that is 1", ['451-["echo",{"_placeholder":1,"num":0}]', B]],
  ["a placeholder with more members", ['451-["echo",{"_placeholder":true,"num":0,"x":1}]', B]],
  ["a placeholder whose number is text", ['451-["echo",{"_placeholder":true,"num":"0"}]', B]],
  ["a placeholder whose number is a method", ['451-["echo",{"_placeholder":true,"num":"splice"}]', B]],
  ["a placeholder without a number", ['451-["echo",{"_placeholder":true}]', B]],
  ["a placeholder whose number is null", ['451-["echo",{"_placeholder":true,"num":null}]', B]],
  ["a placeholder whose number is a fraction", ['451-["echo",{"_placeholder":true,"num":0.5}]', B]],
  ["a placeholder out of range", ['451-["echo",{"_placeholder":true,"num":1}]', B]],
  ["a placeholder below the range", ['451-["echo",{"_placeholder":true,"num":-1}]', B]],
  ["one attachment used twice", [`452-["echo",${one},${one}]`, B, C]],
  ["text instead of an attachment", [`451-["echo",${one}]`, '42["echo",1]']],
  ["text between two attachments", [`452-["echo",${one},${two}]`, B, '42["echo",1]']],
  ["an attachment that nobody announced", B],
  ["an attachment too many", [`451-["echo",${one}]`, B], C],
  ["a count that is missing", `45["echo",${one}]`],
  ["a count that is negative", `45-1-["echo",${one}]`],
  ["a count that is a fraction", `451.5-["echo",${one}]`],
  ["a count without its dash", `451["echo",${one}]`],
  ["a count that is enormous", `45999999999-["echo",${one}]`],
  ["a binary packet without anything", "45"],
  ["a reserved event with an attachment", [`451-["disconnect",${one}]`, B]],
  ["a heartbeat between an event and its attachment", [`451-["echo",${one}]`, "3", B]],
];

const shapes = [...connecting.map(row(false)), ...[...leaving, ...events, ...acks, ...attachments].map(row(true))];

// Where the session is not joined yet when the next packet comes.
const hasty = [
  { name: "CONNECT and an event in one body", transports: ["polling"], run: ctx => steps(ctx, [["40", '42["echo",1]']], false) },
  { name: "DISCONNECT and an event in one body", transports: ["polling"], run: ctx => steps(ctx, [["41", '42["echo",1]']], true) },
  { name: "DISCONNECT and CONNECT in one body", transports: ["polling"], run: ctx => steps(ctx, [["41", "40"]], true) },
  { name: "two CONNECTs in one body", transports: ["polling"], run: ctx => steps(ctx, [["40", "40"]], false) },
  { name: "an attachment too many in one body", transports: ["polling"], run: ctx => steps(ctx, [[`451-["echo",${one}]`, B, C]], true) },
  { name: "two namespaces in one body", transports: ["polling"], run: ctx => steps(ctx, [["40", "40/custom,"]], false) },
];

export const packets = {
  name: "packets", transports: ["polling", "websocket", "upgrade"], behaviours: [...shapes, ...hasty],
};
