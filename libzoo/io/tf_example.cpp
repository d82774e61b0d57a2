#include <libzoo/core/error.h>
#include <libzoo/io/memory_budget.h>
#include <libzoo/io/proto.h>
#include <libzoo/io/tf_example.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>

namespace zoo::io {
namespace {

using BytesView = std::span<const uint8_t>;
using BytesList = std::vector<BytesView>;
using Floats = std::vector<float>;
using Integers = std::vector<int64_t>;

constexpr const char* kKinds[] = {"nothing", "bytes", "floats", "integers"};

// Each member merges one message into `out`, as protobuf does: lists are continued, of a oneof the last kind wins, of a map
// the last entry of a name.
class Decoder {
 public:
  Decoder(const Bytes& record, const std::string& where) : where_(where), budget_(record.size(), where) {}

  void example(BytesView message, TfFeatures& out) {
    each(message, 0, [&](const ProtoField& f) {
      if (f.number == 1) features(f.bytes, 1, out);
    });
  }

  void sequence_example(BytesView message, TfSequenceExample& out) {
    each(message, 0, [&](const ProtoField& f) {
      if (f.number == 1) features(f.bytes, 1, out.context);
      if (f.number == 2) map(f.bytes, 1, out.lists, [&](BytesView value, std::vector<TfFeature>& list) { feature_list(value, 3, list); });
    });
  }

 private:
  // The fields of wire type `bytes`; all others are unknown here and checked only.
  template <class Use>
  void each(BytesView message, size_t depth, Use use) {
    ProtoReader r(message, where_, depth);
    while (const auto field = r.next()) {
      if (field->type == WireType::bytes) use(*field);
    }
  }

  void features(BytesView message, size_t depth, TfFeatures& out) {
    map(message, depth, out, [&, depth](BytesView value, TfFeature& feature_out) { feature(value, depth + 2, feature_out); });
  }

  template <class Value, class Merge>
  void map(BytesView message, size_t depth, std::map<std::string_view, Value>& out, Merge merge) {
    each(message, depth, [&](const ProtoField& entry) {
      if (entry.number != 1) return;
      std::string_view key;
      Value value{};
      each(entry.bytes, depth + 1, [&](const ProtoField& f) {
        if (f.number == 1) {
          key = f.text();
          if (!is_utf8(key)) throw UserError(fmt::format("{}: the name of a feature is not UTF-8", where_));
        } else if (f.number == 2) {
          merge(f.bytes, value);
        }
      });
      budget_.spend(128, "a feature");  // a node of the map
      out.insert_or_assign(key, std::move(value));
    });
  }

  void feature_list(BytesView message, size_t depth, std::vector<TfFeature>& out) {
    each(message, depth, [&](const ProtoField& f) {
      if (f.number != 1) return;
      make_room(out, 1);
      feature(f.bytes, depth + 1, out.emplace_back());
    });
  }

  void feature(BytesView message, size_t depth, TfFeature& out) {
    each(message, depth, [&](const ProtoField& f) {
      if (f.number == 1) bytes_list(f.bytes, depth + 1, chosen<BytesList>(out));
      if (f.number == 2) float_list(f.bytes, depth + 1, chosen<Floats>(out));
      if (f.number == 3) int64_list(f.bytes, depth + 1, chosen<Integers>(out));
    });
  }

  template <class T>
  static T& chosen(TfFeature& feature) {
    if (auto* same = std::get_if<T>(&feature)) return *same;
    return feature.emplace<T>();
  }

  void bytes_list(BytesView message, size_t depth, BytesList& out) {
    each(message, depth, [&](const ProtoField& f) {
      if (f.number != 1) return;
      make_room(out, 1);
      out.push_back(f.bytes);
    });
  }

  void float_list(BytesView message, size_t depth, Floats& out) {
    ProtoReader r(message, where_, depth);
    while (const auto f = r.next()) {
      if (f->number != 1) continue;
      if (f->type == WireType::fixed32) {
        make_room(out, 1);
        out.push_back(f->as_float());
      } else if (f->type == WireType::bytes) {
        make_room(out, f->bytes.size() / sizeof(float));
        ProtoReader packed(f->bytes, where_);
        while (const auto bits = packed.next_fixed32()) out.push_back(std::bit_cast<float>(*bits));
      }
    }
  }

