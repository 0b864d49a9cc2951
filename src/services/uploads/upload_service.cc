#include "services/uploads/upload_service.h"

#include <algorithm>

#include "base/base64.h"
#include "base/random.h"
#include "services/hall/fields.h"
#include "services/hall/hall_shard.h"
#include "services/hall/presentation.h"

namespace wirehall::services {

using Answer = Result<Object>;

namespace {

constexpr std::size_t kFileNameBytesMax = 255;
constexpr std::size_t kMimeBytesMax = 127;
constexpr std::size_t kHashDigits = 64;

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// `type/subtype`, without parameters (RFC 9110 section 8.3.1).
bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto is_token = [](std::string_view token) {
    return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    std::string_view("!#$&^_.+-").find(c) != std::string_view::npos;
           });
  };
  return slash != std::string_view::npos && is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

// Names are shown and sent in headers, never used as paths; still nobody needs separators in them.
bool is_file_name(std::string_view name) {
  return is_valid_name(name, kFileNameBytesMax) && name != "." && name != ".." &&
         name.find_first_of("/\\") == std::string_view::npos;
}

// Bytes, or their base64 text.
std::optional<std::string> bytes_of(const Value* data) {
  if (data == nullptr) return std::nullopt;
  if (data->is_bytes()) return data->as_bytes().data;
  if (data->is_string()) return from_base64(data->as_string());
  return std::nullopt;
}

}  // namespace

Status UploadService::check(const StoredFile& file) const {
  const UploadSettings& settings = hall_.shared().uploads;
  if (!is_file_name(file.name))
    return Error(ErrorCode::kInvalidFormat, "name is empty, too long, or no file's name");
  if (!is_media_type(file.mime)) return Error(ErrorCode::kInvalidFormat, "mime must be a media type, type/subtype");
  if (!file.sha256.empty() && !is_hash(file.sha256))
    return Error(ErrorCode::kInvalidFormat, "sha256 must be 64 lower-case hexadecimal digits");
  if (file.size_bytes > settings.file_bytes_max)
    return Error(ErrorCode::kTooLarge,
                 "files may have up to " + std::to_string(settings.file_bytes_max) + " bytes");
  if (!settings.types.empty() &&
      std::none_of(settings.types.begin(), settings.types.end(),
                   [&](const std::string& pattern) { return matches_pattern(pattern, file.mime); }))
    return Error(ErrorCode::kAccessDenied, "files of this type are not taken");
  return {};
}

// -- beginning ----------------------------------------------------------------------------------------------

Task<Answer> UploadService::start(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string known = fields.text_or_empty("uploadId", kIdBytesMax);
  if (fields.ok() && !known.empty()) {
    Task<Answer> resuming = resume(socket, known);
    Answer resumed = co_await resuming;
    co_return resumed;
  }
  BeginUpload write;
  UploadRecord& record = write.record;
  record.room = fields.optional_room().value_or("");
  record.target_user = fields.optional_user("targetUserId").value_or("");
  record.file.name = fields.text("name", kFileNameBytesMax);
  record.file.mime = fields.text("mime", kMimeBytesMax);
  record.file.sha256 = fields.text_or_empty("sha256", kHashDigits);
  const auto size = fields.number("size");
  if (fields.ok() && !size) fields.refuse(Error(ErrorCode::kInvalidFormat, "size is missing"));
  if (fields.ok() && record.room.empty() == record.target_user.empty())
    fields.refuse(Error(ErrorCode::kInvalidFormat, "either roomId or targetUserId must be there"));
  if (!fields.ok()) co_return Answer(fields.error());
  record.file.size_bytes = *size;
  if (Status checked = check(record.file); !checked.ok()) co_return Answer(checked.error());
  if (!record.room.empty()) {
    Task<Status> asking = may_publish(socket, record.room, record.file.name);
    if (const Status may = co_await asking; !may.ok()) co_return Answer(may.error());
  }
  record.file.id = make_id(hall_.hub().environment().random(), static_cast<std::uint8_t>(hall_.shard()));
  record.file.user_id = socket->user().id;
  record.started_at = hall_.wall_now();
  const UploadSettings& settings = hall_.shared().uploads;
  write.user_bytes_max = settings.user_bytes_max;
  write.total_bytes_max = settings.total_bytes_max;
  write.user_uploads_max = settings.user_uploads_max;
  Object result{{"uploadId", record.file.id}, {"chunkSize", static_cast<std::int64_t>(settings.chunk_bytes_max)},
                {"offset", 0}};
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  const Result<OutcomePtr> written = co_await writing;
  if (!written.ok() && written.error().code() == ErrorCode::kLimitReached)
    co_return Answer(Error(ErrorCode::kLimitReached, "the quota of files or unfinished uploads is used up"));
  if (!written.ok()) co_return Answer(written.error());
  co_return Answer(std::move(result));
}

