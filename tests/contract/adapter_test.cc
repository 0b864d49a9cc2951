// The contract of delivery, for each level of the adapter stack: the same script on one shard and on several
// must give every client the same messages.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/seed.h"
#include "support/sim.h"

namespace wirehall {
namespace {

using test::SimNode;
using test::SimPeer;
using test::take_frames;
using test::take_response;
using test::text;
using test::upgrade;

class AdapterContract : public testing::TestWithParam<unsigned> {
 protected:
  AdapterContract() : node(GetParam(), test::seed()) {
    Namespace& main = node.of("/");
    main.on_event("join", [](Socket& socket, std::string room) { (void)socket.join(room).ok(); });
    main.on_event("leave", [](Socket& socket, std::string room) { socket.leave(room); });
    // {to: [...], except: [...], self: bool, text}: sent by the socket, or by the namespace.
    main.on_event("cast", [](Socket& socket, Value what) {
      BroadcastOperator target =
          what.find("self") != nullptr ? BroadcastOperator(socket.nsp()) : socket.broadcast();
      const auto rooms = what.find("to")->to<std::vector<std::string>>().value();
      target = target.to(rooms).except(what.find("except")->to<std::vector<std::string>>().value());
      if (what.find("volatile") != nullptr) target = target.volatile_();
      const SendResult result = target.emit("m", *what.find("text"));
      if (result == SendResult::kUnavailable) socket.emit("unavailable");
    });
    main.on_event("move", [](Socket& socket, Value what) {
      const BroadcastOperator target = BroadcastOperator(socket.nsp()).to(what.find("to")->as_string());
      BroadcastOperator copy = target;
      if (what.find("join") != nullptr) copy.sockets_join(what.find("join")->as_string());
      if (what.find("leave") != nullptr) copy.sockets_leave(what.find("leave")->as_string());
      if (what.find("disconnect") != nullptr) copy.disconnect_sockets(what.find("disconnect")->as_bool());
    });
    main.on_connection([this](Socket& socket) { ids.push_back(socket.id()); });
    // Native clients send a bare room under `data`.
    for (const char* event : {"join", "leave"})
      main.native_shape(event, {.aliases = {}, .arguments = {"data"}, .sent_type = {}, .sent_copies = {}});
    node.start();
    for (unsigned i = 0; i < 6; ++i) open(i);
  }
  void open(unsigned shard) {
    SimPeer& peer = node.connect(shard % node.shard_count());
    const bool native = shard % 2 == 1;  // both protocols take part
    peer.send(native ? upgrade("/ws") : upgrade("/socket.io/?EIO=4&transport=websocket") + text("40"));
    node.run();
    take_response(peer.received());
    take_frames(peer.received());
    clients.push_back({&peer, native});
  }
  struct Client {
    SimPeer* peer;
    bool native;
  };
  void send(std::size_t client, const std::string& event, const Value& argument) {
    const Client& c = clients[client];
    if (c.native) {
      Object fields{{"type", event}};
      if (argument.is_string()) {
        fields.set("data", argument);
      } else {
        for (const Member& member : argument.as_object()) fields.set(member.key, member.value);
      }
      c.peer->send(text(Value(fields).to_json()));
    } else {
      c.peer->send(text("42[\"" + event + "\"," + argument.to_json() + "]"));
    }
  }
  void run() { node.run(); }
  /// The texts that a client got since the last look.
  std::vector<std::string> got(std::size_t client) {
    std::vector<std::string> texts;
    for (const std::string& frame : take_frames(clients[client].peer->received())) {
      if (frame.starts_with("t:42")) {
        const Value packet = Value::from_json(frame.substr(4)).value();
        if (packet.as_array()[0] == Value("m")) texts.push_back(packet.as_array()[1].as_string());
        if (packet.as_array()[0] == Value("unavailable")) texts.emplace_back("!");
      } else if (frame.starts_with("t:{")) {
        const Value packet = Value::from_json(frame.substr(2)).value();
        if (*packet.find("type") == Value("m")) texts.push_back(packet.find("data")->as_string());
        if (*packet.find("type") == Value("unavailable")) texts.emplace_back("!");
      }
    }
    return texts;
  }
  void cast(std::size_t from, std::vector<std::string> to, std::vector<std::string> except,
            const std::string& message, bool self = false) {
    Array rooms, without;
    for (auto& room : to) rooms.emplace_back(room);
    for (auto& room : except) without.emplace_back(room);
    Object fields{{"to", Value(rooms)}, {"except", Value(without)}, {"text", message}};
    if (self) fields.set("self", true);
    send(from, "cast", Value(fields));
  }
  std::vector<std::string> ids;
  SimNode node;
  std::vector<Client> clients;
};

using Texts = std::vector<std::string>;

class AdapterTest : public AdapterContract {};

TEST_P(AdapterTest, EachMatchingSocketGetsAMessageOnce) {
  for (const auto& [client, room] :
       {std::pair{0, "a"}, std::pair{2, "a"}, std::pair{2, "b"}, std::pair{4, "b"}})
    send(static_cast<std::size_t>(client), "join", room);
  run();
  cast(0, {"a", "b"}, {}, "x", true);
  run();
  EXPECT_EQ(got(0), Texts{"x"});
  EXPECT_EQ(got(1), Texts{});
  EXPECT_EQ(got(2), Texts{"x"}) << "in both rooms, once";
  EXPECT_EQ(got(4), Texts{"x"});
  cast(0, {"a", "b"}, {"b"}, "y", true);
  cast(0, {}, {}, "all", false);
  run();
  EXPECT_EQ(got(0), Texts{"y"}) << "the sender of a socket's broadcast is left out";
  EXPECT_EQ(got(2), Texts{"all"});
  for (const std::size_t i : {1, 3, 5}) EXPECT_EQ(got(i), Texts{"all"});
}

// Broadcasts are numbered to mark whom they have met; when the numbers begin again, the old marks are gone.
TEST_P(AdapterTest, ANumberThatComesAgainMeetsNoOldMark) {
  const auto set_last_number = [&](std::uint32_t number) {
    for (unsigned i = 0; i < node.shard_count(); ++i) node.core(i).hub().find("/")->local().set_last_number(number);
  };
  for (const std::size_t i : {0, 2, 4}) {
    send(i, "join", "a");
    send(i, "join", "b");
  }
  run();
  set_last_number(0);
  cast(0, {"a", "b"}, {ids[2]}, "first", true);  // marks 0 and 4 as met, and 2 as left out, with the number 1
  run();
  set_last_number(0xFFFF'FFFF);
  cast(0, {"a", "b"}, {}, "first again", true);
  run();
  for (const std::size_t i : {0, 4}) EXPECT_EQ(got(i), (Texts{"first", "first again"})) << i;
  EXPECT_EQ(got(2), Texts{"first again"});
}

TEST_P(AdapterTest, ASocketsIdIsARoomOfItsOwn) {
  cast(0, {ids[3]}, {}, "private");
  run();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(got(i), i == 3 ? Texts{"private"} : Texts{});
  cast(0, {}, {ids[3]}, "others", true);
  run();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(got(i), i == 3 ? Texts{} : Texts{"others"});
  send(2, "join", ids[0]);
  cast(4, {ids[0]}, {}, "secret");
  run();
  EXPECT_EQ(got(0), Texts{"secret"});
  EXPECT_EQ(got(2), Texts{}) << "nobody joins another socket's room";
}

TEST_P(AdapterTest, CallsOfOneShardArriveInOrder) {
  for (std::size_t i = 0; i < 6; i += 2) send(i, "join", "r");
  run();
  Texts expected;
  for (int i = 0; i < 200; ++i) {
    cast(0, {"r"}, {}, std::to_string(i), true);
    expected.push_back(std::to_string(i));
  }
  run();
  for (std::size_t i = 0; i < 6; i += 2) EXPECT_EQ(got(i), expected);
}

TEST_P(AdapterTest, SocketsAreMovedAndDisconnected) {
  for (std::size_t i = 0; i < 6; i += 2) send(i, "join", "r");
  run();
  send(0, "move", {{"to", "r"}, {"join", "s"}});
  run();
  cast(1, {"s"}, {}, "in s");
  run();
  for (const std::size_t i : {0, 2, 4}) EXPECT_EQ(got(i), Texts{"in s"});
  EXPECT_EQ(got(3), Texts{}) << "not in s";
  send(0, "move", {{"to", "s"}, {"leave", "r"}});
  run();
  cast(1, {"r"}, {}, "in r");
  run();
  EXPECT_EQ(got(2), Texts{});
  send(1, "move", {{"to", "s"}, {"disconnect", true}});
  run();
  cast(1, {}, {}, "left", true);
  run();
  EXPECT_EQ(got(1), Texts{"left"});
  for (const std::size_t i : {0, 2, 4})
    EXPECT_EQ(take_frames(clients[i].peer->received()), (Texts{"t:41", "close:"}));
}

class MailboxTest : public AdapterContract {};

TEST_P(MailboxTest, AFullOnePausesBroadcastsThenRefuses) {
  for (std::size_t i = 0; i < 6; i += 2) send(i, "join", "r");
  run();
  node.mailbox_tasks_max = 3;
  node.mail_flows = false;
  const std::uint32_t total = 3 + node.world().limits.paused_broadcasts_max;
  for (std::uint32_t i = 0; i < total + 2; ++i) cast(0, {"r"}, {}, std::to_string(i), true);
  node.settle(5000);
  node.mail_flows = true;
  run();
  Texts expected;
  for (std::uint32_t i = 0; i < total; ++i) expected.push_back(std::to_string(i));
  Texts first = got(0);
  EXPECT_EQ(std::erase(first, "!"), 2) << "what does not fit is refused";
  EXPECT_EQ(first, expected) << "what fits waits and keeps its order";
  EXPECT_EQ(got(2), expected);
  EXPECT_EQ(got(4), expected);
}

// -- room algebra against a model ---------------------------------------------------------------

TEST_P(AdapterTest, AgreesWithASetModelUnderRandomScripts) {
  SeededRandom& random = node.random();
  std::vector<std::set<std::string>> rooms(6);
  const auto name = [&] { return std::string(1, static_cast<char>('a' + random.below(4))); };
  int serial = 0;
  for (int step = 0; step < 600; ++step) {
    const std::size_t who = random.below(6);
    switch (random.below(3)) {
      case 0: {
        const std::string room = name();
        send(who, "join", room);
        rooms[who].insert(room);
        break;
      }
      case 1: {
        const std::string room = name();
        send(who, "leave", room);
        rooms[who].erase(room);
        break;
      }
      default: {
        run();
        std::vector<std::string> to, except;
        for (auto n = random.below(3); n > 0; --n) to.push_back(name());
        for (auto n = random.below(3); n > 0; --n) except.push_back(name());
        const bool self = random.below(2) == 0;
        const std::string message = std::to_string(++serial);
        cast(who, to, except, message, self);
        run();
        for (std::size_t i = 0; i < 6; ++i) {
          const auto in_any = [&](const std::vector<std::string>& names) {
            return std::any_of(names.begin(), names.end(),
                               [&](const auto& n) { return rooms[i].contains(n); });
          };
          const bool wanted = (to.empty() || in_any(to)) && !in_any(except) && (self || i != who);
          ASSERT_EQ(got(i), wanted ? Texts{message} : Texts{}) << "step " << step << " client " << i;
        }
      }
    }
    run();
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, MailboxTest, testing::Values(2u, 4u));
INSTANTIATE_TEST_SUITE_P(Shards, AdapterTest, testing::Values(1u, 2u, 4u));

}  // namespace
}  // namespace wirehall
