#include "pipeline/shard_core.h"

#include "base/assert.h"
#include "http1/response.h"
#include "pipeline/frame_sender.h"

namespace wirehall::pipeline {
namespace {

constexpr std::size_t kSpareParsersMax = 8;

}  // namespace

ShardCore::ShardCore(const World& world, ShardLink& link, unsigned shard, RandomSource& random,
                     MonoTime start, WallMs wall)
    : world_(world),
      link_(link),
      shard_(shard),
      random_(random),
      now_(start),
      wall_(wall),
      timers_(start),
      hub_(world.registry, *this),
      engine_(*this) {}

ShardCore::~ShardCore() { WIREHALL_ASSERT(connection_count_ == 0); }

void ShardCore::begin_turn(MonoTime now, WallMs wall) {
  now_ = now;
  wall_ = wall;
  metrics_.add(Counter::kTurns);
}

void ShardCore::end_turn() {
  const hub::Hub::Scope scope(hub_);
  const bool more = hub_.run_ready();
  hub_.end_turn();
  engine_.end_turn();
  if (more) link_.want_turn(shard_);
}

void ShardCore::sweep() {
  const hub::Hub::Scope scope(hub_);
  engine_.sweep();
}

void ShardCore::post(unsigned shard, hub::HubTask task) {
  link_.post(shard_, shard, [task = std::move(task)](ShardCore& core) { task(core.hub()); });
}

bool ShardCore::try_post_all(std::size_t bytes, const hub::HubTask& task) {
  return link_.try_post_all(shard_, bytes, [task](ShardCore& core) { task(core.hub()); });
}

void ShardCore::build_forms_in_use(hub::EncodedMessage& message) {
  for (unsigned i = 0; i < static_cast<unsigned>(hub::Form::kCount); ++i) {
    const auto form = static_cast<hub::Form>(i);
    if (!world_.forms_in_use.used(form)) continue;
    message.form(form, [&](hub::EncodedMessage& m, std::vector<hub::Part>& parts) {
      build_form(*this, form, m, parts);
    });
  }
}

bool ShardCore::run_blocking(std::function<void()> work, std::function<void()> done) {
  return link_.run_blocking(shard_, std::move(work), [done = std::move(done)](ShardCore&) { done(); });
}

std::unique_ptr<http1::RequestParser> ShardCore::take_parser() {
  if (spare_parsers_.empty()) return std::make_unique<http1::RequestParser>(world_.limits);
  std::unique_ptr<http1::RequestParser> parser = std::move(spare_parsers_.back());
  spare_parsers_.pop_back();
  return parser;
}

void ShardCore::give_back(std::unique_ptr<http1::RequestParser> parser) {
  if (spare_parsers_.size() < kSpareParsersMax) spare_parsers_.push_back(std::move(parser));
}

void ShardCore::respond(const Responder& to, http1::Response response) {
  if (to.shard != shard_) {
    // A body that is shared by reference count may not cross: counts are not atomic.
    WIREHALL_ASSERT(!response.shared_body);
    link_.post(shard_, to.shard,
               [to, response = std::move(response)](ShardCore& core) { core.respond(to, response); });
    return;
  }
  if (Connection* connection = find(to.connection))
    connection->stage().respond(to.sequence, std::move(response));
}

std::string_view ShardCore::date() {
  const std::int64_t second = wall_ / 1000;
  if (second != date_second_) {
    date_second_ = second;
    date_ = http1::http_date(second);
  }
  return date_;
}

// -- the table of connections -------------------------------------------------------------------

std::uint64_t ShardCore::add(Connection& connection) {
  std::uint32_t index = 0;
  if (free_slots_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  ++connection_count_;
  metrics_.add(Counter::kConnectionsOpened);
  return static_cast<std::uint64_t>(slots_[index].take(connection)) << 32 | index;
}

void ShardCore::remove(Connection& connection) {
  const auto index = static_cast<std::uint32_t>(connection.id());
  slots_[index].release(static_cast<std::uint32_t>(connection.id() >> 32) + 1);
  free_slots_.push_back(index);
  --connection_count_;
  metrics_.add(Counter::kConnectionsClosed);
  forget(connection);
}

Connection* ShardCore::find(std::uint64_t id) const {
  const auto index = static_cast<std::uint32_t>(id);
  Connection* connection = index < slots_.size() ? slots_[index].connection() : nullptr;
  return connection != nullptr && connection->id() == id ? connection : nullptr;
}

void ShardCore::touched(Connection& connection) { touched_.push_back(&connection); }
void ShardCore::ready(Connection& connection) {
  ready_.push_back(&connection);
  link_.want_turn(shard_);
}

void ShardCore::forget(Connection& connection) {
  if (connection.touched) std::erase(touched_, &connection);
  if (connection.in_ready_list) std::erase(ready_, &connection);
}

std::vector<Connection*> ShardCore::connections() const {
  std::vector<Connection*> found;
  found.reserve(connection_count_);
  for (const Slot& slot : slots_) {
    if (slot.connection() != nullptr) found.push_back(slot.connection());
  }
  return found;
}

}  // namespace wirehall::pipeline
