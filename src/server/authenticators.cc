#include "server/authenticators.h"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <sstream>

#include "auth/http_fetch.h"
#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/user_from_claims.h"
#include "base/log.h"
#include "base/random.h"
#include "http1/head.h"
#include "http1/url.h"
#include "hub/hub.h"

namespace wirehall {

std::optional<std::string> Handshake::query(std::string_view name) const {
  const std::size_t mark = url.find('?');
  if (mark == std::string::npos) return std::nullopt;
  const http1::QueryPairs pairs = http1::parse_query(std::string_view(url).substr(mark + 1));
  const auto value = http1::find_last(pairs, name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

std::string token_of(const Handshake& handshake, bool query_token, const std::string& cookie) {
  if (const std::string* token = handshake.auth.find_string("token"); token != nullptr && !token->empty())
    return *token;
  if (const auto header = handshake.header("authorization")) {
    constexpr std::string_view kBearer = "Bearer ";  // in any case (RFC 9110 section 11.1)
    if (header->size() > kBearer.size() && http1::same_token(header->substr(0, kBearer.size()), kBearer))
      return std::string(header->substr(kBearer.size()));
  }
  if (query_token) {
    if (auto token = handshake.query("token"); token && !token->empty()) return *token;
  }
  if (cookie.empty()) return {};
  std::string_view rest = handshake.header("cookie").value_or("");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.size() > cookie.size() && pair.starts_with(cookie) && pair[cookie.size()] == '=')
      return std::string(pair.substr(cookie.size() + 1));
  }
  return {};
}

namespace server {
namespace {

// `auth.mode: "none"`: the client says who it is, or is a guest.
class OpenAuthenticator final : public Authenticator {
 public:
  Task<Result<User>> authenticate(const Handshake& handshake) override {
    Result<User> user = who(handshake);
    co_return user;
  }
  Task<Result<User>> refresh(const User& user, std::string) override {
    Result<User> same(user);
    co_return same;
  }

 private:
  static Result<User> who(const Handshake& handshake) {
    User user;
    const Value* given = handshake.auth.find("userId");
    std::optional<std::string> id;
    if (given != nullptr && given->is_string()) id = given->as_string();
    if (given != nullptr && !given->is_string()) return ErrorCode::kInvalidUser;
    if (!id) id = handshake.query("userId");
    if (id) {
      if (!auth::is_user_id(*id)) return ErrorCode::kInvalidUser;
      user.id = *id;
    } else {
      user.id = "guest-" + make_id(hub::Hub::current()->environment().random(), 0).substr(0, 12);
      user.anonymous = true;
    }
    if (const std::string* name = handshake.auth.find_string("name")) user.name = *name;
    if (user.name.empty()) user.name = handshake.query("name").value_or("");
    Object info;
    if (!user.name.empty() && user.name.size() <= auth::kUserIdBytesMax) info.set("name", user.name);
    user.info = Value(std::move(info));
    return user;
  }
};

// Keys that an issuer publishes: fetched off the shards, one fetch for all who wait.
class PublishedKeys {
 public:
  explicit PublishedKeys(std::string url) : url_(std::move(url)) {}

  std::shared_ptr<const auth::KeySet> current(MonoTime now) {
    const std::lock_guard lock(mutex_);
    return cache_.keys(now);
  }
  void unknown_key(MonoTime now) {
    const std::lock_guard lock(mutex_);
    cache_.report_unknown_key(now);
  }
  /// Starts a fetch if one is due. Returns: what completes with it, or nullptr when none is under way.
  std::shared_ptr<hub::CompletionState<bool>> fetch(hub::Hub& hub) {
    hub::Environment& environment = hub.environment();
    auto state = std::make_shared<hub::CompletionState<bool>>(hub);
    {
      const std::lock_guard lock(mutex_);
      const bool begins = cache_.begin_fetch(environment.now());
      if (!begins && !in_flight_) return nullptr;
      if (waiting_.size() >= kWaitingMax) return nullptr;
      waiting_.push_back({environment.shard(), state});
      if (!begins) return state;
      in_flight_ = true;
    }
    auto document = std::make_shared<Result<std::string>>(ErrorCode::kUnavailable);
    const bool queued =
        environment.run_blocking([this, document] { *document = auth::fetch_https(url_); },
                                 [this, document, &environment] { fetched(*document, environment); });
    if (!queued) fetched(ErrorCode::kUnavailable, environment);
    return state;
  }

 private:
  static constexpr std::size_t kWaitingMax = 10'000;
  struct Waiting {
    unsigned shard;
    std::shared_ptr<hub::CompletionState<bool>> state;
  };
  void fetched(const Result<std::string>& document, hub::Environment& environment) {
    std::vector<Waiting> waiting;
    bool good = false;
    std::string why;
    {
      const std::lock_guard lock(mutex_);
      in_flight_ = false;
      if (document.ok()) {
        const Status read = cache_.complete(*document, environment.now());
        good = read.ok();
        if (!good) why = read.error().detail();
      } else {
        cache_.fail(environment.now());
        why = document.error().detail().empty() ? document.error().text() : document.error().detail();
      }
      waiting = std::move(waiting_);
      waiting_.clear();
    }
    if (!good) {
      log_line(LogLevel::kWarning, "auth", "key set could not be fetched",
               {{"url", url_}, {"why", why}});
    }
    for (Waiting& one : waiting) {
      if (one.shard == environment.shard()) {
        one.state->complete(good);
      } else {
        environment.post(one.shard,
                         [state = std::move(one.state), good](hub::Hub&) { state->complete(good); });
      }
    }
  }

