// Reading a configuration: file, environment, flags; and writing what can be known of it.
#include "wirehall/config.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/base64.h"
#include "base/json.h"
#include "base/suggest.h"
#include "http1/forwarded.h"
#include "io/system.h"
#include "push/vapid.h"
#include "server/authenticators.h"
#include "server/command_line.h"
#include "server/config_file.h"
#include "server/config_schema.h"

namespace wirehall {
namespace {

using server::ConfigKey;
using server::KeyType;

// Comments become spaces, so that offsets and lines stay what they were.
std::string without_comments(std::string_view text) {
  std::string out(text);
  bool quoted = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (quoted) {
      if (out[i] == '\\')
        ++i;
      else if (out[i] == '"')
        quoted = false;
    } else if (out[i] == '"') {
      quoted = true;
    } else if (out[i] == '/' && i + 1 < out.size() && out[i + 1] == '/') {
      while (i < out.size() && out[i] != '\n') out[i++] = ' ';
    } else if (out[i] == '/' && i + 1 < out.size() && out[i + 1] == '*') {
      const std::size_t end = std::min(out.find("*/", i + 2), out.size() - 2);
      for (; i < end + 2; ++i) {
        if (out[i] != '\n') out[i] = ' ';
      }
      --i;
    }
  }
  return out;
}

std::string suggestion(std::string_view path) {
  std::vector<std::string> known;
  for (const ConfigKey& key : server::config_keys()) {
    known.push_back(key.path);
    known.push_back(key.path.substr(0, key.path.find('.')));  // its section
  }
  const std::string best = closest(path, known);
  return best.empty() ? "" : "; did you mean \"" + best + "\"?";
}

// Walks the file's objects, so that every fault can name its line.
class FileReader {
 public:
  explicit FileReader(std::string_view text) : text_(without_comments(text)) {}

  bool read(std::string_view slice, const std::string& prefix) {
    std::vector<json::MemberSlice> members;
    if (json::slice_object(slice, 32, members) != json::Status::kOk) {
      fault(slice, "not a JSON object");
      return false;
    }
    for (const json::MemberSlice& member : members) {
      const std::string name = prefix + json::unescape(member.key);
      if (name == "$schema") continue;
      if (std::find(seen_.begin(), seen_.end(), name) != seen_.end())
        fault(member.key, "\"" + name + "\" is set twice");
      seen_.push_back(name);
      if (const ConfigKey* key = server::find_key(name)) {
        const Value value = json::parse_validated(member.value.text);
        if (const std::string wrong = server::check_value(*key, value); !wrong.empty()) {
          fault(member.key, "\"" + name + "\" " + wrong);
        } else {
          values_.emplace_back(key, value);
        }
      } else if (is_section(name) && member.value.text.front() != '{') {
        fault(member.key, "\"" + name + "\" must be an object");
      } else if (is_section(name)) {
        read(member.value.text, name + ".");
      } else {
        fault(member.key, "unknown key \"" + name + "\"" + suggestion(name));
      }
    }
    return true;
  }

  Status finish(Config& config) {
    if (!faults_.empty()) return Error(ErrorCode::kConfig, faults_);
    for (const auto& [key, value] : values_) key->apply(config, value);
    return {};
  }

  Status whole(Config& config) {
    if (const auto status = json::validate(text_, 32); status != json::Status::kOk) {
      return Error(ErrorCode::kConfig, "line " + std::to_string(line_of_syntax_error()) + ": not valid JSON");
    }
    read(text_, "");
    return finish(config);
  }

 private:
  static bool is_section(const std::string& name) {
    const std::string prefix = name + ".";
    return std::any_of(server::config_keys().begin(), server::config_keys().end(),
                       [&](const ConfigKey& key) { return key.path.starts_with(prefix); });
  }
  void fault(std::string_view at, const std::string& what) {
    const auto offset = static_cast<std::size_t>(at.data() - text_.data());
    const auto line =
        1 + std::count(text_.begin(),
                       text_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text_.size())), '\n');
    if (!faults_.empty()) faults_ += "\n";
    faults_ += "line " + std::to_string(line) + ": " + what;
  }
  // The longest prefix that could still become JSON ends where the error is.
  std::size_t line_of_syntax_error() const {
    std::size_t low = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\n' && could_continue(std::string_view(text_).substr(0, i))) low = i + 1;
    }
    return 1 + static_cast<std::size_t>(
                   std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(low), '\n'));
  }
  // Closes what is open and sees whether the result is valid.
  static bool could_continue(std::string_view prefix) {
    std::string closers;
    bool quoted = false;
    std::size_t last = prefix.size();
    while (last > 0 && (prefix[last - 1] == ' ' || prefix[last - 1] == '\n' || prefix[last - 1] == '\r' ||
                        prefix[last - 1] == '\t'))
      --last;
    prefix = prefix.substr(0, last);
    for (std::size_t i = 0; i < prefix.size(); ++i) {
      const char c = prefix[i];
      if (quoted) {
        if (c == '\\')
          ++i;
        else if (c == '"')
          quoted = false;
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        closers.insert(closers.begin(), c == '{' ? '}' : ']');
      } else if ((c == '}' || c == ']') && !closers.empty()) {
        closers.erase(closers.begin());
      }
    }
    if (quoted) return false;
    std::string completed(prefix);
    if (completed.ends_with(',')) completed.pop_back();
    if (completed.ends_with(':')) completed += "0";
    return completed.empty() || json::validate(completed + closers, 64) == json::Status::kOk;
  }

  std::string text_;
  std::string faults_;
  std::vector<std::string> seen_;
  std::vector<std::pair<const ConfigKey*, Value>> values_;
};

