// The head of a request as Boost.Beast's parser reads it: a second opinion for our own.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wirehall::test {

struct BeastHead {
  std::string method, target;
  int version = 0;  ///< 10 or 11
  std::vector<std::pair<std::string, std::string>> fields;
  bool keep_alive = false;
};

class BeastHeadReader final : public boost::beast::http::basic_parser<true> {
 public:
  /// Returns: nullopt where Beast refuses it, or has not seen its end.
  static std::optional<BeastHead> read(std::string_view bytes) {
    BeastHeadReader reader;
    boost::beast::error_code error;
    reader.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error || !reader.is_header_done()) return std::nullopt;
    reader.head_.keep_alive = reader.basic_parser::keep_alive();
    return std::move(reader.head_);
  }

 private:
  using Text = boost::beast::string_view;
  using Code = boost::beast::error_code;
  BeastHeadReader() {
    skip(true);
    header_limit(std::numeric_limits<std::uint32_t>::max());
  }
  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Code&) override {
    head_.method = std::string(method);
    head_.target = std::string(target);
    head_.version = version;
  }
  void on_field_impl(boost::beast::http::field, Text name, Text value, Code&) override {
    head_.fields.emplace_back(std::string(name), std::string(value));
  }
  void on_response_impl(int, Text, int, Code&) override {}
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override { return body.size(); }
  void on_finish_impl(Code&) override {}

  BeastHead head_;
};

/// What of a head that our parser has accepted Beast reads differently; nothing where they agree.
template <class RequestHead>
std::string difference_from_beast(const RequestHead& head) {
  std::string_view bytes = head.bytes;
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  const std::optional<BeastHead> other = BeastHeadReader::read(bytes);
  if (!other) return "refused";
  // An absolute target has become one in origin form.
  if (!std::string_view(other->target).ends_with(head.target())) return "target";
  if (other->version != 10 + head.minor_version) return "version";
  // Of HTTP/1.0 Beast keeps a connection that says both; close wins by RFC 9112 section 9.3.
  if (other->keep_alive != head.keep_alive && (head.minor_version == 1 || head.keep_alive)) return "keep-alive";
  if (other->fields.size() != head.fields.size()) return "number of fields";
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (other->fields[i].first != head.name(head.fields[i])) return "name of field " + std::to_string(i);
    if (other->fields[i].second != head.value(head.fields[i])) return "value of field " + std::to_string(i);
  }
  return {};
}

}  // namespace wirehall::test
