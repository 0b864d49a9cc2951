// Responses that are read in pieces, among others on the same connections: the input chooses how large they
// are, how much each read gives and which one fails, when peers read, stop and go, and when the pool is full,
// slow or the server stops. Every response is the right one in its place, whole or cut; nothing is left
// behind.
#include "pipeline/body_stream.h"

#include "support/fuzz.h"
#include "support/sim.h"

using namespace wirehall;

namespace {

constexpr std::size_t kPieceBytesMax = 16;
constexpr std::size_t kPeersMax = 4;

struct Client {
  test::SimPeer* peer;
  std::string asked;  // one letter for each request
};

std::string content(std::uint64_t size) {
  std::string bytes(size, '\0');
  for (std::uint64_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

void check_answers(Client& client, std::uint64_t size) {
  std::string& received = client.peer->received();
  std::size_t answered = 0;
  for (test::HttpAnswer answer = test::take_response(received); answer.status != 0;
       answer = test::take_response(received)) {
    FUZZ_CHECK(answered < client.asked.size());
    const bool small = client.asked[answered++] == 's';
    FUZZ_CHECK(answer.status == 200 || (!small && answer.status == 503));
    if (answer.status == 200) FUZZ_CHECK(answer.body == (small ? "small" : content(size)));
  }
  client.asked.erase(0, answered);
  if (const std::size_t end = received.find("\r\n\r\n"); end != std::string::npos) {
    FUZZ_CHECK(!client.asked.empty());
    if (received.starts_with("HTTP/1.1 200") && client.asked[0] == 'f')
      FUZZ_CHECK(content(size).starts_with(received.substr(end + 4)));
  }
}

}  // namespace

FUZZ_TARGET(pipeline_body_stream) {
  const std::uint64_t size = in.byte();
  const std::uint64_t fails_from = in.byte();
  std::string gives = in.take(8);  // how much each read gives, in turn
  const auto alive = std::make_shared<int>(0);
  std::size_t reads = 0;
  {
    test::SimNode node(1, 1);
    node.world().limits.http_body_piece_bytes_max = kPieceBytesMax;
    node.world().routes.add(
        "GET", "/f", [&](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& to) {
          http1::Response response;
          response.streamed_body = {
              [&, alive](std::uint64_t offset, std::size_t bytes_max) -> Result<std::string> {
                FUZZ_CHECK(bytes_max >= 1 && bytes_max <= kPieceBytesMax && offset + bytes_max <= size);
                if (offset >= fails_from) return ErrorCode::kUnavailable;
                const std::size_t wanted =
                    gives.empty() ? 0xff : static_cast<unsigned char>(gives[reads++ % gives.size()]);
                return content(size).substr(offset, std::min(bytes_max, 1 + wanted));
              },
              0, size};
          sink.respond(to, std::move(response));
        });
    node.world().routes.add(
        "GET", "/s", [](http1::ResponseSink& sink, const http1::HttpRequest&, const http1::Responder& to) {
          http1::Response response;
          response.body = "small";
          sink.respond(to, std::move(response));
        });
    node.start();
    std::vector<Client> clients;
    while (!in.rest().empty()) {
      const std::uint8_t what = in.byte();
      if (clients.size() < kPeersMax && (clients.empty() || what % 13 == 0))
        clients.push_back({&node.connect(0), ""});
      Client& client = clients[what / 13 % clients.size()];
      switch (what % 13) {
        case 1:
        case 2:
        case 3: {
          const char path = what % 13 == 3 ? 's' : 'f';
          client.asked.push_back(path);
          client.peer->send(test::get(std::string("/") + path));
          break;
        }
        case 4: client.peer->reads = false; break;
        case 5: client.peer->window += in.byte(); break;
        case 6: client.peer->reads = true; break;
        case 7: client.peer->reset(); break;
        case 8: client.peer->half_close(); break;
        case 9: node.pool_accepts = !node.pool_accepts; break;
        case 10: node.mail_flows = !node.mail_flows; break;
        case 11: node.advance(Milliseconds(20 * in.byte())); break;
        case 12:
          if (what / 13 == 7) {
            for (pipeline::Connection* connection : node.core(0).connections()) connection->shut_down();
          }
          node.run();
          break;
      }
      for (Client& each : clients) check_answers(each, size);
    }
    node.pool_accepts = node.mail_flows = true;
    for (Client& client : clients) client.peer->reset();
    node.run();
    FUZZ_CHECK(node.core(0).connection_count() == 0);
  }
  FUZZ_CHECK(alive.use_count() == 1);
}
