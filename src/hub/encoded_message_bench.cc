// A broadcast as an object: made, frozen for other shards, thawed there, its forms shared.
#include "hub/encoded_message.h"

#include "support/micro.h"

namespace wirehall::hub {
namespace {

// A form as the pipeline builds it: one frame.
void build_one_frame(EncodedMessage& message, std::vector<Part>& parts) {
  parts.push_back({FrameRef::copy_of(*message.args().front().unparsed_json()), false});
}

EncodedMessage message_of(const std::string& json) {
  Args args;
  args.push_back(Value::from_validated_json(json));
  return EncodedMessage("/", "news", std::move(args));
}

const bench::Suite suite([] {
  for (const bench::Input& input : bench::text_inputs()) {
    if (!input.name.ends_with("ascii")) continue;
    const std::string& json = input.json;
    bench::add("encoded_message/make_and_build/" + input.name, [&json](benchmark::State& state) {
      bench::measure(state, json.size(), [&] {
        EncodedMessage message = message_of(json);
        benchmark::DoNotOptimize(message.form(Form::kNativeJson, build_one_frame).data());
      });
    });
    bench::add("encoded_message/make_and_freeze/" + input.name, [&json](benchmark::State& state) {
      bench::measure(state, json.size(), [&] {
        EncodedMessage message = message_of(json);
        message.form(Form::kNativeJson, build_one_frame);
        benchmark::DoNotOptimize(message.freeze().get());
      });
    });
    bench::add("encoded_message/thaw/" + input.name, [&json](benchmark::State& state) {
      EncodedMessage source = message_of(json);
      source.form(Form::kNativeJson, build_one_frame);
      const std::shared_ptr<const FrozenMessage> frozen = source.freeze();
      bench::measure(state, json.size(), [&] {
        EncodedMessage message(frozen);
        benchmark::DoNotOptimize(message.form(Form::kNativeJson, build_one_frame).data());
      });
    });
  }
  // What each receiver costs once the form is there.
  bench::add("encoded_message/share_with_one_receiver/1KiB", [](benchmark::State& state) {
    EncodedMessage message = message_of('"' + std::string(1022, 'x') + '"');
    Outbox out;
    bench::measure(state, 1024, [&] {
      for (const Part& part : message.form(Form::kNativeJson, build_one_frame)) out.append(part.bytes);
      out.consume(out.bytes());
    });
  });
});

}  // namespace
}  // namespace wirehall::hub
