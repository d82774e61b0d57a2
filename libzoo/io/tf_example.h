// tf.train.Example and SequenceExample (tensorflow/core/example/example.proto), decoded and encoded without protobuf: what
// protobuf's parsers accept is accepted, with the same result, and what they refuse is refused.
//
//   auto example = decode_example(record, where);                       // record: Bytes of a TFRecord
//   auto jpeg = values_of<std::span<const uint8_t>>(example.features, "image/encoded", where).at(0);
//   writer.write(encode_example({{"label", std::vector<int64_t>{3}}}));
#pragma once

#include <libzoo/io/bytes.h>

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace zoo::io {

// The oneof `kind`: none, bytes_list, float_list, int64_list. Bytes are views of the record.
using TfFeature = std::variant<std::monostate, std::vector<std::span<const uint8_t>>, std::vector<float>, std::vector<int64_t>>;
using TfFeatures = std::map<std::string_view, TfFeature>;  // names are views of the record too

struct TfExample {
  TfFeatures features;
  Bytes record;  // keeps the views alive, if it has an owner
};

struct TfSequenceExample {
  TfFeatures context;
  std::map<std::string_view, std::vector<TfFeature>> lists;
  Bytes record;
};

// Throw UserError "<where>: …" for a malformed message, a name that is not UTF-8, and a message that would take more memory
// than twice its size and 60 MiB.
TfExample decode_example(Bytes record, const std::string& where);
TfSequenceExample decode_sequence_example(Bytes record, const std::string& where);

// Numbers packed, entries by name: protobuf's deterministic form.
std::string encode_example(const TfFeatures& features);
std::string encode_sequence_example(const TfSequenceExample& example);

[[noreturn]] void refuse_feature(const TfFeatures& features, std::string_view name, std::string_view wanted, const std::string& where);

// The values of feature `name`: T is std::span<const uint8_t>, float or int64_t. Throws UserError if it is missing or of
// another kind.
template <class T>
const std::vector<T>& values_of(const TfFeatures& features, std::string_view name, const std::string& where) {
  const auto found = features.find(name);
  if (found != features.end()) {
    if (const auto* values = std::get_if<std::vector<T>>(&found->second)) return *values;
  }
  refuse_feature(features, name, std::is_same_v<T, float> ? "floats" : std::is_same_v<T, int64_t> ? "integers" : "bytes", where);
}

}  // namespace zoo::io
