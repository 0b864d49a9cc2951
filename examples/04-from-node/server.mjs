// A server for npm's socket.io; main.cc is the same one on Wirehall.
import { Server } from 'socket.io';

const io = new Server(Number(process.env.PORT ?? 3000));

io.use((socket, next) => {
  const { name } = socket.handshake.auth;
  if (typeof name !== 'string') return next(new Error('a name, please'));
  socket.data.name = name;
  next();
});

io.on('connection', (socket) => {
  socket.on('join', (room, answer) => {
    socket.join(room);
    socket.to(room).emit('joined', room, socket.data.name);
    answer({ success: true });
  });

  socket.on('say', ({ room, text }, answer) => {
    if (!socket.rooms.has(room)) return answer({ error: 'Not in room' });
    io.to(room).emit('said', { room, text, from: socket.data.name });
    answer({ success: true });
  });

  socket.on('disconnecting', () => {
    for (const room of socket.rooms) socket.to(room).emit('left', room, socket.data.name);
  });
});
