// The session's requests and rooms; see session.h.
#include <algorithm>

#include "client/refusal.h"
#include "client/session.h"

namespace wirehall::client {
namespace {

bool is_join(std::string_view event) { return event == "join-room" || event == "join"; }
bool is_leave(std::string_view event) { return event == "leave-room" || event == "leave"; }

// The room that a request's first argument names.
std::string room_of(const std::vector<Value>& args) {
  if (args.empty()) return {};
  if (args[0].is_string()) return args[0].as_string();
  const std::string* room = args[0].find_string("roomId");
  if (room == nullptr) room = args[0].find_string("room");
  return room == nullptr ? std::string() : *room;
}

std::optional<std::int64_t> number(const Value& value, std::string_view key) {
  const Value* member = value.find(key);
  return member == nullptr ? std::nullopt : exact_integer(*member);
}

}  // namespace

std::size_t waiting_bytes(const Value& value) {
  constexpr std::size_t kEach = 48;
  if (const std::string* text = value.unparsed_json()) return kEach + text->size();
  std::size_t bytes = kEach;
  if (value.is_string()) bytes += value.as_string().size();
  if (value.is_bytes()) bytes += value.as_bytes().data.size();
  if (value.is_array()) {
    for (const Value& element : value.as_array()) bytes += waiting_bytes(element);
  } else if (value.is_object()) {
    for (const Member& member : value.as_object()) bytes += member.key.size() + waiting_bytes(member.value);
  }
  return bytes;
}

Ticket Ticket::take(const std::shared_ptr<Admission>& admission, std::size_t bytes,
                    const ClientOptions& options) {
  Ticket ticket;
  if (admission->requests.fetch_add(1) >= options.requests_max) {
    admission->requests.fetch_sub(1);
    return ticket;
  }
  if (admission->bytes.fetch_add(bytes) + bytes > options.requests_bytes_max) {
    admission->bytes.fetch_sub(bytes);
    admission->requests.fetch_sub(1);
    return ticket;
  }
  ticket.admission_ = admission;
  ticket.bytes_ = bytes;
  return ticket;
}

Ticket::~Ticket() {
  if (!admission_) return;
  admission_->requests.fetch_sub(1);
  admission_->bytes.fetch_sub(bytes_);
}

// -- requests -------------------------------------------------------------------------------------

void Session::tell_answer(AnswerHandler done, Result<Value> outcome) {
  if (!done) return;
  SessionEvent event;
  event.kind = SessionEvent::Kind::kAnswer;
  event.done = std::move(done);
  event.answer = std::move(outcome);
  events_.push_back(std::move(event));
}

void Session::request(Request request, MonoTime now) {
  if (is_leave(request.event)) rooms_.erase(room_of(request.args));
  if (is_join(request.event)) forget_unsent_leave(room_of(request.args), now);
  if (state_ == ClientState::kClosed)
    return tell_answer(std::move(request.done), Error(ErrorCode::kDisconnected, "not connected"));
  const bool now_possible = flowing_ && unsent_.empty() && link_->writable();
  if (request.is_volatile && !now_possible) return;
  const std::uint64_t id = ++last_id_;
  Pending& pending = pending_[id];
  if (is_join(request.event) || is_leave(request.event)) pending.room = room_of(request.args);
  pending.request = std::move(request);
  unsent_.insert(id);
  if (now_possible) return transmit(id, now);
  if (pending.request.options.wait_max) set_deadline(id, pending, now + *pending.request.options.wait_max);
  // One that comes while we enter our rooms is as much a join as those from before.
  if (state_ == ClientState::kConnected && !flowing_ && is_join(pending.request.event)) {
    entering_.insert(id);
    transmit(id, now);
  }
}

// Joins are sent first on a new connection, and a leave from before would undo this one.
void Session::forget_unsent_leave(const std::string& room, MonoTime now) {
  for (const std::uint64_t id : std::set<std::uint64_t>(unsent_)) {
    const Pending& pending = pending_.at(id);
    if (is_leave(pending.request.event) && pending.room == room)
      settle(id, Value(Object{{"success", true}}), now);
  }
}

void Session::set_deadline(std::uint64_t id, Pending& pending, MonoTime deadline) {
  if (pending.deadline != kNever) deadlines_.erase({pending.deadline, id});
  pending.deadline = deadline;
  if (deadline != kNever) deadlines_.insert({deadline, id});
}

void Session::transmit(std::uint64_t id, MonoTime now) {
  Pending& pending = pending_.at(id);
  unsent_.erase(id);
  const Request& request = pending.request;
  const bool answered = pending.rejoin || static_cast<bool>(request.done);
  link_->emit(request.event, request.args, answered ? std::optional(id) : std::nullopt, now);
  if (!answered) {
    set_deadline(id, pending, kNever);
    pending_.erase(id);
    return;
  }
  pending.sent = true;
  set_deadline(id, pending, now + request.options.timeout.value_or(options_.timeout));
}

void Session::transmit_waiting(MonoTime now) {
  while (flowing_ && link_ && !unsent_.empty() && link_->writable()) transmit(*unsent_.begin(), now);
}

void Session::settle(std::uint64_t id, Result<Value> outcome, MonoTime now) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;  // it timed out before
  set_deadline(id, found->second, kNever);
  unsent_.erase(id);
  Pending pending = std::move(found->second);
  pending_.erase(found);
  if (pending.rejoin) {
    rejoined(pending.room, outcome, now);
  } else {
    const Request& request = pending.request;
    // Before anybody is told: the next frame may be a message of this room.
    if (is_join(request.event) && outcome.ok()) joined(pending, *outcome);
    if (is_leave(request.event) && !outcome.ok() && outcome.error().code() == ErrorCode::kNotInRoom)
      outcome = Value(Object{{"success", true}});
    // A join that was under way when the leave was asked for has been answered by now.
    if (is_leave(request.event) && outcome.ok()) rooms_.erase(pending.room);
    if (request.event == "refresh-token" && outcome.ok() && !request.args.empty() &&
        request.args[0].is_string())
      auth_.set("token", request.args[0]);
    tell_answer(std::move(pending.request.done), std::move(outcome));
  }
  if (entering_.erase(id) != 0 && entering_.empty() && state_ == ClientState::kConnected) flowing_ = true;
  transmit_waiting(now);
}