// Text of an environment variable as a value for a key.
Result<Value> from_environment(const ConfigKey& key, const std::string& text) {
  switch (key.type) {
    case KeyType::kString:
    case KeyType::kChoice: return Value(text);
    case KeyType::kStringList: {
      if (text.starts_with('[')) return json::parse(text);
      Array list;
      std::stringstream stream(text);
      for (std::string part; std::getline(stream, part, ',');) {
        const std::size_t begin = std::min(part.find_first_not_of(" \t"), part.size());
        list.emplace_back(part.substr(begin, part.find_last_not_of(" \t") + 1 - begin));
      }
      return Value(std::move(list));
    }
    default: return json::parse(text);
  }
}

Status apply_variable(Config& config, const char* variable, std::string_view path) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return {};
  const ConfigKey& key = *server::find_key(path);
  const Result<Value> value = from_environment(key, text);
  const std::string wrong = value.ok() ? server::check_value(key, *value) : "cannot be read";
  if (!wrong.empty()) return Error(ErrorCode::kConfig, std::string(variable) + " " + wrong);
  key.apply(config, *value);
  return {};
}

bool is_loopback_host(const std::string& host) {
  const auto address = http1::parse_address(host);
  return host == "localhost" || (address && http1::is_loopback_address(*address));
}

bool is_loopback_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return false;
  url.remove_prefix(kScheme.size());
  const std::string_view authority = url.substr(0, url.find('/'));
  const std::size_t bracket = authority.find(']');
  if (authority.starts_with('[') && bracket != std::string_view::npos)
    return is_loopback_host(std::string(authority.substr(1, bracket - 1)));
  return is_loopback_host(std::string(authority.substr(0, authority.find(':'))));
}

// What is missing of things that belong together.
std::string wrong_with(const HallConfig& hall) {
  if (!hall.turn_urls.empty() && hall.turn_secret.empty())
    return "calls.turnUrls needs calls.turnSecret: without it nobody could use these servers";
  if (!hall.vapid_public_key.empty() || !hall.vapid_private_key.empty()) {
    const auto vapid = push::Vapid::load({hall.vapid_public_key, hall.vapid_private_key}, hall.vapid_subject);
    if (!vapid.ok()) return vapid.error().detail();
  }
  if (!hall.push_webhook_url.empty() && hall.push_webhook_secret.empty())
    return "push.webhook.url needs push.webhook.secret: whoever is told must know who tells";
  return {};
}

}  // namespace

Status Config::apply_text(std::string_view text) {
  FileReader reader(text);
  return reader.whole(*this);
}

Status Config::apply_environment() {
  for (const ConfigKey& key : server::config_keys()) {
    if (Status status = apply_variable(*this, server::environment_name(key.path).c_str(), key.path);
        !status.ok())
      return status;
  }
  for (const auto& [variable, key] : {std::pair{"PORT", "port"}, std::pair{"JWT_SECRET", "auth.secret"},
                                      std::pair{"CORS_ORIGIN", "cors.origin"}}) {
    if (Status status = apply_variable(*this, variable, key); !status.ok()) return status;
  }
  return {};
}

