// Messages to WebSocket frames: compression where it was agreed, and the forms of a shared message.
#pragma once

#include <optional>
#include <string_view>

#include "hub/encoded_message.h"
#include "pipeline/connection.h"
#include "pipeline/world.h"
#include "ws/deflate.h"
#include "ws/frame.h"

namespace wirehall::pipeline {

/// Builds the parts of a form.
void build_form(ShardCore& core, hub::Form form, hub::EncodedMessage& message, std::vector<hub::Part>& parts);

/// Appends one message as a frame, compressed when `deflate` was agreed, `compress` is asked for, and it is
/// long enough.
void append_message(Connection& connection, const std::optional<ws::DeflateAgreement>& deflate,
                    ws::Opcode opcode, std::string_view payload, bool compress);

/// Whether a compressed form can be shared with this agreement: the window is the usual one.
inline bool shares_deflated(const std::optional<ws::DeflateAgreement>& deflate) {
  return deflate && deflate->server_window_bits == 15;
}

}  // namespace wirehall::pipeline