  void int64_list(BytesView message, size_t depth, Integers& out) {
    ProtoReader r(message, where_, depth);
    while (const auto f = r.next()) {
      if (f->number != 1) continue;
      if (f->type == WireType::varint) {
        make_room(out, 1);
        out.push_back(int64_t(f->value));
      } else if (f->type == WireType::bytes) {
        make_room(out, size_t(std::count_if(f->bytes.begin(), f->bytes.end(), [](uint8_t byte) { return byte < 0x80; })));
        ProtoReader packed(f->bytes, where_);
        while (const auto value = packed.next_varint()) out.push_back(int64_t(*value));
      }
    }
  }

  // Grows by doubling at least, and pays for it.
  template <class T>
  void make_room(std::vector<T>& list, size_t more) {
    if (list.capacity() - list.size() >= more) return;
    const size_t capacity = std::max(list.size() + more, 2 * list.size());
    budget_.spend(capacity * sizeof(T), "a list of values");
    list.reserve(capacity);
  }

  const std::string& where_;
  MemoryBudget budget_;
};

void append_feature(ProtoWriter& parent, uint32_t field, const TfFeature& feature) {
  ProtoWriter list, message;
  if (const auto* all = std::get_if<BytesList>(&feature)) {
    for (BytesView bytes : *all) list.bytes(1, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } else if (const auto* floats = std::get_if<Floats>(&feature)) {
    if (!floats->empty()) list.packed(1, *floats);
  } else if (const auto* integers = std::get_if<Integers>(&feature)) {
    if (!integers->empty()) list.packed(1, *integers);
  }
  if (feature.index() > 0) message.message(uint32_t(feature.index()), list);
  parent.message(field, message);
}

void check_name(std::string_view name) {
  if (!is_utf8(name)) throw Error(fmt::format("the name of a feature is not UTF-8: '{}'", name));
}

ProtoWriter features_message(const TfFeatures& features) {
  ProtoWriter message;
  for (const auto& [name, feature] : features) {
    check_name(name);
    ProtoWriter entry;
    entry.bytes(1, name);
    append_feature(entry, 2, feature);
    message.message(1, entry);
  }
  return message;
}

}  // namespace

TfExample decode_example(Bytes record, const std::string& where) {
  TfExample example;
  Decoder(record, where).example(record.view, example.features);
  example.record = std::move(record);
  return example;
}

TfSequenceExample decode_sequence_example(Bytes record, const std::string& where) {
  TfSequenceExample example;
  Decoder(record, where).sequence_example(record.view, example);
  example.record = std::move(record);
  return example;
}

std::string encode_example(const TfFeatures& features) {
  ProtoWriter example;
  if (!features.empty()) example.message(1, features_message(features));
  return example.text();
}

std::string encode_sequence_example(const TfSequenceExample& sequence) {
  ProtoWriter example, lists;
  if (!sequence.context.empty()) example.message(1, features_message(sequence.context));
  for (const auto& [name, features] : sequence.lists) {
    check_name(name);
    ProtoWriter entry, list;
    for (const auto& feature : features) append_feature(list, 1, feature);
    entry.bytes(1, name);
    entry.message(2, list);
    lists.message(1, entry);
  }
  if (!sequence.lists.empty()) example.message(2, lists);
  return example.text();
}

void refuse_feature(const TfFeatures& features, std::string_view name, std::string_view wanted, const std::string& where) {
  const auto found = features.find(name);
  if (found != features.end()) {
    throw UserError(fmt::format("{}: feature '{}' holds {}, wanted are {}", where, name, kKinds[found->second.index()], wanted));
  }
  std::vector<std::string_view> names;
  for (const auto& [key, feature] : features) names.push_back(key);
  throw UserError(fmt::format("{}: there is no feature '{}'", where, name), fmt::format("its features: {}", fmt::join(names, ", ")));
}

}  // namespace zoo::io