Task<Result<UploadRecord>> UploadService::find(std::string id, std::string user_id) {
  std::function<Result<UploadRecord>(HallStore&)> ask = [id, user_id](HallStore& store) {
    Result<std::optional<UploadRecord>> found = store.find_upload(id);
    if (!found.ok()) return Result<UploadRecord>(found.error());
    // Other people's do not exist.
    if (!*found || (*found)->file.user_id != user_id)
      return Result<UploadRecord>(Error(ErrorCode::kNotFound, "there is no such upload"));
    return Result<UploadRecord>(std::move(**found));
  };
  return hall_.store().read<UploadRecord>(std::move(ask));
}

Task<Answer> UploadService::resume(hub::SocketPtr socket, std::string id) {
  Task<Result<UploadRecord>> finding = find(id, socket->user().id);
  const Result<UploadRecord> record = co_await finding;
  if (!record.ok()) co_return Answer(record.error());
  std::function<Result<std::uint64_t>()> ask = [files = hall_.shared().files, id] { return files->size(id); };
  Task<Result<std::uint64_t>> asking = hall_.store().run<std::uint64_t>(std::move(ask));
  const Result<std::uint64_t> size = co_await asking;
  if (!size.ok()) co_return Answer(size.error());
  Object result{{"uploadId", id},
                {"chunkSize", static_cast<std::int64_t>(hall_.shared().uploads.chunk_bytes_max)},
                {"offset", static_cast<std::int64_t>(*size)}};
  co_return Answer(std::move(result));
}

// -- filling ------------------------------------------------------------------------------------------------

Task<Answer> UploadService::chunk(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("uploadId", kIdBytesMax);
  const auto offset = fields.number("offset");
  const std::optional<std::string> bytes = bytes_of(object.find("data"));
  if (fields.ok() && !offset) fields.refuse(Error(ErrorCode::kInvalidFormat, "offset is missing"));
  if (fields.ok() && !bytes) fields.refuse(Error(ErrorCode::kInvalidFormat, "data must be bytes, or base64 text"));
  if (fields.ok() && bytes->size() > hall_.shared().uploads.chunk_bytes_max)
    fields.refuse(Error(ErrorCode::kTooLarge, "data is longer than chunkSize"));
  if (!fields.ok()) co_return Answer(fields.error());
  Task<Result<UploadRecord>> finding = find(id, socket->user().id);
  Result<UploadRecord> found = co_await finding;
  if (!found.ok()) co_return Answer(found.error());
  const std::uint64_t size = found->file.size_bytes;
  std::function<Result<UploadBytes::Appended>()> append = [files = hall_.shared().files, id, at = *offset,
                                                           data = *bytes,
                                                           size] { return files->append(id, at, data, size); };
  Task<Result<UploadBytes::Appended>> appending = hall_.store().run<UploadBytes::Appended>(std::move(append));
  const Result<UploadBytes::Appended> appended = co_await appending;
  if (!appended.ok() && appended.error().code() == ErrorCode::kTooLarge)
    co_return Answer(Error(ErrorCode::kTooLarge, "data goes beyond the size that was declared"));
  if (!appended.ok()) co_return Answer(appended.error());
  if (appended->conflict) {
    Error conflict(ErrorCode::kConflict, "the upload goes on at another offset");
    conflict.fields_json("{\"offset\":" + std::to_string(appended->offset) + "}");
    co_return Answer(std::move(conflict));
  }
  // Bytes that came behind the end of their upload are nobody's.
  Task<Result<UploadRecord>> finding_again = find(id, socket->user().id);
  const Result<UploadRecord> still = co_await finding_again;
  if (!still.ok() && still.error().code() == ErrorCode::kNotFound) {
    Task<> removing = remove_orphan(id);
    co_await removing;
    co_return Answer(still.error());
  }
  if (appended->offset < size) {
    Object result{{"offset", static_cast<std::int64_t>(appended->offset)}};
    co_return Answer(std::move(result));
  }
  Task<Answer> publishing = publish(socket, std::make_shared<UploadRecord>(std::move(*found)));
  Answer published = co_await publishing;
  co_return published;
}