void Session::answer(std::uint64_t connection, std::uint64_t id, std::vector<Value> args, MonoTime now) {
  if (link_ && state_ == ClientState::kConnected && connection == connection_) link_->answer(id, args, now);
}

// -- rooms ----------------------------------------------------------------------------------------

// First back into the rooms, then what waited: the server would refuse a message that comes before.
void Session::enter_rooms(bool recovered, MonoTime now) {
  std::vector<std::uint64_t> joins;
  for (const std::uint64_t id : unsent_) {
    if (is_join(pending_.at(id).request.event)) joins.push_back(id);
  }
  if (recovered) {
    // The server has kept us in them, and tells what was missed as if nothing had been.
    for (auto& [name, place] : rooms_) place.coming_back = false;
  } else {
    std::vector<std::string> rooms;
    for (const auto& [name, place] : rooms_) rooms.push_back(name);
    for (const std::string& room : rooms) rejoin(room, now);
  }
  for (const std::uint64_t id : joins) {
    entering_.insert(id);
    transmit(id, now);
  }
  flowing_ = entering_.empty();
  transmit_waiting(now);
}

void Session::rejoin(const std::string& room, MonoTime now) {
  Place& place = rooms_.at(room);
  place.coming_back = true;
  place.held.clear();
  Object fields{{"roomId", room}};
  if (place.seq) fields.set("since", Value(Object{{"seq", *place.seq}, {"epoch", place.epoch}}));
  const std::uint64_t id = ++last_id_;
  Pending& pending = pending_[id];
  pending.request.event = "join-room";
  pending.request.args.emplace_back(std::move(fields));
  pending.rejoin = true;
  pending.room = room;
  unsent_.insert(id);
  entering_.insert(id);
  transmit(id, now);
}

