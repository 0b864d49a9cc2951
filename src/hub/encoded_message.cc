#include "hub/encoded_message.h"

#include "base/json.h"

namespace wirehall::hub {
namespace {

// Puts the attachments back where the frozen text has their placeholders; the text is our own.
void restore(Value& value, const std::vector<std::string>& attachments) {
  if (value.is_array()) {
    for (Value& element : value.as_array()) restore(element, attachments);
  } else if (value.is_object()) {
    const Value* mark = value.find("_placeholder");
    if (mark != nullptr && mark->is_bool() && mark->as_bool()) {
      value = Value(Bytes{attachments[static_cast<std::size_t>(value.find("num")->as_int())]});
      return;
    }
    for (Member& member : value.as_object()) restore(member.value, attachments);
  }
}

}  // namespace

std::size_t FrozenMessage::bytes() const {
  std::size_t sum = sizeof(FrozenMessage) + nsp.size() + event.size() + args_json.size() +
                    members.size() * sizeof(json::MemberPlace);
  for (const std::string& attachment : attachments) sum += attachment.size();
  for (const auto& form : forms) {
    for (const SharedPart& part : form) sum += part.bytes->size();
  }
  return sum;
}

EncodedMessage::EncodedMessage(std::string nsp, std::string event, Args args)
    : nsp_(std::move(nsp)), event_(std::move(event)), args_(std::move(args)), has_args_(true) {}

EncodedMessage::EncodedMessage(std::shared_ptr<const FrozenMessage> frozen) : frozen_(std::move(frozen)) {}

const Args& EncodedMessage::args() {
  if (has_args_) return args_;
  has_args_ = true;
  std::vector<json::Slice> slices;
  if (frozen_->attachments.empty() &&
      json::slice_array(frozen_->args_json, 1024, slices) == json::Status::kOk) {
    for (const json::Slice& slice : slices)
      args_.push_back(Value::from_validated_json(std::string(slice.text)));
    return args_;
  }
  Value array = json::parse_validated(frozen_->args_json);
  restore(array, frozen_->attachments);
  args_ = std::move(array.as_array());
  return args_;
}

std::optional<std::string_view> EncodedMessage::args_text() const {
  if (!frozen_ || !frozen_->attachments.empty()) return std::nullopt;
  return std::string_view(frozen_->args_json).substr(1, frozen_->args_json.size() - 2);
}

std::span<const json::MemberPlace> EncodedMessage::members() const {
  if (!frozen_) return {};
  return frozen_->members;
}

bool EncodedMessage::thaw(Form form) {
  if (!frozen_) return false;
  const auto& shared = frozen_->forms[static_cast<std::size_t>(form)];
  for (const auto& part : shared)
    forms_[static_cast<std::size_t>(form)].push_back({FrameRef::of_shared(part.bytes), part.binary});
  return !shared.empty();
}

std::shared_ptr<const FrozenMessage> EncodedMessage::freeze() {
  if (frozen_) return frozen_;
  auto frozen = std::make_shared<FrozenMessage>();
  frozen->nsp = nsp_;
  frozen->event = event_;
  frozen->ack = ack_;
  frozen->args_json.push_back('[');
  json::Writer writer(frozen->args_json, json::BytesAs::kPlaceholder);
  for (std::size_t i = 0; i < args_.size(); ++i) {
    if (i != 0) frozen->args_json.push_back(',');
    writer.write(args_[i]);
  }
  frozen->args_json.push_back(']');
  for (const auto attachment : writer.attachments()) frozen->attachments.emplace_back(attachment);
  for (std::size_t i = 0; i < forms_.size(); ++i) {
    for (Part& part : forms_[i]) {
      auto shared = std::make_shared<const std::string>(part.bytes.view());
      part.bytes = FrameRef::of_shared(shared);
      frozen->forms[i].push_back({std::move(shared), part.binary});
    }
  }
  frozen_ = std::move(frozen);
  return frozen_;
}

}  // namespace wirehall::hub