Task<Status> UploadService::may_publish(hub::SocketPtr socket, std::string room, std::string file_name) {
  Task<bool> asking = hall_.joining.is_in(socket, room);
  if (!co_await asking) co_return Status(ErrorCode::kNotInRoom);
  StoredMessage message;
  message.room = std::move(room);
  message.type = "file";
  message.content = std::move(file_name);
  co_return hall_.messages.may_post(*socket, message);
}

Task<Answer> UploadService::publish(hub::SocketPtr socket, std::shared_ptr<UploadRecord> record) {
  const std::string id = record->file.id;
  std::function<Result<std::string>()> hash = [files = hall_.shared().files, id] { return files->sha256(id); };
  Task<Result<std::string>> hashing = hall_.store().run<std::string>(std::move(hash));
  const Result<std::string> sum = co_await hashing;
  if (!sum.ok()) co_return Answer(sum.error());
  if (!record->file.sha256.empty() && record->file.sha256 != *sum) {
    Task<> dropping = drop(id);
    co_await dropping;
    co_return Answer(Error(ErrorCode::kInvalidFormat, "the bytes do not match sha256; the upload was dropped"));
  }
  record->file.sha256 = *sum;
  const auto file = std::make_shared<const StoredFile>(record->file);
  Task<Answer> posting;
  if (record->room.empty()) {
    PrivateMessage message;
    message.to_user = record->target_user;
    message.type = "file";
    message.content = file->name;
    message.file = file;
    posting = hall_.private_messages.post(socket, std::move(message), {});
  } else {
    Task<Status> asking = may_publish(socket, record->room, file->name);
    if (const Status may = co_await asking; !may.ok()) co_return Answer(may.error());
    StoredMessage message;
    message.room = record->room;
    message.type = "file";
    message.content = file->name;
    message.file = file;
    posting = hall_.messages.post(socket, std::move(message), {});
  }
  const Answer posted = co_await posting;
  // Of two last pieces at the same time one has published it.
  if (!posted.ok() && posted.error().code() == ErrorCode::kNotFound)
    co_return Answer(Error(ErrorCode::kNotFound, "there is no such upload"));
  if (!posted.ok()) co_return Answer(posted.error());
  Object result{{"offset", static_cast<std::int64_t>(file->size_bytes)},
                {"complete", true},
                {"file", Value(file_object(*file))},
                {"messageId", *posted->find("messageId")}};
  co_return Answer(std::move(result));
}

// -- the end without a file -----------------------------------------------------------------------------------

// The row goes first: bytes without one are swept away, a row without bytes begins anew.
Task<> UploadService::drop(std::string id) {
  EndUpload write;
  write.id = id;
  Stored writing = hall_.store().write(HallWrite(std::move(write)));
  (void)co_await writing;
  Task<> removing = remove_bytes(id);
  co_await removing;
}

// Of two pieces at the same time the other may have been the last one: then they are a file's.
Task<> UploadService::remove_orphan(std::string id) {
  std::function<Result<bool>(HallStore&)> ask = [id](HallStore& store) {
    const Result<std::optional<FileView>> file = store.find_file(id);
    return file.ok() ? Result<bool>(file->has_value()) : Result<bool>(file.error());
  };
  Task<Result<bool>> asking = hall_.store().read<bool>(std::move(ask));
  const Result<bool> published = co_await asking;
  if (!published.ok() || *published) co_return;
  Task<> removing = remove_bytes(id);
  co_await removing;
}

Task<> UploadService::remove_bytes(std::string id) {
  std::function<Result<bool>()> remove = [files = hall_.shared().files, id] {
    files->remove(id);
    return Result<bool>(true);
  };
  Task<Result<bool>> removing = hall_.store().run<bool>(std::move(remove));
  (void)co_await removing;
}

Task<Answer> UploadService::abort(hub::SocketPtr socket, Object object) {
  Fields fields(object);
  const std::string id = fields.text("uploadId", kIdBytesMax);
  if (!fields.ok()) co_return Answer(fields.error());
  Task<Result<UploadRecord>> finding = find(id, socket->user().id);
  const Result<UploadRecord> found = co_await finding;
  if (!found.ok()) co_return Answer(found.error());
  Task<> dropping = drop(id);
  co_await dropping;
  Object result;
  co_return Answer(std::move(result));
}

}  // namespace wirehall::services
