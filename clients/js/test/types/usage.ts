// What the declarations allow, and what they refuse: a line that is expected to be wrong and is not is an error too.
import { Client, connect, sendFile, WirehallError } from 'wirehall';
import type { ChatMessage, HallEvents, Position, Room } from 'wirehall';

async function allowed(): Promise<void> {
  const client = await connect('https://example.org', { auth: { token: 'x' }, reconnectionAttempts: 3 });
  await connect('https://example.org', { auth: () => ({ token: 'x' }) });
  await connect('https://example.org', { auth: async () => ({ token: 'x' }) });
  await connect('https://example.org', { auth: (give) => give({ token: 'x' }) });
  await connect(new URL('https://example.org'), { token: async () => 'x', WebSocket: class {} });

  client.on('chat', (message) => {
    const content: string | null = message.content;
    const seq: number = message.seq;
    console.log(content, seq, message.file?.url.length);
  });
  client.on('user-joined', ({ userId, roomId }) => console.log(userId.length, roomId.length));
  client.once('disconnected', ({ error, retryIn }) => console.log(error.code.length, retryIn?.toFixed()));
  client.on('error', (error: WirehallError) => console.log(error.retryAfter));
  client.on('private-message', async (message) => console.log(message.fromUserId.length));
  client.on('of-the-application', (fields) => console.log(fields.anything)).off('chat');
  const hear = (message: ChatMessage) => console.log(message.from);
  client.on('chat', hear).off('chat', hear);

  const { members, missed } = await client.join('lobby', { since: { seq: 1, epoch: 'e' } });
  console.log(members[0]?.userId.length, missed?.length);
  const { seq } = await client.send('lobby', 'hello', { type: 'greeting', timeout: 1000 });
  console.log(seq.toFixed(), (await client.sendPrivate('bob', 'psst')).delivered === true);
  console.log((await client.history('lobby', { before: 5 })).messages[0]?.content?.length);
  console.log((await client.presence({ userIds: ['bob'] })).users[0]?.status.length);
  const answer = await client.emit('score', { points: 1 }, { timeout: 500, again: true });
  client.emit('score', { points: 1 }, ({ error }) => console.log(error, answer));

  const room: Room = client.room('lobby');
  const position: Position | undefined = room.position;
  room.on('members', ({ memberCount }) => console.log(memberCount.toFixed(), position?.seq));
  console.log(room.members.map(({ status }) => status.length), room.isJoined === true);

  await client.upload(new Blob([]), { roomId: 'lobby', name: 'x', onProgress: (sent, size) => console.log(sent / size) });
  await client.upload(new Blob([]), { targetUserId: 'bob', uploadId: 'u' });
  const { file } = await sendFile((type, fields) => client.request(type, fields), new Blob([]), { roomId: 'lobby' });
  console.log(file.url.length);
}

async function withEventsOfItsOwn(): Promise<void> {
  const client = await connect<HallEvents & { score: { points: number } }>();
  client.on('score', ({ points }) => console.log(points.toFixed()));
  client.room('lobby').on('score', ({ points }) => console.log(points.toFixed()));
  // @ts-expect-error score has no such field
  client.on('score', ({ goals }) => console.log(goals));
  const plain: Client = new Client();
  await plain.connect();
}

async function refused(client: Client): Promise<void> {
  // @ts-expect-error a message has no such field
  client.on('chat', (message) => console.log(message.text));
  // @ts-expect-error its content may be null
  client.on('chat', (message) => console.log(message.content.length));
  // @ts-expect-error a message is no number
  client.on('chat', (message: number) => console.log(message));
  // @ts-expect-error a room has members that are objects
  client.room('lobby').on('members', ({ members }) => console.log(members[0]?.toFixed()));
  // @ts-expect-error content is text
  await client.send('lobby', 5);
  // @ts-expect-error no room is named
  await client.join();
  // @ts-expect-error a position has an epoch
  await client.join('lobby', { since: { seq: 1 } });
  // @ts-expect-error a file goes to a room or to a person
  await client.upload(new Blob([]), {});
  // @ts-expect-error and not to both
  await client.upload(new Blob([]), { roomId: 'lobby', targetUserId: 'bob' });
  // @ts-expect-error there is no such option
  new Client('https://example.org', { reconnectionDelays: 5 });
  // @ts-expect-error it is a number of milliseconds
  new Client('https://example.org', { timeout: '5s' });
  // @ts-expect-error the token is text
  new Client('https://example.org', { auth: { token: 5 } });
  // @ts-expect-error an ack function returns nothing to wait for
  await client.emit('score', {}, () => {}).then();
  // @ts-expect-error there is no such state
  const state: 'open' = client.state;
  console.log(state);
}

console.log(allowed, withEventsOfItsOwn, refused);
