// Connecting over every protocol: who is let in, what `connected` says, how refusals look, and how a token
// ends.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';

import {until} from '../support/server.mjs';

import {connect, PROTOCOLS} from './support/clients.mjs';
import {Hall, sign, tokenOfProgram} from './support/hall.mjs';
import {fresh, hear, heard, isId, isTime, matches, userOf} from './support/shapes.mjs';

let hall;
before(async () => {
  hall = await Hall.start({auth: {cookie: 'session'}});
});
after(() => hall.stop());

const helloOf = (user, info, over = {}) => ({
  sessionId: isId,
  clientId: isId,
  userId: user,
  user: info,
  serverTime: isTime,
  timestamp: isTime,
  rooms: [],
  recovered: false,
  ...over
});

/** How a connection was refused: [code, text], whichever way the protocol says it. */
async function refusal(protocol, options) {
  const error = await connect(hall.url, {user: 'refused', protocol, ...options})
                    .then(() => assert.fail('it was let in'), (caught) => caught);
  if (protocol === 'socketio') return [error.data?.code, error.text];
  assert.equal(error.status, 401, error.message);
  return [error.body.code, error.body.title];
}

for (const protocol of PROTOCOLS) {
  describe(`connecting over ${protocol}`, () => {
    it('`connected` says who the client is, and it comes first', async () => {
      const [user, roomId] = [fresh('ann'), fresh('r')];
      const ann = await hall.open(user, protocol);
      matches(ann.hello, helloOf(user, {name: user}));
      assert.equal(ann.hello.sessionId, ann.hello.clientId);
      if (protocol === 'socketio') assert.equal(ann.hello.clientId, ann.socket.id);
      await ann.join(roomId);
      await ann.leave();
      const bob = await hall.open(fresh('bob'), protocol);
      await bob.must('private-message', {targetUserId: user, content: 'x'});
      const back = await hall.open(user, protocol);
      await back.take('pending-messages');
      matches(back.hello, helloOf(user, {name: user}, {rooms: [roomId]}));
      assert.deepEqual(back.arrivals, ['connected', 'pending-messages']);
    });

    it('claims: `sub` or `userId`, `name`, `user`', async () => {
      const hello = async (claims) => {
        const client = await hall.open('x', protocol, {claims: {sub: undefined, user: undefined, ...claims}});
        return [client.hello.userId, client.hello.user];
      };
      assert.deepEqual(await hello({sub: 'é 1', name: 'É'}), ['é 1', {name: 'É'}]);
      assert.deepEqual(
          await hello({userId: 'u2', user: {name: 'U', avatar: 'a.png'}}),
          ['u2', {name: 'U', avatar: 'a.png'}]);
      assert.deepEqual(await hello({sub: 'u3', name: 'n', user: {age: 7}}), ['u3', {age: 7, name: 'n'}]);
      assert.deepEqual(await hello({sub: 12345}), ['12345', {}]);
    });

    it('refusals have their code and text', async () => {
      const past = {exp: Math.floor(Date.now() / 1000) - 3600};
      assert.deepEqual(await refusal(protocol, {}), ['authentication-required', 'Authentication required']);
      for (const token
               of ['x', `${sign('ann')}x`, sign('ann', past), sign('ann', {nbf: 4e9}),
                   sign('ann', {rooms: 'r'})]) {
        const [code, text] = await refusal(protocol, {token});
        assert.equal(code, 'authentication-failed');
        assert.match(text, /^Authentication failed: ./);
      }
      for (const sub of ['', 'a\u0001b', 'x'.repeat(256), null, {}, 1.5])
        assert.deepEqual(await refusal(protocol, {token: sign(sub)}), ['invalid-user', 'Invalid user'], sub);
    });

    it('a token may come as the protocol has it: header, query, cookie, auth', async () => {
      const token = sign(fresh('ann'));
      const ways = protocol === 'socketio' ? [{auth: {token}}] : [
        {headers: {Authorization: `bearer ${token}`}}, {query: `?token=${token}`},
        {headers: {Cookie: `a=b; session=${token}`, Origin: hall.url}}
      ];
      for (const way of ways) (await connect(hall.url, {user: 'ann', protocol, ...way})).destroy();
    });

    it('a user on several connections comes and goes once', async () => {
      const roomId = fresh('r');
      const bob = await hall.open(fresh('bob'), protocol);
      await bob.join(roomId);
      const devices = [await hall.open(fresh('ann'), protocol)];
      await devices[0].join(roomId);
      for (const over of PROTOCOLS) devices.push(await hall.open(devices[0].user, over));
      await hear([
        bob,
        [
          ...bob.protocol === 'socketio' ? [] : [['joined', () => true]],
          ['user-joined', {...userOf(devices[0]), roomId, timestamp: isTime}]
        ]
      ]);
      for (const device of devices.slice(1)) await device.leave();
      await hear([bob, []], [devices[0], devices[0].protocol === 'socketio' ? [] : [['joined', () => true]]]);
      const presence = async () =>
          (await bob.must('presence', {userIds: [devices[0].user]})).users[0].connections;
      await until(async () => await presence() === 1, 'one connection left');
      await devices[0].leave();
      matches(await bob.take('user-left'), {userId: devices[0].user, roomId, timestamp: isTime});
      await hear([bob, []]);
    });

    it('who may no longer join a room is not put back into it', async () => {
      const [user, a, b] = [fresh('ann'), fresh('a'), fresh('b')];
      const ann = await hall.open(user, protocol);
      for (const roomId of [a, b]) await ann.join(roomId);
      await ann.leave();
      const limited = await hall.open(user, protocol, {claims: {rooms: [b]}});
      assert.deepEqual(limited.hello.rooms, [b]);
      await limited.fails('access-denied', 'join-room', {roomId: a});
    });
  });
}