void Session::rejoined(const std::string& room, const Result<Value>& answer, MonoTime) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;  // we left it meanwhile
  SessionEvent told;
  told.kind = SessionEvent::Kind::kRejoined;
  told.name = room;
  told.answer = answer;
  if (!answer.ok()) {
    rooms_.erase(found);
    events_.push_back(std::move(told));
    return;
  }
  Place& place = found->second;
  const Value* recovered = answer->find("recovered");
  const Value* missed = answer->find("missed");
  if (recovered != nullptr && recovered->is_bool() && recovered->as_bool() && missed != nullptr &&
      missed->is_array()) {
    for (const Value& message : missed->as_array()) {
      LinkEvent event;
      event.name = "new-message";
      event.args = {message};
      tell_event(std::move(event));
    }
  }
  events_.push_back(std::move(told));
  place.seq = number(*answer, "seq");
  const Value* epoch = answer->find("epoch");
  place.epoch = epoch == nullptr ? Value() : *epoch;
  place.coming_back = false;
  bool overflow = false;
  for (LinkEvent& message : std::exchange(place.held, {})) {
    if (is_next(message, overflow)) tell_event(std::move(message));
  }
}

void Session::joined(const Pending& pending, const Value& answer) {
  Place& place = rooms_[pending.room];
  const bool known = place.seq.has_value() && !place.coming_back;
  if (known) return;
  place.seq = number(answer, "seq");
  if (place.seq && pending.heard) place.seq = std::max(*place.seq, *pending.heard);
  const Value* epoch = answer.find("epoch");
  place.epoch = epoch == nullptr ? Value() : *epoch;
  place.coming_back = false;
  place.held.clear();
}

// What is sent while we come back may be in the answer as well, and stand before what that brings.
bool Session::is_next(const LinkEvent& message, bool& overflow) {
  if (message.args.empty()) return true;
  const std::string* room = message.args[0].find_string("roomId");
  const std::optional<std::int64_t> seq = number(message.args[0], "seq");
  if (room == nullptr || !seq) return true;
  const auto found = rooms_.find(*room);
  if (found == rooms_.end()) {
    for (auto& [id, pending] : pending_) {
      if (is_join(pending.request.event) && pending.room == *room) pending.heard = seq;
    }
    return true;
  }
  Place& place = found->second;
  if (place.coming_back) {
    overflow = place.held.size() >= options_.held_events_max;
    if (!overflow) place.held.push_back(message);
    return false;
  }
  if (place.seq && *seq <= *place.seq) return false;
  place.seq = seq;
  return true;
}

void Session::event(LinkEvent event, MonoTime now) {
  if (event.name == "connected" && !event.args.empty()) {
    if (const std::string* user = event.args[0].find_string("userId")) user_id_ = *user;
  } else if (event.name == "room-kicked") {
    rooms_.erase(room_of(event.args));
  } else if (event.name == "new-message") {
    bool overflow = false;
    const bool next = is_next(event, overflow);
    if (overflow) {
      link_->abandon();
      return lost({"transport error",
                   Error(ErrorCode::kUnavailable, "too many messages while a room was entered again")},
                  now);
    }
    if (!next) return;
  }
  tell_event(std::move(event));
}

void Session::tell_event(LinkEvent event) {
  SessionEvent told;
  told.kind = SessionEvent::Kind::kEvent;
  told.name = std::move(event.name);
  told.args = std::move(event.args);
  told.question = event.id;
  told.connection = connection_;
  events_.push_back(std::move(told));
}

}  // namespace wirehall::client
