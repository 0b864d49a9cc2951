// What of the hall clients see: stored things as objects of events and answers.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "wirehall/hall_store.h"
#include "wirehall/value.h"

namespace wirehall::services {

Object message_object(const StoredMessage& message);
/// The same as JSON text: written for every message, without an object in between. `members` gets the places of its
/// members.
void append_message(std::string& json, const StoredMessage& message, std::vector<json::MemberPlace>& members);
/// About as many bytes as that takes.
std::size_t shown_bytes(const StoredMessage& message);
Object private_object(const PrivateMessage& message);
Object file_object(const StoredFile& file);
/// A room as answers describe it; `name` alone where it has no record.
Object room_object(const std::string& name, std::string_view type, const RoomView& view);

/// "owner", "moderator", "member", "invited", "none"
std::string_view role_name(RoomRole role);
/// Of what clients may give: owner, moderator, member. Errors: kInvalidFormat.
Result<RoomRole> role_of(std::string_view name);

/// A value that another shard has written as JSON; bytes are bytes again.
Value value_of(const std::string& json);

/// `{…}` of validated text; `{}` where it is empty.
Value object_of(const std::string& json);

}  // namespace wirehall::services
