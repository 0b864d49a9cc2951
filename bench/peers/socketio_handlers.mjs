// What a Socket.IO server does here, whatever its engine.
export function answer(io) {
  io.on("connection", (socket) => {
    socket.on("echo", (data, ack) => ack(data));
    socket.on("subscribe", (ack) => {
      socket.join("news");
      ack({ success: true });
    });
    socket.on("publish", (data) => {
      socket.to("news").emit("news", data);
    });
  });
}
