// JSON as the server needs it, beside the libraries that were considered for it.
//
//   check_and_slice   a message that arrived: UTF-8 and grammar checked, its members found
//   build             text to a tree
//   write             a tree to text
//   relay             text in, text out: what an event costs that is only passed on
#include <simdjson.h>
#include <boost/json/src.hpp>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/utf8.h"
#include "support/micro.h"

namespace wirehall::json {
namespace {

using bench::Input;

void check_and_slice(const Input& input, const std::string& name) {
  bench::add(name + "wirehall", [&input](benchmark::State& state) {
    std::vector<MemberSlice> members;
    bench::measure(state, input.json.size(), [&] {
      if (!is_valid_utf8(input.json) || slice_object(input.json, 32, members) != Status::kOk) std::abort();
      benchmark::DoNotOptimize(members.data());
    });
  });
  // Looks only as deep as it is asked: what is wrong inside a member that is skipped may go unnoticed.
  bench::add(name + "simdjson-ondemand", [&input](benchmark::State& state) {
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(input.json);
    bench::measure(state, input.json.size(), [&] {
      simdjson::ondemand::document document = parser.iterate(padded);
      std::size_t bytes = 0;
      for (auto field : document.get_object()) {
        std::string_view text;
        simdjson::ondemand::value value = field.value();
        const simdjson::ondemand::json_type type = value.type();
        if (type == simdjson::ondemand::json_type::object) {
          simdjson::ondemand::object object = value.get_object();
          text = object.raw_json();
        } else if (type == simdjson::ondemand::json_type::array) {
          simdjson::ondemand::array array = value.get_array();
          text = array.raw_json();
        } else {
          text = value.raw_json_token();
        }
        bytes += text.size();
      }
      benchmark::DoNotOptimize(bytes);
    });
  });
  bench::add(name + "simdjson-dom", [&input](benchmark::State& state) {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(input.json);
    bench::measure(state, input.json.size(), [&] {
      simdjson::dom::element element = parser.parse(padded);
      benchmark::DoNotOptimize(element);
    });
  });
  bench::add(name + "nlohmann-accept", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(), [&] {
      if (!nlohmann::json::accept(input.json)) std::abort();
    });
  });
}

void build(const Input& input, const std::string& name) {
  bench::add(name + "wirehall", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(), [&] {
      const Result<Value> value = parse(input.json);
      if (!value.ok()) std::abort();
      benchmark::DoNotOptimize(*value);
    });
  });
  bench::add(name + "boost-json", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(), [&] {
      const boost::json::value value = boost::json::parse(input.json);
      benchmark::DoNotOptimize(value);
    });
  });
  bench::add(name + "nlohmann", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(), [&] {
      const nlohmann::json value = nlohmann::json::parse(input.json);
      benchmark::DoNotOptimize(value);
    });
  });
}

void write(const Input& input, const std::string& name) {
  bench::add(name + "wirehall", [&input](benchmark::State& state) {
    const Value value = *parse(input.json);
    bench::measure(state, input.json.size(), [&] { benchmark::DoNotOptimize(value.to_json()); });
  });
  bench::add(name + "simdjson-dom", [&input](benchmark::State& state) {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(input.json);
    const simdjson::dom::element element = parser.parse(padded);
    bench::measure(state, input.json.size(), [&] { benchmark::DoNotOptimize(simdjson::to_string(element)); });
  });
  bench::add(name + "boost-json", [&input](benchmark::State& state) {
    const boost::json::value value = boost::json::parse(input.json);
    bench::measure(state, input.json.size(),
                   [&] { benchmark::DoNotOptimize(boost::json::serialize(value)); });
  });
  bench::add(name + "nlohmann", [&input](benchmark::State& state) {
    const nlohmann::json value = nlohmann::json::parse(input.json);
    bench::measure(state, input.json.size(), [&] { benchmark::DoNotOptimize(value.dump()); });
  });
}

void relay(const Input& input, const std::string& name) {
  bench::add(name + "wirehall", [&input](benchmark::State& state) {
    std::vector<MemberSlice> members;
    std::string out;
    bench::measure(state, input.json.size(), [&] {
      if (!is_valid_utf8(input.json) || slice_object(input.json, 32, members) != Status::kOk) std::abort();
      out.clear();
      Writer(out).write(Value::from_validated_json(std::string(input.json)));
      benchmark::DoNotOptimize(out.data());
    });
  });
  bench::add(name + "boost-json", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(),
                   [&] { benchmark::DoNotOptimize(boost::json::serialize(boost::json::parse(input.json))); });
  });
  bench::add(name + "nlohmann", [&input](benchmark::State& state) {
    bench::measure(state, input.json.size(),
                   [&] { benchmark::DoNotOptimize(nlohmann::json::parse(input.json).dump()); });
  });
}

const bench::Suite suite([] {
  for (const Input& input : bench::json_inputs()) {
    check_and_slice(input, "json/check_and_slice/" + input.name + "/");
    build(input, "json/build/" + input.name + "/");
    write(input, "json/write/" + input.name + "/");
    relay(input, "json/relay/" + input.name + "/");
  }
});

}  // namespace
}  // namespace wirehall::json
