// A response whose body is read in pieces while it is sent, so that a connection holds one piece of it.
//
//   I1  The source is asked for a piece when everything before it has left, and for one piece at a time.
//   I2  The first piece is read before the head is written: what cannot be read at all is answered with its
//       error. Later there is only one honest end, that of the connection, since the length was promised.
//   I3  A read that is under way when the stream ends has no effect.
//
// Reading has its own deadline here; a peer that takes nothing is cut by its connection.
#pragma once

#include <cstdint>
#include <memory>

#include "http1/response.h"
#include "pipeline/connection.h"
#include "wirehall/clock.h"

namespace wirehall::pipeline {

/// Thread:   shard-affine.
/// Lifetime: its owner holds it; the connection and the owner outlive it. The owner may let go of it when it
///           is called, if whoever called the stream holds it too.
class BodyStream final : public std::enable_shared_from_this<BodyStream> {
 public:
  /// Who sends the response. Hears body_begins() at most once, then body_ended() or body_failed() once.
  class Owner {
   public:
    /// The first piece is there: the head goes out in front of it.
    virtual void body_begins(const http1::Response& response) = 0;
    /// The last piece lies in the outbox.
    virtual void body_ended() = 0;
    /// `begun`: a part of the response has left.
    virtual void body_failed(const Error& error, bool begun) = 0;

   protected:
    ~Owner() = default;
  };

  /// Requires: the response has a streamed body that is not empty.
  BodyStream(Connection& connection, Owner& owner, http1::Response response);
  void start();
  /// The outbox is empty.
  void drained();
  MonoTime next_deadline() const { return std::min(retry_at_, due_); }
  void on_deadline(MonoTime now);

 private:
  /// What the pool reads into; a stream that has ended has none.
  struct Piece {
    Result<std::string> bytes = ErrorCode::kInternal;
  };
  void ask();
  void arrived();
  void fail(const Error& error);

  Connection& connection_;
  Owner& owner_;
  http1::Response response_;  // its streamed body is what has still to be read
  std::shared_ptr<Piece> piece_;
  MonoTime retry_at_ = kNever;  // the pool had no place
  MonoTime due_ = kNever;       // the piece that is awaited
  bool begun_ = false;
};

}  // namespace wirehall::pipeline