Status Config::finish() {
  const auto fault = [](std::string text) { return Status(Error(ErrorCode::kConfig, std::move(text))); };
  if (path.empty() || path.front() != '/') return fault("path must begin with a slash");
  if (native_path.empty() || native_path.front() != '/') return fault("nativePath must begin with a slash");
  if (!native && !socketio) return fault("neither socketio nor native is served: nobody could connect");
  if (native && socketio && (native_path + "/").starts_with(path.ends_with('/') ? path : path + "/"))
    return fault("nativePath lies under path: its requests would be Engine.IO's");
  for (const std::string& transport : transports) {
    if (transport != "polling" && transport != "websocket")
      return fault("transports: \"" + transport + "\" is not known (polling, websocket)");
  }
  if (transports.empty()) return fault("transports must not be empty");
  http1::TrustedProxies networks;
  for (const std::string& proxy : trusted_proxies) {
    if (!networks.add(proxy)) return fault("trustedProxies: \"" + proxy + "\" is no network");
  }
  const bool any_origin = std::find(cors_origins.begin(), cors_origins.end(), "*") != cors_origins.end();
  if (any_origin && cors_credentials)
    return fault("cors.origin \"*\" and cors.credentials exclude each other: list the origins");
  if (any_origin && !auth.cookie.empty())
    return fault("cors.origin \"*\" and auth.cookie exclude each other: any page could act for a user");
  if (tls_certificate.empty() != tls_key.empty()) return fault("tls.cert and tls.key belong together");
  if (tls_kernel && tls_key.empty()) return fault("tls.kernel needs tls.cert and tls.key");
  if (dev && !is_loopback_host(host)) return fault("--dev listens on loopback only; host is " + host);
  const bool has_key = !auth.secret.empty() || !auth.public_key.empty() || !auth.jwks_url.empty();
  if (auth.required && !has_key) {
    if (!dev)
      return fault(
          "auth: no key to verify tokens with; set JWT_SECRET (at least 32 bytes), auth.publicKey or "
          "auth.jwksUrl, or auth.mode \"none\"");
    std::array<char, 32> bytes;
    io::SystemRandom random;
    random.fill(bytes);
    auth.secret = to_base64url({bytes.data(), bytes.size()});
  }
  if (const std::string wrong = wrong_with(hall); !wrong.empty()) return fault(wrong);
  if (!auth.jwks_url.empty() && !auth.jwks_url.starts_with("https://") && !is_loopback_url(auth.jwks_url))
    return fault("auth.jwksUrl must begin with https:// (plain http on loopback only)");
  // Keys that are too short, or cannot be read.
  const auto authenticator = server::make_authenticator(auth);
  if (const Status usable = server::check_authenticator(*authenticator); !usable.ok())
    return fault(usable.error().detail().empty() ? usable.error().text() : usable.error().detail());
  return {};
}

Config Config::load(int argc, char** argv) { return load(argc, argv, Config()); }

Config Config::load(int argc, char** argv, Config config) {
  std::string file;
  std::string host, data;
  int port = -1;
  server::parse_or_exit(argc, argv, "wirehall server", [&](server::Command command) {
    command.add_option("--config", file, "configuration file (JSON, comments allowed)");
    command.add_option("--host", host, "address to listen on");
    command.add_option("--port", port, "port to listen on").range(0, 65535);
    command.add_option("--data", data, "directory for the database and files");
    command.add_flag("--dev", config.dev, "development: loopback only, a throw-away secret");
  });
  const auto give_up = [](const std::string& text) {
    std::fprintf(stderr, "configuration: %s\n", text.c_str());
    std::exit(78);
  };
  if (const Status status = server::read_config(config, file); !status.ok()) give_up(status.error().detail());
  if (!host.empty()) config.host = host;
  if (!data.empty()) config.data_dir = data;
  if (port >= 0) config.port = static_cast<std::uint16_t>(port);
  if (const Status status = config.finish(); !status.ok()) give_up(status.error().detail());
  return config;
}

std::string config_schema() {
  Object root{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Wirehall configuration"},
              {"type", "object"}};
  root.set("properties", Object());
  root.set("additionalProperties", false);
  root["properties"].as_object().set("$schema", {{"type", "string"}});
  const Config defaults;
  for (const ConfigKey& key : server::config_keys()) {
    Object* properties = &root["properties"].as_object();
    std::string_view rest = key.path;
    for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      Value& section = (*properties)[rest.substr(0, dot)];
      if (section.is_null())
        section = {{"type", "object"}, {"additionalProperties", false}, {"properties", Object()}};
      properties = &section.as_object()["properties"].as_object();
      rest.remove_prefix(dot + 1);
    }
    Object entry{{"description", key.doc}, {"default", key.read(defaults)}};
    switch (key.type) {
      case KeyType::kBool: entry.set("type", "boolean"); break;
      case KeyType::kInteger:
      case KeyType::kMilliseconds:
        entry.set("type", "integer");
        entry.set("minimum", key.minimum);
        if (key.maximum != INT64_MAX) entry.set("maximum", key.maximum);
        break;
      case KeyType::kString: entry.set("type", "string"); break;
      case KeyType::kStringList:
        entry.set("anyOf", Array{{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}});
        break;
      case KeyType::kChoice: {
        Array choices;
        std::stringstream stream(key.choices);
        for (std::string part; std::getline(stream, part, '|');) choices.emplace_back(part);
        entry.set("enum", Value(std::move(choices)));
        break;
      }
      case KeyType::kObject: entry.set("type", "object"); break;
    }
    properties->set(rest, Value(std::move(entry)));
  }
  return Value(std::move(root)).to_json();
}

}  // namespace wirehall
