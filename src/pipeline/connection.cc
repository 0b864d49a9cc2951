#include "pipeline/connection.h"

#include <algorithm>

#include "base/assert.h"
#include "http1/forwarded.h"
#include "pipeline/http_stage.h"
#include "pipeline/shard_core.h"

namespace wirehall::pipeline {

Connection::Connection(ShardCore& core, PeerInfo peer) : core_(core) {
  id_ = core_.add(*this);
  if (!core_.world().trusted_proxies.empty()) {
    const auto address = http1::parse_address(peer.address);
    expects_proxy_header_ = address && core_.world().trusted_proxies.contains(*address);
  }
  stage_ = std::make_unique<HttpStage>(*this, std::move(peer));
  reschedule();
}

Connection::~Connection() {
  stage_.reset();
  rare_.reset();
  core_.remove(*this);
}

PeerInfo& Connection::peer() const { return static_cast<HttpStage&>(*stage_).peer(); }

Connection::Rare& Connection::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void Connection::drop_rare() {
  if (rare_ && !rare_->next_stage && !rare_->migration && rare_->kept.empty() &&
      rare_->stalled_until == kNever)
    rare_.reset();
}

void Connection::touch() {
  if (touched) return;
  touched = true;
  core_.touched(*this);
}

void Connection::receive(char* begin, char* end) {
  core_.metrics().add(Counter::kBytesIn, static_cast<std::uint64_t>(end - begin));
  if (ending_ != Ending::kNone) return;
  if (has_kept()) {
    rare_->kept.append(begin, end);
    continue_input();
    return;
  }
  process(begin, end);
}

bool Connection::resume() {
  in_ready_list = false;
  if (!has_kept() || paused_ || ending_ != Ending::kNone) return false;
  std::string bytes = std::exchange(rare_->kept, {});
  drop_rare();
  process(bytes.data(), bytes.data() + bytes.size());
  return in_ready_list;
}

void Connection::process(char* begin, char* end) {
  TurnBudget budget{core_.limits().read_turn_messages_max};
  char* cursor = begin;
  if (expects_proxy_header_ && !read_proxy_header(cursor, end)) return;
  while (cursor != end && !paused_ && ending_ == Ending::kNone && !migrates() && budget.messages != 0) {
    char* before = cursor;
    in_stage_ = true;
    stage_->receive(cursor, end, budget);
    in_stage_ = false;
    const bool replaced = adopt_stage();
    if (cursor == before && !replaced) break;
  }
  if (ending_ != Ending::kNone) return;
  if (cursor != end) {
    rare().kept.assign(cursor, end);
    if (budget.messages == 0 && !paused_) continue_input();
  }
  reschedule();
}

void Connection::become(std::unique_ptr<Stage> stage) {
  rare().next_stage = std::move(stage);
  if (!in_stage_ && adopt_stage()) reschedule();
}

bool Connection::adopt_next_stage() {
  stage_ = std::move(rare_->next_stage);
  stage_wants_drained_ = stage_->wants_drained();
  drop_rare();
  return true;
}

void Connection::arrive(HeadPtr head, std::string kept) {
  rare().kept = std::move(kept);
  expects_proxy_header_ = false;
  in_stage_ = true;
  static_cast<HttpStage&>(*stage_).resume_upgrade(std::move(head));
  in_stage_ = false;
  adopt_stage();
  reschedule();
  continue_input();
}

// A trusted proxy may say in the PROXY protocol whom it speaks for.
bool Connection::read_proxy_header(char*& cursor, char* end) {
  const http1::ProxyHeader header =
      http1::read_proxy_header({cursor, static_cast<std::size_t>(end - cursor)});
  switch (header.step) {
    case http1::ProxyHeader::Step::kNeedMore: rare().kept.assign(cursor, end); return false;
    case http1::ProxyHeader::Step::kMalformed: abort(); return false;
    case http1::ProxyHeader::Step::kDone:
      cursor += header.size;
      if (!header.address.empty()) peer().address = header.address;
      break;
    case http1::ProxyHeader::Step::kNone: break;
  }
  expects_proxy_header_ = false;
  return true;
}

void Connection::receive_eof() {
  if (ending_ != Ending::kNone) return;
  in_stage_ = true;
  stage_->receive_eof();
  in_stage_ = false;
  adopt_stage();
}

void Connection::shut_down() {
  if (ending_ != Ending::kNone) return;
  stage_->shut_down();
  reschedule();
  touch();
}

void Connection::gone(bool by_error) {
  ending_ = Ending::kAbort;
  core_.timers().cancel(*this);
  stage_->gone(by_error);
}

void Connection::wrote(std::size_t bytes) {
  account_written(bytes);
  tell_drained();
}

void Connection::forget_piece() {
  core_.metrics().add(Counter::kBytesOut, outbox_.front().size());
  outbox_.drop_piece();
}

void Connection::tell_drained() {
  if (!stage_wants_drained_ || !outbox_.empty() || ending_ != Ending::kNone) return;
  in_stage_ = true;
  stage_->drained();
  in_stage_ = false;
  adopt_stage();
}

void Connection::wrote_early(std::size_t bytes) {
  account_written(bytes);
  touch();
}

void Connection::account_written(std::size_t bytes) {
  core_.metrics().add(Counter::kBytesOut, bytes);
  outbox_.consume(bytes);
  const MonoTime before = stalled_until();
  if (outbox_.empty()) {
    if (before == kNever) return;
    rare_->stalled_until = kNever;
    drop_rare();
  } else if (bytes != 0 || before == kNever) {
    rare().stalled_until = core_.now() + core_.limits().write_stall_timeout;
  }
  if (stalled_until() != before) reschedule();
}

std::size_t Connection::backlog_bytes(std::size_t limit) {
  if (outbox_.bytes_behind_front() > limit && !is_backed_up()) core_.link().write_early(*this);
  return outbox_.bytes_behind_front();
}

void Connection::set_proxied_address(std::string address) {
  expects_proxy_header_ = false;
  if (!address.empty()) peer().address = std::move(address);
}

void Connection::end_gracefully() {
  if (ending_ != Ending::kNone) return;
  ending_ = Ending::kGraceful;
  reschedule();
  touch();
}

void Connection::abort() {
  ending_ = Ending::kAbort;
  core_.timers().cancel(*this);
  touch();
}

void Connection::cut(std::string_view last) {
  outbox_.drop_unsent();
  outbox_.append(last);
  end_gracefully();
}

void Connection::pause_reading(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  if (!paused_) continue_input();
}

void Connection::continue_input() {
  if (!has_kept() || in_ready_list) {
    touch();  // the io layer looks whether it may read again
    return;
  }
  in_ready_list = true;
  core_.ready(*this);
}

void Connection::migrate(unsigned shard, HeadPtr head) {
  rare().migration = Migration{shard, std::move(head)};
  core_.timers().cancel(*this);
  touch();
}

void Connection::reschedule() {
  if (ending_ == Ending::kAbort || migrates()) return;
  MonoTime next = stalled_until();
  if (ending_ == Ending::kNone) next = std::min(next, stage_->next_deadline());
  core_.timers().schedule(*this, next);
}

void Connection::on_timer(MonoTime now) {
  if (stalled_until() <= now) {
    // Nothing could be written for the whole time: the kernel's buffer is full and the peer does not read.
    core_.metrics().add(Counter::kSlowConsumers);
    stage_->gone(false);
    abort();
    return;
  }
  if (ending_ == Ending::kNone) {
    in_stage_ = true;
    stage_->on_deadline(now);
    in_stage_ = false;
    adopt_stage();
  }
  reschedule();
}

}  // namespace wirehall::pipeline
