#include "server/log_sink.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <ctime>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

namespace wirehall::server {
namespace {

constexpr std::size_t kFieldBytesMax = 512;

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "";
}

std::string timestamp() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  std::tm parts{};
  gmtime_r(&time.tv_sec, &parts);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                time.tv_nsec / 1'000'000);
  return text;
}

// Whatever a client put in, a line stays one line: control characters, DEL and direction marks are escaped.
void append_safe(std::string& out, std::string_view text) {
  std::string escaped;
  json::append_string(escaped, text.substr(0, kFieldBytesMax));
  for (std::size_t i = 0; i < escaped.size();) {
    std::uint32_t code_point = 0;
    const std::uint32_t length = decode_code_point(std::string_view(escaped).substr(i), code_point);
    const bool direction = (code_point >= 0x202A && code_point <= 0x202E) ||
                           (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0x2028 ||
                           code_point == 0x2029;
    if (code_point == 0x7f || (code_point >= 0x80 && code_point < 0xA0) || direction) {
      char unicode[8];
      std::snprintf(unicode, sizeof unicode, "\\u%04x", code_point);
      out += unicode;
    } else {
      out.append(escaped, i, length);
    }
    i += length;
  }
}

}  // namespace

void log_to_stderr(const std::string& level) {
  const LogLevel lowest = level == "debug"     ? LogLevel::kDebug
                          : level == "warning" ? LogLevel::kWarning
                          : level == "error"   ? LogLevel::kError
                                               : LogLevel::kInfo;
  auto logger =
      std::make_shared<spdlog::logger>("wirehall", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  set_log_sink(
      [logger](LogLevel at, std::string_view module, std::string_view message,
               std::initializer_list<LogField> fields, std::uint64_t suppressed) {
        std::string line =
            "{\"ts\":\"" + timestamp() + "\",\"lvl\":\"" + std::string(level_name(at)) + "\",\"mod\":";
        append_safe(line, module);
        line += ",\"msg\":";
        append_safe(line, message);
        for (const LogField& field : fields) {
          line += ',';
          append_safe(line, field.key);
          line += ':';
          if (field.value.is_string()) {
            append_safe(line, field.value.as_string());
          } else {
            line += field.value.to_json();
          }
        }
        if (suppressed != 0) line += ",\"n_suppressed\":" + std::to_string(suppressed);
        line += '}';
        logger->info(line);
      },
      lowest);
}

}  // namespace wirehall::server