  std::string url_;
  std::mutex mutex_;
  auth::JwksCache cache_;
  std::vector<Waiting> waiting_;
  bool in_flight_ = false;
};

class JwtAuthenticator final : public Authenticator {
 public:
  explicit JwtAuthenticator(const AuthConfig& config) : config_(config) {
    options_.issuers = config.issuers;
    options_.audiences = config.audiences;
    if (!config.secret.empty()) add_secret();
    if (!config.public_key.empty()) add_public_key();
    if (!config.jwks_url.empty()) published_ = std::make_unique<PublishedKeys>(config.jwks_url);
  }
  const Status& status() const { return status_; }

  Task<Result<User>> authenticate(const Handshake& handshake) override {
    std::string token = token_of(handshake, config_.query_token, config_.cookie);
    return check(std::move(token));
  }
  Task<Result<User>> refresh(const User&, std::string token) override { return check(std::move(token)); }

 private:
  void add(auth::KeySet& set, Result<auth::VerifyingKey> key) {
    if (!key.ok()) {
      status_ = key.error();
      return;
    }
    if (Status added = set.add(std::move(*key)); !added.ok()) status_ = added;
  }
  void add_secret() {
    const auto algorithm = auth::algorithm_from_name(config_.secret_algorithm);
    auth::KeySet set;
    add(set, auth::VerifyingKey::from_secret(*algorithm, config_.secret));
    sets_.push_back(std::move(set));
  }
  void add_public_key() {
    std::string pem = config_.public_key;
    if (pem.find("-----BEGIN") == std::string::npos) {
      std::ifstream file(pem);
      if (!file) {
        status_ = Error(ErrorCode::kConfig, "auth.publicKey: " + pem + " cannot be read");
        return;
      }
      std::stringstream text;
      text << file.rdbuf();
      pem = text.str();
    }
    auth::KeySet set;
    if (const auto algorithm = auth::algorithm_from_name(config_.public_key_algorithm)) {
      add(set, auth::VerifyingKey::from_pem(*algorithm, pem));
    } else {
      add(set, any_algorithm(pem));
    }
    sets_.push_back(std::move(set));
  }
  // Without a configured algorithm the key's kind decides, once, at start-up: never the token.
  static Result<auth::VerifyingKey> any_algorithm(const std::string& pem) {
    for (const auto algorithm : {auth::Algorithm::kEdDsa, auth::Algorithm::kEs256, auth::Algorithm::kEs384}) {
      if (auto key = auth::VerifyingKey::from_pem(algorithm, pem); key.ok()) return key;
    }
    return auth::VerifyingKey::from_pem(auth::Algorithm::kRs256, pem);
  }

  Result<User> with(const auth::KeySet& keys, const std::string& token, auth::VerifyFault& fault) const {
    hub::Environment& environment = hub::Hub::current()->environment();
    Result<Object> claims = auth::verify(token, keys, options_, environment.wall_now(), &fault);
    if (!claims.ok()) return claims.error();
    return auth::user_from_claims(std::move(*claims));
  }

  Result<User> with_known_keys(const std::string& token, auth::VerifyFault& fault) const {
    Result<User> answer(Error(ErrorCode::kAuthenticationFailed, "invalid token"));
    for (const auth::KeySet& set : sets_) {
      answer = with(set, token, fault);
      // A good signature settles it; what else is wrong then does not get better with another key.
      const bool other_key = fault == auth::VerifyFault::kUnknownKey ||
                             fault == auth::VerifyFault::kAlgorithm || fault == auth::VerifyFault::kSignature;
      if (!other_key) return answer;
    }
    if (!published_) return answer;
    const auto keys = published_->current(hub::Hub::current()->now());
    if (!keys) {
      fault = auth::VerifyFault::kUnknownKey;
      return ErrorCode::kUnavailable;
    }
    return with(*keys, token, fault);
  }

  Task<Result<User>> check(std::string token) {
    hub::Hub& hub = *hub::Hub::current();
    if (token.empty()) co_return Result<User>(ErrorCode::kAuthenticationRequired);
    auth::VerifyFault fault = auth::VerifyFault::kNone;
    Result<User> user = with_known_keys(token, fault);
    if (published_ && fault == auth::VerifyFault::kUnknownKey) {
      published_->unknown_key(hub.now());
      if (auto state = published_->fetch(hub)) {
        hub::Completion<bool> fetching(std::move(state));
        const bool fetched = co_await fetching;
        if (fetched) user = with_known_keys(token, fault);
      }
    } else if (published_) {
      (void)published_->fetch(hub);  // the refresh that may be due; nobody waits for it
    }
    if (!user.ok()) {
      hub.environment().metrics().add(Counter::kAuthFailures);
      log_line(LogLevel::kInfo, "auth", "token refused", {{"fault", auth::fault_name(fault)}});
    }
    co_return user;
  }

  AuthConfig config_;
  auth::VerifyOptions options_;
  std::vector<auth::KeySet> sets_;
  std::unique_ptr<PublishedKeys> published_;
  Status status_;
};

}  // namespace

std::unique_ptr<Authenticator> make_authenticator(const AuthConfig& config) {
  if (!config.required) return std::make_unique<OpenAuthenticator>();
  return std::make_unique<JwtAuthenticator>(config);
}

Status check_authenticator(const Authenticator& authenticator) {
  const auto* jwt = dynamic_cast<const JwtAuthenticator*>(&authenticator);
  return jwt == nullptr ? Status() : jwt->status();
}

}  // namespace server
}  // namespace wirehall