describe('a token that ends', {concurrency: true}, () => {
  for (const protocol of PROTOCOLS) {
    it(`over ${protocol} it takes its connection with it, unless it is refreshed`, async () => {
      const exp = Math.floor(Date.now() / 1000) + 2;
      const open = () => hall.open(fresh('ann'), protocol, {claims: {exp}});
      const [ending, staying] = [await open(), await open()];
      const later = exp + 3600;
      matches(
          await staying.must('refresh-token', {token: sign(staying.user, {exp: later})}),
          {success: true, expiresAt: later * 1000});
      await staying.fails('access-denied', 'refresh-token', {token: sign('somebody else')});
      await staying.fails('authentication-failed', 'refresh-token', {token: 'no token'});
      await staying.fails(
          'authentication-failed', 'refresh-token', {token: sign(staying.user, {exp: exp - 3600})});
      const {code, reason} = await ending.ended;
      assert.ok(Date.now() >= exp * 1000 - 50, 'not before its time');
      if (protocol !== 'socketio') assert.deepEqual([code, reason], [4002, 'Token expired']);
      await heard(staying);
      assert.ok(staying.isOpen);
    });
  }
});

describe('connecting', () => {
  it('`authError=close` closes after the upgrade instead of a refusal before it', async () => {
    const {default: WebSocket} = await import('ws');
    const socket = new WebSocket(`${hall.url.replace('http', 'ws')}/ws?authError=close`);
    const [code, reason] = await new Promise((resolve) => {
      socket.on('close', (closed, why) => resolve([closed, why.toString()]));
    });
    assert.deepEqual([code, reason], [1008, 'Unauthorized']);
  });

  it('takes the tokens that `wirehall token` makes', async () => {
    const token = tokenOfProgram('--user', 'ann', '--name', 'Ann', '--rooms', 'a,b-*', '--expires-in', '60');
    const ann = await connect(hall.url, {user: 'ann', protocol: 'native', token});
    assert.deepEqual([ann.hello.userId, ann.hello.user], ['ann', {name: 'Ann'}]);
    await ann.join('b-1');
    await ann.fails('access-denied', 'join-room', {roomId: 'c'});
    ann.destroy();
    const none = await connect(
        hall.url, {user: 'ann', protocol: 'native', token: tokenOfProgram('--user', 'x', '--no-rooms')});
    await none.fails('access-denied', 'join-room', {roomId: 'a'});
    none.destroy();
  });

  it('works over polling alone, and with the upgrade from it', async () => {
    for (const transports of [['polling'], ['polling', 'websocket']]) {
      const [ann, bob, roomId] = [
        await hall.open(fresh('ann'), 'socketio', {transports}), await hall.open(fresh('bob')), fresh('r')
      ];
      for (const client of [ann, bob]) await client.join(roomId);
      await bob.must('message', {roomId, content: 'hello'});
      assert.equal((await ann.take('new-message')).content, 'hello');
      const {messageId} = await bob.must('private-message', {targetUserId: ann.user, content: 'psst'});
      assert.equal((await ann.take('private-message')).id, messageId);
      await ann.must('broadcast', {room: roomId, data: Buffer.from([1, 2, 255])});
      assert.deepEqual((await bob.take('broadcast')).data, Buffer.from([1, 2, 255]));
      await ann.leave();
      assert.equal((await bob.take('user-left')).userId, ann.user);
    }
  });

  it('a rooms claim does for a room that only tokens open', async () => {
    const own = await Hall.start({rooms: {types: {sealed: {access: 'token', names: ['s-*']}}}});
    try {
      const [bare, named] =
          [await own.open('ann'), await own.open('bob', 'socketio', {claims: {rooms: ['s-*']}})];
      await bare.fails('access-denied', 'join-room', {roomId: 's-1'});
      assert.equal((await named.join('s-1')).room.type, 'sealed');
    } finally {
      await own.stop();
    }
  });

  it('auth none: the client says who it is, or is a guest, of whom nothing is kept', async () => {
    const open = await Hall.start({auth: {mode: 'none'}});
    try {
      const given = {
        native: {query: '?userId=ann'},
        msgpack: {query: '?userId=ann'},
        socketio: {auth: {userId: 'ann'}}
      };
      for (const protocol of PROTOCOLS) {
        const enter = (options = {}) => connect(open.url, {user: 'ann', protocol, ...options});
        assert.equal((await enter(given[protocol])).hello.userId, 'ann');
        const [guest, other] = [await enter(), await enter()];
        for (const one of [guest, other]) assert.match(one.hello.userId, /^guest-[\w-]{12}$/);
        assert.notEqual(guest.hello.userId, other.hello.userId);
        await guest.join('lobby');
        await other.join('lobby');
        await other.leave();
        assert.equal((await guest.take('user-left')).userId, other.hello.userId);
        for (const client of [guest, other]) client.destroy();
      }
    } finally {
      await open.stop();
    }
  });
});
